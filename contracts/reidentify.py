"""The one HTTP contract between two services: gateway asks privacy who a token is.

``POST /v1/resolve`` (ResolveRequest -> ResolveAnswer), ``POST /v1/find`` (FindRequest ->
FindAnswer), ``POST /v1/staff`` (StaffRequest -> StaffAnswer). Each call carries
``Authorization: Bearer <service token>`` and is audited before it is answered.
"""

from typing import Literal

import msgspec

TOKENS_PER_CALL_MAX = 200
Purpose = Literal["TREAT", "ETREAT"]
"""HL7 v3 PurposeOfUse: treatment; emergency treatment, which breaks the glass."""
GlassReason = Literal["", "emergency", "covering", "handover", "consultation"]
CARING_ROLES = frozenset({"clinician", "charge"})
ALL_UNITS = "*"


class ResolveRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tokens, for whom (the viewer's staff number), and why.

    ``role`` and ``units`` (``*``: all) are those the viewer is signed in with. For ``TREAT`` each
    patient has to be, or to have been, in one of the units or in the viewer's care. ``ETREAT``
    does without, for few patients, needs a ``reason``, and has a mark of its own on the audit log:
    one for each opening. ``again``: asked under a glass that was broken before (a view that asks
    once more); whom privacy noted for this viewer within the hour, it does not note once more.
    """

    tokens: tuple[str, ...]
    viewer: str
    purpose: Purpose
    role: str = ""
    units: tuple[str, ...] = ()
    reason: GlassReason = ""
    again: bool = False


class Identity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a token is; ``shift_days`` added to a shifted time gives the real one."""

    token: str
    name: str
    birth_date: str
    record_number: str
    shift_days: int
    sex: str = ""


class ResolveAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The identities that are known and may be told; another token is simply not there."""

    identities: tuple[Identity, ...]


class FindRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name or a record number to look for (blind index: whole values, any case)."""

    query: str
    viewer: str
    purpose: Purpose
    role: str = ""


class FindAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that match, at most ``TOKENS_PER_CALL_MAX``."""

    tokens: tuple[str, ...]


class StaffRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A staff number whose token is wanted (to compare with care relations)."""

    staff_id: str


class StaffAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The token of that member of staff."""

    staff: str
