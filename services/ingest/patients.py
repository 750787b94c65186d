"""PID, PD1, NK1, GT1, IN1, IN2, MRG: who the patient is, and every string that tells on them."""

from collections.abc import Callable

from contracts.identified import PatientId, PersonName
from services.ingest.draft import Draft
from services.ingest.hl7 import NULL, Dialect
from services.ingest.times import birth_date_of

ID_RANK = {"MR": 0, "MRN": 0, "PI": 1}
CJK_FIRST, CJK_LAST = "\u4e00", "\u9fff"
Put = Callable[[Draft, str], None]


def pid(draft: Draft, f: list[str]) -> None:
    """Read PID."""
    d = draft.dialect
    draft.ids = ids_of(d, f[3])
    if not draft.ids:
        draft.ids = ids_of(d, f[2]) or ids_of(d, f[4])
        if draft.ids:
            draft.find("PID-3", "101", "identifier taken from PID-2 or PID-4")
    else:
        _put(draft, f, PID_ALTERNATES)
    draft.names = tuple(name for one in d.repetitions(f[5]) if (name := person_name(d, one)))
    if f[7]:
        _birth_date(draft, f[7])
    draft.sex = d.first(f[8])
    draft.deceased = d.first(f[30]).upper() == "Y" or bool(f[29] and f[29] != NULL)
    _put(draft, f, PID_OTHERS)


def pd1(draft: Draft, f: list[str]) -> None:
    """Read PD1: the family doctor's name may stand in notes."""
    if f[4]:
        put_staff_name(draft, f[4])


def nk1(draft: Draft, f: list[str]) -> None:
    """Read NK1: the next of kin."""
    _put(draft, f, NK1_OTHERS)


def gt1(draft: Draft, f: list[str]) -> None:
    """Read GT1: the guarantor."""
    _put(draft, f, GT1_OTHERS)


def in1(draft: Draft, f: list[str]) -> None:
    """Read IN1: the insured person and the policy."""
    _put(draft, f, IN1_OTHERS)


def in2(draft: Draft, f: list[str]) -> None:
    """Read IN2: further numbers of the insured person."""
    _put(draft, f, IN2_OTHERS)


def mrg(draft: Draft, f: list[str]) -> None:
    """Read MRG: the identifiers that become part of this patient."""
    draft.prior_ids = ids_of(draft.dialect, f[1]) or ids_of(draft.dialect, f[4])
    _put(draft, f, MRG_OTHERS)


def ids_of(dialect: Dialect, raw: str) -> tuple[PatientId, ...]:
    """Return the identifiers of a CX field, preferred ones (MR, then PI) first."""
    if not raw:
        return ()
    found = []
    for one in dialect.repetitions(raw):
        c = dialect.components(one, 5)
        value = c[0].strip()
        if value:
            found.append(PatientId(value, c[3].strip() or _universal(dialect, one), c[4].strip()))
    if len(found) > 1:
        found.sort(key=rank_of)
    return tuple(found)


def rank_of(identifier: PatientId) -> int:
    """Return how much an identifier is preferred: MR 0, PI 1, others 2."""
    return ID_RANK.get(identifier.type, 2)


def _universal(dialect: Dialect, raw: str) -> str:
    # CX-4 may leave the namespace empty and name the authority by its universal id alone.
    c = raw.split(dialect.component)
    parts = c[3].split(dialect.sub) if len(c) > 3 else []
    return parts[1].strip() if len(parts) > 1 else ""


def person_name(dialect: Dialect, raw: str) -> PersonName | None:
    """Return an XPN, or None when it holds no name."""
    family, given, middle, suffix, prefix = dialect.components(raw, 5)[:5]
    if not (family or given or middle):
        return None
    return PersonName(family, given, middle, suffix, prefix)


def staff_name(dialect: Dialect, raw: str) -> tuple[str, PersonName]:
    """Return the number and the name of an XCN."""
    c = dialect.components(raw, 6)
    return c[0].strip(), PersonName(c[1], c[2], c[3], c[4], c[5])


def written(name: PersonName) -> str:
    """Return a name as it is written: family first without a blank where the script is Chinese."""
    if has_chinese(name.family):
        return name.family + name.given
    return " ".join(part for part in (name.given, name.middle, name.family) if part)


