"""Counting answers."""

from cli.tally import NO_ANSWER, Tally
from simulator.mllp_client import Answered, Outgoing


def answered(payload: bytes, code: str, attempts: int = 1) -> Answered:
    return Answered(Outgoing(payload, "lane", kind="ORU^R01"), code, b"", attempts, 1.0)


def test_a_resend_counts_once_as_accepted() -> None:
    tally = Tally()
    for one in (answered(b"a", "AA"), answered(b"b", "AA", 3), answered(b"a", "AA")):
        tally.add(one)
    assert (tally.sent, len(tally.accepted), tally.resent) == (3, 2, 3)
    assert (tally.of("AA"), tally.refused, tally.of(NO_ANSWER)) == (3, 0, 0)


def test_refused_and_unanswered_are_told_apart() -> None:
    tally = Tally()
    for code in ("AR", "AE", "", "AA"):
        tally.add(answered(code.encode(), code))
    assert (tally.refused, tally.of(NO_ANSWER), tally.of("AA")) == (2, 1, 1)
    assert tally.table().row_count == 2
