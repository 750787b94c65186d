"""PNG and JPEG: pixels alone, no photograph, no head, no letters, no bomb; and their file."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from services.privacy.imaging import refusals
from services.privacy.imaging.body_parts import subject_of
from services.privacy.imaging.burned_in import LETTERS_MIN, rows_of_letters, shows_text
from services.privacy.imaging.cleaning import Cleaned, Request, clean
from services.privacy.imaging.pixels import is_bare_png, png_of
from simulator.radiographs import Grey, Print, as_png, radiograph, with_print
from tests.support.shared import DATA

RADIOGRAPHS = DATA / "pneumoniamnist" / "train_val.npz"
SECRET = "Anna Vickers 10045678"


@pytest.fixture(scope="module")
def chest() -> Grey:
    return radiograph(np.random.default_rng(3), 256)


def cleaned(content: bytes, *said: str, media_type: str = "image/png") -> Cleaned:
    request = Request(
        content=content,
        media_type=media_type,
        said=said or ("XR Chest PA",),
        shift_days=1,
        uid_key=b"k" * 16,
        bytes_max=256 * 1024,
    )
    return clean(request)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def a_picture(chest: Grey) -> Image.Image:
    return Image.fromarray(chest.astype(np.uint8))


def test_a_png_keeps_its_pixels_and_loses_its_text_chunks(chest: Grey) -> None:
    said = PngImagePlugin.PngInfo()
    said.add_text("Title", SECRET)
    said.add_text("Comment", SECRET, zip=True)
    said.add_itxt("Author", "欧阳晓明")
    said.add(b"tIME", struct.pack(">HBBBBB", 2024, 3, 5, 10, 30, 0))
    exif = Image.Exif()
    exif[0x010E] = SECRET
    sent = saved(a_picture(chest), pnginfo=said, exif=exif, dpi=(300, 300)) + SECRET.encode()
    found = cleaned(sent)
    assert (found.held, found.body_part, found.modality) == ("", "CHEST", "")
    assert is_bare_png(found.png, found.width, found.height)
    assert b"Vickers" not in found.png
    assert (np.asarray(Image.open(BytesIO(found.png))) == chest.astype(np.uint8)).all()


def test_a_jpeg_loses_its_exif_comment_and_thumbnail(chest: Grey) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x8825] = SECRET, {1: "N", 2: (48.0, 8.0, 11.0)}
    sent = saved(a_picture(chest), "JPEG", exif=exif, comment=SECRET.encode(), quality=95)
    assert SECRET.encode() in sent
    found = cleaned(sent, media_type="image/jpeg")
    assert is_bare_png(found.png, found.width, found.height)
    assert b"Vickers" not in found.png


def test_sixteen_bits_alpha_and_grey_rgb_are_read(chest: Grey) -> None:
    deep = Image.fromarray((chest * 257).astype(np.uint16))
    for sent in (deep, a_picture(chest).convert("RGBA"), a_picture(chest).convert("LA")):
        found = cleaned(saved(sent))
        levels = np.asarray(Image.open(BytesIO(found.png)), dtype=float)
        assert np.corrcoef(levels.ravel(), chest.ravel())[0, 1] > 0.98


def test_what_is_hidden_behind_full_transparency_is_looked_at(chest: Grey) -> None:
    printed = with_print(np.random.default_rng(5), chest, Print("VICKERS ANNA", 20))
    hidden = Image.fromarray(printed.astype(np.uint8)).convert("LA")
    hidden.putalpha(0)
    assert cleaned(saved(hidden)).held == refusals.SHOWS_TEXT


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Portrait, chest and shoulders", refusals.SHOWS_FACE),
        ("Wound photograph, leg", refusals.PHOTOGRAPH),
        ("胸部正位，面容", refusals.SHOWS_FACE),
        ("Skull AP", refusals.SHOWS_FACE),
        ("Face photograph", refusals.SHOWS_FACE),
        ("颅骨正位", refusals.SHOWS_FACE),
        ("CT head and chest", refusals.SHOWS_FACE),
        ("Image", refusals.UNKNOWN_SUBJECT),
        ("", refusals.UNKNOWN_SUBJECT),
    ],
)
def test_what_it_shows_must_be_said_and_be_no_head(chest: Grey, said: str, code: str) -> None:
    assert cleaned(as_png(chest), said).held == code


def test_a_picture_in_colour_is_a_photograph(chest: Grey) -> None:
    skin = np.dstack([chest, chest * 0.7, chest * 0.6]).astype(np.uint8)
    assert cleaned(saved(Image.fromarray(skin))).held == refusals.PHOTOGRAPH
    palette = Image.fromarray(skin).quantize(16)
    assert cleaned(saved(palette)).held == refusals.PHOTOGRAPH


def test_an_animation_is_not_read(chest: Grey) -> None:
    picture = a_picture(chest)
    sent = saved(picture, save_all=True, append_images=[picture.rotate(90)])
    assert cleaned(sent).held == refusals.UNSUPPORTED


def test_another_kind_under_the_same_name_is_undecodable(chest: Grey) -> None:
    assert cleaned(saved(a_picture(chest), "GIF")).held == refusals.UNDECODABLE
    assert cleaned(as_png(chest), media_type="image/gif").held == refusals.UNSUPPORTED


def a_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("edge", [6_000, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(edge: int) -> None:
    header = a_chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 0, 0, 0, 0))
    data = a_chunk(b"IDAT", zlib.compress(b"\0" * 36_006_000, 9))
    bomb = b"\x89PNG\r\n\x1a\n" + header + data + a_chunk(b"IEND", b"")
    assert len(bomb) < 100_000
    assert cleaned(bomb).held == refusals.TOO_LARGE


def test_a_text_bomb_is_undecodable(chest: Grey) -> None:
    png = as_png(chest)
    bomb = a_chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"A" * 100_000_000, 9))
    assert cleaned(png[:33] + bomb + png[33:]).held == refusals.UNDECODABLE


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_bytes_have_an_answer(chest: Grey, data: st.DataObject) -> None:
    whole = as_png(chest)
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(max_size=40)) + whole[at + 20 :]
    for content in (whole[:at], broken):
        found = cleaned(content)
        assert found.held in refusals.ALL | {""}
        assert bool(found.png) == (not found.held)


def test_a_file_is_bare_only_without_anything_else(chest: Grey) -> None:
    png, width, height = png_of(chest, 1 << 20)
    assert is_bare_png(png, width, height)
    assert not is_bare_png(png, width - 1, height)
    assert not is_bare_png(png + b"Anna", width, height)
    assert not is_bare_png(png[:-1], width, height)
    assert not is_bare_png(png[:33] + a_chunk(b"tEXt", b"a\0Anna") + png[33:], width, height)
    assert not is_bare_png(png[:-12] + a_chunk(b"IDAT", b"Anna") + png[-12:], width, height)
    assert not is_bare_png(b"\x89PNG\r\n\x1a\n", 1, 1)


@pytest.mark.parametrize("text", ["VICKERS ANNA", "1950-03-07", "MRN 10045678"])
@pytest.mark.parametrize(("edge", "height"), [(256, 14), (512, 14), (512, 40)])
@pytest.mark.parametrize("turned", [False, True])
def test_print_is_found(text: str, edge: int, height: int, *, turned: bool) -> None:
    rng = np.random.default_rng(edge + height)
    what = Print(text, height, is_turned=turned)
    assert shows_text(with_print(rng, radiograph(rng, edge), what))


def test_anatomy_is_seldom_taken_for_print() -> None:
    rng = np.random.default_rng(17)
    alarms = sum(shows_text(radiograph(rng, 256)) for _ in range(12))
    assert alarms <= 1


@pytest.mark.shared_data
@pytest.mark.skipif(not RADIOGRAPHS.exists(), reason=f"{RADIOGRAPHS} is not here")
def test_real_small_radiographs_are_not_taken_for_print() -> None:
    with np.load(RADIOGRAPHS) as found:
        images = found["val_images"][:60]
    small = [image.astype(np.float32) for image in images]
    large = [
        np.asarray(Image.fromarray(image).resize((448, 448), Image.Resampling.BICUBIC), np.float32)
        for image in images[:10]
    ]
    rows = [max(rows_of_letters(image), default=0) for image in (*small, *large)]
    assert sum(row >= LETTERS_MIN for row in rows) <= 1


def test_a_subject_is_told_by_the_strictest_of_its_words() -> None:
    assert subject_of("", (), ("CHEST PA AND LATERAL",)) == ("CHEST", False, False)
    assert subject_of("CHEST", (), ("CT head",)).head
    assert subject_of("C SPINE", (), ()).near_head
    assert subject_of("", (), ("Surface rendering of the knee",)) == ("KNEE", False, False)
    assert subject_of("", ("T-D1100",), ()).head
