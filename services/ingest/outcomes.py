"""What became of a message in the words of HTTP. Pure."""

from services.ingest.answers import NOT_STORED, TOO_LARGE
from services.ingest.committer import Outcome
from services.ingest.fhir_conflicts import CONFLICT, PRECONDITION

FHIR = "application/fhir+json"
STATUSES = {CONFLICT: 409, PRECONDITION: 412}


def is_refused(outcome: Outcome) -> bool:
    """Return whether a message is not taken, nor is when it comes again."""
    return outcome.code != "AA" and NOT_STORED not in outcome.findings


def status_of(outcome: Outcome) -> int:
    """Return 202 stored, 400 not a message, 409 contradicts itself or what came before, 412 asks
    for a version, 413 too large, 422 not acceptable, 503 not stored: the same again later.
    """
    if NOT_STORED in outcome.findings:
        return 503
    if TOO_LARGE in outcome.findings:
        return 413
    if outcome.code == "AA":
        return 202
    for one in outcome.findings:
        if one.level == "error" and one.code in STATUSES:
            return STATUSES[one.code]
    return 400 if outcome.code == "AR" else 422
