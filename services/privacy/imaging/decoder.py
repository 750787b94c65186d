"""The decoding process as its owner sees it: started when needed, killed when it takes too long."""

import os
import re
import subprocess
import sys
from math import inf
from threading import Lock, Timer
from typing import IO

import msgspec

from services.privacy.imaging import refusals
from services.privacy.imaging.body_parts import PARTS
from services.privacy.imaging.cleaning import Cleaned, Request
from services.privacy.imaging.pixels import is_bare_png
from services.privacy.imaging.profile import WORDS
from services.privacy.imaging.worker import LENGTH

NEW_UID = re.compile(r"2\.25\.\d{1,39}", re.ASCII)  # as ``dicom.new_uid`` makes them
# What an answer may say of modality, part of the body, view and side.
SAID = (
    WORDS["Modality"], PARTS, WORDS["ViewPosition"], WORDS["Laterality"] | WORDS["ImageLaterality"]
)  # fmt: skip
ANSWER_BYTES_MAX = 1024 * 1024
MODULE = "services.privacy.imaging.worker"


class Decoder:
    """Cleans one image at a time, in a process of its own. Safe to call from several threads."""

    def __init__(self, timeout_s: float, memory_bytes_max: int) -> None:
        """Nothing is started yet. ``timeout_s`` is for one image, a start included."""
        self._timeout_s, self._memory_bytes_max = timeout_s, memory_bytes_max
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()
        self._decoder = msgspec.msgpack.Decoder(Cleaned)

    def clean(self, request: Request, seconds_max: float = inf) -> Cleaned:
        """Return what became of the image; if the process died of it, or none can be started, that.
        Blocks.
        """
        with self._lock:
            try:
                process = self._started()
            except OSError:
                return Cleaned(held=refusals.DECODER_FAILED)
            ran_out: list[bool] = []

            def kill() -> None:
                ran_out.append(True)
                process.kill()

            timer = Timer(min(self._timeout_s, seconds_max), kill)
            timer.daemon = True
            timer.start()
            try:
                cleaned = self._answer(process, msgspec.msgpack.encode(request))
            except (OSError, EOFError, msgspec.DecodeError):
                self._end()
                return Cleaned(held=refusals.TOO_SLOW if ran_out else refusals.DECODER_FAILED)
            finally:
                timer.cancel()
        return cleaned if _is_sound(cleaned, request) else Cleaned(held=refusals.DECODER_FAILED)

    def close(self) -> None:
        """End the process; one that is at work ends with no answer."""
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            # Not the environment of this process: what the decoder does not have, it cannot tell.
            alone = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            alone |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", MODULE, str(self._memory_bytes_max)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a library's warning may quote an identity
                env=alone,
            )
        return self._process

    def _answer(self, process: subprocess.Popen[bytes], asked: bytes) -> Cleaned:
        to, back = _pipes(process)
        to.write(LENGTH.pack(len(asked)))
        to.write(asked)
        to.flush()
        (size,) = LENGTH.unpack(_exactly(back, LENGTH.size))
        if size > ANSWER_BYTES_MAX:
            raise EOFError
        return self._decoder.decode(_exactly(back, size))

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            for pipe in _pipes(self._process):
                try:
                    pipe.close()
                except OSError:  # what was not written yet has nobody to read it
                    continue
            self._process.wait()
            self._process = None


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    return process.stdin, process.stdout


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    found = pipe.read(size)
    if len(found) != size:
        raise EOFError
    return found


def _is_sound(cleaned: Cleaned, request: Request) -> bool:
    """Return whether an answer is what the decoder may say: it has read hostile bytes."""
    if cleaned.held:
        return cleaned.held in refusals.ALL and not cleaned.png
    fits = 0 < len(cleaned.png) <= request.bytes_max
    return fits and _is_told(cleaned) and is_bare_png(cleaned.png, cleaned.width, cleaned.height)


def _is_told(cleaned: Cleaned) -> bool:
    """Return whether what an answer says in words is of the sets and forms that are made."""
    said = (cleaned.modality, cleaned.body_part, cleaned.view, cleaned.laterality)
    uids = (cleaned.study, cleaned.series)
    return all(not word or word in known for word, known in zip(said, SAID, strict=True)) and all(
        not uid or NEW_UID.fullmatch(uid) for uid in uids
    )
