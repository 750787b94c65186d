"""An MLLP sender as a hospital's interface engine has one: lock-step, in order, sends again.

A message counts as delivered when it is answered AA (or refused for good: AR, or AE other than
"try again"), or when its MSH-15 and 16 ask for no answer to what is accepted. A broken connection,
a silent peer or an AE with ERR code 207 means: the same bytes again, on a new connection, until
``give_up_s`` is over; after that the peer is taken for gone, and each further message is tried once
until one is answered again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from plumbing.clock import Clock
from services.ingest.conditions import answers_wanted, conditions_of

START, END = b"\x0b", b"\x1c\r"
RETRY_CODE = b"207"
NOT_ASKED = "NE"
UNASKED_S = 0.3
PAUSE_S = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Outgoing:
    """One message to send. Messages of one ``lane`` go out in order, one at a time."""

    payload: bytes
    lane: str
    due_s: float = 0.0
    kind: str = ""


@dataclass(frozen=True)
class Answered:
    """What came back: MSA-1 (empty when given up, NE when the message asks for no answer),
    attempts, and milliseconds of the last one.
    """

    outgoing: Outgoing
    code: str
    text: bytes
    attempts: int
    latency_ms: float


class Sender(Protocol):
    """One door that messages are handed to, one at a time."""

    async def send(self, outgoing: Outgoing) -> Answered:
        """Return the final answer to one message."""

    async def close(self) -> None:
        """Close what is open."""


class MllpSender:
    """One connection, opened when needed, one message in flight."""

    def __init__(
        self, host: str, port: int, clock: Clock, *, answer_s: float = 15.0, give_up_s: float = 120
    ) -> None:
        """Keep the address; nothing is opened yet."""
        self._host, self._port, self._clock = host, port, clock
        self._answer_s, self._give_up_s = answer_s, give_up_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._is_gone = False

    async def send(self, outgoing: Outgoing) -> Answered:
        """Return the final answer to one message."""
        started = self._clock.monotonic_s()
        attempts = 0
        while True:
            attempts += 1
            sent = self._clock.monotonic_s()
            wanted = answers_wanted(conditions_of(outgoing.payload), "AA")
            answer = await self._try(outgoing.payload, wanted)
            took_ms = (self._clock.monotonic_s() - sent) * 1000
            code = acknowledgement_code(answer)
            if not answer and not wanted and self._streams is not None:
                return Answered(outgoing, NOT_ASKED, b"", attempts, took_ms)
            if code in {"AA", "CA", "AR", "CR"} or (code and not _asks_again(answer)):
                self._is_gone = False
                return Answered(outgoing, code, answer, attempts, took_ms)
            if self._is_gone or self._clock.monotonic_s() - started > self._give_up_s:
                self._is_gone = True
                return Answered(outgoing, code, answer, attempts, took_ms)
            await asyncio.sleep(PAUSE_S[min(attempts, len(PAUSE_S)) - 1])

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            try:
                await writer.wait_closed()
            except OSError:
                return

    async def _try(self, payload: bytes, wanted: tuple[str, ...]) -> bytes:
        """Return the last answer; nothing when the line broke, or when none was asked for."""
        try:
            async with asyncio.timeout(self._answer_s):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self._host, self._port)
                reader, writer = self._streams
                writer.write(START + payload + END)
                await writer.drain()
                if not wanted:
                    return await _perhaps(reader)
                answer = await _frame(reader)
                if len(wanted) > 1 and acknowledgement_code(answer) == wanted[0]:
                    answer = await _frame(reader)  # accepted; what its application says comes next
                return answer
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self.close()
            return b""


async def _frame(reader: asyncio.StreamReader) -> bytes:
    frame = await reader.readuntil(END)
    return frame.removeprefix(START).removesuffix(END)


async def _perhaps(reader: asyncio.StreamReader) -> bytes:
    """Return the answer to a message that is answered only when something is wrong with it."""
    waiting = asyncio.ensure_future(_frame(reader))
    done, _ = await asyncio.wait((waiting,), timeout=UNASKED_S)
    if done:
        return waiting.result()
    waiting.cancel()
    await asyncio.wait((waiting,))
    return b""


def acknowledgement_code(answer: bytes) -> str:
    """Return MSA-1 of an answer, empty when there is none."""
    for segment in answer.replace(b"\n", b"\r").split(b"\r"):
        if segment.startswith(b"MSA"):
            fields = segment.split(segment[3:4])
            return fields[1].decode("ascii", "replace") if len(fields) > 1 else ""
    return ""


def _asks_again(answer: bytes) -> bool:
    return any(
        segment.startswith(b"ERR") and RETRY_CODE in segment for segment in answer.split(b"\r")
    )


async def send_all(
    outgoing: AsyncIterator[Outgoing],
    senders: Sequence[Sender],
    clock: Clock,
    on_answer: Callable[[Answered], None],
) -> None:
    """Send a stream of messages over several connections; each lane keeps its order.

    ``due_s`` (seconds from the call) paces: a message is not sent before it is due. Memory is
    bounded by 64 messages a connection. Ends when all are answered; closes the connections.
    """
    started = clock.monotonic_s()
    queues: list[asyncio.Queue[Outgoing | None]] = [asyncio.Queue(maxsize=64) for _ in senders]
    lane_numbers: dict[str, int] = {}

    async def work(sender: Sender, queue: asyncio.Queue[Outgoing | None]) -> None:
        while (item := await queue.get()) is not None:
            wait_s = item.due_s - (clock.monotonic_s() - started)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            on_answer(await sender.send(item))
        await sender.close()

    async with asyncio.TaskGroup() as group:
        for sender, queue in zip(senders, queues, strict=True):
            group.create_task(work(sender, queue))
        async for item in outgoing:
            number = lane_numbers.setdefault(item.lane, len(lane_numbers) % len(queues))
            await queues[number].put(item)
        for queue in queues:
            await queue.put(None)
