"""Images of one event, and of one sender, have a bounded time; what is left of them is refused."""

import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from contracts.identified import IdentifiedBody, Image
from plumbing.clock import SystemClock
from plumbing.memory_log import InMemoryLog
from services.privacy.image_time import ImageTime
from services.privacy.images import ImageDesk
from services.privacy.imaging import decoder as owner
from services.privacy.imaging.decoder import Decoder
from services.privacy.seals import Seals
from simulator.radiographs import as_png
from tests.support.timing import assert_within, timed
from tests.unit.privacy.builders import KEY, a_body
from tests.unit.privacy.test_images import an_obx


def test_an_event_has_its_time_and_no_more() -> None:
    time = ImageTime(20.0)
    assert time.left_s("a", 0.0) == 20.0
    assert time.left_s("a", 12.5) == 7.5
    assert time.left_s("a", 21.0) < 0
    assert time.left_s("a", 0.0) == 20.0  # the next event; nothing was lost


def test_a_sender_of_images_that_fail_runs_out_and_others_go_on() -> None:
    time = ImageTime(20.0)
    time.lost("a", 15.0)
    assert time.left_s("a", 0.0) == 5.0
    time.lost("a", 5.0)
    assert time.left_s("a", 0.0) == 0.0
    assert time.left_s("b", 0.0) == 20.0


def test_many_senders_do_not_multiply_it() -> None:
    time = ImageTime(20.0)
    for number in range(8):
        time.lost(f"made up {number}", 5.0)
    assert time.left_s("c", 0.0) == 0.0


def with_images(count: int) -> IdentifiedBody:
    contents = [as_png(np.full((16, 16), at / 8, np.float32)) for at in range(count)]
    raw = b"\r".join([b"MSH|^~\\&|PACS", b"PID|1", *map(an_obx, contents)])
    images = tuple(
        Image(about=0, media_type="image/png", bytes=len(one), sha256=sha256(one).hexdigest())
        for one in contents
    )
    return a_body(raw=raw, images=images)


@timed
async def test_images_that_hang_take_the_time_of_their_event_at_most(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hanging_worker.py").write_text("import sys\nsys.stdin.buffer.read()\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(owner, "MODULE", "hanging_worker")
    decoder, clock = Decoder(0.2, 1 << 30), SystemClock()
    desk = ImageDesk(InMemoryLog(()), Seals(tmp_path, 7), decoder, clock, 0.3)
    time = ImageTime(desk.event_s)
    begun = clock.monotonic_s()
    first = await desk.cleaned(with_images(8), KEY, time, "hostile")
    second = await desk.cleaned(with_images(8), KEY, time, "hostile")
    took_s = clock.monotonic_s() - begun
    monkeypatch.undo()
    other = await desk.cleaned(with_images(1), KEY, ImageTime(60.0), "other")
    decoder.close()
    held = [one.held for one in first]  # 0.2 s, then what is left of 0.3, if anything
    assert held in (["too_slow"] * 2 + ["no_time"] * 6, ["too_slow"] + ["no_time"] * 7)
    assert [one.held for one in second] == ["no_time"] * 8
    assert [one.held for one in other] == ["too_slow"]  # of its own: 0.2 s do not start a decoder
    assert_within(took_s, 3.0)
