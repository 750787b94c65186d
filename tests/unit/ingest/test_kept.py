"""What is kept of texts: each in its dialect, and never more than the bound."""

import gc
import tracemalloc

from services.ingest.dialect import dialect_of
from services.ingest.fhir_codes import system_of
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.kept import Kept
from services.ingest.parse import SourceProfile

USUAL = dialect_of("|", "^~\\&", "utf-8")
OTHER = dialect_of("|", "~^\\&", "utf-8")


def test_a_text_is_kept_for_its_dialect_alone() -> None:
    kept = Kept[str](8)
    assert kept.put(USUAL, "a^b", "a") == "a"
    assert kept.get(OTHER, "a^b") is None
    kept.put(OTHER, "a^b", "a^b")
    kept.put(USUAL.plain, "a^b", "plain")
    found = [kept.get(one, "a^b") for one in (USUAL, OTHER, USUAL.plain, USUAL, USUAL)]
    assert found == ["a", "a^b", "plain", "a", "a"]
    assert kept.get(USUAL, "c") is None


def test_more_than_its_bound_begins_anew() -> None:
    kept = Kept[int](4)
    for number in range(4):
        kept.put(USUAL if number % 2 else OTHER, str(number), number)
    assert [kept.get(USUAL, "1"), kept.get(OTHER, "2")] == [1, 2]
    kept.put(OTHER, "4", 4)
    assert [kept.get(USUAL, "1"), kept.get(OTHER, "2"), kept.get(OTHER, "4")] == [None, None, 4]


def test_long_codes_units_and_times_leave_nothing_in_memory() -> None:
    keys = Keys(event=b"e" * 32, route=b"r" * 32)

    def send(first: int, last: int) -> None:
        for number in range(first, last):
            long = f"{number}{'x y' * 5_000}"
            parse_frame(
                "MSH|^~\\&|LAB|H|||20240501||ORU^R01|1|P|2.5\rPID|1||7^^^H^MR||A^B||"
                f"{long}\rOBR|1|||{long}^{long}^L\r"
                f"OBX|1|NM|{long}^{long}^L||5|{long}|||||F|||{long}\r".encode(),
                SourceProfile("t"),
                keys,
                0,
            )
            system_of(f"urn:{long}")

    send(0, 5)
    gc.collect()
    tracemalloc.start()
    send(5, 105)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100 * 15_000 / 2  # not one whole text of each message
