"""What became of a message in the words of HTTP. Pure."""

from services.ingest.answers import NOT_STORED, TOO_LARGE
from services.ingest.committer import Outcome

FHIR = "application/fhir+json"
CONFLICT = "conflict"


def status_of(outcome: Outcome) -> int:
    """Return 202 stored, 400 not a message, 409 contradicts itself, 413 too large, 422 not
    acceptable, 503 not stored: the same again later.
    """
    if NOT_STORED in outcome.findings:
        return 503
    if TOO_LARGE in outcome.findings:
        return 413
    if outcome.code == "AA":
        return 202
    if any(one.code == CONFLICT and one.level == "error" for one in outcome.findings):
        return 409
    return 400 if outcome.code == "AR" else 422
