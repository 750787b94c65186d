"""DICOM by the Basic Profile: rule by rule, then nothing planted in the pixels' file."""

import base64
import zlib
from datetime import date
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from services.privacy.imaging import dicom, lossless, refusals
from services.privacy.imaging.cleaning import Cleaned, Request, clean
from services.privacy.imaging.dicom import Patient, by_profile, new_uid
from services.privacy.imaging.profile import PROFILE
from simulator.radiographs import Grey, Print, as_dicom, file_of, radiograph, with_print

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")  # what pydicom says of such files

PATIENT = Patient(shift_days=100, uid_key=b"k" * 16)
BODY: dict[str, Any] = {"BodyPartExamined": "CHEST"}
UIDS = {
    "StudyInstanceUID": "1.2.840.113619.2.55.1",
    "SeriesInstanceUID": "1.2.840.113619.2.55.2",
    "FrameOfReferenceUID": "1.2.840.113619.2.55.3",
}


@pytest.fixture(scope="module")
def chest() -> Grey:
    # Of the synthetic radiographs one without a tube or a marker: what is tested is not letters.
    return radiograph(np.random.default_rng(3), 256)


def request(content: bytes, *said: str, patient: Patient = PATIENT) -> Request:
    return Request(
        content=content,
        media_type="application/dicom",
        said=said,
        shift_days=patient.shift_days,
        uid_key=patient.uid_key,
        bytes_max=256 * 1024,
    )


def cleaned(chest: Grey, *said: str, **attributes: Any) -> Cleaned:
    return clean(request(as_dicom(chest, BODY | attributes), *said))


def profiled(chest: Grey, **attributes: Any) -> Dataset:
    return by_profile(dicom.read(as_dicom(chest, BODY | attributes)), PATIENT)


def an_item(**attributes: Any) -> Dataset:
    item = Dataset()
    with disable_value_validation():
        for keyword, value in attributes.items():
            setattr(item, keyword, value)
    return item


def test_a_chest_radiograph_passes_with_what_the_model_needs(chest: Grey) -> None:
    found = cleaned(
        chest,
        ViewPosition="PA",
        ImageLaterality="U",
        AcquisitionDate="20240305",
        AcquisitionTime="103000.25",
        TimezoneOffsetFromUTC="+0800",
        **UIDS,
    )
    assert (found.held, found.modality, found.body_part, found.view, found.laterality) == (
        "", "CR", "CHEST", "PA", "U",
    )  # fmt: skip
    assert found.acquired_at_ms == 1_709_605_800_000 - 100 * 86_400_000
    picture = Image.open(BytesIO(found.png))
    assert (picture.mode, picture.size, picture.info) == ("L", (256, 256), {})
    sent = np.asarray(chest, dtype=float)
    assert np.corrcoef(sent.ravel(), np.asarray(picture, dtype=float).ravel())[0, 1] > 0.99


def test_only_attributes_of_the_table_remain(chest: Grey) -> None:
    kept = profiled(
        chest,
        InstitutionName="St Elsewhere",
        StationName="ROOM-7",
        StudyDescription="Anna Vickers, chest",
        DeviceSerialNumber="SN-4711",
        OperatorsName="Okonkwo^Chidi",
        PatientComments="lives at 12 Elm Road",
    )
    added = {
        "PatientIdentityRemoved", "BurnedInAnnotation", "DeidentificationMethod",
        "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified",
    }  # fmt: skip
    assert {element.keyword for element in kept} <= set(PROFILE) | added
    assert kept.PatientIdentityRemoved == "YES"
    assert kept.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


def test_private_attributes_go_at_every_depth(chest: Grey) -> None:
    sent = dicom.read(as_dicom(chest, BODY))
    item = an_item(ReferencedSOPInstanceUID="1.2.3")
    for where in (sent, item):
        block = where.private_block(0x0009, "VENDOR", create=True)
        block.add_new(0x01, "LO", "Anna Vickers")
    sent.ReferencedImageSequence = DicomSequence([item])
    kept = by_profile(sent, PATIENT)
    assert len(kept.ReferencedImageSequence) == 1
    assert not [element for element in kept.iterall() if element.tag.is_private]


