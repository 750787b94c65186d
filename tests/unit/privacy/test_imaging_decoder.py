"""The decoding process: it answers, it may die, and nobody is harmed by that."""

import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from services.privacy.imaging import decoder as owner
from services.privacy.imaging import refusals
from services.privacy.imaging.cleaning import Cleaned, Request, clean
from services.privacy.imaging.decoder import Decoder
from simulator.radiographs import as_dicom, as_png, radiograph

GIB = 1 << 30
PATIENT = {"shift_days": 9, "uid_key": b"k" * 16, "bytes_max": 256 * 1024}


def a_request(edge: int = 128, **changes: object) -> Request:
    grey = radiograph(np.random.default_rng(3), edge)
    content = as_dicom(grey, {"BodyPartExamined": "CHEST"})
    sent = Request(content=content, media_type="application/dicom", **PATIENT)  # type: ignore[arg-type]  # plain values
    return msgspec.structs.replace(sent, **changes)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(60.0, GIB)
    yield made
    made.close()


def running(decoder: Decoder) -> "subprocess.Popen[bytes]":
    assert decoder._process is not None
    return decoder._process


def test_it_says_what_the_pure_function_says(decoder: Decoder) -> None:
    asked = a_request()
    assert decoder.clean(asked) == clean(asked)
    png = msgspec.structs.replace(asked, content=as_png(np.zeros((64, 64), np.float32)))
    told = msgspec.structs.replace(png, media_type="image/png", said=("Chest",))
    assert decoder.clean(told) == clean(told)


def test_one_that_dies_is_replaced(decoder: Decoder) -> None:
    before = decoder.clean(a_request())
    os.kill(running(decoder).pid, signal.SIGKILL)
    running(decoder).wait()
    assert decoder.clean(a_request()) == before
    assert before.png


def test_what_it_may_take_is_bounded(decoder: Decoder) -> None:
    decoder.clean(a_request())
    pid = running(decoder).pid
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert rows["Max address space"] == str(GIB)
    assert rows["Max core file size"] == "0"
    assert rows["Max file size"] == "0"
    given = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in given if entry}
    assert names == {"PYTHONPATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"}


def test_a_bomb_meets_the_bound_and_harms_nobody(decoder: Decoder) -> None:
    grey = np.zeros((16, 16), np.float32)
    whole = as_dicom(grey, {"BodyPartExamined": "CHEST"}, DeflatedExplicitVRLittleEndian)
    meta = pydicom.dcmread(BytesIO(whole)).file_meta
    start = 144 + meta.FileMetaInformationGroupLength
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = whole[:start] + zeros * 2_000 + packer.flush()  # 2 GB
    assert len(bomb) < 4_000_000
    assert decoder.clean(a_request(content=bomb)).held == refusals.TOO_LARGE
    assert decoder.clean(a_request()).png


def test_one_that_takes_too_long_is_killed() -> None:
    decoder = Decoder(0.05, GIB)  # less than its start takes
    assert decoder.clean(a_request()) == Cleaned(held=refusals.TOO_SLOW)
    decoder.close()


def stands_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> Decoder:
    """A decoder whose process runs ``code``: what a broken one might say."""
    module = tmp_path / "stand_in_worker.py"
    module.write_text("import sys, struct\nimport msgspec\n" + code, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(owner, "MODULE", "stand_in_worker")
    return Decoder(30.0, GIB)


ANSWERING = """
said = msgspec.msgpack.encode({})
sys.stdout.buffer.write(struct.pack(">I", len(said)) + said)
sys.stdout.buffer.flush()
sys.stdin.buffer.read()
"""


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit(0)",
        "sys.stdout.buffer.write(b'\\xff\\xff\\xff\\xff')",
        "sys.stdout.buffer.write(struct.pack('>I', 5) + b'Anna!')",
        ANSWERING.format("{'png': b'Anna Vickers', 'width': 2, 'height': 2}"),
        ANSWERING.format("{'held': 'Anna Vickers'}"),
        ANSWERING.format("{}"),
    ],
)
def test_one_that_was_taken_over_cannot_say_what_it_likes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    decoder = stands_in(monkeypatch, tmp_path, code)
    assert decoder.clean(a_request(16)) == Cleaned(held=refusals.DECODER_FAILED)
    decoder.close()


def test_one_that_cannot_be_started_is_an_image_that_does_not_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    decoder = Decoder(30.0, GIB)
    assert decoder.clean(a_request(16)) == Cleaned(held=refusals.DECODER_FAILED)
    monkeypatch.undo()
    assert decoder.clean(a_request(16)).held != refusals.DECODER_FAILED
    decoder.close()


def test_an_image_may_have_less_time_than_others() -> None:
    decoder = Decoder(60.0, GIB)
    assert decoder.clean(a_request(), 0.05) == Cleaned(held=refusals.TOO_SLOW)
    decoder.close()


def test_closed_before_it_began_it_is_closed() -> None:
    decoder = Decoder(1.0, GIB)
    decoder.close()
    decoder.close()
    assert decoder._process is None


@pytest.mark.parametrize(
    "changes",
    [
        {"modality": "Anna Vickers"},
        {"body_part": "10045678"},
        {"view": "AP Vickers"},
        {"laterality": "V"},
        {"study": "10045678"},
        {"series": "2.25.1.10045678"},
    ],
)
def test_what_it_says_in_words_is_of_closed_sets(changes: dict[str, str]) -> None:
    asked = a_request()
    cleaned = clean(asked)
    assert (cleaned.modality, cleaned.body_part) == ("CR", "CHEST")
    assert owner._is_sound(cleaned, asked)
    assert not owner._is_sound(msgspec.structs.replace(cleaned, **changes), asked)
