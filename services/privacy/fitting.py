"""Pure: an event that still fits its record once marks stand in its texts: the longest go first.

A mark may be three times as long as the name that it stands for. What is held back says so, and the
event passes with all else.
"""

import msgspec

from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent

EVENT_BYTES_MAX = 700_000  # refused downstream it is kept whole, in base64, within a record
NO_ROOM = "no_room"


def fitted(event: DeidentifiedEvent, value: bytes) -> tuple[DeidentifiedEvent, bytes]:
    """Return an event and its record ``value``, without its longest texts where it is too large."""
    excess = len(value) - EVENT_BYTES_MAX
    if excess <= 0:
        return event, value
    notes, observations = list(event.notes), list(event.observations)
    texts = [(len(note.text or ""), "note", place) for place, note in enumerate(notes)]
    texts += [(len(one.text), "result", place) for place, one in enumerate(observations)]
    for length, kind, place in sorted(texts, reverse=True):
        if excess <= 0 or not length:
            break
        if kind == "note":
            note = notes[place]
            notes[place] = msgspec.structs.replace(note, text=None, held=NO_ROOM)
            excess -= _saved(note, notes[place])
        else:
            one = observations[place]
            observations[place] = msgspec.structs.replace(one, text="", finding=NO_ROOM)
            excess -= _saved(one, observations[place])
    event = msgspec.structs.replace(event, notes=tuple(notes), observations=tuple(observations))
    return event, DEIDENTIFIED.encode(event)


def _saved(whole: object, held: object) -> int:
    return len(msgspec.json.encode(whole)) - len(msgspec.json.encode(held))