def test_names_in_sequences_go_and_the_uids_beside_them_are_replaced(chest: Grey) -> None:
    item = an_item(
        ReferencedSOPInstanceUID=UIDS["StudyInstanceUID"],
        PatientName="Vickers^Anna",
        PersonName="Okonkwo^Chidi",
    )
    requested = an_item(RequestingPhysician="Okonkwo^Chidi", PatientID="10045678")
    kept = profiled(
        chest,
        ReferencedImageSequence=DicomSequence([item]),
        RequestAttributesSequence=DicomSequence([requested]),
        ReferencedPatientSequence=DicomSequence([requested]),
        **UIDS,
    )
    inside = kept.ReferencedImageSequence[0]
    assert inside.ReferencedSOPInstanceUID == kept.StudyInstanceUID
    assert inside.PatientName == ""
    assert "PersonName" not in inside
    assert "RequestAttributesSequence" not in kept
    assert "ReferencedPatientSequence" not in kept


def test_uids_are_the_same_for_one_patient_and_others_for_another(chest: Grey) -> None:
    one, again = profiled(chest, **UIDS), profiled(chest, **UIDS)
    other = by_profile(dicom.read(as_dicom(chest, UIDS)), Patient(100, b"o" * 16))
    for keyword, sent in UIDS.items():
        assert one[keyword].value == again[keyword].value != other[keyword].value
        assert one[keyword].value != sent
        assert pydicom.uid.UID(one[keyword].value).is_valid
    assert len({one[keyword].value for keyword in UIDS}) == len(UIDS)
    assert new_uid("not a uid", b"k" * 16) == ""


def test_dates_move_together_and_times_stay(chest: Grey) -> None:
    kept = profiled(
        chest,
        StudyDate="20240305",
        ContentDate="20240307",
        StudyTime="235959",
        AcquisitionDateTime="20240305103000.5+0100",
    )
    assert kept.StudyDate == "20231126"
    assert (date(2023, 11, 28) - date(2023, 11, 26)).days == 2
    assert kept.ContentDate == "20231128"
    assert kept.StudyTime == "235959"
    assert kept.AcquisitionDateTime == "20231126103000.5+0100"


@pytest.mark.parametrize("wrong", ["2024030", "20241399", "VICKERS^", "00010101"])
def test_a_date_that_is_none_is_emptied(chest: Grey, wrong: str) -> None:
    assert not profiled(chest, StudyDate=wrong).StudyDate


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("074Y", "074Y"), ("091Y", "090Y"), ("089Y", "089Y"), ("010M", "010M"), ("Anna", "")],
)
def test_ages_over_89_are_one(chest: Grey, sent: str, kept: str) -> None:
    assert (profiled(chest, PatientAge=sent).PatientAge or "") == kept


def test_words_outside_their_closed_set_are_emptied(chest: Grey) -> None:
    kept = profiled(chest, ViewPosition="VICKERS", PatientSex="ANNA", ImageLaterality="R")
    assert (kept.ViewPosition or "", kept.PatientSex or "", kept.ImageLaterality) == ("", "", "R")


