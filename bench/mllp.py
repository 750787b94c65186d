"""The front door: messages a second answered AA after a real broker's confirmation, and latency.

``python -m services.ingest`` runs as one process against a broker; the senders are this process.
Lock-step senders wait for each answer, as most interface engines do; pipelining ones keep up to
``WINDOW`` messages on their way. Then 32 lock-step senders are paced to 1,000 messages/s in all.
Latency is from the last byte of a frame to its answer; a busy machine shows in the CPU time of a
message less than in the rate. The senders' own CPU time is told beside it: they share the cores.
"""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.answers import ANSWERS
from contracts.identified import IDENTIFIED
from plumbing.clock import Clock, SystemClock
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaConnection
from plumbing.key_files import make_key

LOOPBACK = "127.0.0.1"
START_S = 60.0
WARM_S = 2.0
SECONDS = 6.0
WINDOW = 8
PACED_PER_S = 1_000
PACED_CONNECTIONS = 32
TARGET_PER_S, TARGET_P99_MS = 5_000, 50.0
START, END = b"\x0b", b"\x1c\r"
ACCEPTED = b"MSA|AA|"

MESSAGE = (
    "MSH|^~\\&|LAB|HOSP|AUSCULT|HOSP|20240501101500+0200||ORU^R01^ORU_R01|{number}|P|2.5.1\r"
    "PID|1||{mrn}^^^HOSP^MR||Muster^Erika||19600101|F|||Weg 1^^Ulm^^89073^DE\r"
    "PV1|1|I|ICU^3^2^HOSP||||1234^Arzt^Anna|||||||||||V{mrn}\r"
    "OBR|1|P{number}|F{number}|24323-8^Panel^LN|||20240501100000+0200\r"
    "OBX|1|NM|2345-7^Glucose^LN||5.5|mmol/L|3.9-6.1||||F|||20240501100000+0200\r"
    "OBX|2|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1||||F|||20240501100000+0200\r"
    "OBX|3|NM|2160-0^Creatinine^LN||0.9|mg/dL|0.5-1.1||||F|||20240501100000+0200\r"
    "OBX|4|NM|718-7^Hemoglobin^LN||13.2|g/dL|12-16||||F|||20240501100000+0200\r"
)


@dataclass
class Load:
    """What the senders of one run share. ``gap_s`` above 0 paces each of them."""

    clock: Clock
    window: int
    gap_s: float = 0.0
    counting: bool = False
    accepted: int = 0
    refused: int = 0
    number: int = 0
    run: str = field(default_factory=lambda: os.urandom(4).hex())
    latencies_ms: list[float] = field(default_factory=list)

    def next(self) -> bytes:
        """Return the next frame; every control id is new."""
        self.number += 1
        text = MESSAGE.format(number=f"{self.run}-{self.number}", mrn=self.number % 5_000)
        return START + text.encode() + END


class LoadSender(asyncio.Protocol):
    """One connection that keeps ``window`` messages on their way, or sends one every ``gap_s``."""

    def __init__(self, load: Load, first_s: float) -> None:
        """Start with nothing sent."""
        self._load, self._due_s = load, first_s
        self._sent_s: deque[float] = deque()
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first messages."""
        self._transport = cast("asyncio.Transport", transport)
        for _ in range(self._load.window):
            self._send_when_due()

    def data_received(self, data: bytes) -> None:
        """Count answers; send as many again."""
        data = self._rest + data
        *answers, self._rest = data.split(END)
        load, now_s = self._load, self._load.clock.monotonic_s()
        for answer in answers:
            sent_s = self._sent_s.popleft()
            if load.counting:
                load.latencies_ms.append((now_s - sent_s) * 1000)
                load.accepted += ACCEPTED in answer
                load.refused += ACCEPTED not in answer
            self._send_when_due()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _send_when_due(self) -> None:
        load = self._load
        if not load.gap_s:
            self._send()
            return
        self._due_s += load.gap_s
        wait_s = max(0.0, self._due_s - load.clock.monotonic_s())
        asyncio.get_running_loop().call_later(wait_s, self._send)

    def _send(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._sent_s.append(self._load.clock.monotonic_s())
            self._transport.write(self._load.next())


def run(bootstrap: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Return the figures against a broker without topics of ours."""
    with KafkaAdmin(KafkaConnection(bootstrap=bootstrap)) as admin:
        admin.apply([IDENTIFIED, ANSWERS], Durability())
    return asyncio.run(_run(bootstrap, seconds))


