"""Who may do what: one pure decision, deny by default.

A role opens a route; a patient's data also needs a relation: the patient is (or was until a day
ago) in one of the viewer's units, or the viewer's staff token stands in the care relation. Who
broke the glass over a patient may look without one, and decide nothing.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from contracts.topic import DAY_MS
from services.gateway.board import Scope, place_of
from services.gateway.people import Person, on_worklist

Role = Literal["clinician", "charge", "sre", "model-admin", "privacy-officer"]
Action = Literal[
    "me",
    "units",
    "worklist",
    "patient",
    "history",
    "explanation",
    "search",
    "glass",
    "review",
    "stream",
    "counts",
]
Rule = Literal["no_viewer", "no_role", "no_relation", "role", "role_and_relation", "broken_glass"]

ROLES: frozenset[str] = frozenset(get_args(Role))
ALL_UNITS = "*"
CARING: frozenset[str] = frozenset({"clinician", "charge"})
MAY: dict[Action, frozenset[str]] = {
    "me": ROLES,
    "units": CARING,
    "worklist": CARING,
    "patient": CARING,
    "history": CARING,
    "explanation": CARING,
    "search": CARING,
    "glass": CARING,
    "review": CARING,
    "stream": CARING,
    "counts": frozenset({"sre"}),
}
ABOUT_ONE: frozenset[Action] = frozenset({"patient", "history", "explanation", "review"})
UNDER_GLASS: frozenset[Action] = frozenset({"patient", "history", "explanation"})
AFTER_DISCHARGE_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in. ``subject`` is the staff number; ``session`` is empty for a bearer token.

    ``units`` may hold ``*`` (all).
    """

    subject: str
    name: str
    roles: frozenset[str]
    units: frozenset[str]
    expires_ms: int
    session: str = ""
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, by which rule, and the status that says so without telling more."""

    allowed: bool
    rule: Rule
    status: int = 200


def scope_of(viewer: Viewer, staff: str, unit: str | None = None) -> Scope:
    """Return what a viewer's lists hold; ``staff`` is the viewer's staff token, if known."""
    return Scope(None if ALL_UNITS in viewer.units else viewer.units, staff, unit)


def caring_role(viewer: Viewer) -> str:
    """Return the role by which a viewer may be told who patients are, empty when none is."""
    return next(iter(sorted(viewer.roles & CARING)), "")


def decide(
    viewer: Viewer | None,
    action: Action,
    staff: str,
    about: Person | None,
    now_ms: int,
    *,
    glass: bool = False,
) -> Decision:
    """Decide. An unknown patient (``about`` None) and a foreign one are the same 404.

    ``glass``: this viewer broke the glass over this patient, and its time is not over.
    """
    if viewer is None:
        return Decision(allowed=False, rule="no_viewer", status=401)
    if viewer.roles.isdisjoint(MAY[action]):
        return Decision(allowed=False, rule="no_role", status=403)
    if action not in ABOUT_ONE:
        return Decision(allowed=True, rule="role")
    if about is not None and _related(viewer, staff, about, now_ms):
        return Decision(allowed=True, rule="role_and_relation")
    if about is not None and glass and action in UNDER_GLASS:
        return Decision(allowed=True, rule="broken_glass")
    return Decision(allowed=False, rule="no_relation", status=404)


def _related(viewer: Viewer, staff: str, about: Person, now_ms: int) -> bool:
    if not scope_of(viewer, staff).holds(place_of(about)):
        return False
    if on_worklist(about, now_ms):
        return True
    return about.related is not None and now_ms - about.related.written_ms < AFTER_DISCHARGE_MS
