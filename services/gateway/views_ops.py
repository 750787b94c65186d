"""The answers of the API that hold no patient: what the read model has, and errors."""

from services.gateway.views import CatchingUp, View


class Counts(View, frozen=True, kw_only=True):
    """What the read model holds; no patients. ``partitions`` maps topic to projected offsets."""

    visible_events: int
    superseded: int
    tokens: int
    rows_open: int
    rebuild_epoch: str
    catching_up: CatchingUp | None
    partitions: dict[str, dict[str, int]]


class Problem(View, frozen=True, kw_only=True):
    """An error (RFC 9457, ``application/problem+json``); never holds anything of a patient."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    trace_id: str
