"""An event whose texts grew by their marks passes without the longest of them, and says so."""

import msgspec

from contracts.deidentified import DEIDENTIFIED, CleanNote
from contracts.observation import Code, Observation
from services.privacy.fitting import EVENT_BYTES_MAX, NO_ROOM, fitted
from tests.support.inference import an_event


def test_the_longest_texts_are_held_back_until_it_fits() -> None:
    notes = tuple(CleanNote(text="[NAME-1] " * size) for size in (10, 40_000, 20_000, 30_000))
    long = Observation(index=0, code=Code("L", "doc"), kind="text", text="x" * 200_000)
    event = msgspec.structs.replace(an_event("e", "t" * 26), notes=notes, observations=(long,))
    done, value = fitted(event, DEIDENTIFIED.encode(event))
    assert len(value) <= EVENT_BYTES_MAX
    assert DEIDENTIFIED.decode(value) == done
    assert [note.held for note in done.notes] == ["", NO_ROOM, "", ""]
    assert [note.text is None for note in done.notes] == [False, True, False, False]
    assert [(one.text, one.finding) for one in done.observations] == [(long.text, "")]


def test_a_result_goes_where_it_is_the_longest() -> None:
    long = Observation(index=0, code=Code("L", "doc"), kind="text", text="x" * 800_000)
    event = msgspec.structs.replace(an_event("e", "t" * 26), observations=(long,))
    done, value = fitted(event, DEIDENTIFIED.encode(event))
    assert [(one.text, one.finding) for one in done.observations] == [("", NO_ROOM)]
    assert len(value) < 1_000


def test_what_fits_is_left_alone() -> None:
    event = an_event("e", "t" * 26)
    value = DEIDENTIFIED.encode(event)
    assert fitted(event, value) == (event, value)
