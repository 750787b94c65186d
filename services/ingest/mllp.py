"""The MLLP listener: frames in, answers out in order, bounded; it reads on only when it may."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from plumbing.clock import Clock
from services.ingest import metrics
from services.ingest.doors import Door
from services.ingest.framing import CR, FS, VT, Frame, Framer
from services.ingest.gate import Gate
from services.ingest.intake import Intake, takes_long
from services.ingest.replies import Reply

LONE_END_S = 0.25
SWEEP_S = 1.0
FRAMES_A_TURN = 4  # of one connection, then the others and health have theirs: under 1 ms
OPENING, CLOSING = bytes((VT,)), bytes((FS, CR))


@dataclass(frozen=True)
class MllpLimits:
    """Bounds of one listener: bytes of a frame, messages in flight and seconds of a connection."""

    frame_bytes_max: int
    in_flight_max: int
    connections_max: int
    idle_timeout_s: float
    frame_timeout_s: float


class MllpListener:
    """Listens on one port, one door. ``failed`` is called with an error nobody expected."""

    def __init__(
        self,
        intake: Intake,
        gate: Gate,
        door: Door,
        limits: MllpLimits,
        clock: Clock,
        failed: Callable[[BaseException], None],
    ) -> None:
        """Keep what the connections need."""
        self.intake, self.gate, self.door, self.limits = intake, gate, door, limits
        self.name = door.source.name
        self.clock, self.failed = clock, failed
        self.connections: set[MllpConnection] = set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Listen; port 0 takes a free one, told by ``port``."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: MllpConnection(self), host, port, ssl=tls, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._sweeper = asyncio.create_task(self._sweep())

    @property
    def is_listening(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    def all_wait(self) -> bool:
        """Return whether every sender waits for an answer, as far as we can see."""
        return all(one.in_flight for one in self.connections)

    async def close(self, timeout_s: float) -> None:
        """Take nothing more, answer what is in flight, close."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in self.connections:
            connection.drain()
        deadline_s = self.clock.monotonic_s() + timeout_s
        while any(one.in_flight for one in self.connections):
            if self.clock.monotonic_s() > deadline_s:
                break
            await asyncio.sleep(0.02)
        for connection in tuple(self.connections):
            connection.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = self.clock.monotonic_s()
            for connection in tuple(self.connections):
                connection.close_if_stale(now_s)


