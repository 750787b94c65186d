"""What a second reader marked in gold notes, who had seen neither the marks nor the rules: how far
two readers agree is how far a score by the marks of one can be meant.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from training.deid.scoring import NOT_REQUIRED, Spans, counted_in, cover
from training.deid.texts import BadGold, Half, Marked, read_gold

REREAD = Path(__file__).parents[1] / "data" / "reread_notes"
DISPUTED = "OTHER"  # it may go, and need not


def second_readings(lang: str, half: Half) -> dict[str, Marked]:
    """Return the notes of a half that were read again, with the second reader's marks, by id."""
    return {note.id: note for note in read_gold(REREAD, lang, half)}


def marked_again(note: Marked, readings: dict[str, Marked]) -> Spans:
    """Return what the second reader marked in a note; raise ``BadGold``, it is another text."""
    again = readings.get(note.id)
    if again is None or again.text != note.text:
        raise BadGold(f"{note.id}: is not the text that was read again")
    return again.spans


def agreed(note: Marked, again: Spans) -> Marked:
    """Return a note of whose marks those have to go that the second reader marked whole, as what
    has to go; what one reader marked so alone is ``DISPUTED``. Letters and digits count.
    """
    return replace(note, spans=tuple(_agreed(note, again)))


def _agreed(note: Marked, again: Spans) -> Iterator[tuple[int, int, str]]:
    counted = counted_in(note.text)
    required = cover(span for span in again if span[2] not in NOT_REQUIRED)
    for start, end, label in note.spans:
        is_whole = label in NOT_REQUIRED or counted & {*range(start, end)} <= required
        yield start, end, label if is_whole else DISPUTED
    for at in sorted(counted & cover(again) - cover(note.spans)):
        yield at, at + 1, DISPUTED
