"""Pure: who wrote, saw or signed, by letters alone, and names in accounts (`dr_weijie.koh`).

Two or three capitals name somebody only beside a word that asks for a person; abbreviations of
departments and of medicine stay. Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.patterns import form
from services.privacy.tagger.hints import COMMON, MEDICAL, hint_of_word
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
# Two and three small letters that end notes and are nobody's initials.
NOT_TYPED = NEVER_NAMES | words(
    "prn bd tds qds qid tid bid od on nil nad stat am pm hr hrs wk wks mth yrs yr min mins mg ml mcg kg cm mm ok tmr asap eta etc inc iv im po sc sl ng pr uo bp hr rr sat obs fio ra na no new old ago off now out low",
    "reg cons sho spr dr mr mrs ms rn np pa md do gp er ed icu ward bed chair home soon fine well stable neg pos wnl abd ext int lat med sup inf ant post pt pts op opd ot slt dc tto ttos fu ecg cxr ct mri us uss fbc ue crp lft inr abg vbg lp",
    "his her him she it's its our the and for with via per due dad mum mom son was did not but let see say has had can yet too all any one two six ten day eye ear arm leg toe lip hip jaw bp wt ht bmi tft sob cp loc",
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


def _is_signature(match: re.Match[str]) -> bool:
    """Initials before a post, where no abbreviation or word of a chart stands."""
    found = match["v"]
    if found.islower():
        return found not in NOT_TYPED and not hint_of_word(found) & (COMMON | MEDICAL)
    return found not in NO_INITIALS and (
        len(found) == 2 or not hint_of_word(found.lower()) & MEDICAL
    )


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
# Beside initials at the end of a line these are degrees and posts.
POST = r"(?:RN|RGN|RMN|EN|SN|ENP|ANP|NP|FNP|PA(?:-C)?|MD|DO|RMO|HMO|SHO|SpR|HO|MO|CRNA|LPN|RRT|DPT|OTR|APRN|ODP|HCA|F[12]|FY\d|ST\d|CT\d|IMT\d?|PGY-?\d|R\d|[Rr]eg|[Ii]ntern|rn|rgn|en|enp|anp|np|pa|rmo|hmo|sho|ho|ct\d|st\d|fy?\d)"
SIGNED_EN = (
    form("NAME", rf"(?:\A|[\n.;)/–—-] {{0,2}}|  )(?P<v>[A-Z]{{2,3}}|[a-z]{{2,3}}|[A-Z]{{0,2}} ?Ma?c[A-Z]{{1,2}})(?:,| /)? {POST}(?=[\s.,;:/)]|\Z)", _is_signature, "v"),
    form("NAME", r"(?<![\w/:])(?P<v>[A-Z]{2,3}[:/][a-z]{2,3})(?=[\s.;]|\Z)(?!\s?\d)", lambda match: is_sign(match["v"][:-4].rstrip(":/")), "v"),
    form("NAME", r"(?:\n|  |[.\n)] ?/ ?|[A-Za-z.)]/)(?P<v>[a-z]{2,3}(?:/[a-z]{2,3})?)\.?\s*\Z", lambda match: all(part not in NOT_TYPED for part in match["v"].split("/")), "v"),
    form("NAME", r"\b(?:[Dd]ict(?:ated)?|[Dd]&T|D/T|T|[Tt]yped|[Tt]rans(?:cribed)?):? (?:\d{1,2}/\d{1,2}(?:/\d{2,4})? )(?:\d{4}h? )?(?P<v>[A-Za-z]{2,3}(?:/[a-z]{2,3})?)(?=[\s.,;]|\Z)", lambda match: all(part.lower() not in NOT_TYPED for part in match["v"].split("/")), "v"),
    form("NAME", r"\b[Dd]ict(?:ated)?:? (?P<v>[A-Z]{2,3} ?/ ?[a-z]{2,3})\b", of="v"),
    form("NAME", r"\b(?P<v>[A-Z] ?Ma?c[A-Z][a-z]?|MMc[A-Z])\b(?! ?\d)", of="v"),
    form("NAME", r"(?:\n|[.;)] )(?P<v>[A-Z]{2,3}) \(?(?:bleep|pager|pgr|pg|ph|ext|x|#|dect) ?#?\d{3,6}\)?", _is_signature, "v"),
    form("NAME", r"\b(?:[Ss]een|[Rr]eviewed|[Cc]alled|[Pp]laced|[Ii]nserted|[Ss]ited|[Dd]rawn|[Gg]iven|[Pp]assed|[Tt]ourniquet|catheter|block)(?: [\w/.%]{1,12}){0,4} by (?P<v>[A-Z]{2})(?=[\s.,;–—-])", _is_initials, "v"),
    form("NAME", rf"\b(?i:{BY_HAND})(?: by)?[:.]? {{1,2}}(?P<v>[A-Z]{{2,3}}|[A-Z]\.[A-Z]\.(?:[A-Z]\.)?)(?=[\s.,;)/]|\Z)", _is_initials, "v"),
    form("NAME", rf"\b(?i:{SEEN})(?: by| w/| with| to)?:? {{1,2}}(?P<v>[A-Z]{{2}}|[A-Z]\.[A-Z]\.(?:[A-Z]\.)?)(?=[\s.,;)/]|\Z)", _is_initials, "v"),
    form("NAME", r"\b(?i:by|per) (?P<v>[A-Z]\.[A-Z]\.(?:[A-Z]\.)?|[A-Z]\. ?[A-Z]\.)(?=[\s,;)/]|\Z)", of="v"),
    form("NAME", r"\b(?i:typed|typist|dictated|transcribed)(?: by)?:? (?P<v>[a-z]{2,3}\d{0,2})(?=[.,;\s]{0,2}(?:\n|\Z))", lambda match: match["v"] not in NEVER_NAMES, "v"),
    form("NAME", r"(?:\n|[.;)] |[-–—/~] ?)(?P<v>[A-Z]{2,3}(?:/[A-Za-z]{2,3})?)\.?\s*\Z", lambda match: all(is_sign(part) for part in match["v"].split("/")), "v"),
    form("NAME", r"(?:\n|[.;)] )[-–—/~]?(?P<v>[A-Z]{2,3}:?/[a-z]{2,3})\s*(?:\n|\Z)", of="v"),
    form("NAME", r"\b(?P<v>(?:dr|md|nurse|rn|sn|prof|sr)[_.](?=[a-z]{2})[a-z]{2,20}(?:[_.][a-z]{1,20}){0,2})\b(?!@)", _is_account, "v"),
    form("NAME", r"\bdr (?P<name>[a-z]{3,15})\b(?!['’]s)", _is_lowered, "name"),
)  # fmt: skip


def is_sign(found: str) -> bool:
    """Return whether letters are nobody's degree, post or abbreviation."""
    return found.upper() not in NO_INITIALS and not hint_of_word(found.lower()) & MEDICAL
