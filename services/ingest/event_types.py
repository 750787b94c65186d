"""What a message type and trigger mean: the kind of event, the visit's status, the merges."""

from typing import Final

from contracts.clinical import EncounterStatus, EventType, Finding

UNKNOWN_TYPE: Final = Finding("error", "MSH-9", "200", "no message type of HL7, and it has results")
UNKNOWN_EVENT: Final = Finding("error", "MSH-9", "201", "no event of this message type")

ADT: dict[str, EventType] = {
    "A01": "encounter.admit",
    "A02": "encounter.transfer",
    "A03": "encounter.discharge",
    "A04": "encounter.register",
    "A05": "encounter.pre_admit",
    "A06": "encounter.transfer",
    "A07": "encounter.transfer",
    "A11": "encounter.cancel_admit",
    "A12": "encounter.cancel_transfer",
    "A13": "encounter.cancel_discharge",
    "A14": "encounter.pre_admit",
    "A17": "encounter.transfer",
    "A20": "non_clinical",
    "A23": "person.update",
    "A27": "encounter.cancel_admit",
    "A28": "person.update",
    "A29": "person.update",
    "A31": "person.update",
    "A37": "identity.unlinked",
    "A38": "encounter.cancel_admit",
    "A60": "person.update",
}
MERGES = frozenset(
    {
        "A18", "A24", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42",
        "A43", "A44", "A45", "A46", "A47", "A48", "A49", "A50", "A51",
    }
)  # fmt: skip
# Two patients in one message that says something of the pair: one event, the second is a link.
PAIRS = frozenset({"A24", "A37"})
LINKING: frozenset[EventType] = frozenset({"identity.merged", "identity.unlinked"})
TYPES: dict[str, EventType] = {
    "ORU": "observation.result",
    "OUL": "observation.result",
    "OPU": "observation.result",
    "ORM": "order",
    "OML": "order",
    "OMG": "order",
    "OMI": "order",
    "OMB": "order",
    "OMD": "order",
    "OMN": "order",
    "OMQ": "order",
    "OMS": "order",
    "OMP": "medication.order",
    "RDE": "medication.order",
    "RDS": "medication.order",
    "RAS": "medication.order",
    "RGV": "medication.order",
    "MDM": "document",
    "VXU": "immunization",
    "PPR": "problem",
    "PGL": "problem",
    "REF": "referral",
    "RRI": "referral",
}
# Message types of HL7 table 0076 that nothing clinical is taken from: appointments, accounts,
# queries and their answers, master files, devices, supplies. Any other type is not known here.
NON_CLINICAL = frozenset(
    {
        "ACK", "ADR", "BAR", "BPS", "BRP", "BRT", "BTS", "CCF", "CCI", "CCM", "CCQ", "CCR", "CCU",
        "CNQ", "CQU", "CRM", "CSU", "DBC", "DEL", "DEO", "DER", "DFT", "DOC", "DPR", "DRC", "DRG",
        "DSR", "EAC", "EAN", "EAR", "EDR", "EHC", "EQQ", "ERP", "ESR", "ESU", "INR", "INU", "LSR",
        "LSU", "MCF", "MFD", "MFK", "MFN", "MFQ", "MFR", "NMD", "NMQ", "NMR", "OPL", "OPR", "ORA",
        "ORB", "ORD", "ORF", "ORG", "ORI", "ORL", "ORN", "ORP", "ORR", "ORS", "ORX", "OSM", "OSQ",
        "OSR", "OSU", "PEX", "PIN", "PMU", "PPG", "PPP", "PPT", "PPV", "PRR", "PTR", "QBP", "QCK",
        "QCN", "QRF", "QRY", "QSB", "QSX", "QVR", "RAR", "RCI", "RCL", "RDO", "RDR", "RDY", "RER",
        "RGR", "ROC", "ROR", "RPA", "RPI", "RPL", "RPR", "RQA", "RQC", "RQI", "RQP", "RQQ", "RRA",
        "RRD", "RRE", "RRG", "RRO", "RSP", "RTB", "SCN", "SDN", "SDR", "SIU", "SLN", "SLR", "SMD",
        "SPQ", "SQM", "SQR", "SRM", "SRR", "SSR", "SSU", "STC", "STI", "STS", "SUR", "TBR", "TCR",
        "TCU", "UDM", "VQQ", "VTQ", "VXQ", "VXR", "VXX",
    }
)  # fmt: skip
KNOWN = frozenset({"ADT", *TYPES, *NON_CLINICAL})
ADT_LAST = 62  # A01 to A62 of table 0003


STATUS: dict[str, EncounterStatus] = {
    "A03": "closed",
    "A05": "planned",
    "A11": "cancelled",
    "A14": "planned",
    "A27": "cancelled",
    "A38": "cancelled",
}
# Messages that say where the visit stands: only they can close it or reopen it by themselves.
REOPENS = frozenset({"A01", "A04", "A06", "A07", "A13"})


def event_type_of(kind: str, trigger: str) -> EventType:
    """Return the kind of event; a type that says nothing clinical is ``non_clinical``."""
    if kind == "ADT":
        if trigger in MERGES:
            return "identity.merged"
        return ADT.get(trigger, "encounter.update")
    return TYPES.get(kind, "non_clinical")


def unknown_kind(kind: str, trigger: str, *, has_results: bool) -> Finding | None:
    """Return what is wrong with a type or event that would pass for nothing clinical, or for
    another one.
    """
    if kind not in KNOWN:
        return UNKNOWN_TYPE if has_results else None
    return None if is_known_event(kind, trigger) else UNKNOWN_EVENT


def is_known_event(kind: str, trigger: str) -> bool:
    """Return whether a trigger can be one of its message type: what ADT tells hangs on it alone. A
    site's own (Z..), and none, are taken.
    """
    if kind != "ADT" or not trigger or trigger[0] == "Z":
        return True
    number = trigger[1:]
    is_numbered = trigger[0] == "A" and len(number) == 2 and number.isdecimal()
    return is_numbered and 1 <= int(number) <= ADT_LAST


def encounter_status(kind: str, trigger: str, *, discharged: bool) -> EncounterStatus:
    """Return the visit's status; ``discharged``: PV1-45 is there."""
    if kind == "ADT":
        known = STATUS.get(trigger)
        if known is not None:
            return known
        if trigger in REOPENS:
            return "open"
    return "closed" if discharged else "open"
