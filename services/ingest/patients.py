"""PID, PD1, NK1, GT1, IN1, IN2, MRG: who the patient is, and every string that tells on them."""

from typing import Final

from contracts.identified import PatientId, PersonName
from services.ingest.dialect import NULL, Dialect
from services.ingest.draft import Draft
from services.ingest.kept import Kept
from services.ingest.times import birth_date_of

ID_RANK: Final = {"MR": 0, "MRN": 0, "PI": 1}
CJK_FIRST: Final = "\u4e00"
CJK_LAST: Final = "\u9fff"
# Value types (OBX-2) that are somebody, or somebody's number, address or employer, by whose strings
# are known to the scrub how. What they hold passes nowhere, of a place (PL) neither.
OF_NAMES: Final = frozenset({"PN", "XPN"})
OF_STAFF: Final = frozenset({"CN", "PPN", "XCN"})
OF_NUMBERS: Final = frozenset({"CK", "CX", "DLN"})
OF_PLACES: Final = frozenset({"AD", "SAD", "XAD"})
OF_PHONES: Final = frozenset({"TN", "XTN"})
IDENTIFYING: Final = OF_NAMES | OF_STAFF | OF_NUMBERS | OF_PLACES | OF_PHONES | {"PL", "XON"}
_staff: Final[Kept[tuple[str, ...]]] = Kept(4096)


class Near:
    """Which fields of a segment hold further strings that tell on the patient, by data type."""

    __slots__ = ("cx", "dates", "towns", "xad", "xon", "xpn", "xtn")

    def __init__(  # noqa: PLR0913 - one for each data type
        self,
        *,
        xpn: tuple[int, ...] = (),
        cx: tuple[int, ...] = (),
        xad: tuple[int, ...] = (),
        xtn: tuple[int, ...] = (),
        dates: tuple[int, ...] = (),
        towns: tuple[int, ...] = (),
        xon: tuple[int, ...] = (),
    ) -> None:
        """Take the numbers of the fields."""
        self.xon = xon
        self.xpn, self.cx, self.xad = xpn, cx, xad
        self.xtn, self.dates, self.towns = xtn, dates, towns


PID: Final = Near(
    xpn=(6, 9), cx=(18, 19, 20, 21), xad=(11,), xtn=(13, 14), dates=(29,), towns=(12, 23)
)
PID_OTHER_IDS: Final = Near(cx=(2, 4))
NK1: Final = Near(
    xpn=(2, 26, 30), cx=(12, 33, 37), xad=(4, 32), xtn=(5, 6, 31, 40), dates=(16,), xon=(13,)
)
GT1: Final = Near(
    xpn=(3, 4, 16, 42, 45),
    cx=(2, 12, 19),
    xad=(5, 17),
    xtn=(6, 7, 18, 46),
    dates=(8,),
    xon=(21, 51),
)
IN1: Final = Near(xpn=(6, 16), cx=(36, 49), xad=(19, 44), dates=(18,), xon=(11,))
# IN2-3 is a number before a name (XCN): read as a name it has all of both.
IN2: Final = Near(xpn=(3, 7, 9, 22, 40, 49, 52), cx=(1, 2, 6, 8, 10, 61), xtn=(63, 64))
MRG: Final = Near(xpn=(7,), cx=(2, 3, 5))
CON: Final = Near(xpn=(24,))  # who consents, for the patient as a rule


def pid(draft: Draft, f: list[str]) -> None:
    """Read PID."""
    d = draft.dialect
    draft.ids = ids_of(d, f[3])
    if draft.ids:
        _put(draft, f, PID_OTHER_IDS)
    else:
        draft.ids = ids_of(d, f[2]) or ids_of(d, f[4])
        if draft.ids:
            draft.find("PID-3", "101", "identifier taken from PID-2 or PID-4")
    if f[5]:
        named = [person_name(d, one) for one in d.repetitions(f[5])]
        draft.names = tuple([name for name in named if name is not None])
    if f[7]:
        _birth_date(draft, f[7])
    draft.sex = d.first(f[8])
    if f[11]:
        _home(draft, f[11])
    died_at = f[29]
    draft.deceased = bool(died_at and died_at != NULL) or d.first(f[30]).upper() == "Y"
    _put(draft, f, PID)


def _home(draft: Draft, raw: str) -> None:
    d = draft.dialect
    for one in d.repetitions(raw)[:1]:
        c = d.components(one, 6)
        draft.postcode, draft.country = c[4].strip(), c[5].strip()


def _put(draft: Draft, f: list[str], near: Near) -> None:
    _put_fields(draft.xpn, f, near.xpn)
    _put_fields(draft.cx, f, near.cx)
    _put_fields(draft.xad, f, near.xad)
    _put_fields(draft.xtn, f, near.xtn)
    _put_fields(draft.dates, f, near.dates)
    _put_fields(draft.towns, f, near.towns)
    _put_fields(draft.xon, f, near.xon)


def _put_fields(kept: list[str], f: list[str], numbers: tuple[int, ...]) -> None:
    for number in numbers:
        if f[number]:
            kept.append(f[number])  # noqa: PERF401 - compiled, this is the faster


