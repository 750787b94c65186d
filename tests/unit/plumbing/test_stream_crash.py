"""The crash ledger finds the culprit, whoever its neighbours are, and blames nobody else."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from plumbing.stream_crash import CrashLedger, Place, Suspect, blame, cut

PLACE = Place("t", 3)
N = 3


def test_below_the_limit_a_batch_stays_whole() -> None:
    suspect = Suspect("t", 3, 10, 20, N - 1)
    assert [(p.start, p.stop) for p in cut(range(100), suspect, N)] == [(0, 100)]
    assert [(p.start, p.stop) for p in cut(range(100), None, N)] == [(0, 100)]


def test_a_suspect_range_is_handled_in_pieces_and_the_rest_whole() -> None:
    pieces = cut(range(1_000), Suspect("t", 3, 100, 739, N), N)
    assert (pieces[0].start, pieces[0].stop) == (0, 100)
    assert (pieces[-1].start, pieces[-1].stop) == (740, 1_000)
    assert {p.stop - p.start for p in pieces[1:-1]} == {20}
    assert not any(p.quarantined for p in pieces)


def test_a_single_suspect_is_quarantined() -> None:
    pieces = cut(range(40, 60), Suspect("t", 3, 45, 45, 5), N)
    assert [(p.start, p.stop, p.attempts) for p in pieces] == [(0, 5, 0), (5, 6, 5), (6, 20, 0)]


def test_no_record_is_quarantined_before_it_was_tried_alone(tmp_path: Path) -> None:
    """Traffic of one record a batch: three deaths make it a suspect, the fourth is its own."""
    for _ in range(N):
        dying = CrashLedger(tmp_path, "x", N)
        dying.take(PLACE, 100, 100)
        dying._marks.close()
    alone = CrashLedger(tmp_path, "x", N)
    pieces = alone.pieces(PLACE, [99, 100, 101])
    assert [(p.start, p.stop, p.quarantined) for p in pieces] == [
        (0, 1, False),
        (1, 2, False),
        (2, 3, False),
    ]
    alone.take(PLACE, 100, 100)
    alone._marks.close()
    guilty = CrashLedger(tmp_path, "x", N)
    assert [p.attempts for p in guilty.pieces(PLACE, [99, 100, 101])] == [0, N + 1, 0]
    guilty.close()


@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=400, unique=True).map(sorted),
    st.integers(0, 5_000),
    st.integers(0, 600),
    st.integers(1, 6),
)
def test_pieces_cover_the_batch_in_order(
    offsets: list[int], first: int, length: int, crashes: int
) -> None:
    pieces = cut(offsets, Suspect("t", 3, first, first + length, crashes), N)
    covered = [index for piece in pieces for index in range(piece.start, piece.stop)]
    assert covered == list(range(len(offsets)))


@given(
    st.integers(0, 2_000),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 700)), min_size=20, max_size=20),
)
def test_the_culprit_is_found_however_batches_fall(
    culprit: int, falls: list[tuple[int, int]]
) -> None:
    """Each start fetches other batch bounds around the culprit; no neighbour is quarantined."""
    suspect: Suspect | None = None
    for before, size in falls:
        first = max(0, culprit - before % size)
        offsets = range(first, first + size)
        for piece in cut(offsets, suspect, N):
            inside = offsets[piece.start : piece.stop]
            if piece.quarantined:
                assert list(inside) == [culprit]
                return
            if culprit in inside:
                suspect = blame(suspect, PLACE, inside[0], inside[-1])
                break
    raise AssertionError("not found")


def test_the_ledger_survives_restarts_and_forgets_what_passed(tmp_path: Path) -> None:
    first = CrashLedger(tmp_path, "privacy-0", N)
    assert not first.suspicious
    first.blame(PLACE, 100, 199)
    first.close()
    second = CrashLedger(tmp_path, "privacy-0", N)
    assert second.suspicious
    second.assigned = frozenset({Place("t", 4)})
    assert not second.suspicious  # another replica has it now
    second.assigned = frozenset({PLACE, Place("t", 4)})
    assert second.suspicious
    assert second.blame(PLACE, 150, 400) == Suspect("t", 3, 150, 199, 2)
    second.passed(PLACE, 198)
    assert second.suspicious
    second.passed(PLACE, 199)
    assert not second.suspicious
    second.close()
    third = CrashLedger(tmp_path, "privacy-0", N)
    assert not third.suspicious
    third.close()


def test_a_death_with_a_batch_in_hand_is_blamed_once(tmp_path: Path) -> None:
    dying = CrashLedger(tmp_path, "x", N)
    dying.take(PLACE, 5, 9)
    dying.take(Place("other", 0), 1, 1)
    dying.put_down(Place("other", 0))
    dying._marks.close()  # it dies: nothing is put down
    next_one = CrashLedger(tmp_path, "x", N)
    assert next_one.suspicious
    assert next_one._suspects == {PLACE: Suspect("t", 3, 5, 9, 1)}
    next_one.close()
    after = CrashLedger(tmp_path, "x", N)
    assert after._suspects == {PLACE: Suspect("t", 3, 5, 9, 1)}  # not blamed again
    after.close()


def test_marks_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    dies = (
        "import os, sys; from pathlib import Path; from plumbing.stream_crash import *;"
        "one = CrashLedger(Path(sys.argv[1]), 'x', 3);"
        "one.take(Place('t', 3), 5, 9); one.take(Place('u', 0), 1, 2); one.put_down(Place('u', 0));"
        "os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", dies, str(tmp_path)], check=False)
    assert ended.returncode == -9
    next_one = CrashLedger(tmp_path, "x", N)
    assert next_one._suspects == {PLACE: Suspect("t", 3, 5, 9, 1)}
    next_one.close()


def test_a_clean_end_blames_nobody(tmp_path: Path) -> None:
    ledger = CrashLedger(tmp_path, "x", N)
    ledger.take(PLACE, 5, 9)
    ledger.close()
    after = CrashLedger(tmp_path, "x", N)
    assert not after.suspicious
    after.close()
