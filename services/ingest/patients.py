"""PID, PD1, NK1, GT1, IN1, IN2, MRG: who the patient is, and every string that tells on them."""

from functools import lru_cache

from contracts.identified import PatientId, PersonName
from services.ingest.dialect import NULL, Dialect
from services.ingest.draft import Draft
from services.ingest.times import birth_date_of

ID_RANK = {"MR": 0, "MRN": 0, "PI": 1}
CJK_FIRST, CJK_LAST = "\u4e00", "\u9fff"


def pid(draft: Draft, f: list[str]) -> None:
    """Read PID."""
    d = draft.dialect
    draft.ids = ids_of(d, f[3])
    if draft.ids:
        draft.cx += filter(None, (f[2], f[4]))
    else:
        draft.ids = ids_of(d, f[2]) or ids_of(d, f[4])
        if draft.ids:
            draft.find("PID-3", "101", "identifier taken from PID-2 or PID-4")
    if f[5]:
        named = [person_name(d, one) for one in d.repetitions(f[5])]
        draft.names = tuple([name for name in named if name])
    if f[7]:
        _birth_date(draft, f[7])
    draft.sex = d.first(f[8])
    died_at = f[29]
    draft.deceased = bool(died_at and died_at != NULL) or d.first(f[30]).upper() == "Y"
    draft.xpn += filter(None, (f[6], f[9]))
    if f[11]:
        draft.xad.append(f[11])
    draft.xtn += filter(None, (f[13], f[14]))
    draft.cx += filter(None, (f[18], f[19], f[20], f[21]))
    draft.towns += filter(None, (f[12], f[23]))
    if died_at:
        draft.dates.append(died_at)


def pd1(draft: Draft, f: list[str]) -> None:
    """Read PD1: the family doctor's name may stand in notes."""
    if f[4]:
        put_staff_name(draft, f[4])


def nk1(draft: Draft, f: list[str]) -> None:
    """Read NK1: the next of kin."""
    draft.xpn += filter(None, (f[2], f[30]))
    draft.xad += filter(None, (f[4], f[32]))
    draft.xtn += filter(None, (f[5], f[6], f[31], f[40]))
    draft.cx += filter(None, (f[12], f[33], f[37]))
    if f[16]:
        draft.dates.append(f[16])


def gt1(draft: Draft, f: list[str]) -> None:
    """Read GT1: the guarantor."""
    draft.xpn += filter(None, (f[3], f[4], f[45]))
    draft.xad += filter(None, (f[5], f[17]))
    draft.xtn += filter(None, (f[6], f[7], f[18], f[46]))
    draft.cx += filter(None, (f[2], f[12], f[19]))
    if f[8]:
        draft.dates.append(f[8])


def in1(draft: Draft, f: list[str]) -> None:
    """Read IN1: the insured person and the policy."""
    if f[16]:
        draft.xpn.append(f[16])
    draft.xad += filter(None, (f[19], f[44]))
    draft.cx += filter(None, (f[36], f[49]))
    if f[18]:
        draft.dates.append(f[18])


def in2(draft: Draft, f: list[str]) -> None:
    """Read IN2: further numbers of the insured person."""
    draft.xpn += filter(None, (f[7], f[9], f[40], f[49], f[52]))
    draft.xtn += filter(None, (f[63], f[64]))
    draft.cx += filter(None, (f[1], f[2], f[6], f[8], f[10], f[61]))


def mrg(draft: Draft, f: list[str]) -> None:
    """Read MRG: the identifiers that become part of this patient."""
    draft.prior_ids = ids_of(draft.dialect, f[1]) or ids_of(draft.dialect, f[4])
    draft.cx += filter(None, (f[2], f[3], f[5]))
    if f[7]:
        draft.xpn.append(f[7])


