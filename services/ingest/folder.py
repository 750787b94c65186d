"""A watched folder as a front door: files in, their answers beside them.

A file is taken when two looks in a row find it unchanged; who writes it slowly gives it a name that
starts with a dot or ends in ``.tmp`` or ``.part`` until it is whole. It may hold a message, a batch
or MLLP frames. When all of it is answered it moves to ``done``, or to ``refused`` where something
of it was not accepted, and ``<name>.ack`` stands beside it. A process that dies in between takes
it again, and what had been stored is known as resent.
"""

import asyncio
import os
from pathlib import Path

from plumbing import log
from services.ingest import metrics
from services.ingest.doors import Door
from services.ingest.framing import VT, Framer
from services.ingest.gate import Gate
from services.ingest.intake import Intake
from services.ingest.replies import Reply

LOOK_S = 1.0
RETRY_S = 1.0
UNFINISHED = (".tmp", ".part", ".filepart", ".ack")

_log = log.get("ingest")
_Look = tuple[int, int]  # size and time of the last change, as the file system tells them


class FolderDoor:
    """Watches one folder. ``bytes_max`` bounds a file; a larger one is refused."""

    def __init__(
        self, folder: Path, intake: Intake, gate: Gate, door: Door, bytes_max: int
    ) -> None:
        """Keep the parts; ``run`` watches."""
        self._folder, self._intake, self._gate, self._door = folder, intake, gate, door
        self._bytes_max = bytes_max
        self._seen: dict[str, _Look] = {}

    async def run(self) -> None:
        """Take what comes, one file after the other in the order of names, for ever."""
        while True:
            try:
                ready = await asyncio.to_thread(self._look)
                for path in ready:
                    await self._take(path)
            except OSError as error:
                metrics.FOLDER_FAILURES.labels(self._door.source.name).inc()
                _log.warning("A folder cannot be worked with", error=error)
            await asyncio.sleep(LOOK_S)

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
        return [self._folder / name for name in sorted(ready)]

    async def _take(self, path: Path) -> None:
        content = await asyncio.to_thread(_read, path, self._bytes_max + 1)
        replies: list[Reply] = []
        whole = True
        if len(content) > self._bytes_max:
            replies.append(await self._intake.refuse_large(content[:4096], self._door))
        else:
            frames, whole = frames_of(content)
            replies += [await self._answered(frame) for frame in frames]
        good = whole and all(one.code == "AA" for reply in replies for one in reply.outcomes)
        answers = b"".join(payload for reply in replies for payload in reply.payloads)
        target = self._folder / ("done" if good else "refused")
        await asyncio.to_thread(_put_away, path, target, answers)

    async def _answered(self, frame: bytes) -> Reply:
        while True:
            if self._gate.is_open:
                reply = await self._intake.take(frame, self._door)
                if not reply.retry:
                    return reply
            await asyncio.sleep(RETRY_S)


def frames_of(content: bytes) -> tuple[list[bytes], bool]:
    """Return the MLLP frames of a file, or all of it where it is not framed, and whether that is
    all that the file holds: one that was cut off is not.
    """
    if content[:1] != bytes((VT,)):
        return [content], True
    framer = Framer(len(content))
    framer.feed(content)
    found = []
    while (frame := framer.next_frame(end_of_input=True)) is not None:
        found.append(frame.content)
    return found, bool(found) and not framer.unframed and not framer.is_partial


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max)


def _put_away(path: Path, target: Path, answers: bytes) -> None:
    target.mkdir(exist_ok=True)
    name, number = path.name, 0
    while (target / name).exists():
        number += 1
        name = f"{path.name}.{number}"
    (target / f"{name}.ack").write_bytes(answers)
    path.rename(target / name)
