"""Links follow from what was decided, whatever the order, the repetitions and the kills between."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.merged import MERGED, IdentityMerged, TokenLink
from contracts.topic import DAY_MS
from plumbing.event_log import Record
from services.inference.links import LinkTable
from services.privacy.decisions import (
    DECISIONS_PER_PAIR_MAX,
    UNLINKED_PAIRS_MAX,
    LinkChange,
    changed,
    joined,
    same,
)
from services.privacy.links import mirror_links

SHIFT_DAYS = {"a": 3, "b": 300, "c": 40}
PAIRS = (("a", "b"), ("b", "c"), ("c", "a"))  # a chain that closes: c is linked by two ways
Held = dict[str, IdentityMerged]


class Delivery(NamedTuple):
    """One handling of some decisions; ``writes`` < 2: killed after so many records."""

    changes: tuple[LinkChange, ...]
    writes: int


def a_change(
    one: str, other: str, event_id: str, at_ms: int, *, is_link: bool, order: int = 0
) -> LinkChange:
    return LinkChange(
        one=one,
        one_shift_days=SHIFT_DAYS.get(one, 1),
        other=other,
        other_shift_days=SHIFT_DAYS.get(other, 1),
        is_link=is_link,
        event_id=event_id,
        received_at_ms=at_ms,
        received_order=order,
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[LinkChange, ...]:
    """Decisions of two ingest processes about three pairs, named from either side."""
    found: list[LinkChange] = []
    for pair in PAIRS:
        for _ in range(draw(st.integers(0, DECISIONS_PER_PAIR_MAX))):
            one, other = draw(st.permutations(pair))
            at_ms, order = draw(st.integers(0, 4)), draw(st.integers(0, 2))
            event_id = f"{draw(st.integers(0, 3))}-{len(found)}"
            linked = draw(st.booleans())
            found.append(a_change(one, other, event_id, at_ms, is_link=linked, order=order))
    return tuple(found)


@st.composite
def deliveries(draw: st.DrawFn, history: Sequence[LinkChange]) -> list[Delivery]:
    """Each decision handled once whole, in any order; and any number of redeliveries, of resends
    that ingest received later, of batches, and of handlings that were cut off between two writes.
    """
    steps = [Delivery((change,), 2) for change in history]
    if history:
        some = st.sampled_from(history)
        late = st.builds(
            lambda change, ms: replace_change(change, change.received_at_ms + ms),
            some,
            st.integers(0, 9),
        )
        batches = st.lists(late, min_size=1, max_size=4).map(tuple)
        steps += draw(st.lists(st.builds(Delivery, batches, st.integers(0, 2)), max_size=8))
    return list(draw(st.permutations(steps)))


def replace_change(change: LinkChange, received_at_ms: int) -> LinkChange:
    return LinkChange(**{**vars(change), "received_at_ms": received_at_ms})


def handled(steps: Iterable[Delivery]) -> tuple[Held, list[IdentityMerged]]:
    """Return the records by token, and all that were written in their order."""
    held: Held = {}
    topic: list[IdentityMerged] = []
    for changes, writes in steps:
        records = list(changed(held, changes).values())
        for record in records if writes > 1 else records[:writes]:
            held[record.token] = record
            topic.append(record)
    return held, topic


def content(held: Held) -> dict[str, bytes]:
    plain = {token: replace(one, version=0, event_id="") for token, one in held.items()}
    return {token: msgspec.json.encode(one) for token, one in plain.items()}


def newest(history: Iterable[LinkChange]) -> dict[frozenset[str], LinkChange]:
    found: dict[frozenset[str], LinkChange] = {}
    for change in sorted(
        history, key=lambda one: (one.received_at_ms, one.received_order, one.event_id)
    ):
        found[frozenset((change.one, change.other))] = change
    return found


class Topic:
    """The records as written, and the hash in Redis that follows them."""

    def __init__(self) -> None:
        self.records: list[IdentityMerged] = []
        self.hash: dict[str, bytes] = {}

    def write(self, records: Iterable[IdentityMerged]) -> "Topic":
        for record in records:
            self.records.append(record)
            key, value = record.token.encode(), MERGED.encode(record)
            for field, wanted in mirror_links(
                Record(MERGED.name, 0, 0, key, value, (), 0), self.hash
            ):
                self.hash[field] = wanted
                if not wanted:
                    del self.hash[field]
        return self

    @property
    def unpublished(self) -> set[str]:
        return {field.removeprefix("r:") for field in self.hash if field.startswith("r:")}

    @property
    def held(self) -> Held:
        return {t: MERGED.decode(raw) for t, raw in self.hash.items() if not t.startswith("r:")}

    def due(self, changes: Sequence[LinkChange]) -> list[IdentityMerged]:
        """Return what a writer of these changes would write now, as ``LinkBook`` does."""
        touched = {token for change in changes for token in (change.one, change.other)}
        repairs = {token: self.held[token] for token in self.unpublished & touched}
        return list((repairs | changed(self.held, changes)).values())


@given(st.data())
def test_the_newest_decision_about_a_pair_holds_in_whatever_order(data: st.DataObject) -> None:
    history = data.draw(histories())
    held, topic = handled(data.draw(deliveries(history)))
    assert content(held) == content(handled([Delivery(history, 2)])[0])
    expected = {
        (one, other)
        for change in newest(history).values()
        if change.is_link
        for one, other in ((change.one, change.other), (change.other, change.one))
    }
    links = {(token, link.other): link for token, one in held.items() for link in one.links}
    assert set(links) == expected
    for (one, other), link in links.items():
        assert link.shift_delta_days == SHIFT_DAYS[other] - SHIFT_DAYS[one]
        assert link.event_id == newest(history)[frozenset((one, other))].event_id
    for token in held:
        versions = [record.version for record in topic if record.token == token]
        assert versions == list(range(1, len(versions) + 1))


@given(st.data())
def test_a_mirror_is_the_same_from_the_whole_or_the_compacted_topic(data: st.DataObject) -> None:
    history = data.draw(histories())
    held, records = handled(data.draw(deliveries(history)))
    last = {record.token: offset for offset, record in enumerate(records)}
    kept = [offset for offset, record in enumerate(records) if last[record.token] == offset]
    dumped = data.draw(st.integers(0, len(records)))
    older = Topic().write(records[:dumped])
    older.write(records[offset] for offset in kept if offset >= dumped)
    assert older.held == Topic().write(records).held == held
    assert Topic().write(records[offset] for offset in kept).held == held
    assert older.unpublished == set()


class Writer:
    """A replica with events to handle. No lock: it may write what it made of what it once read."""

    def __init__(self, topic: Topic, changes: Sequence[LinkChange]) -> None:
        self._topic, self._changes = topic, changes
        self._due: list[IdentityMerged] = []
        self.done = False

    def turn(self) -> None:
        """Read, or write what was due at the last read; done (and committed) when nothing is."""
        if self._due:
            self._topic.write(self._due)
            self._due = []
        elif not self.done:
            self._due = self._topic.due(self._changes)
            self.done = not self._due


@given(st.data())
def test_writers_who_do_not_see_one_another_lose_nothing(data: st.DataObject) -> None:
    history = data.draw(histories())
    topic, count = Topic(), data.draw(st.integers(1, 4))
    writers = [Writer(topic, history[number::count]) for number in range(count)]
    for number in data.draw(st.lists(st.integers(0, count - 1), max_size=20)):
        writers[number].turn()
    for writer in 8 * writers:
        writer.turn()
    assert all(writer.done for writer in writers)
    last = {record.token: record for record in topic.records}
    assert last == topic.held
    assert content(last) == content(changed({}, history))
    table = LinkTable(lambda _: 0)
    for offset, record in enumerate(topic.records):
        table.read(record, 0, offset)
    for token, record in last.items():
        assert table.aliases(token).keys() >= {link.other for link in record.links}
        assert table.linked(token) == bool(record.links)


@given(st.data())
def test_joining_does_not_depend_on_the_order(data: st.DataObject) -> None:
    history = data.draw(histories())
    one = handled(data.draw(deliveries(history)))[0].get("a")
    other = changed({}, history[::2]).get("a")
    if one is None or other is None:
        return
    assert same(joined(one, other), joined(other, one))
    assert same(joined(one, other), one)
    assert joined(one, other).version == joined(other, one).version > one.version


def test_an_unlink_under_the_other_identifier_may_be_handled_first() -> None:
    merge = a_change("a", "b", "merge", 1_000, is_link=True)
    unlink = a_change("b", "a", "unlink", 2_000, is_link=False)
    again = a_change("b", "a", "again", 3_000, is_link=True)
    for order in ([merge, unlink], [unlink, merge], [unlink, merge, merge, unlink]):
        held, _ = handled(Delivery((change,), 2) for change in order)
        assert [held[token].links for token in "ab"] == [(), ()]
    held, _ = handled(Delivery((change,), 2) for change in (again, unlink, merge))
    assert held["a"].links == (TokenLink("b", 297, "again"),)


def test_no_time_of_a_decision_is_told_unshifted() -> None:
    held = changed({}, [a_change("a", "b", "merge", 1_000 * DAY_MS, is_link=True)])
    times = {token: [d.decided_at_ms for d in one.decisions] for token, one in held.items()}
    assert times == {"a": [997 * DAY_MS], "b": [700 * DAY_MS]}


def test_a_link_from_before_decisions_were_kept_is_older_than_any() -> None:
    old = {
        "a": IdentityMerged(token="a", links=(TokenLink("b", 297, "m"),), version=1, event_id="m"),
        "b": IdentityMerged(token="b", links=(TokenLink("a", -297, "m"),), version=1, event_id="m"),
    }
    assert changed(old, []) == {}
    undone = changed(old, [a_change("b", "a", "u", -(10**15), is_link=False)])
    assert [undone[token].links for token in "ab"] == [(), ()]
    redelivered = a_change("a", "b", "m", 10**15, is_link=True)
    assert changed(undone, [redelivered]) == {}
    chain = changed(old, [a_change("b", "c", "n", 5, is_link=True)])
    assert {link.other for link in chain["b"].links} == {"a", "c"}
    later = replace(old["a"], links=(), version=2)
    assert Topic().write([old["a"], later]).held == {"a": later}
    assert Topic().write([later, old["a"]]).held == {"a": later}


def test_a_record_is_bounded_and_the_other_end_remembers_what_was_forgotten() -> None:
    held: Held = {}
    count = UNLINKED_PAIRS_MAX + 8
    for number in range(count):
        for turn in range(2 * DECISIONS_PER_PAIR_MAX):
            at_ms, linked = 1_790_000_000_000 + 1_000 * number + turn, turn % 2 == 0
            event_id = f"{number:018}{turn:018}"  # as long as a real one, the tokens too
            change = a_change("hub", f"t{number:025}", event_id, at_ms, is_link=linked)
            held |= changed(held, [change])
    assert held["hub"].links == ()
    assert len(held["hub"].decisions) == UNLINKED_PAIRS_MAX * DECISIONS_PER_PAIR_MAX
    assert len(MERGED.encode(held["hub"])) < 100_000
    first = f"t{0:025}"
    assert first not in {decision.other for decision in held["hub"].decisions}
    assert len(held[first].decisions) == DECISIONS_PER_PAIR_MAX
    late = a_change("hub", first, "late", 5, is_link=True)
    assert changed(held, [late]) == {}
    newer = a_change(first, "hub", "newer", 10**15, is_link=True)
    assert [link.other for link in changed(held, [newer])["hub"].links] == [first]
