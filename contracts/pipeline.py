"""All topics in data order; for tests, deployment and the command line only."""

from typing import Any

from contracts.answers import ANSWERS
from contracts.assessed import ASSESSED, CURRENT
from contracts.audited import AUDIT
from contracts.blobs import BLOBS
from contracts.deidentified import DEIDENTIFIED
from contracts.identified import IDENTIFIED
from contracts.merged import MERGED
from contracts.promoted import PROMOTED
from contracts.rejection import rejected
from contracts.relations import RELATIONS
from contracts.reviewed import REVIEWED
from contracts.state import STATE
from contracts.topic import Topic
from contracts.vault import VAULT

PIPELINE: tuple[Topic[Any], ...] = (
    IDENTIFIED,
    rejected(IDENTIFIED),
    ANSWERS,
    BLOBS,
    VAULT,
    DEIDENTIFIED,
    rejected(DEIDENTIFIED),
    RELATIONS,
    rejected(RELATIONS),
    MERGED,
    rejected(MERGED),
    STATE,
    ASSESSED,
    rejected(ASSESSED),
    CURRENT,
    rejected(CURRENT),
    REVIEWED,
    rejected(REVIEWED),
    PROMOTED,
    AUDIT,
)