class MllpConnection(asyncio.Protocol):
    """One sender."""

    def __init__(self, listener: MllpListener) -> None:
        """Start with nothing read."""
        self._listener = listener
        self._framer = Framer(listener.limits.frame_bytes_max)
        self._transport: asyncio.Transport | None = None
        self._answers: deque[asyncio.Future[Reply]] = deque()
        self._large: asyncio.Future[Reply] | None = None
        self._last_read_s = listener.clock.monotonic_s()
        self._lone_end: asyncio.TimerHandle | None = None
        self._is_lone_end = False  # until more comes: it may have to wait for its turn
        self._held_bytes = 0
        self._frame_began_s: float | None = None
        self._is_reading = True
        self._may_write = True
        self._draining = False
        self._ended = False
        self._next_turn: asyncio.Handle | None = None

    @property
    def in_flight(self) -> int:
        """How many answers are owed."""
        return len(self._answers)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it when there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        listener = self._listener
        if len(listener.connections) >= listener.limits.connections_max:
            metrics.CONNECTIONS_REFUSED.labels(listener.name).inc()
            self._transport.close()
            return
        listener.connections.add(self)
        metrics.CONNECTIONS.labels(listener.name).set(len(listener.connections))
        self._balance()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection; what it sent is still stored."""
        self._transport = None
        self._cancel_lone_end()
        self._listener.gate.hold(self, 0)
        self._listener.connections.discard(self)
        metrics.CONNECTIONS.labels(self._listener.name).set(len(self._listener.connections))

    def data_received(self, data: bytes) -> None:
        """Cut frames and hand them on in order."""
        self._last_read_s = self._listener.clock.monotonic_s()
        self._cancel_lone_end()
        self._framer.feed(data)
        self._take_frames()
        if data.endswith(CLOSING[:1]):
            loop = asyncio.get_running_loop()
            self._lone_end = loop.call_later(LONE_END_S, self._take_lone_end)

    def eof_received(self) -> bool:
        """Answer what was sent before the sender closed its half."""
        self._ended = True
        self._take_frames(end_of_input=True)
        return bool(self._answers)

    def pause_writing(self) -> None:
        """The sender does not read its answers: read nothing more from it."""
        self._may_write = False
        self._balance()

    def resume_writing(self) -> None:
        """Go on."""
        self._may_write = True
        self._balance()
        self._take_frames()

    def drain(self) -> None:
        """Start nothing new."""
        self._draining = True
        self._balance()

    def close(self) -> None:
        """Close."""
        if self._transport is not None:
            self._transport.close()

    def close_if_stale(self, now_s: float) -> None:
        """Close when nothing came for too long, sooner in the middle of a frame; one that is not
        whole after that time also where others need its room.
        """
        limits, began_s = self._listener.limits, self._frame_began_s
        is_late = began_s is not None and now_s - began_s > limits.frame_timeout_s
        if is_late and not self._answers and not self._listener.gate.has_room:
            metrics.HALF_FRAMES_DROPPED.labels(self._listener.name).inc()
            self.close()
        allowed_s = limits.frame_timeout_s if self._framer.is_partial else limits.idle_timeout_s
        if self._is_reading and not self._answers and now_s - self._last_read_s > allowed_s:
            self.close()

    def _may_take(self) -> bool:
        return (
            self._may_write
            and not self._draining
            and (self._large is None or self._large.done())
            and len(self._answers) < self._listener.limits.in_flight_max
            and self._listener.gate.is_open
        )

    def _take_frames(self, *, end_of_input: bool = False) -> None:
        end_of_input = end_of_input or self._ended or self._is_lone_end
        for _ in range(FRAMES_A_TURN):
            if not self._may_take():
                break
            frame = self._framer.next_frame(end_of_input=end_of_input)
            if frame is None:
                break
            self._take(frame)
        else:
            self._go_on(end_of_input=end_of_input)
        if self._framer.unframed:
            metrics.UNFRAMED_BYTES.labels(self._listener.name).inc(self._framer.unframed)
            self._framer.unframed = 0
        self._note_held()
        is_done = not self._answers and self._next_turn is None and self._may_take()
        if self._ended and is_done:
            self.close()
        self._balance()

    def _note_held(self) -> None:
        held_bytes = self._framer.held_bytes
        if not self._framer.is_partial:
            self._frame_began_s = None
        elif self._frame_began_s is None:
            self._frame_began_s = self._last_read_s
        if held_bytes != self._held_bytes and self._transport is not None:
            self._held_bytes = held_bytes
            self._listener.gate.hold(self, held_bytes)

    def _go_on(self, *, end_of_input: bool) -> None:
        if self._next_turn is not None:
            self._next_turn.cancel()
        loop = asyncio.get_running_loop()
        self._next_turn = loop.call_soon(self._take_turn, end_of_input)

    def _take_turn(self, end_of_input: bool) -> None:  # noqa: FBT001 - call_soon names none
        self._next_turn = None
        self._take_frames(end_of_input=end_of_input)

    def _take(self, frame: Frame) -> None:
        intake, door = self._listener.intake, self._listener.door
        taking = intake.refuse_large if frame.too_large else intake.take
        answer = taking(frame.content, door)
        self._answers.append(answer)
        if takes_long(frame.content):
            self._large = answer  # what follows must not overtake it
        answer.add_done_callback(self._send_answers)

    def _take_lone_end(self) -> None:
        self._lone_end = None
        self._is_lone_end = not self._framer.is_wide
        self._take_frames()

    def _cancel_lone_end(self) -> None:
        self._is_lone_end = False
        if self._lone_end is not None:
            self._lone_end.cancel()
            self._lone_end = None

    def _send_answers(self, _done: "asyncio.Future[Reply]") -> None:
        """Send all that are there: of one group of Kafka's mostly many, in one write."""
        if not self._answers or not self._answers[0].done():
            return
        ready: list[bytes] = []
        while self._answers and self._answers[0].done():
            answer = self._answers.popleft()
            error = answer.exception()
            if error is not None:
                self._listener.failed(error)
                self.close()
                return
            for payload in answer.result().payloads:
                ready += (OPENING, payload, CLOSING)
        if self._transport is not None and ready:
            self._transport.write(b"".join(ready))
        self._take_frames()

    def _balance(self) -> None:
        """Read from the socket only while more may be taken."""
        if self._transport is None or self._transport.is_closing():
            return
        gate = self._listener.gate
        may_read = self._may_take() and gate.may_read(self)
        if may_read and not self._is_reading:
            self._last_read_s = self._listener.clock.monotonic_s()
            self._transport.resume_reading()
        elif not may_read and self._is_reading:
            self._transport.pause_reading()
        self._is_reading = may_read
        if not may_read and not gate.has_room:
            gate.when_open(self._take_frames)
