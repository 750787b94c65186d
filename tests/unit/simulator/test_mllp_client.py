"""The sender sends again until it is answered, in order, and gives up when told to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

from plumbing.clock import SystemClock
from simulator.mllp_client import Answered, MllpSender, Outgoing, acknowledgement_code, send_all

AA = b"\x0bMSH|^~\\&|A\rMSA|AA|1\r\x1c\r"
AE_207 = b"\x0bMSH|^~\\&|A\rMSA|AE|1\rERR|||207|E\r\x1c\r"
AR = b"\x0bMSH|^~\\&|A\rMSA|AR|1\rERR|||101|E\r\x1c\r"


class Peer:
    """A real socket that answers from a script; ``None`` hangs up instead."""

    def __init__(self, script: list[bytes | None]) -> None:
        self.script, self.received = script, list[bytes]()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                frame = await reader.readuntil(b"\x1c\r")
                self.received.append(frame)
                answer = self.script.pop(0) if self.script else AA
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


async def test_a_hang_up_and_a_not_stored_are_sent_again_the_same_bytes() -> None:
    async with Peer([None, AE_207, AA]) as peer:
        sender = MllpSender("127.0.0.1", peer.port, SystemClock())
        answered = await sender.send(Outgoing(b"MSH|one", "p"))
        await sender.close()
    assert answered.code == "AA"
    assert answered.attempts == 3
    assert set(peer.received) == {b"\x0bMSH|one\x1c\r"}


async def test_a_refusal_is_final() -> None:
    async with Peer([AR]) as peer:
        sender = MllpSender("127.0.0.1", peer.port, SystemClock())
        answered = await sender.send(Outgoing(b"MSH|one", "p"))
        await sender.close()
    assert (answered.code, answered.attempts) == ("AR", 1)


async def test_nobody_there_gives_up_in_time() -> None:
    sender = MllpSender("127.0.0.1", 1, SystemClock(), give_up_s=0.2)
    answered = await sender.send(Outgoing(b"MSH|one", "p"))
    assert answered.code == ""
    assert answered.attempts > 1


async def test_each_lane_keeps_its_order_over_many_connections() -> None:
    async def outgoing() -> AsyncIterator[Outgoing]:
        for number in range(60):
            yield Outgoing(b"%d" % number, f"patient {number % 6}")

    answers: list[Answered] = []
    async with Peer([]) as peer:
        senders = [MllpSender("127.0.0.1", peer.port, SystemClock()) for _ in range(4)]
        await send_all(outgoing(), senders, SystemClock(), answers.append)
    assert len(answers) == 60
    for lane in range(6):
        got = [int(frame[1:-2]) for frame in peer.received if int(frame[1:-2]) % 6 == lane]
        assert got == list(range(lane, 60, 6))


def test_the_code_is_read_with_any_delimiter() -> None:
    assert acknowledgement_code(b"MSH#^~\\&#\rMSA#AE#7\r") == "AE"
    assert acknowledgement_code(b"nothing") == ""