def test_overlays_and_curves_go_with_the_bits_they_lie_in(chest: Grey) -> None:
    plain = cleaned(chest)
    sent = dicom.read(as_dicom(chest, BODY))
    stored = np.frombuffer(sent.PixelData, "<u2").copy()
    sent.PixelData = (stored | 0x8000).astype("<u2").tobytes()  # an overlay in bit 15
    sent.add_new(0x60000010, "US", 256)
    sent.add_new(0x60000102, "US", 15)
    sent.add_new(0x60003000, "OW", b"Anna Vickers" * 100)
    sent.add_new(0x60004000, "LT", "Anna Vickers")
    sent.add_new(0x50003000, "OW", b"Anna Vickers" * 100)
    assert not [e for e in by_profile(sent, PATIENT) if e.tag.group in {0x6000, 0x5000}]
    assert clean(request(file_of(sent, sent.file_meta.TransferSyntaxUID))) == plain


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, refusals.DOCUMENT),
        ({"EncapsulatedDocument": b"%PDF-1.7 Anna"}, refusals.DOCUMENT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11"}, refusals.DOCUMENT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1"}, refusals.DOCUMENT),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.3"}, refusals.UNSUPPORTED),
        ({"NumberOfFrames": "20"}, refusals.UNSUPPORTED),
        ({"BurnedInAnnotation": "YES"}, refusals.SHOWS_TEXT),
        ({"BurnedInAnnotation": "yes "}, refusals.SHOWS_TEXT),
        ({"RecognizableVisualFeatures": "YES"}, refusals.SHOWS_FACE),
        ({"Modality": "XC"}, refusals.PHOTOGRAPH),
        ({"Modality": "ES"}, refusals.PHOTOGRAPH),
        ({"Modality": "PX"}, refusals.SHOWS_FACE),
        ({"Modality": "CT", "BodyPartExamined": "HEAD"}, refusals.SHOWS_FACE),
        ({"Modality": "CR", "BodyPartExamined": "SKULL"}, refusals.SHOWS_FACE),
        ({"Modality": "MR", "SeriesDescription": "t1_mprage Brain"}, refusals.SHOWS_FACE),
        ({"Modality": "CT", "StudyDescription": "CT Kopf nativ"}, refusals.SHOWS_FACE),
        ({"Modality": "CT", "ProtocolName": "Neurocranium"}, refusals.SHOWS_FACE),
        ({"Modality": "CT", "BodyPartExamined": "NECK"}, refusals.SHOWS_FACE),
        ({"Modality": "PT", "StudyDescription": "PET whole body"}, refusals.SHOWS_FACE),
        ({"Modality": "CT", "BodyPartExamined": ""}, refusals.UNKNOWN_SUBJECT),
        ({"Modality": "SC", "BodyPartExamined": ""}, refusals.UNKNOWN_SUBJECT),
        ({"Modality": "PT", "BodyPartExamined": "UNKNOWN"}, refusals.UNKNOWN_SUBJECT),
        ({"Modality": "CR", "BodyPartExamined": ""}, refusals.UNKNOWN_SUBJECT),
        (
            {"Modality": "DX", "BodyPartExamined": "", "ViewPosition": "AP"},
            refusals.UNKNOWN_SUBJECT,
        ),
        ({"Modality": "MR", "BodyPartExamined": ""}, refusals.UNKNOWN_SUBJECT),
        ({"Modality": "DX", "ViewPosition": "WATERS"}, refusals.SHOWS_FACE),
        (
            {"Modality": "CR", "AcquisitionDeviceProcessingDescription": "SKULL"},
            refusals.SHOWS_FACE,
        ),
    ],
)
def test_what_cannot_pass_is_refused_with_its_reason(
    chest: Grey, attributes: dict[str, Any], code: str
) -> None:
    assert cleaned(chest, **attributes) == Cleaned(held=code)


def test_a_head_is_found_in_codes_and_chinese_words_too(chest: Grey) -> None:
    head = DicomSequence([an_item(CodeValue="69536005", CodingSchemeDesignator="SCT")])
    codes = {"Modality": "CT", "AnatomicRegionSequence": head}
    assert cleaned(chest, **codes).held == refusals.SHOWS_FACE
    chinese = {"SpecificCharacterSet": "GB18030", "Modality": "CT", "StudyDescription": "头颅平扫"}
    assert cleaned(chest, **chinese).held == refusals.SHOWS_FACE
    assert cleaned(chest, "CT Head", Modality="CT").held == refusals.SHOWS_FACE


SMALL: Grey = np.zeros((8, 8), np.float32)
HEAD_VIEWS = (
    "Zygoma", "zygomatic arches", "mastoid", "OPG", "orthopantomogram", "Panorex", "bitewing",
    "CBCT", "lateral ceph", "sialogram", "Waters view", "Towne view", "occipitomental view",
    "paranasal", "Unterkiefer", "adenoids", "颧弓", "乳突", "颞骨", "枕骨", "顶骨", "腮腺",
    "全景曲面断层", "根尖片", "华氏位", "柯氏位", "许氏位", "汤氏位", "瓦氏位", "腺样体侧位",
)  # fmt: skip