def has_chinese(text: str) -> bool:
    """Return whether a Chinese character stands in ``text``."""
    return not text.isascii() and any(CJK_FIRST <= sign <= CJK_LAST for sign in text)


def put_staff_name(draft: Draft, raw: str) -> None:
    """Keep the names of an XCN field."""
    for one in draft.dialect.repetitions(raw):
        _, name = staff_name(draft.dialect, one)
        draft.other("NAME", written(name))


def _birth_date(draft: Draft, raw: str) -> None:
    if raw == NULL:
        draft.find("PID-7", "null", "birth date deleted")
        return
    draft.birth_date, whole = birth_date_of(draft.dialect.first(raw))
    if not whole:
        draft.find("PID-7", "102", "not a whole date")


def _put(draft: Draft, f: list[str], table: tuple[tuple[int, Put], ...]) -> None:
    for number, put in table:
        raw = f[number]
        if raw and raw != NULL:
            put(draft, raw)


def _put_name(draft: Draft, raw: str) -> None:
    for one in draft.dialect.repetitions(raw):
        name = person_name(draft.dialect, one)
        if name:
            draft.other("NAME", written(name))


def _put_id(draft: Draft, raw: str) -> None:
    for one in draft.dialect.repetitions(raw):
        draft.other("ID", draft.dialect.first(one))


def _put_address(draft: Draft, raw: str) -> None:
    for one in draft.dialect.repetitions(raw):
        c = draft.dialect.components(one, 9)
        for part in (c[0], c[1], c[2], c[4], c[8]):
            draft.other("LOC", part)


def _put_place(draft: Draft, raw: str) -> None:
    for one in draft.dialect.repetitions(raw):
        draft.other("LOC", draft.dialect.first(one))


def _put_phone(draft: Draft, raw: str) -> None:
    for one in draft.dialect.repetitions(raw):
        c = draft.dialect.components(one, 12)
        draft.other("PHONE", c[0] or c[11] or f"{c[4]}{c[5]}{c[6]}")
        draft.other("EMAIL", c[3])


def _put_date(draft: Draft, raw: str) -> None:
    date, _ = birth_date_of(draft.dialect.first(raw))
    if len(date) == 10:
        draft.other("DATE", date)


PID_ALTERNATES: tuple[tuple[int, Put], ...] = ((2, _put_id), (4, _put_id))
PID_OTHERS: tuple[tuple[int, Put], ...] = (
    (6, _put_name), (9, _put_name), (11, _put_address), (12, _put_place), (13, _put_phone),
    (14, _put_phone), (18, _put_id), (19, _put_id), (20, _put_id), (21, _put_id),
    (23, _put_place), (29, _put_date),
)  # fmt: skip
NK1_OTHERS: tuple[tuple[int, Put], ...] = (
    (2, _put_name), (4, _put_address), (5, _put_phone), (6, _put_phone), (12, _put_id),
    (16, _put_date), (30, _put_name), (31, _put_phone), (32, _put_address), (33, _put_id),
    (37, _put_id), (40, _put_phone),
)  # fmt: skip
GT1_OTHERS: tuple[tuple[int, Put], ...] = (
    (2, _put_id), (3, _put_name), (4, _put_name), (5, _put_address), (6, _put_phone),
    (7, _put_phone), (8, _put_date), (12, _put_id), (17, _put_address), (18, _put_phone),
    (19, _put_id), (45, _put_name), (46, _put_phone),
)  # fmt: skip
IN1_OTHERS: tuple[tuple[int, Put], ...] = (
    (16, _put_name), (18, _put_date), (19, _put_address), (36, _put_id), (44, _put_address),
    (49, _put_id),
)  # fmt: skip
IN2_OTHERS: tuple[tuple[int, Put], ...] = (
    (1, _put_id), (2, _put_id), (6, _put_id), (7, _put_name), (8, _put_id), (9, _put_name),
    (10, _put_id), (40, _put_name), (49, _put_name), (52, _put_name), (61, _put_id),
    (63, _put_phone), (64, _put_phone),
)  # fmt: skip
MRG_OTHERS: tuple[tuple[int, Put], ...] = ((2, _put_id), (3, _put_id), (5, _put_id), (7, _put_name))
