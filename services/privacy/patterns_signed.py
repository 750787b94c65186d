"""Pure: who wrote, saw or signed, by letters alone, and names in accounts (`dr_weijie.koh`).

Two or three capitals name somebody only beside a word that asks for a person; abbreviations of
departments and of medicine stay. Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.patterns import form
from services.privacy.tagger.hints import MEDICAL, hint_of_word
from services.privacy.words import NEVER_NAMES, NOT_NAMES, words

NO_INITIALS = words(
    "ED ER EM OR OT ICU ITU HDU CCU AMU MAU GP GI GU ID IR EP NS CT MR US PT SLT SLP SW CM RD RT RN NP PA MD DO HO MO SHO SPR SR JR ST FY CN",
    "EMS EMT ENT OB GYN PCP CRNA MDT MSW LCSW PHD DC TF IV IM PO SC SL NG PR OK NA NO AM PM BP HR RR IVF ABX UTI CXR ECG EKG EEG USS MRI PET ICS",
    "TTE TOE TEE LP PICC CVC AKI AF DVT PE MI HF HTN DM COPD CKD CVA TIA RTC RTA MVC MVA CPR DNR NFR PRN BD TDS QDS QID TID BID OD ON STAT NOK POA",
    "NHS HCP HCA CNA LPN SN DR MR MRS MS HX PX RX DX TX FX SX CC CO SO WE IT HE HIS MY AN AS AT BE BY IF IN IS OF ON SO TO UP VS WK YO RED ALL NEW OLD KEY LAB ADL",
    "NAD NKDA TCI DC FU TTO TTA KIV NBM NPO BNO PU SOB CP LOC GCS EWS NEWS WOB RA NIL FBC UE LFT CRP INR WCC HB PLT TED LMWH VTE TLC PRN DTS AOR IMP HPI PMH SH FH",
    "OCN CCRN CEN ND LPN LVN APRN ARNP FNP ACNP BSN MSN DPM DDS DMD MBBS MB BS FACS FACP FRCP FRCS FRCR MRCP MRCS MRCGP DCH SRNA CNM CNS RNFA RDMS RRT CRT OTR DPT PTA RDN LD CDE CDCES LMFT LPC",
    "LT LTD INC LLC PLC UK USA EU UN SG HK WA UR AC PC DNA RNA OPD OP IP DSU ANC PNC HIV TB MDR PD TPN NIV RFA CBD SBO LBO UGI LGI EUA THR TKR CABG PCI TAVI",
)
BY_HAND = (
    r"(?:sonographer|radiographer|sono|scribe|typist|typed|transcri(?:bed|ber|ptionist)|dictated|signed|initial(?:l?ed|s)?|witness(?:ed)?"
    r"|checked|verified|entered|recorded|countersigned|authenticated|reported|read|operator|perfusionist|echo tech|tech|2nd checker|checker)"
)
SEEN = r"(?:seen|reviewed|r/v|rv|d/w|discussed|assessed|examined|performed|inserted|placed|given|drawn|taken|obs|done|sutured|removed|attended|s/b|sb|handover|handed over|escalated|informed|called|bleeped|paged)"


def _is_initials(match: re.Match[str]) -> bool:
    found = match["v"]
    hint = hint_of_word(found.lower())
    return found not in NO_INITIALS and not hint & MEDICAL


def _is_account(match: re.Match[str]) -> bool:
    parts = re.split(r"[_.]", match["v"].lower())
    return any(
        part not in NEVER_NAMES and part not in NOT_NAMES and len(part) > 2 for part in parts[1:]
    )


def _is_lowered(match: re.Match[str]) -> bool:
    word = match["name"]
    return word not in NEVER_NAMES and word not in NOT_NAMES and word not in NOT_CALLED


NOT_CALLED = words(
    "office offices appt appts visit visits said says told advised aware review reviews ordered prescribed recommended clinic letter note notes off asap",
    "who whom that about again also asked came gave got went did does just only some more next last prior same other another each every never ever",
)
SIGNED_EN = (
    form("NAME", rf"\b(?i:{BY_HAND})(?: by)?[:.]? {{1,2}}(?P<v>[A-Z]{{2,3}}|[A-Z]\.[A-Z]\.(?:[A-Z]\.)?)(?=[\s.,;)/]|\Z)", _is_initials, "v"),
    form("NAME", rf"\b(?i:{SEEN})(?: by| w/| with| to)?:? {{1,2}}(?P<v>[A-Z]{{2}}|[A-Z]\.[A-Z]\.(?:[A-Z]\.)?)(?=[\s.,;)/]|\Z)", _is_initials, "v"),
    form("NAME", r"\b(?i:by|per) (?P<v>[A-Z]\.[A-Z]\.(?:[A-Z]\.)?|[A-Z]\. ?[A-Z]\.)(?=[\s,;)/]|\Z)", of="v"),
    form("NAME", r"\b(?i:typed|typist|dictated|transcribed)(?: by)?:? (?P<v>[a-z]{2,3}\d{0,2})(?=[.,;\s]{0,2}(?:\n|\Z))", lambda match: match["v"] not in NEVER_NAMES, "v"),
    form("NAME", r"(?:\n|[.;)] |[-–—/~] ?)(?P<v>[A-Z]{2,3}(?:/[A-Za-z]{2,3})?)\.?\s*\Z", lambda match: all(_is_sign(part) for part in match["v"].split("/")), "v"),
    form("NAME", r"(?:\n|[.;)] )[-–—/~]?(?P<v>[A-Z]{2,3}:?/[a-z]{2,3})\s*(?:\n|\Z)", of="v"),
    form("NAME", r"\b(?P<v>(?:dr|md|nurse|rn|sn|prof|sr)[_.](?=[a-z]{2})[a-z]{2,20}(?:[_.][a-z]{1,20}){0,2})\b(?!@)", _is_account, "v"),
    form("NAME", r"\bdr (?P<name>[a-z]{3,15})\b(?!['’]s)", _is_lowered, "name"),
)  # fmt: skip


def _is_sign(found: str) -> bool:
    return found.upper() not in NO_INITIALS and not hint_of_word(found.lower()) & MEDICAL
