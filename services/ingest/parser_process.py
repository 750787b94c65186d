"""A process beside this one that reads the large frames, so that the event loop goes on meanwhile.

One process, started with the first such frame: most sites never send one. It holds no data key and
no connection, only what ids and routes are made with. What it reads comes back in pieces of bytes
(``carried.py``). Where it dies, of a fault or for want of memory, or does not come to an end in
time, the frame it had is refused (AE, 207) and the next one has a new process. Where it died at
rest, the next frame has a new one and nobody sees it. It ends with this one, however that ends.
"""

import asyncio
import contextlib
import copyreg
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from contracts.clinical import Finding
from plumbing import log
from plumbing.garbage import spare_what_stays
from services.ingest import metrics
from services.ingest.answers import NOT_STORED
from services.ingest.batches import pieces_of as pieces_of_file
from services.ingest.carried import Brought, Head, head_of, pieces_of
from services.ingest.doors import Door
from services.ingest.frames import NOT_READ, ParsedFrame, unread
from services.ingest.framing import Frame
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.ingest.reading import (
    ParseResource,
    log_fault,
    read_frame,
    read_resource,
    unread_frame,
)

Told = TypeVar("Told")

FILE_S = 600.0
FILE_MEMORY_BYTES = 2 * 1024 * 1024 * 1024  # a file of 256 MB, its messages and its pieces

_log = log.get("ingest")
# Of the process itself: its keys, once it has begun, and what is left to tell of the last frame.
_keys: list[Keys] = []
_pieces: list[Iterator[Any]] = []


@dataclass(frozen=True)
class Beginning:
    """What the process is told when it begins: the keys of events and routes, its bounds."""

    event_key: bytes
    route_key: bytes
    memory_bytes_max: int
    log_level: str


class _Given(NamedTuple):
    """What is to be read: a frame, or where ``parse`` is there a resource."""

    parse: ParseResource | None
    content: bytes
    door: Door
    received: tuple[int, int]  # when (ms), and its place among what came


class ParserProcess:
    """Reads frames and resources of ``bytes_min`` and more elsewhere, one at a time.

    One that is not read ``time_s`` after it came is given up: it is to be sent again where others
    had most of that time, else refused.
    """

    def __init__(self, beginning: Beginning, bytes_min: int, time_s: float) -> None:
        """Start nothing yet."""
        self._beginning, self._bytes_min, self._time_s = beginning, bytes_min, time_s
        self._pool: ProcessPoolExecutor | None = None
        self._turn = asyncio.Lock()  # who dies takes nobody else's frame with it
        self._is_closed = False

    def takes(self, content: bytes) -> bool:
        """Return whether these bytes are so many that they are to be read here."""
        return len(content) >= self._bytes_min

    async def frame(self, frame: bytes, door: Door, now_ms: int, order: int) -> ParsedFrame:
        """As ``read_frame``."""
        found = await self._carry(_Given(None, frame, door, (now_ms, order)))
        return unread_frame(frame, door, found) if isinstance(found, Finding) else found

    async def resource(
        self, parse: ParseResource, body: bytes, door: Door, now_ms: int, order: int
    ) -> Parsed:
        """As ``read_resource``."""
        found = await self._carry(_Given(parse, body, door, (now_ms, order)))
        return unread(b"", door.source, found) if isinstance(found, Finding) else found.messages[0]

    def close(self) -> None:
        """End the process, whatever it is at, and start none again."""
        self._is_closed = True
        self._end()

    async def pieces(self, path: Path, bytes_max: int) -> AsyncGenerator[Frame, None]:
        """Yield the pieces of a file (``batches.pieces_of``). Raises ``OSError``, also for a death
        of the process. To be asked for nothing else meanwhile.
        """
        try:
            pool, begun = await asyncio.to_thread(self._begun, _cut, path, bytes_max)
            await asyncio.wrap_future(begun)
            async for piece in _pieces_from(pool):
                yield Frame(*piece)
        except (BrokenProcessPool, MemoryError) as error:
            raise OSError("the file could not be cut") from error

    async def _carry(self, given: _Given) -> ParsedFrame | Finding:
        """Return what was read, or why nothing was."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._time_s
        try:
            async with asyncio.timeout_at(until_s):
                await self._turn.acquire()
        except TimeoutError:
            return NOT_STORED
        began_s = loop.time()
        try:
            async with asyncio.timeout_at(until_s):
                return await self._brought(given)
        except (BrokenProcessPool, TimeoutError) as error:
            self._end()
            if self._is_closed:
                return NOT_STORED
            metrics.PARSER_DEATHS.inc()
            metrics.PARSE_FAILURES.inc()
            source = given.door.source.name
            _log.error("The parser's process died, or was too slow", error=error, source=source)
            had_time = isinstance(error, BrokenProcessPool) or until_s - began_s > self._time_s / 2
            return NOT_READ if had_time else NOT_STORED
        except Exception as error:  # noqa: BLE001 - as in ``read_frame``: it refuses this one
            metrics.PARSE_FAILURES.inc()
            log_fault(error, given.door)
            return NOT_READ
        finally:
            self._turn.release()

    async def _brought(self, given: _Given) -> ParsedFrame:
        brought = Brought(given.content)
        # In a thread: to start the process takes some milliseconds.
        pool, begun = await asyncio.to_thread(self._begun, _read, given)
        head = await asyncio.wrap_future(begun)
        async for piece in _pieces_from(pool):
            await asyncio.to_thread(brought.add, piece)
        metrics.PARSE_FAILURES.inc(head.faults)
        for code, count in brought.left_out.items():
            metrics.found(code).inc(count)
        return brought.frame(head)

    def _begun(
        self, work: Callable[..., Told], *given: object
    ) -> tuple[ProcessPoolExecutor, Future[Told]]:
        """Have the process begin with something, in a new one where it died at rest."""
        if self._is_closed:
            raise BrokenProcessPool("ended")
        if (pool := self._pool) is not None:
            try:
                return pool, pool.submit(work, *given)
            except BrokenProcessPool:  # nothing of this was read
                metrics.PARSER_DEATHS.inc()
                self._end()
        self._pool = pool = ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._beginning,),
        )
        begun = pool.submit(work, *given)
        # Ours is not written to; while it is open, a death in the middle of an answer is no end
        # of file, and is waited for, for ever.
        pool._result_queue._writer.close()  # type: ignore[attr-defined]  # noqa: SLF001
        return pool, begun

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        # ``ProcessPoolExecutor.kill_workers`` from Python 3.14 on.
        for process in list((pool._processes or {}).values()):  # noqa: SLF001
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


async def _pieces_from(pool: ProcessPoolExecutor) -> AsyncGenerator[Any, None]:
    """Yield what is left to tell of the last frame of ``pool``, and of no later one's."""
    while True:
        asked = await asyncio.to_thread(pool.submit, _next_piece)
        if (piece := await asyncio.wrap_future(asked)) is None:
            return
        yield piece


