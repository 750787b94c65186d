"""Pure: what the stage knows of an event that was opened, before anything is asked of the vault."""

from typing import NamedTuple

from contracts.identified import IdentifiedBody
from plumbing.event_log import Headers
from services.privacy.identity import fits


class Opened(NamedTuple):
    """One event that was opened, with the vault's name for its patient."""

    offset: int
    event_id: str
    body: IdentifiedBody
    link: str
    headers: Headers
    source: str = ""


class Linking(NamedTuple):
    """One event that links its patient to ``other`` (a vault name), or undoes that."""

    item: Opened
    other: str
    is_link: bool


def fits_vault(body: IdentifiedBody) -> bool:
    """Return whether the identifiers of an event can be vault entries: one that is larger than
    Kafka takes would have its whole batch handled one by one.
    """
    return all(fits(one) for one in (body.patient.ids[0], *(one.other for one in body.links)))