def put_value(draft: Draft, kind: str, raw: str) -> None:
    """Keep what a value of an ``IDENTIFYING`` type says of somebody."""
    if draft.dialect is draft.full_dialect:
        draft.near_dialect = draft.dialect
    if kind in OF_NAMES:
        draft.xpn.append(raw)
    elif kind in OF_NUMBERS:
        draft.cx.append(raw)
    elif kind in OF_STAFF:
        draft.cx.append(raw)
        put_staff_name(draft, raw)
    elif kind in OF_PLACES:
        draft.xad.append(raw)
    elif kind in OF_PHONES:
        draft.xtn.append(raw)
    elif kind == "XON":
        draft.xon.append(raw)


def pd1(draft: Draft, f: list[str]) -> None:
    """Read PD1: the family doctor's name may stand in notes."""
    if f[4]:
        put_staff_name(draft, f[4])


def nk1(draft: Draft, f: list[str]) -> None:
    """Read NK1: the next of kin."""
    _put(draft, f, NK1)


def gt1(draft: Draft, f: list[str]) -> None:
    """Read GT1: the guarantor."""
    _put(draft, f, GT1)


def in1(draft: Draft, f: list[str]) -> None:
    """Read IN1: the insured person and the policy."""
    _put(draft, f, IN1)


def in2(draft: Draft, f: list[str]) -> None:
    """Read IN2: further numbers of the insured person."""
    _put(draft, f, IN2)


def con(draft: Draft, f: list[str]) -> None:
    """Read CON: who consented."""
    _put(draft, f, CON)


def prd(draft: Draft, f: list[str]) -> None:
    """Read PRD, and CTD: whom the patient is sent to or comes from, by a name without a number."""
    put_staff_as_person(draft, f[2])


def mrg(draft: Draft, f: list[str]) -> None:
    """Read MRG: the identifiers that become part of this patient."""
    draft.prior_ids = ids_of(draft.dialect, f[1]) or ids_of(draft.dialect, f[4])
    _put(draft, f, MRG)


def ids_of(dialect: Dialect, raw: str) -> tuple[PatientId, ...]:
    """Return the identifiers of a CX field, preferred ones (MR, then PI) first."""
    if not raw:
        return ()
    if raw.isalnum():
        return (PatientId(raw),)
    found = []
    last, is_ranked = 0, True
    for one in dialect.repetitions(raw):
        c = dialect.components(one, 5)
        value = c[0].strip()
        if value:
            assigner, kind = c[3].strip() or _universal(dialect, one), c[4].strip()
            found.append(PatientId(value, assigner, kind))
            rank = ID_RANK.get(kind, 2)
            is_ranked = is_ranked and rank >= last
            last = rank
    if not is_ranked:
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
    c = dialect.components(raw, 5)
    if not (c[0] or c[1] or c[2]):
        return None
    return PersonName(c[0], c[1], c[2], c[3], c[4])


def staff_name(dialect: Dialect, raw: str) -> tuple[str, PersonName]:
    """Return the number and the name of an XCN."""
    c = dialect.components(raw, 6)
    return c[0].strip(), PersonName(c[1], c[2], c[3], c[4], c[5])


def written(name: PersonName) -> str:
    """Return a name as it is written: family first without a blank where the script is Chinese."""
    return in_order(name.family, name.given, name.middle)


def in_order(family: str, given: str, middle: str) -> str:
    """Return the parts of a name as ``written`` does."""
    if not family.isascii() and has_chinese(family):
        return family + given
    if middle:
        before = f"{given} {middle}" if given else middle
        return f"{before} {family}" if family else before
    return f"{given} {family}" if given and family else given or family


def has_chinese(text: str) -> bool:
    """Return whether a Chinese character stands in ``text``."""
    return not text.isascii() and any(CJK_FIRST <= sign <= CJK_LAST for sign in text)


def put_staff_name(draft: Draft, raw: str) -> None:
    """Keep the names of an XCN field."""
    draft.staff_names += staff_names(draft.dialect, raw)


def put_staff_as_person(draft: Draft, raw: str) -> None:
    """Keep the names of staff in an XPN field."""
    d = draft.dialect
    for one in d.repetitions(raw):
        c = d.components(one, 3)
        draft.staff_names.append(in_order(c[0], c[1], c[2]))


def staff_names(dialect: Dialect, raw: str) -> tuple[str, ...]:
    """Return the names in an XCN field, or one of NDL, as they are written."""
    known = _staff.get(dialect, raw)
    if known is not None:
        return known
    names = [_staff_written(dialect, one) for one in dialect.repetitions(raw)]
    return _staff.put(dialect, raw, tuple(names))


def _staff_written(dialect: Dialect, raw: str) -> str:
    first = raw.partition(dialect.component)[0]
    if dialect.sub not in first:
        return written(staff_name(dialect, raw)[1])
    parts = [dialect.text(part) for part in first.split(dialect.sub)]  # OBR-32: who, from, to
    parts.extend(["", "", ""])
    return in_order(parts[1], parts[2], parts[3])


def _birth_date(draft: Draft, raw: str) -> None:
    if raw == NULL:
        draft.find("PID-7", "null", "birth date deleted")
        return
    draft.birth_date, whole = birth_date_of(draft.dialect.first(raw))
    if not whole:
        draft.find("PID-7", "102", "not a whole date")