async def cut(beginning: Beginning, path: Path, bytes_max: int) -> AsyncGenerator[Frame, None]:
    """As ``ParserProcess.pieces``, by one for this file alone."""
    needed = replace(beginning, memory_bytes_max=FILE_MEMORY_BYTES)
    cutting = ParserProcess(needed, 0, FILE_S)
    try:
        async with aclosing(cutting.pieces(path, bytes_max)) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        cutting.close()


def _begin(told: Beginning) -> None:
    """Prepare the process; its first act."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # its parent still answers what it has, and ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    log.configure("ingest", told.log_level)
    _keys.append(Keys(told.event_key, told.route_key))
    spare_what_stays()
    limit = told.memory_bytes_max
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with contextlib.suppress(OSError):  # where memory ends, the kernel is to take this one
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def _end_with_parent() -> None:
    """End when the parent has, also where that was killed: nobody else would tell."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _read(given: _Given) -> Head:
    faults: list[Exception] = []

    def note(error: Exception, at: Door) -> None:
        faults.append(error)
        log_fault(error, at)

    (keys,) = _keys
    _pieces.clear()
    parse, content, door, received = given
    if parse is None:
        found = read_frame(content, door, keys, *received, note)
    else:
        one = read_resource(parse, content, door, keys, received, note)
        found = ParsedFrame((one,), is_batch=False, raws=(content,))
    _pieces.append(pieces_of(found, content))
    return head_of(found, len(faults))


def _cut(path: Path, bytes_max: int) -> None:
    _pieces.clear()
    found = pieces_of_file(path.read_bytes(), bytes_max)
    _pieces.append((piece.content, piece.too_large) for piece in found)


def _next_piece() -> Any:
    """Return the next of what was read last, None at its end."""
    (pieces,) = _pieces
    return next(pieces, None)


def _profile_parts(profile: SourceProfile) -> tuple[type[SourceProfile], tuple[object, ...]]:
    return SourceProfile, (
        profile.name,
        profile.charset,
        profile.zone,
        profile.assigner,
        profile.strict,
        profile.assigners,
        profile.local_codes,
    )


copyreg.pickle(SourceProfile, _profile_parts)  # a compiled one cannot be by itself
