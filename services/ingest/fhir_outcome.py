"""Findings to the OperationOutcome that answers a FHIR request. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from contracts.clinical import Finding
from services.ingest.answers import NOT_STORED, TOO_LARGE

FINDING_SYSTEM = "urn:auscult:finding"
SEVERITIES = {"error": "error", "warn": "warning", "info": "information"}
# Our code -> issue type (hl7.org/fhir/R4/valueset-issue-type.html).
ISSUE_TYPES = {
    "structure": "structure",
    "not_supported": "not-supported",
    "no_resource_type": "structure",
    "too_deep": "too-costly",
    "too_many_entries": "too-costly",
    "101": "required",
    "102": "value",
    "100": "structure",
    "103": "code-invalid",
    "200": "not-supported",
    "201": "not-supported",
    "202": "not-supported",
    "203": "not-supported",
    "207": "exception",
    "conflict": "conflict",
    "precondition": "conflict",
    "not_mapped": "not-supported",
    "reference_unresolved": "not-found",
    "attachment_not_here": "not-found",
    "attachment_not_read": "not-supported",
    "control_id_reuse": "duplicate",
    "duplicate": "duplicate",
}
OWN_TYPES = {NOT_STORED: "transient", TOO_LARGE: "too-long"}
ISSUES_MAX = 1_000
STORED = Finding("info", "", "stored", "stored")


def operation_outcome(findings: Sequence[Finding]) -> bytes:
    """Return the JSON of an OperationOutcome with an issue for each finding, errors first.

    Without findings it has one issue that says so: the resource must have one. The texts are our
    own; nothing of what was sent is repeated.
    """
    ordered = sorted(findings, key=lambda one: ("error", "warn", "info").index(one.level))
    issues = [_issue(one) for one in ordered[:ISSUES_MAX] or (STORED,)]
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": issues})


def _issue(finding: Finding) -> dict[str, Any]:
    default = "informational" if finding.level == "info" else "processing"
    known = OWN_TYPES.get(finding, ISSUE_TYPES.get(finding.code, default))
    issue: dict[str, Any] = {
        "severity": SEVERITIES[finding.level],
        "code": known,
        "details": {"coding": [{"system": FINDING_SYSTEM, "code": finding.code}]},
    }
    if finding.text:
        issue["diagnostics"] = finding.text
    if finding.where:
        issue["expression"] = [finding.where]
    return issue
