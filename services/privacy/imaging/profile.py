"""What becomes of each attribute of a DICOM image. One that is not here is removed.

Source: DICOM PS3.15, Table E.1-1, Basic Application Level Confidentiality Profile, with the options
Clean Pixel Data (an image with letters in it is refused), Retain Longitudinal Temporal Information
with Modified Dates and Retain Patient Characteristics (age and sex alone). ``code`` is what the
table says of the attribute, the option's action behind the slash; "-": not in the table, which
keeps it. The table removes by name and keeps the rest; here the rest is removed too (private
attributes, curves, overlays and all descriptions with it), so we remove more than the profile asks.
"""

from enum import Enum, auto
from typing import NamedTuple

from services.privacy.words import words


class Action(Enum):
    """What is done with an attribute's value; a value that does not have its form is emptied."""

    NUMBER = auto()  # a number that makes the picture: kept, to six digits
    WORD = auto()  # one of a closed set of words: kept
    CLASS = auto()  # a UID of the standard itself: kept
    UID = auto()  # replaced by a keyed UID, the same for the same of this patient
    DATE = auto()  # moved back by the patient's days
    TIME = auto()  # kept: the days are moved, not the hours
    DATE_TIME = auto()  # both
    EMPTY = auto()  # must be there, holds nothing
    AGE = auto()  # kept; 90 years stand for 90 and over
    ITEMS = auto()  # a sequence: its items go through this table too
    CODE = auto()  # a code that body_parts.py knows, else emptied


class Row(NamedTuple):
    """One attribute by its keyword."""

    code: str
    action: Action


PROFILE: dict[str, Row] = {
    # who: there, and empty
    "PatientName": Row("Z", Action.EMPTY),
    "PatientID": Row("Z", Action.EMPTY),
    "PatientBirthDate": Row("Z", Action.EMPTY),
    "AccessionNumber": Row("Z", Action.EMPTY),
    "ReferringPhysicianName": Row("Z", Action.EMPTY),
    "StudyID": Row("Z", Action.EMPTY),
    "PatientSex": Row("Z/K", Action.WORD),
    "PatientAge": Row("X/K", Action.AGE),
    # which: the same for the same
    "SOPInstanceUID": Row("U", Action.UID),
    "StudyInstanceUID": Row("U", Action.UID),
    "SeriesInstanceUID": Row("U", Action.UID),
    "FrameOfReferenceUID": Row("U", Action.UID),
    "SynchronizationFrameOfReferenceUID": Row("U", Action.UID),
    "IrradiationEventUID": Row("U", Action.UID),
    "ConcatenationUID": Row("U", Action.UID),
    "ReferencedSOPInstanceUID": Row("U", Action.UID),
    "SOPClassUID": Row("-", Action.CLASS),
    "ReferencedSOPClassUID": Row("-", Action.CLASS),
    # when
    "StudyDate": Row("Z/C", Action.DATE),
    "SeriesDate": Row("X/D/C", Action.DATE),
    "AcquisitionDate": Row("X/Z/C", Action.DATE),
    "ContentDate": Row("Z/D/C", Action.DATE),
    "StudyTime": Row("Z/C", Action.TIME),
    "SeriesTime": Row("X/D/C", Action.TIME),
    "AcquisitionTime": Row("X/Z/C", Action.TIME),
    "ContentTime": Row("Z/D/C", Action.TIME),
    "AcquisitionDateTime": Row("X/Z/D/C", Action.DATE_TIME),
    "TimezoneOffsetFromUTC": Row("X/C", Action.WORD),
    # what
    "Modality": Row("-", Action.WORD),
    "BodyPartExamined": Row("-", Action.WORD),
    "ViewPosition": Row("-", Action.WORD),
    "Laterality": Row("-", Action.WORD),
    "ImageLaterality": Row("-", Action.WORD),
    "PhotometricInterpretation": Row("-", Action.WORD),
    "PresentationLUTShape": Row("-", Action.WORD),
    "AnatomicRegionSequence": Row("-", Action.ITEMS),
    "ReferencedImageSequence": Row("X/Z/U", Action.ITEMS),
    "SourceImageSequence": Row("X/Z/U", Action.ITEMS),
    "CodeValue": Row("-", Action.CODE),
    "CodingSchemeDesignator": Row("-", Action.WORD),
    # how the pixels are to be read
    "SamplesPerPixel": Row("-", Action.NUMBER),
    "PlanarConfiguration": Row("-", Action.NUMBER),
    "Rows": Row("-", Action.NUMBER),
    "Columns": Row("-", Action.NUMBER),
    "BitsAllocated": Row("-", Action.NUMBER),
    "BitsStored": Row("-", Action.NUMBER),
    "HighBit": Row("-", Action.NUMBER),
    "PixelRepresentation": Row("-", Action.NUMBER),
    "PixelSpacing": Row("-", Action.NUMBER),
    "ImagerPixelSpacing": Row("-", Action.NUMBER),
    "WindowCenter": Row("-", Action.NUMBER),
    "WindowWidth": Row("-", Action.NUMBER),
    "RescaleSlope": Row("-", Action.NUMBER),
    "RescaleIntercept": Row("-", Action.NUMBER),
}

IMAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray, for presentation",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "Digital X-Ray, for processing",
    "1.2.840.10008.5.1.4.1.1.1.2": "Digital Mammography, for presentation",
    "1.2.840.10008.5.1.4.1.1.1.2.1": "Digital Mammography, for processing",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.12.1": "X-Ray Angiographic",
    "1.2.840.10008.5.1.4.1.1.12.2": "X-Ray Radiofluoroscopic",
    "1.2.840.10008.5.1.4.1.1.20": "Nuclear Medicine",
    "1.2.840.10008.5.1.4.1.1.128": "Positron Emission Tomography",
}
# Roots under which the standard has what is no image: presentation states, reports, documents.
DOCUMENT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.11.",
    "1.2.840.10008.5.1.4.1.1.88.",
    "1.2.840.10008.5.1.4.1.1.104.",
)

MAMMOGRAM = "MG"
RADIOGRAPHS = frozenset({"CR", "DX", "RG", MAMMOGRAM, "RF"})
VOLUMES = frozenset({"CT", "MR", "PT", "NM", "XA"})  # a face can be rebuilt, or be on the screen
OFTEN_WITH_TEXT = frozenset({"US", "SC", "OT"})
CAMERAS = frozenset({"XC", "ES", "GM", "SM", "OP", "OPM", "OPT", "OPV", "DMS", "OAM", "IVOCT"})
DENTAL = frozenset({"IO", "PX"})  # teeth tell one person from another
MODALITIES = RADIOGRAPHS | VOLUMES | OFTEN_WITH_TEXT

WORDS: dict[str, frozenset[str]] = {
    "PatientSex": frozenset({"M", "F", "O"}),
    "Modality": MODALITIES,
    "ViewPosition": words(
        "AP PA LL RL RLD LLD RLO LLO LPO RPO LAO RAO CC MLO ML LM LATERAL AXIAL OBLIQUE"
    ),
    "Laterality": frozenset({"L", "R"}),
    "ImageLaterality": frozenset({"L", "R", "U", "B"}),
    "PhotometricInterpretation": words(
        "MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_ICT YBR_RCT"
    ),
    "PresentationLUTShape": frozenset({"IDENTITY", "INVERSE"}),
    "CodingSchemeDesignator": frozenset({"SCT", "SRT", "SNM3", "99SDM"}),
}