@pytest.mark.parametrize("said", HEAD_VIEWS)
@pytest.mark.parametrize(("modality", "part"), [("CR", ""), ("DX", "CHEST"), ("CT", "CHEST")])
def test_views_of_head_and_teeth_are_heads(modality: str, part: str, said: str) -> None:
    sent = dicom.read(as_dicom(SMALL, BODY | {"Modality": modality, "BodyPartExamined": part}))
    with pytest.raises(refusals.ImageRefused, match=refusals.SHOWS_FACE):
        dicom.subject(sent, (said,))


@pytest.mark.parametrize(
    ("attributes", "said", "part"),
    [
        ({"Modality": "CR", "BodyPartExamined": "CHEST"}, "", "CHEST"),
        ({"Modality": "DX", "ViewPosition": "PA"}, "XR Chest frontal and lateral", "CHEST"),
        ({"Modality": "DX", "StudyDescription": "CXR PA"}, "", "CHEST"),
        ({"Modality": "CR"}, "胸部正侧位", "CHEST"),
        ({"Modality": "DX", "AcquisitionDeviceProcessingDescription": "CHEST"}, "", "CHEST"),
        ({"Modality": "CR"}, "右手正斜位", "HAND"),
        ({"Modality": "DX"}, "Both knees, standing", "KNEE"),
        ({"Modality": "CR", "BodyPartExamined": "CSPINE"}, "", "CSPINE"),
        ({"Modality": "MG"}, "", ""),
    ],
)
def test_radiographs_of_what_is_no_head_pass(
    attributes: dict[str, Any], said: str, part: str
) -> None:
    chinese = {"SpecificCharacterSet": "GB18030", "BodyPartExamined": ""}
    sent = dicom.read(as_dicom(SMALL, chinese | attributes))
    assert dicom.subject(sent, (said,)).part == part


@pytest.mark.parametrize("place", ["code", "words", "message"])
def test_a_part_of_the_body_is_found_by_code_words_or_its_message(chest: Grey, place: str) -> None:
    chest_code = DicomSequence([an_item(CodeValue="51185008", CodingSchemeDesignator="SCT")])
    attributes: dict[str, dict[str, Any]] = {
        "code": {"AnatomicRegionSequence": chest_code},
        "words": {"SeriesDescription": "Thorax nativ"},
        "message": {},
    }
    said = ("CT Chest W contrast",) if place == "message" else ()
    sent = {"BodyPartExamined": "", "Modality": "CT"} | attributes[place]
    assert cleaned(chest, *said, **sent).body_part == "CHEST"


def test_letters_in_the_pixels_refuse_the_image() -> None:
    rng = np.random.default_rng(5)
    printed = with_print(rng, radiograph(rng, 256), Print("VICKERS ANNA", 14))
    assert cleaned(printed).held == refusals.SHOWS_TEXT


def test_a_window_and_an_inverted_scale_are_followed() -> None:
    ramp = np.tile(np.linspace(0, 255, 200, dtype=np.float32), (100, 1))
    upright = np.asarray(Image.open(BytesIO(cleaned(ramp).png)), dtype=float)
    negative = cleaned(ramp, PhotometricInterpretation="MONOCHROME1")
    inverted = np.asarray(Image.open(BytesIO(negative.png)), dtype=float)
    assert np.abs(upright + inverted - 255).max() <= 1
    narrow = cleaned(ramp, WindowCenter="1000", WindowWidth="500")
    levels = np.asarray(Image.open(BytesIO(narrow.png)))
    stored = (ramp * 16).astype(int)
    assert (levels[stored > 1251] == 255).all()
    assert (levels[stored < 750] == 0).all()


