"""The answers about many patients and about the viewer, beside the worklist (``views.py``)."""

from typing import Literal

from services.gateway.views import IdentityState, Row, View


class Found(View, frozen=True, kw_only=True):
    """The persons that match a search and that the viewer may see. ``others``: the ids of some that
    match and have no care relation to the viewer; no more is told before the glass is broken.
    """

    identity: IdentityState
    patients: tuple[Row, ...]
    others: tuple[str, ...]


class UnitView(View, frozen=True, kw_only=True):
    """A unit of the viewer with its open patients, and how many of them are in the top band."""

    unit: str
    patients: int
    high: int


class Units(View, frozen=True, kw_only=True):
    """The units that the viewer sees."""

    units: tuple[UnitView, ...]


class Me(View, frozen=True, kw_only=True):
    """Who is signed in. ``csrf`` goes into the header ``X-CSRF-Token`` of every POST."""

    name: str
    roles: tuple[str, ...]
    units: tuple[str, ...]
    lang: Literal["en", "zh"]
    csrf: str
    expires_ms: int
    demo: bool
