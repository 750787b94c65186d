"""A watched folder as a front door: files in, their answers beside them.

A file is taken when two looks in a row find it unchanged; who writes it slowly gives it a name that
starts with a dot or ends in ``.tmp`` or ``.part`` until it is whole. It may hold a message, a batch
or MLLP frames. When all of it is answered it moves to ``done``, or to ``refused`` where something
of it was not accepted, and ``<name>.ack`` stands beside it. One that cannot be read or moved stays
and keeps no other waiting. A process that dies in between takes
it again, and what had been stored is known as resent.
"""

import asyncio
import hashlib
import os
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from plumbing import log
from services.ingest import metrics
from services.ingest.doors import Door
from services.ingest.framing import HEAD_BYTES, VT, Frame, Framer
from services.ingest.gate import Gate
from services.ingest.intake import Intake
from services.ingest.parser_process import Beginning, cut
from services.ingest.replies import Reply

LOOK_S = 1.0
SKIPPED_LOOKS = 60  # until a file that could not be taken is tried again
READ_BYTES = 1024 * 1024
FILE_BYTES_MAX = 256 * 1024 * 1024  # of one that is not framed, which is read whole
NAME_BYTES_MAX, CUT_NAME_BYTES = 255, 200
RETRY_S = 1.0
UNFINISHED = (".tmp", ".part", ".filepart", ".ack")

_log = log.get("ingest")
_Look = tuple[int, int]  # size and time of the last change, as the file system tells them


class FolderDoor:
    """Watches one folder. ``bytes_max`` bounds each message of a file; a larger one is refused."""

    def __init__(
        self,
        folder: Path,
        parts: tuple[Intake, Gate, Door],
        bytes_max: int,
        beginning: Beginning,
    ) -> None:
        """Keep the parts; ``run`` watches. ``beginning``: of who cuts the largest files."""
        self._folder, self._bytes_max, self._beginning = folder, bytes_max, beginning
        self._intake, self._gate, self._door = parts
        self._seen: dict[str, _Look] = {}
        self._skipped: dict[str, int] = {}  # looks to come at which a file is left alone

    async def run(self) -> None:
        """Take what comes, one file after the other in the order of names, for ever."""
        while True:
            try:
                ready = await asyncio.to_thread(self._look)
            except OSError as error:
                ready = []
                self._failed("A folder cannot be worked with", error)
            for path in ready:
                if self._skipped.get(path.name, 0) > 0:
                    self._skipped[path.name] -= 1
                    continue
                try:
                    await self._take(path)
                except OSError as error:  # the others do not wait for it
                    self._skipped[path.name] = SKIPPED_LOOKS
                    self._failed("A file cannot be taken: left where it is", error)
                else:
                    self._skipped.pop(path.name, None)
            await asyncio.sleep(LOOK_S)

    def _failed(self, said: str, error: OSError) -> None:
        source = self._door.source.name
        metrics.FOLDER_FAILURES.labels(source).inc()
        _log.warning(said, error=error, source=source)

    def _look(self) -> list[Path]:
        """Return the files that have not changed since the look before."""
        found: dict[str, _Look] = {}
        for entry in os.scandir(self._folder):
            if entry.name.startswith(".") or entry.name.endswith(UNFINISHED):
                continue
            if entry.is_file(follow_symlinks=False):
                told = entry.stat(follow_symlinks=False)
                found[entry.name] = (told.st_size, told.st_mtime_ns)
        ready = [name for name, look in found.items() if self._seen.get(name) == look]
        self._seen = found
        self._skipped = {name: left for name, left in self._skipped.items() if name in ready}
        return [self._folder / name for name in sorted(ready)]

    async def _take(self, path: Path) -> None:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            first = await asyncio.to_thread(file.read, READ_BYTES)
            if first[:1] == bytes((VT,)):
                good, answers = await self._take_frames(first, file)
            else:
                size = os.fstat(file.fileno()).st_size
                good, answers = await self._take_pieces(path, size, first[:HEAD_BYTES])
        finally:
            await asyncio.to_thread(file.close)
        target = self._folder / ("done" if good else "refused")
        await asyncio.to_thread(_put_away, path, target, answers)

    async def _take_frames(self, data: bytes, file: BinaryIO) -> tuple[bool, bytes]:
        """Take MLLP frames, piece by piece: only one of them is in memory."""
        framer, replies = Framer(self._bytes_max), _Replies()
        while data:
            framer.feed(data)
            data = await asyncio.to_thread(file.read, READ_BYTES)
            while (frame := framer.next_frame(end_of_input=not data)) is not None:
                replies.add(await self._answered(frame))
        whole = replies.number > 0 and not framer.unframed and not framer.is_partial
        return whole and replies.good, b"".join(replies.payloads)

    async def _take_pieces(self, path: Path, size: int, head: bytes) -> tuple[bool, bytes]:
        replies = _Replies()
        if size > FILE_BYTES_MAX:
            replies.add(await self._answered(Frame(head, too_large=True)))
        elif size <= self._bytes_max:
            content = await asyncio.to_thread(path.read_bytes)
            replies.add(await self._answered(Frame(content)))
        else:  # by a process of its own: to look through so much is one call of seconds
            async with aclosing(cut(self._beginning, path, self._bytes_max)) as pieces:
                async for piece in pieces:
                    replies.add(await self._answered(piece))
        return replies.good, b"".join(replies.payloads)

    async def _answered(self, frame: Frame) -> Reply:
        taking = self._intake.refuse_large if frame.too_large else self._intake.take
        while True:
            if self._gate.is_open:
                reply = await taking(frame.content, self._door)
                if not reply.retry:
                    return reply
            await asyncio.sleep(RETRY_S)


class _Replies:
    """The answers to a file so far."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.good = True
        self.number = 0

    def add(self, reply: Reply) -> None:
        self.payloads += reply.payloads
        self.good = self.good and all(one.code == "AA" for one in reply.outcomes)
        self.number += 1


def _put_away(path: Path, target: Path, answers: bytes) -> None:
    target.mkdir(exist_ok=True)
    name, number = path.name, 0
    while (target / name).exists():
        number += 1
        name = _fitting(path.name, f".{number}")
    (target / _fitting(name, ".ack")).write_bytes(answers)
    path.rename(target / name)


def _fitting(name: str, suffix: str) -> str:
    """Return ``name`` with a suffix, cut and with its hash where it would be too long."""
    raw = os.fsencode(name)
    if len(raw) + len(suffix) <= NAME_BYTES_MAX:
        return name + suffix
    digest = hashlib.sha256(raw).hexdigest()[:16]
    return f"{os.fsdecode(raw[:CUT_NAME_BYTES])}-{digest}{suffix}"