def ids_of(dialect: Dialect, raw: str) -> tuple[PatientId, ...]:
    """Return the identifiers of a CX field, preferred ones (MR, then PI) first."""
    if not raw:
        return ()
    if raw.isalnum():
        return (PatientId(raw),)
    found = []
    for one in dialect.repetitions(raw):
        value, _, _, assigner, kind = dialect.components(one, 5)[:5]
        value = value.strip()
        if value:
            assigner = assigner.strip() or _universal(dialect, one)
            found.append(PatientId(value, assigner, kind.strip()))
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
    return _written(name.family, name.given, name.middle)


def _written(family: str, given: str, middle: str) -> str:
    if not family.isascii() and has_chinese(family):
        return family + given
    if middle:
        return " ".join([part for part in (given, middle, family) if part])
    return f"{given} {family}" if given and family else given or family


def has_chinese(text: str) -> bool:
    """Return whether a Chinese character stands in ``text``."""
    return not text.isascii() and any(CJK_FIRST <= sign <= CJK_LAST for sign in text)


def put_staff_name(draft: Draft, raw: str) -> None:
    """Keep the names of an XCN field."""
    draft.staff_names += _staff_names(draft.dialect, raw)


@lru_cache(maxsize=4096)
def _staff_names(dialect: Dialect, raw: str) -> tuple[str, ...]:
    return tuple(written(staff_name(dialect, one)[1]) for one in dialect.repetitions(raw))


def _birth_date(draft: Draft, raw: str) -> None:
    if raw == NULL:
        draft.find("PID-7", "null", "birth date deleted")
        return
    draft.birth_date, whole = birth_date_of(draft.dialect.first(raw))
    if not whole:
        draft.find("PID-7", "102", "not a whole date")


def others_of(draft: Draft) -> dict[str, tuple[str, ...]]:
    """Return every further string that tells on the patient or those around them, by kind."""
    d = draft.near_dialect
    found: dict[str, tuple[str, ...]] = {}
    _keep(found, "LOC", _places_of(d, draft.xad) + _firsts_of(d, draft.towns))
    if draft.xtn:
        phones, mails = _phones_of(d, draft.xtn)
        _keep(found, "PHONE", phones)
        _keep(found, "EMAIL", mails)
    numbers = _firsts_of(d, draft.cx)
    if draft.prior_ids:
        numbers += [prior.value for prior in draft.prior_ids]
    _keep(found, "ID", numbers)
    _keep(found, "NAME", _names_of(d, draft.xpn) + draft.staff_names)
    if draft.dates:
        _keep(found, "DATE", _dates_of(d, draft.dates))
    return found


def _keep(found: dict[str, tuple[str, ...]], kind: str, values: list[str]) -> None:
    if values:
        kept = dict.fromkeys([short for value in values if len(short := value.strip()) > 1])
        if kept:
            found[kind] = tuple(kept)


def _names_of(d: Dialect, fields: list[str]) -> list[str]:
    found: list[str] = []
    for raw in fields:
        for one in d.repetitions(raw):
            family, given, middle = d.components(one, 3)[:3]
            found.append(_written(family, given, middle))
    return found


def _firsts_of(d: Dialect, fields: list[str]) -> list[str]:
    found: list[str] = []
    for raw in fields:
        if raw.isalnum():
            found.append(raw)
        elif d.repeat in raw:
            found += [d.first(one) for one in d.repetitions(raw)]
        else:
            found.append(d.first(raw))
    return found


def _places_of(d: Dialect, fields: list[str]) -> list[str]:
    found: list[str] = []
    for raw in fields:
        for one in d.repetitions(raw):
            c = d.components(one, 9)
            found += (c[0], c[1], c[2], c[4], c[8])
    return found


def _phones_of(d: Dialect, fields: list[str]) -> tuple[list[str], list[str]]:
    phones: list[str] = []
    mails: list[str] = []
    for raw in fields:
        for one in d.repetitions(raw):
            c = d.components(one, 12)
            phones.append(c[0] or c[11] or f"{c[4]}{c[5]}{c[6]}")
            if c[3]:
                mails.append(c[3])
    return phones, mails


def _dates_of(d: Dialect, fields: list[str]) -> list[str]:
    dates = [birth_date_of(d.first(raw))[0] for raw in fields]
    return [date for date in dates if len(date) == 10]
