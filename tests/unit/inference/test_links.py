"""The alias sets: both ends must say so, order does not matter, changes are known by their head."""

from itertools import permutations

from contracts.merged import IdentityMerged, TokenLink
from services.inference.links import LinkTable


def record(token: str, links: dict[str, int], version: int = 1) -> IdentityMerged:
    found = tuple(TokenLink(other, days, "e") for other, days in links.items())
    return IdentityMerged(token=token, links=found, version=version, event_id="e")


def table(*records: IdentityMerged) -> LinkTable:
    links = LinkTable(lambda token: ord(token) % 2)
    for offset, one in enumerate(records):
        links.read(one, 0, offset)
    return links


CHAIN = (record("a", {"b": 5}), record("b", {"a": -5, "c": 2}), record("c", {"b": -2}))


def test_a_chain_is_one_person_with_the_days_added_up() -> None:
    for order in permutations(CHAIN):
        links = table(*order)
        assert links.aliases("a") == {"a": 0, "b": 5, "c": 7}
        assert links.aliases("c") == {"c": 0, "b": -2, "a": -7}
        assert {links.head(token) for token in "abc"} == {"a"}


def test_one_end_alone_links_nobody() -> None:
    links = table(record("a", {"b": 5}))
    assert links.aliases("a") == {"a": 0}
    assert not links.linked("a")
    assert links.knows("a")


def test_an_older_record_changes_nothing_but_the_version_still_grows() -> None:
    links = table(*CHAIN, record("b", {}, version=2))
    before = links.version
    links.read(record("b", {"a": -5}, version=1), 0, 9)
    assert links.aliases("a") == {"a": 0}
    assert links.version > before


def test_a_change_is_due_at_each_new_head_until_it_is_reported() -> None:
    links = table(*CHAIN)
    links.begin()
    assert not links.changed(1)
    links.read(record("b", {}, version=2), 0, 9)  # a is 97, b 98, c 99: a and c in partition 1

    assert links.changed(1) == {"a", "c"}
    assert links.changed(0) == {"b"}
    links.settled(1, {"a": links.fingerprint("a"), "c": b"of another alias set"})
    assert links.changed(1) == {"c"}


def test_a_newer_record_is_reported_also_when_it_links_nobody_else() -> None:
    links = table(*CHAIN)
    reported = links.fingerprint("a")
    assert table(*reversed(CHAIN)).fingerprint("a") == reported
    links.read(record("c", {"b": -2}, version=2), 0, 9)
    assert links.aliases("a") == {"a": 0, "b": 5, "c": 7}
    assert links.fingerprint("a") != reported


def test_a_tombstone_unlinks() -> None:
    links = table(*CHAIN)
    links.forget("b", 0, 9)
    assert links.aliases("c") == {"c": 0}
    assert links.changed(0) >= {"b"}


def test_who_is_where() -> None:
    links = table(*CHAIN)
    assert links.heads(1) == {"a"}
    assert links.linked_in(1) == {"a", "c"}
    assert links.linked_in(0) == {"b"}
    assert links.fingerprint("a") != links.fingerprint("b")
