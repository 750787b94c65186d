"""Every further string that tells on a patient or those near, of what ``patients`` kept."""

from typing import Final

from contracts.clinical import Order
from contracts.observation import Observation
from services.ingest.dialect import Dialect
from services.ingest.draft import Draft
from services.ingest.patients import in_order
from services.ingest.times import birth_date_of

FEW: Final = 48
NUMBER_CHARS_MIN: Final = 5
NUMBERS_MAX: Final = 256  # of one event
PLACES: Final[tuple[int, ...]] = (0, 1, 2, 4, 8)  # of an address (XAD): street to town, county

# What stands in the place of an employer where there is none: chart words, not to be marked.
NO_EMPLOYER: Final = frozenset(
    {
        "DISABLED", "HOMEMAKER", "HOUSEWIFE", "MINOR", "NONE", "NOT EMPLOYED", "RETIRED", "SELF",
        "SELF EMPLOYED", "SELF-EMPLOYED", "STUDENT", "UNEMPLOYED", "UNKNOWN", "学生", "无业",
        "自由职业", "退休", "离退休", "无", "不详",
    }
)  # fmt: skip


def others_of(draft: Draft) -> dict[str, tuple[str, ...]]:
    """Return every further string that tells on the patient or those around them, by kind."""
    d = draft.near_dialect
    found: dict[str, tuple[str, ...]] = {}
    if draft.xad or draft.towns or draft.xon:
        places = _places_of(d, draft.xad) + _firsts_of(d, draft.towns)
        _keep(found, "LOC", places + _employers_of(d, draft.xon))
    if draft.xtn:
        mails: list[str] = []
        _keep(found, "PHONE", _phones_of(d, draft.xtn, mails))
        _keep(found, "EMAIL", mails)
    if draft.cx or draft.prior_ids:
        numbers = _firsts_of(d, draft.cx)
        if draft.prior_ids:
            numbers.extend([prior.value for prior in draft.prior_ids])
        _keep(found, "ID", numbers)
    if draft.xpn:
        _keep(found, "NAME", _names_of(d, draft.xpn))
    if draft.staff_names:
        _keep(found, "STAFF", draft.staff_names)
    if draft.dates:
        _keep(found, "DATE", _dates_of(d, draft.dates))
    return found


def says_words(draft: Draft) -> bool:
    """Return whether an event says anything in words, in which somebody may be named: a note, a
    text, an answer, the name of anything. Bare numbers are most of the traffic, and need no staff.
    """
    if draft.notes or draft.conditions or draft.medications or draft.allergies:
        return True
    return are_words(draft.observations, draft.orders)


def are_words(observations: list[Observation], orders: list[Order]) -> bool:
    """Return whether results or orders hold more than codes and numbers."""
    for order in orders:
        if order.code.text:
            return True
    for one in observations:  # compiled, cheaper than ``any``
        if one.code.text or one.text or one.flags or one.reference_range or one.answer is not None:
            return True
    return False


def numbers_of(draft: Draft) -> tuple[str, ...]:
    """Return the numbers of orders, specimens and documents that a text may quote."""
    if not draft.numbers or not says_words(draft):
        return ()
    return long_numbers(_firsts_of(draft.full_dialect, draft.numbers))


def long_numbers(numbers: list[str]) -> tuple[str, ...]:
    """Return each number once. Short ones are counts: to look for them would take results away."""
    long = [number for number in numbers if len(number) >= NUMBER_CHARS_MIN]
    return tuple(dict.fromkeys(long))[:NUMBERS_MAX]


def _keep(found: dict[str, tuple[str, ...]], kind: str, values: list[str]) -> None:
    kept = _distinct(values) if len(values) <= FEW else _distinct_of_many(values)
    if kept:
        found[kind] = tuple(kept)


def _distinct(values: list[str]) -> list[str]:
    # To compare a few with one another is cheaper than to hash each, and compiled, a loop is
    # cheaper than ``in``.
    kept: list[str] = []
    for value in values:
        short = value.strip()
        if len(short) > 1:
            for other in kept:
                if other == short:
                    break
            else:
                kept.append(short)
    return kept


def _distinct_of_many(values: list[str]) -> list[str]:
    return list(dict.fromkeys([short for value in values if len(short := value.strip()) > 1]))


def _names_of(d: Dialect, fields: list[str]) -> list[str]:
    found: list[str] = []
    for raw in fields:
        for one in d.repetitions(raw):
            c = d.components(one, 3)
            found.append(in_order(c[0], c[1], c[2]))
    return found


def _firsts_of(d: Dialect, fields: list[str]) -> list[str]:
    found: list[str] = []
    for raw in fields:
        if raw.isalnum():
            found.append(raw)
        elif d.repeat in raw:
            found.extend([d.first(one) for one in d.repetitions(raw)])
        else:
            found.append(d.first(raw))
    return found


def _places_of(d: Dialect, fields: list[str]) -> list[str]:
    found: list[str] = []
    for raw in fields:
        for one in d.repetitions(raw):
            c = d.components(one, 9)
            for place in PLACES:
                if c[place]:
                    found.append(c[place])  # noqa: PERF401 - as in ``patients``
    return found


def _employers_of(d: Dialect, fields: list[str]) -> list[str]:
    """Return the organisations somebody works for; ``retired`` is none."""
    return [one for one in _firsts_of(d, fields) if one.strip().upper() not in NO_EMPLOYER]


def _phones_of(d: Dialect, fields: list[str], mails: list[str]) -> list[str]:
    """Return the telephone numbers; addresses of mail go to ``mails``."""
    phones: list[str] = []
    for raw in fields:
        for one in d.repetitions(raw):
            if d.component not in one:
                phones.append(d.first(one))
                continue
            c = d.components(one, 4)
            phones.append(c[0] or _number_of(d.components(one, 12)))
            if c[3]:
                mails.append(c[3])
    return phones


def _number_of(c: list[str]) -> str:
    return c[11] or f"{c[4]}{c[5]}{c[6]}"


def _dates_of(d: Dialect, fields: list[str]) -> list[str]:
    dates = [birth_date_of(d.first(raw))[0] for raw in fields]
    return [date for date in dates if len(date) == 10]