async def _run(bootstrap: str, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = {"message_bytes": len(MESSAGE)}
    with keys_of_a_site() as keys:
        async with ingest_process(bootstrap, keys) as door:
            for connections in (1, 8, 32):
                lock_step = await _measure(door, connections, Load(SystemClock(), 1), seconds)
                pipelined = await _measure(door, connections, Load(SystemClock(), WINDOW), seconds)
                found[f"{connections} lock-step"] = lock_step
                found[f"{connections} pipelining {WINDOW}"] = pipelined
            gap_s = PACED_CONNECTIONS / PACED_PER_S
            paced = Load(SystemClock(), 1, gap_s)
            found["paced"] = await _measure(door, PACED_CONNECTIONS, paced, seconds)
    found["reached"] = {
        f"{TARGET_PER_S}/s at {name}": found[name]["per_s"] >= TARGET_PER_S
        for name in ("32 lock-step", f"32 pipelining {WINDOW}")
    } | {
        f"p99 under {TARGET_P99_MS:.0f} ms": found["paced"]["p99_ms"] < TARGET_P99_MS,
    }
    return found


@dataclass(frozen=True)
class Door:
    """Where the service listens, and the number of its process."""

    mllp_port: int
    http_port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU seconds of the process so far, as its metrics tell."""
        url = f"http://{LOOPBACK}:{self.http_port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("process_cpu_seconds_total "):
                    return float(line.rsplit(" ", 1)[1])
        return float("nan")


async def _measure(door: Door, connections: int, load: Load, seconds: float) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    now_s = load.clock.monotonic_s()
    senders: list[LoadSender] = []
    for number in range(connections):
        make = partial(LoadSender, load, now_s + load.gap_s * number / connections)
        senders.append((await loop.create_connection(make, LOOPBACK, door.mllp_port))[1])
    await asyncio.sleep(WARM_S)
    cpu_s = await asyncio.to_thread(door.cpu_s)
    load.counting, began_s = True, load.clock.monotonic_s()
    own_cpu_s = time.process_time()
    await asyncio.sleep(seconds)
    own_cpu_s = time.process_time() - own_cpu_s
    load.counting, took_s = False, load.clock.monotonic_s() - began_s
    cpu_s = await asyncio.to_thread(door.cpu_s) - cpu_s
    for sender in senders:
        sender.close()
    await asyncio.sleep(0.5)  # what was on its way is stored before the next run begins
    ordered = sorted(load.latencies_ms) or [float("nan")]
    return {
        "per_s": round(load.accepted / took_s),
        "p50_ms": round(ordered[len(ordered) // 2], 1),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 1),
        "not_accepted": load.refused,
        "cpu_us_per_message": round(cpu_s / max(1, load.accepted) * 1e6),
        "sender_cpu_us_per_message": round(own_cpu_s / max(1, load.accepted) * 1e6),
    }


@contextlib.contextmanager
def keys_of_a_site() -> Iterator[Path]:
    """Make the keys of a site for as long as the block lasts."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    today = date(1970, 1, 1) + timedelta(days=SystemClock().now_ms() // 86_400_000)
    with tempfile.TemporaryDirectory(prefix="auscult-") as folder:
        keys = Path(folder)
        (keys / "ingest").mkdir()
        (keys / "sealing" / "public").mkdir(parents=True)
        for name in ("event.key", "route.key"):
            make_key(keys / "ingest" / name, os.urandom)
        (keys / "sealing" / "public" / f"{today.isoformat()}.pub").write_text(public.hex())
        yield keys


@asynccontextmanager
async def ingest_process(bootstrap: str, keys: Path) -> AsyncIterator[Door]:
    """Run the service as long as the block lasts."""
    with socket.socket() as one, socket.socket() as two:
        one.bind((LOOPBACK, 0))
        two.bind((LOOPBACK, 0))
        port, http_port = one.getsockname()[1], two.getsockname()[1]
    told = {
        "INGEST_KAFKA_BOOTSTRAP": bootstrap,
        "INGEST_KEYS_DIR": str(keys),
        "INGEST_STATE_DIR": str(keys / "state"),
        "INGEST_MLLP_PORT": str(port),
        "INGEST_HTTP_PORT": str(http_port),
        "INGEST_INSTANCE_ID": "bench",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.ingest", env={**os.environ, **told}
    )
    try:
        async with asyncio.timeout(START_S):
            await _until_it_listens(port)
        yield Door(port, http_port, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_it_listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        await writer.wait_closed()
        return