def test_a_large_image_leaves_small_and_within_its_bytes() -> None:
    rng = np.random.default_rng(1)
    noise = rng.uniform(0, 255, (1500, 1100)).astype(np.float32)
    found = cleaned(noise)
    assert max(found.width, found.height) <= 512
    assert 0 < len(found.png) <= 256 * 1024
    few = clean(msgspec.structs.replace(request(as_dicom(noise, BODY)), bytes_max=20_000))
    assert 0 < len(few.png) <= 20_000
    assert few.width < found.width


@pytest.mark.parametrize("kept_bytes", [0, 4, 131, 200, 600, 5_000])
def test_a_file_cut_off_anywhere_is_undecodable(chest: Grey, kept_bytes: int) -> None:
    found = clean(request(as_dicom(chest, BODY)[:kept_bytes]))
    assert found.held in {refusals.UNDECODABLE, refusals.UNSUPPORTED}


def test_a_size_that_is_not_that_of_the_pixels_is_refused(chest: Grey) -> None:
    assert cleaned(chest, Rows=60_000, Columns=60_000).held == refusals.TOO_LARGE
    assert cleaned(chest, Rows=2_000, Columns=2_000).held == refusals.UNDECODABLE
    assert cleaned(chest, Rows=1, Columns=1).held == refusals.UNDECODABLE


def test_run_length_and_deflated_images_are_read(chest: Grey) -> None:
    plain = cleaned(chest)
    sent = dicom.read(as_dicom(chest, BODY))
    assert clean(request(file_of(sent, DeflatedExplicitVRLittleEndian))) == plain
    sent.compress(RLELossless, generate_instance_uid=False)
    assert clean(request(file_of(sent, RLELossless))) == plain


LOSSLESS = {
    "1.2.840.10008.1.2.4.57": ("ljpeg", {"bitspersample": 12}),
    "1.2.840.10008.1.2.4.70": ("ljpeg", {"bitspersample": 12}),
    "1.2.840.10008.1.2.4.80": ("jpegls", {}),
    "1.2.840.10008.1.2.4.81": ("jpegls", {"level": 2}),  # 2 of 4,096 levels
}


def in_lossless(sent: Dataset, syntax: str) -> bytes:
    """Return the file in JPEG lossless or JPEG-LS, written by the library that reads it."""
    codecs: Any = pytest.importorskip("imagecodecs", reason="needs imagecodecs (extra `privacy`)")
    codec, options = LOSSLESS[syntax]
    values = np.frombuffer(sent.PixelData, "<u2").reshape(sent.Rows, sent.Columns)
    frame = getattr(codecs, f"{codec}_encode")(values, **options)
    again = dicom.read(file_of(sent, sent.file_meta.TransferSyntaxUID))
    again.PixelData = encapsulate([frame])
    again["PixelData"].is_undefined_length = True
    return file_of(again, syntax)


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("is_signed", [False, True])
def test_jpeg_lossless_and_ls_are_read(chest: Grey, syntax: str, *, is_signed: bool) -> None:
    sent = dicom.read(as_dicom(chest, BODY | {"PixelRepresentation": int(is_signed)}))
    if is_signed:
        values = np.frombuffer(sent.PixelData, "<u2").astype(np.int16) - 2048
        sent.PixelData = (values & 0xFFF).astype("<u2").tobytes()
    plain = clean(request(file_of(sent, sent.file_meta.TransferSyntaxUID)))
    found = clean(request(in_lossless(sent, syntax)))
    if is_signed and syntax == lossless.NEAR_LOSSLESS:
        assert found.held == refusals.UNSUPPORTED
        return
    assert (plain.held, found.held) == ("", "")
    one, other = (np.asarray(Image.open(BytesIO(x.png)), np.int16) for x in (plain, found))
    assert np.abs(one - other).max() <= (syntax == lossless.NEAR_LOSSLESS)
    assert (found.width, found.body_part) == (plain.width, plain.body_part)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"])
