"""Staff named anywhere in a message, known to the scrub of all that its patients' events say in
words: ``tell(groups, with_staff)``. Pure.
"""

from typing import Final

from services.ingest import patients
from services.ingest.draft import Draft
from services.ingest.others import says_words

NAMES_MAX: Final = 4_096  # that staff of other patients of the message add to its events

Named = tuple[Draft, list[str], tuple[int, ...]]  # whose, the fields, which of them name staff


def tell(groups: list[Draft], with_staff: list[Named]) -> None:
    """Have each event that says something in words know the staff that the message names."""
    if not with_staff:
        return
    in_words = [draft for draft in groups if says_words(draft)]
    if not in_words:
        return
    found = _staff_fields(groups[0].dialect.field, with_staff)
    if len(groups) == 1:
        for draft, raw in found:
            patients.put_staff_name(draft, raw)
    else:
        _share(in_words, found)


def _staff_fields(field: str, with_staff: list[Named]) -> list[tuple[Draft, str]]:
    found: list[tuple[Draft, str]] = []
    for draft, f, numbers in with_staff:
        last = len(f) - 1
        if numbers[-1] >= last:  # the last one is all the rest
            f.extend(f.pop().split(field, numbers[-1] - last + 1))
        for number in numbers:
            if number < len(f) and f[number]:
                found.append((draft, f[number]))  # noqa: PERF401 - as in ``patients``
    return found


def _share(in_words: list[Draft], found: list[tuple[Draft, str]]) -> None:
    """Have each know all staff of the message, or where that is too many names (each patient's with
    each other's) those of the patient's own segments: notes go before other words.
    """
    own: dict[Draft, list[str]] = {}
    names: list[str] = []
    for draft, raw in found:
        here = patients.staff_names(draft.dialect, raw)
        own.setdefault(draft, []).extend(here)
        names.extend(here)
    names = list(dict.fromkeys(names))
    noted = 0
    for draft in in_words:
        noted += bool(draft.notes)
    for draft in in_words:
        among = noted if draft.notes else len(in_words)
        draft.staff_names += names if len(names) * among <= NAMES_MAX else own.get(draft, [])
