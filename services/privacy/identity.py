"""Pure: who a patient is, as kept sealed in the vault: what to scrub, what to search for.

It grows with every event: former names, numbers and addresses stay known to the scrub of notes.
"""

from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import TypeVar

import msgspec

from contracts.identified import Patient, PatientId, PersonName, Staff
from services.privacy.folding import term

VALUES_PER_KIND_MAX = 64
VALUE_CHARS_MAX = 200
# Staff apart: of many who care for somebody none takes the place of next of kin or former names.
KINDS = ("NAME", "STAFF", "ID", "PHONE", "DATE", "LOC", "EMAIL")
Value = TypeVar("Value")
HAN_FIRST, HAN_LAST = "\u3400", "\u9fff"


class KnownIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One identifier's person. ``names`` and ``ids`` are newest first; ``others`` by kind.

    Staff among them as written, or ``number^family^given^middle``.
    """

    ids: tuple[PatientId, ...]
    names: tuple[PersonName, ...] = ()
    birth_date: str = ""
    birth_dates: tuple[str, ...] = ()
    sex: str = ""
    others: dict[str, tuple[str, ...]] = {}


NOBODY = KnownIdentity(ids=())


def grow(known: KnownIdentity, patient: Patient) -> KnownIdentity:
    """Return ``known`` with what an event says; the same object when it says nothing new."""
    ids = _union((one for one in patient.ids if fits(one)), known.ids)
    names = _union((n for n in patient.names if term(_spaced(n)) and fits(n)), known.names)
    birth_date = patient.birth_date or known.birth_date
    dates = _union((birth_date,) if birth_date else (), known.birth_dates)
    others = _grow_others(known.others, patient.others)
    grown = KnownIdentity(
        ids=ids,
        names=names,
        birth_date=birth_date,
        birth_dates=dates,
        sex=patient.sex or known.sex,
        others=others,
    )
    return known if grown == known else grown


def with_staff(patient: Patient, staff: Iterable[Staff]) -> Patient:
    """Return what an event says of a patient with the staff of its visit: later notes name them."""
    told = tuple("^".join((one.id, *_parts(one.name))) for one in staff if any(_parts(one.name)))
    if not told:
        return patient
    others = patient.others | {"STAFF": (*told, *patient.others.get("STAFF", ()))}
    return msgspec.structs.replace(patient, others=others)


def not_kept(known: KnownIdentity, patient: Patient) -> KnownIdentity:
    """Return what an event says that ``known`` has no room for: the scrub of that event has to
    know it all the same. Nearly always ``NOBODY``.
    """
    sizes = (len(patient.ids), len(patient.names), *(len(one) for one in patient.others.values()))
    is_cut = any(len(one) > VALUE_CHARS_MAX for one in chain(*patient.others.values()))
    is_cut = is_cut or not (all(map(fits, patient.ids)) and all(map(fits, patient.names)))
    held = (len(known.ids), len(known.names), *(len(one) for one in known.others.values()))
    if not is_cut and max((*sizes, *held), default=0) < VALUES_PER_KIND_MAX:
        return NOBODY
    ids = tuple(one for one in patient.ids if one not in known.ids)
    names = tuple(one for one in patient.names if one not in known.names)
    others = {
        kind: lost
        for kind, values in patient.others.items()
        if kind in KINDS
        and (lost := tuple(one for one in values if one not in known.others.get(kind, ())))
    }
    if not (ids or names or others):
        return NOBODY
    return KnownIdentity(ids=ids, names=names, others=others)


def join(known: KnownIdentity, other: KnownIdentity) -> KnownIdentity:
    """Return ``known`` that also scrubs what identifies ``other`` (two ids of one person)."""
    others = _grow_others(_grow_others(known.others, _own(other)), other.others)
    return known if others == known.others else msgspec.structs.replace(known, others=others)


def united(newer: KnownIdentity, older: KnownIdentity) -> KnownIdentity:
    """Return ``newer`` with all that ``older`` knows besides: two replicas learned of one person
    at once. Equal to ``newer`` when it knows all of it.
    """
    return KnownIdentity(
        ids=_both(newer.ids, older.ids),
        names=_both(newer.names, older.names),
        birth_date=newer.birth_date or older.birth_date,
        birth_dates=_both(newer.birth_dates, older.birth_dates),
        sex=newer.sex or older.sex,
        others={
            kind: _both(newer.others.get(kind, ()), older.others.get(kind, ()))
            for kind in KINDS
            if kind in newer.others or kind in older.others
        },
    )


def without(known: KnownIdentity, other: KnownIdentity) -> KnownIdentity:
    """Return ``known`` without what it was told of ``other``, who is erased: by ``join``, or by a
    message that gave both their numbers; however it is written. Its own number, name and birth date
    stay.

    What else the two share (a household's telephone) goes too; the next event of ``known`` brings
    its own back.
    """
    own = _own(other)
    others = {}
    for kind, values in known.others.items():
        told = (*other.others.get(kind, ()), *own.get(kind, ()))
        drop = {term(value[:VALUE_CHARS_MAX]) for value in told}
        if kept := tuple(value for value in values if term(value) not in drop):
            others[kind] = kept
    bare = [PatientId(one.value) for one in other.ids]  # as a sender gives it who names no assigner
    own_dates = [one for one in known.birth_dates if one == known.birth_date]
    stripped = msgspec.structs.replace(
        known,
        ids=_stripped(known.ids, (*other.ids, *bare), known.ids[:1], _number),
        names=_stripped(known.names, other.names, known.names[:1], _folded),
        birth_dates=_stripped(known.birth_dates, other.birth_dates, own_dates, term),
        others=others,
    )
    return known if stripped == known else stripped


def apart(known: KnownIdentity, living: Iterable[KnownIdentity]) -> KnownIdentity:
    """Return ``known`` without what it was told of the ``living``: their own is not ``known``'s."""
    own: dict[str, set[str]] = {}
    for one in living:
        for kind, values in _own(one).items():
            own.setdefault(kind, set()).update(map(term, values))
    others = {
        kind: kept
        for kind, values in known.others.items()
        if (kept := tuple(value for value in values if term(value) not in own.get(kind, ())))
    }
    return msgspec.structs.replace(known, others=others)


def display_name(known: KnownIdentity) -> str:
    """Return the newest name as people read it: ``Anna Vickers``, ``王小明``."""
    if not known.names:
        return ""
    name = known.names[0]
    if is_han(name.family):
        return f"{name.family}{name.given}"
    return " ".join(part for part in (name.given, name.middle, name.family) if part)


def record_number(known: KnownIdentity) -> str:
    """Return the number that the identifier is known by."""
    return known.ids[0].value if known.ids else ""


def search_terms(known: KnownIdentity) -> frozenset[str]:
    """Return the squeezed forms that a search may ask for: whole values, never parts of one."""
    found = {term(identifier.value) for identifier in known.ids}
    for name in known.names:
        family, given, middle = term(name.family), term(name.given), term(name.middle)
        found |= {family, given, family + given, given + family}
        found |= {given + middle + family, family + given + middle}
    return frozenset(value for value in found if len(value) > 1 or is_han(value))


def fits(said: PatientId | PersonName) -> bool:
    """Return whether an identifier or a name is no longer than any that is kept."""
    return all(len(part) <= VALUE_CHARS_MAX for part in msgspec.structs.astuple(said))


def is_han(text: str) -> bool:
    """Return whether ``text`` begins with a Han character."""
    return bool(text) and HAN_FIRST <= text[0] <= HAN_LAST


def _own(known: KnownIdentity) -> dict[str, tuple[str, ...]]:
    """Return a person's own names, numbers and birth dates as another's entry is told of them."""
    return {
        "NAME": tuple(_spaced(name) for name in known.names),
        "ID": tuple(identifier.value for identifier in known.ids),
        "DATE": known.birth_dates,
    }


def _parts(name: PersonName) -> tuple[str, str, str]:
    return name.family, name.given, name.middle


def _spaced(name: PersonName) -> str:
    return " ".join(part for part in _parts(name) if part)


def _grow_others(
    known: dict[str, tuple[str, ...]], fresh: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    grown = {}
    for kind in KINDS:
        values = (value[:VALUE_CHARS_MAX] for value in fresh.get(kind, ()))
        held = known.get(kind, ())
        new = [value for value in values if value not in held and term(value)]
        union = _union(new, held)
        if union:
            grown[kind] = union
    return grown


def _union(fresh: Iterable[Value], known: tuple[Value, ...]) -> tuple[Value, ...]:
    """The newest first; the same order as before when nothing is new but, maybe, the order."""
    fresh = tuple(fresh)
    if set(fresh) <= set(known) and fresh[:1] in {(), known[:1]}:
        return known
    return tuple(dict.fromkeys((*fresh, *known)))[:VALUES_PER_KIND_MAX]


def _both(newer: tuple[Value, ...], older: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys((*newer, *older)))[:VALUES_PER_KIND_MAX]


def _stripped(
    known: tuple[Value, ...],
    gone: Iterable[Value],
    own: Collection[Value],
    fold: Callable[[Value], object],
) -> tuple[Value, ...]:
    drop = {fold(one) for one in gone}
    return tuple(one for one in known if one in own or fold(one) not in drop)


def _number(identifier: PatientId) -> tuple[str, str]:
    return term(identifier.value), identifier.assigner


def _folded(name: PersonName) -> str:
    return term(_spaced(name))
