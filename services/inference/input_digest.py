"""SHA-256 over the facts of a view, going on from the facts of the view before.

From event to event most of a patient's facts are the same objects, in the same order: only what
came behind them is hashed anew. Encoding all of them each time was a third of the service's work.
"""

import hashlib
from collections import OrderedDict
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from services.inference.view import Fact, PatientView

if TYPE_CHECKING:
    from hashlib import _Hash

PATIENTS_MAX = 5_000
_content = attrgetter("event_id", "index", "parameter", "value", "at_ms", "flagged")
_encode = msgspec.msgpack.Encoder().encode


class InputDigests:
    """Digests of views. No offset is in them: they are the same wherever an event landed."""

    def __init__(self, patients_max: int = PATIENTS_MAX) -> None:
        """Remember nobody; of more than ``patients_max`` those asked for last."""
        self._patients_max = patients_max
        self._last: OrderedDict[str, tuple[tuple[Fact, ...], _Hash]] = OrderedDict()

    def of(self, view: PatientView) -> str:
        """Return the digest, in hex, of all that an assessment of ``view`` can depend on."""
        hashed = self._hashed(view.token, view.facts)
        person = (view.age_years, view.sex, view.pregnant, view.spo2_scale2, view.deceased)
        stay = (view.icu_unit, view.icu_admitted_ms, view.icu_left_ms, view.as_of_ms)
        hashed.update(_encode((person, stay)))
        return hashed.hexdigest()

    def _hashed(self, token: str, facts: tuple[Fact, ...]) -> "_Hash":
        """Return the hash of the facts, each encoded so that it delimits itself."""
        known, hashed = self._last.pop(token, ((), hashlib.sha256()))
        # Tuples of the same objects compare by identity first: nothing is looked into.
        if len(known) > len(facts) or facts[: len(known)] != known:
            known, hashed = (), hashlib.sha256()
        hashed.update(b"".join(map(_encode, map(_content, facts[len(known) :]))))
        self._last[token] = (facts, hashed)
        if len(self._last) > self._patients_max:
            self._last.popitem(last=False)
        return hashed.copy()
