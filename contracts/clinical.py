"""Nouns that the identified and the de-identified event share: kinds of event, orders, findings.

A time with a precision beside it is a year or a month alone, as in ``Observation``.
"""

from typing import Literal

import msgspec

from contracts.observation import Code
from contracts.periods import Coarse

EventType = Literal[
    "encounter.pre_admit",
    "encounter.admit",
    "encounter.register",
    "encounter.transfer",
    "encounter.discharge",
    "encounter.update",
    "encounter.cancel_admit",
    "encounter.cancel_transfer",
    "encounter.cancel_discharge",
    "person.update",
    "identity.merged",
    "identity.unlinked",
    "observation.result",
    "document",
    "medication.order",
    "order",
    "immunization",
    "problem",
    "referral",
    "non_clinical",
]
Precision = Literal["year", "month", "day", "hour", "minute", "second", "unknown"]
Zone = Literal["sent", "assumed"]
EncounterStatus = Literal["planned", "open", "closed", "cancelled"]


class Finding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What was odd in a message: ``where`` is segment-field, ``code`` of HL7 table 0357 or ours."""

    level: Literal["error", "warn", "info"]
    where: str
    code: str
    text: str = ""


class Medication(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One medication order (RXE, RXO, RXD), or a component of one (RXC).

    A dose is ``dose``, or from ``dose`` to ``dose_max``; ``dose_sent`` is one that is no number.
    ``alternates`` are further codes of the same drug. A component has a ``role`` (B base, A
    additive, C not said), and is ``part_of`` the medication at that place of its event.
    """

    code: Code
    dose: float | None = None
    dose_unit: str = ""
    route: str = ""
    status: str = ""
    start_ms: int | None = None
    dose_max: float | None = None
    dose_sent: str = ""
    alternates: tuple[Code, ...] = ()
    part_of: int = -1
    role: str = ""
    start_precision: Coarse = ""


class Allergy(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One allergy (AL1, IAM)."""

    code: Code
    severity: str = ""
    reaction: str = ""


class Condition(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One diagnosis or problem (DG1, PRB); status ``DE``: it was deleted."""

    code: Code
    at_ms: int | None = None
    status: str = ""
    at_precision: Coarse = ""


class Order(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One order (ORC, OBR) without its people and numbers."""

    code: Code
    control: str = ""
    status: str = ""
    at_ms: int | None = None
    at_precision: Coarse = ""


class Genotype(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A pair of alleles of one gene (``*1/*2``), as sent; ``metabolism``: what it does to drugs.

    ``about`` is the index of its observation.
    """

    gene: str
    diplotype: str
    about: int
    metabolism: str = ""


class Variant(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One genetic variant: its names in HGVS (``dna`` c., ``protein`` p., ``genomic`` g.), its
    numbers (``id`` of ClinVar or another, ``dbsnp``), the allelic state. ``about``: as above.
    """

    gene: str
    about: int
    name: str = ""
    id: str = ""
    dbsnp: str = ""
    dna: str = ""
    protein: str = ""
    genomic: str = ""
    state: str = ""
