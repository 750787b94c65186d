"""What happens to each field of an identified event. A field that is not here is dropped.

The table is what ``deidentify`` runs on, and a test fails when a contract has a field without a
rule. Of each struct only the fields with a rule other than DROP are ever read.
"""

from enum import Enum, auto
from typing import Any

from contracts.clinical import (
    Allergy,
    Condition,
    Finding,
    Genotype,
    Medication,
    Order,
    Variant,
)
from contracts.identified import (
    BlobRef,
    Encounter,
    IdentifiedBody,
    IdentityLink,
    Image,
    Note,
    Patient,
    PatientId,
    PersonName,
    Staff,
)
from contracts.observation import Code, Observation


class Rule(Enum):
    """What happens to a field."""

    KEEP = auto()  # passes: a number, a flag or a word of a closed set of the contract
    NUMBER = auto()  # passes, unless it can be a telephone, a record number or a date
    CODE = auto()  # passes when it has the form of a code, else it is treated as LOCAL
    LOCAL = auto()  # a site's own short text: passes whole or, if anything is found in it, not
    LABEL = auto()  # what a thing is called: passes with marks in place of who is named in it
    SCRUB = auto()  # free text: passes with marks, or is held back
    SHIFT = auto()  # a time: moved back by the patient's days
    PERIOD = auto()  # "year" or "month": the time beside it is moved back by whole ones
    HASH = auto()  # becomes a pseudonym under the patient key
    TOKEN = auto()  # an identifier: becomes the token, a staff token or a link between tokens
    GENERALISE = (
        auto()
    )  # made coarser: birth date to age, postcode to area, receipt to elapsed time
    EACH = auto()  # a struct, or a tuple of them, with its own rules
    DROP = auto()


KEEP, CODE, LOCAL, SCRUB = Rule.KEEP, Rule.CODE, Rule.LOCAL, Rule.SCRUB
LABEL, NUMBER = Rule.LABEL, Rule.NUMBER
SHIFT, PERIOD, HASH, TOKEN = Rule.SHIFT, Rule.PERIOD, Rule.HASH, Rule.TOKEN
GENERALISE, EACH, DROP = Rule.GENERALISE, Rule.EACH, Rule.DROP

POLICY: dict[type[Any], dict[str, Rule]] = {
    IdentifiedBody: {
        "event_type": KEEP,
        "message_type": CODE,
        "version": DROP,
        "application": DROP,
        "facility": DROP,
        "control_id": DROP,
        "charset": DROP,
        "charset_declared": DROP,
        "received_at_ms": GENERALISE,
        "received_order": DROP,
        "occurred_at_ms": SHIFT,
        "occurred_precision": KEEP,  # of a year or month alone: see ``dated``
        "occurred_zone": KEEP,
        "patient": EACH,
        "encounter": EACH,
        "observations": EACH,
        "conditions": EACH,
        "medications": EACH,
        "allergies": EACH,
        "orders": EACH,
        "notes": EACH,
        "images": EACH,  # their pixels, by ``imaging``: attributes by its own table, profile.py
        "links": EACH,
        "findings": EACH,
        "raw": DROP,  # images are taken out of it, nothing else
        "raw_blob": DROP,
        "genotypes": EACH,  # those of the panel (``genotypes``)
        "variants": EACH,  # those that the panel lists: another one names its owner
        "numbers": DROP,  # looked for in the notes
    },
    Patient: {
        "ids": EACH,
        "names": DROP,
        "birth_date": GENERALISE,
        "sex": GENERALISE,
        "deceased": KEEP,
        "others": DROP,
        "postcode": GENERALISE,
        "country": GENERALISE,
    },
    BlobRef: {"blob_id": DROP, "parts": DROP, "bytes": DROP, "partition": DROP, "offset": DROP},
    PatientId: {"value": TOKEN, "assigner": TOKEN, "type": DROP},
    PersonName: {"family": DROP, "given": DROP, "middle": DROP, "suffix": DROP, "prefix": DROP},
    Staff: {"id": TOKEN, "role": CODE, "name": DROP},
    Encounter: {
        "number": HASH,
        "class_": CODE,
        "unit": LOCAL,
        "room": LOCAL,  # to care.relations.v1 alone
        "bed": LOCAL,  # to care.relations.v1 alone
        "status": KEEP,
        "admitted_at_ms": SHIFT,
        "discharged_at_ms": SHIFT,
        "staff": EACH,  # to care.relations.v1 alone
    },
    Observation: {
        "index": KEEP,
        "code": EACH,
        "kind": KEEP,
        "value": NUMBER,
        "comparator": CODE,
        "text": SCRUB,
        "answer": EACH,
        "unit": LOCAL,
        "unit_sent": LOCAL,
        "reference_range": LOCAL,
        "flags": CODE,
        "status": CODE,
        "at_ms": SHIFT,
        "series": HASH,
        "finding": CODE,
        "further_answers": EACH,
        "code_sent": EACH,
        "at_precision": PERIOD,
    },
    Code: {"system": CODE, "code": CODE, "text": LABEL},
    Condition: {"code": EACH, "at_ms": SHIFT, "status": CODE, "at_precision": PERIOD},
    Medication: {
        "code": EACH,
        "dose": NUMBER,
        "dose_unit": LOCAL,
        "route": LOCAL,
        "status": CODE,
        "start_ms": SHIFT,
        "dose_max": NUMBER,
        "dose_sent": LOCAL,
        "alternates": EACH,
        "part_of": KEEP,
        "role": CODE,
        "start_precision": PERIOD,
    },
    Allergy: {"code": EACH, "severity": LOCAL, "reaction": LABEL},
    Genotype: {"gene": KEEP, "diplotype": KEEP, "about": KEEP, "metabolism": LOCAL},
    Variant: {
        "gene": KEEP,
        "about": KEEP,
        "name": KEEP,  # a name, number or change that the panel lists, of the panel's gene
        "id": DROP,
        "dbsnp": KEEP,
        "dna": KEEP,
        "protein": DROP,
        "genomic": DROP,
        "state": LOCAL,
    },
    Order: {
        "code": EACH,
        "control": CODE,
        "status": CODE,
        "at_ms": SHIFT,
        "at_precision": PERIOD,
    },
    Note: {
        "text": SCRUB,
        "about": KEEP,
        "kind": LABEL,
        "lang": CODE,
        "apart_chars": DROP,
        "status": CODE,
    },
    Image: {"about": KEEP, "media_type": DROP, "bytes": DROP, "sha256": DROP, "kind": DROP},
    IdentityLink: {"other": TOKEN, "link": KEEP, "trigger": DROP},
    Finding: {"level": KEEP, "where": CODE, "code": CODE, "text": DROP},
}