def test_a_lossless_code_stream_that_was_cut_or_lies_of_its_size_is_refused(
    chest: Grey, syntax: str
) -> None:
    whole = in_lossless(dicom.read(as_dicom(chest, BODY)), syntax)
    for kept in (600, 2_000):
        assert clean(request(whole[:kept])).held in {refusals.UNDECODABLE, refusals.UNSUPPORTED}
    header = max(whole.find(b"\xff\xd8\xff\xf7"), whole.find(b"\xff\xc3") - 2)
    for place in (header + 7, header + 9, header + 11):  # lines, signs a line, components
        altered = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        assert clean(request(altered)).held == refusals.UNDECODABLE
    assert clean(request(whole.replace(b"\xff\xd8\xff", b"\xff\xd8\x00", 1))).held


def test_without_the_library_lossless_is_unsupported(
    chest: Grey, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = dicom.read(as_dicom(chest, BODY))
    sent.PixelData = encapsulate([b"\xff\xd8\xff\xc3" + bytes(64)])
    content = file_of(sent, "1.2.840.10008.1.2.4.70")
    monkeypatch.setattr(lossless, "find_spec", lambda _: None)
    assert clean(request(content)).held == refusals.UNSUPPORTED


SECRETS = ("VICKERSANNA", "Vickers^Anna", "10045678", "12 Elm Road", "欧阳晓明", "19500307")
TEXT_KEYWORDS = (
    "PatientName", "PatientID", "OtherPatientNames", "PatientAddress", "InstitutionName",
    "StudyDescription", "SeriesDescription", "ImageComments", "AccessionNumber", "StudyID",
    "ViewPosition", "BodyPartExamined", "PatientSex", "ReferringPhysicianName", "OperatorsName",
    "DeviceSerialNumber", "ProtocolName", "Manufacturer", "PatientBirthName",
)  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(st.sampled_from(TEXT_KEYWORDS), st.sampled_from(SECRETS), min_size=1),
    st.sampled_from(SECRETS),
    st.sampled_from(["flat", "nested"]),
)
def test_no_planted_string_is_in_what_leaves(
    chest: Grey, planted: dict[str, str], hidden: str, depth: str
) -> None:
    codes = ("ViewPosition", "BodyPartExamined", "PatientSex")  # of these only ASCII can be written
    planted |= {name: SECRETS[0] for name in codes if not planted.get(name, "").isascii()}
    item = an_item(ReferencedSOPInstanceUID="1.2.3", **planted)
    attributes: dict[str, Any] = {"SpecificCharacterSet": "ISO_IR 192", **planted}
    if depth == "nested":
        attributes["ReferencedImageSequence"] = DicomSequence([item])
        attributes["SourceImageSequence"] = DicomSequence([item])
    sent = dicom.read(as_dicom(chest, attributes))
    sent.private_block(0x0011, "VENDOR", create=True).add_new(0x02, "UT", hidden)
    content = file_of(sent, sent.file_meta.TransferSyntaxUID)
    content = hidden.encode()[:128].ljust(128, b"\0") + content[128:]  # the preamble
    profiled_file = BytesIO()
    by_profile(sent, PATIENT).save_as(profiled_file, implicit_vr=True, little_endian=True)
    left = (profiled_file.getvalue(), msgspec.json.encode(clean(request(content))))
    for secret in {*planted.values(), hidden}:
        raw = secret.encode()
        for form in (raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")[:-1]):
            assert all(form not in written for written in left)


def test_a_bomb_of_zeros_is_no_image() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000, 9)
    start = as_dicom(np.zeros((16, 16), np.float32), BODY, DeflatedExplicitVRLittleEndian)[:340]
    found = clean(request(start + bomb))
    assert found.held in {refusals.UNDECODABLE, refusals.UNSUPPORTED}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_bytes_have_an_answer(chest: Grey, data: st.DataObject) -> None:
    whole = bytearray(as_dicom(chest[:48, :48], BODY | UIDS | {"PixelSpacing": [0.1, 0.1]}))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, 900))
        whole[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    found = clean(request(bytes(whole)))
    assert found.held in refusals.ALL | {""}
    assert bool(found.png) == (not found.held)
