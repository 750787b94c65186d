"""The balance of accepted, visible, refused, lost and doubled."""

from hypothesis import given
from hypothesis import strategies as st

from cli.accounting import NON_CLINICAL, Seen, reconcile

IDS = st.sets(st.integers(0, 30).map(str), max_size=20)


def seen(
    accepted: dict[str, str],
    visible: set[str],
    refused: dict[str, str] | None = None,
    entries: int | None = None,
) -> Seen:
    return Seen(
        accepted=accepted,
        refused=refused or {},
        scored={},
        visible=frozenset(visible),
        visible_entries=len(visible) if entries is None else entries,
    )


def test_every_event_visible_non_clinical_or_refused_is_balanced() -> None:
    found = reconcile(
        seen(
            {"a": "observation.result", "b": NON_CLINICAL, "c": "document"},
            {"a"},
            {"c": "identity_guard"},
        )
    )
    assert (found.accepted, found.visible, found.non_clinical) == (3, 1, 1)
    assert found.refused == {"identity_guard": 1}
    assert found.balanced


def test_an_event_that_is_nowhere_is_lost_and_named() -> None:
    found = reconcile(seen({"a": "document", "b": "document"}, {"a"}))
    assert (found.lost, found.lost_examples, found.balanced) == (1, ("b",), False)


def test_two_results_of_one_event_are_doubled() -> None:
    found = reconcile(seen({"a": "document"}, {"a"}, entries=2))
    assert (found.doubled, found.balanced) == (1, False)


def test_a_result_that_nobody_sent_is_seen() -> None:
    found = reconcile(seen({"a": "document"}, {"a", "z"}))
    assert (found.unknown, found.balanced) == (1, False)


def test_a_refused_event_that_was_replayed_and_is_visible_counts_once() -> None:
    found = reconcile(seen({"a": "document"}, {"a"}, {"a": "undecodable"}))
    assert (found.visible, found.refused, found.balanced) == (1, {}, True)


@given(accepted=IDS, visible=IDS, refused=IDS, quiet=IDS)
def test_accepted_always_adds_up(
    accepted: set[str], visible: set[str], refused: set[str], quiet: set[str]
) -> None:
    found = reconcile(
        seen(
            {one: NON_CLINICAL if one in quiet else "document" for one in accepted},
            visible,
            dict.fromkeys(refused, "x"),
        )
    )
    parts = found.visible + found.non_clinical + sum(found.refused.values()) + found.lost
    assert found.accepted == parts
    assert found.balanced == (found.lost == 0 and found.unknown == 0)
