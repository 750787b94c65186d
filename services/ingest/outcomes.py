"""What became of a message in the words of HTTP and of FHIR R4: status, OperationOutcome. Pure.

Issue types are those of http://hl7.org/fhir/R4/valueset-issue-type.html.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from contracts.clinical import Finding
from services.ingest.answers import NOT_STORED, TOO_LARGE
from services.ingest.committer import Outcome

FHIR = "application/fhir+json"
CONFLICT = "conflict"
SEVERITIES = {"error": "error", "warn": "warning", "info": "information"}
ISSUE_TYPES = {
    "100": "structure",
    "101": "required",
    "102": "value",
    "103": "code-invalid",
    "200": "not-supported",
    "201": "not-supported",
    "202": "not-supported",
    "203": "not-supported",
    "207": "exception",
    CONFLICT: "conflict",
}
ISSUES_MAX = 50


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


def operation_outcome(outcomes: Sequence[Outcome]) -> bytes:
    """Return an OperationOutcome with an issue for each finding, at least one."""
    issues = [_issue(one) for one in _findings(outcomes)][:ISSUES_MAX]
    if not issues:
        issues = [{"severity": "information", "code": "informational", "diagnostics": "stored"}]
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": issues})


def _findings(outcomes: Iterable[Outcome]) -> list[Finding]:
    return [finding for outcome in outcomes for finding in outcome.findings]


def _issue(finding: Finding) -> dict[str, Any]:
    code = ISSUE_TYPES.get(finding.code, "processing")
    if finding == NOT_STORED:
        code = "transient"
    elif finding == TOO_LARGE:
        code = "too-long"
    found: dict[str, Any] = {
        "severity": SEVERITIES[finding.level],
        "code": code,
        "details": {"text": finding.code},
        "diagnostics": finding.text or finding.code,
    }
    if finding.where:
        found["expression"] = [finding.where]
    return found
