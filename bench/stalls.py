"""How long the front door's event loop stands still while messages of 15 MB come in.

``python -m services.ingest`` runs as one process against a broker, as a site runs it. Another
process asks its health every ``LOOK_S`` over a connection that stays open; this one sends. The
longest wait for an answer of health while a message is on its way is its figure: of ``RUNS`` the
least, as all that runs on the machine adds to it. Beside it, the most processor time (Linux) that
the service itself took, in all its threads, while such an answer was waited for: to that nobody
else adds, and what it stood still for by its own doing is in it.
"""

import asyncio
import http.client
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.mllp import END, LOOPBACK, MESSAGE, START, Door, ingest_process, keys_of_a_site
from contracts.answers import ANSWERS
from contracts.blobs import BLOBS
from contracts.identified import IDENTIFIED
from contracts.rejection import rejected
from contracts.topic import Topic
from plumbing.clock import SystemClock
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_log import KafkaConnection

MEGABYTES = 15
LOOK_S = 0.01
IDLE_S = 3.0
RUNS = 2
REST_S = 0.5  # what a message leaves to be done is its own
TIMEOUT_S = 120.0
READ_BYTES = 1024 * 1024
HL7, FHIR = "application/hl7-v2", "application/fhir+json"
PROBE = f"""
import glob, http.client, sys, time

def cpu_s():
    found = 0
    for path in glob.glob("/proc/" + sys.argv[2] + "/task/*/schedstat"):
        try:
            found += int(open(path).read().split()[0])
        except OSError:
            pass  # that thread has ended
    return found / 1e9

link = http.client.HTTPConnection("{LOOPBACK}", int(sys.argv[1]), timeout=60)
while True:
    spent, began = cpu_s(), time.monotonic()
    link.request("GET", "/health/live")
    link.getresponse().read()
    ended = time.monotonic()
    print(ended, ended - began, cpu_s() - spent, flush=True)
    time.sleep(max(0.0, {LOOK_S} - (ended - began)))
"""
HEAD = MESSAGE.partition("OBX|")[0]


def text(size: int) -> bytes:
    """Return a message whose one text is all escapes."""
    return _one("OBX|1|TX|11502-2^Report^LN||", r"line\.br\of \T\ text\E\, ", "", size)


def repetitions(size: int) -> bytes:
    """Return a message with a field of nothing but repetitions."""
    return _one("OBX|1|CE|600-7^Culture^LN||", "112283007^E coli^SCT~", "1^x^L", size)


def image(size: int) -> bytes:
    """Return a message with an image in base64."""
    first = "OBX|1|ED|IMG^Image^L||^IM^JPEG^Base64^/9j/4AAQ"
    return _one(first, "QUJDREVGR0hJSktMTU5PUFFS", "", size)


def results(size: int) -> bytes:
    """Return a message of very many results, more than are taken."""
    line = "OBX|1|NM|2345-7^Glucose^LN||5.5|mmol/L|3.9-6.1|N|||F|||20240501100000+0200\r"
    return _one("", line, "", size)


def batch(size: int) -> bytes:
    """Return a file of small messages."""
    return _batch(MESSAGE, size)


def tiny(size: int) -> bytes:
    """Return a file of messages of a few bytes."""
    return _batch("MSH|^~\\&|A|B|C|D|20240501||ADT^A08|{number}|P|2.5\rPID|1||{mrn}\r", size)


def refused(size: int) -> bytes:
    """Return a file of small messages of a version that nobody takes."""
    return _batch(MESSAGE.replace("|2.5.1", "|9.9"), size)


def garbage(size: int) -> bytes:
    """Return bytes of no meaning, without what would end a frame."""
    return random.Random(1).randbytes(size).replace(b"\x1c", b"\x1d")


def headed(size: int) -> bytes:
    """Return the same behind a header."""
    return HEAD.format(number="G1", mrn=1).encode() + garbage(size)


def bundle(size: int) -> bytes:
    """Return a FHIR bundle of results of a few patients."""
    count, patients = 9_000, 10
    words = "as told " * max(1, (size // count - 400) // 8)
    code = {"coding": [{"system": "http://loinc.org", "code": "2345-7", "display": "Glucose"}]}
    unit = {"unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": str(number)}]}
        for number in range(patients)
    ]
    resources += [
        {
            "resourceType": "Observation",
            "status": "final",
            "code": code,
            "subject": {"reference": f"urn:uuid:{number % patients}"},
            "effectiveDateTime": "2024-05-01T10:00:00Z",
            "valueQuantity": {"value": number % 20 + 0.5} | unit,
            "note": [{"text": words}],
        }
        for number in range(count)
    ]
    entries = [
        {"fullUrl": f"urn:uuid:{place}", "resource": one} for place, one in enumerate(resources)
    ]
    said = {"resourceType": "Bundle", "type": "collection", "id": os.urandom(4).hex()}
    return json.dumps(said | {"entry": entries}).encode()


def _one(first: str, piece: str, last: str, size: int) -> bytes:
    head = HEAD.format(number=f"S{random.getrandbits(40)}", mrn=1) + first
    tail = "" if not first else last + "||||||F\r"
    return (head + piece * ((size - len(head)) // len(piece)) + tail).encode()


def _batch(message: str, size: int) -> bytes:
    run = os.urandom(3).hex()
    count = size // len(message)
    made = [message.format(number=f"{run}{number}", mrn=number % 5_000) for number in range(count)]
    return ("FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r" + "".join(made) + f"BTS|{count}\rFTS|1\r").encode()


SHAPES: dict[str, Callable[[int], bytes]] = {
    "text with escapes": text,
    "repetitions": repetitions,
    "image": image,
    "results": results,
    "batch of small messages": batch,
    "batch of tiny messages": tiny,
    "batch of refused messages": refused,
    "garbage": garbage,
    "garbage behind a header": headed,
    "FHIR bundle": bundle,
}


def run(bootstrap: str, megabytes: int = MEGABYTES, shapes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the figures of all shapes, or of some, against a broker without topics of ours."""
    topics: list[Topic[Any]] = [IDENTIFIED, rejected(IDENTIFIED), ANSWERS, BLOBS]
    with KafkaAdmin(KafkaConnection(bootstrap=bootstrap)) as admin:
        admin.apply(topics, Durability())
    chosen = {name: make for name, make in SHAPES.items() if not shapes or name in shapes}
    return asyncio.run(_run(bootstrap, megabytes * 1_000_000, chosen))


async def _run(
    bootstrap: str, size: int, shapes: Mapping[str, Callable[[int], bytes]]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with keys_of_a_site() as keys:
        async with ingest_process(bootstrap, keys) as door:
            with looks(door) as longest:
                began_s = SystemClock().monotonic_s()
                await asyncio.sleep(IDLE_S)
                found["nothing on its way"] = longest(began_s)
                for name, make in shapes.items():
                    for over in ("http",) if make is bundle else ("mllp", "http"):
                        runs = [
                            await _measure(door, over, make(size), longest) for _ in range(RUNS)
                        ]
                        found[f"{name}, {over}"] = min(runs, key=lambda one: one["longest_ms"])
    return found


async def _measure(
    door: Door, over: str, content: bytes, longest: Callable[[float], dict[str, float]]
) -> dict[str, Any]:
    clock = SystemClock()
    began_s = clock.monotonic_s()
    told = await asyncio.to_thread(_over_mllp if over == "mllp" else _over_http, door, content)
    took_s = clock.monotonic_s() - began_s
    await asyncio.sleep(REST_S)
    return {**longest(began_s), "took_s": round(took_s, 1), "answer": told}


def _over_mllp(door: Door, content: bytes) -> str:
    with socket.create_connection((LOOPBACK, door.mllp_port), timeout=TIMEOUT_S) as link:
        link.sendall(START + content + END)
        answer = bytearray()
        while not answer.endswith(END):
            piece = link.recv(READ_BYTES)
            if not piece:
                return "hung up"
            answer += piece
    return _told(bytes(answer))


def _over_http(door: Door, content: bytes) -> str:
    path, kind = ("/fhir", FHIR) if content.startswith(b"{") else ("/hl7v2", HL7)
    link = http.client.HTTPConnection(LOOPBACK, door.http_port, timeout=TIMEOUT_S)
    link.request("POST", path, content, {"Content-Type": kind})
    found = link.getresponse()
    said = found.read()
    link.close()
    return f"{found.status} {_told(said)}".strip()


def _told(answer: bytes) -> str:
    counts = {code: answer.count(b"MSA|" + code.encode()) for code in ("AA", "AE", "AR")}
    return " ".join(f"{code} {count}" for code, count in counts.items() if count)


@contextmanager
def looks(door: Door) -> Iterator[Callable[[float], dict[str, float]]]:
    """Ask a service for its health all the time; yield what tells the longest waits since then."""
    with TemporaryDirectory(prefix="auscult-") as folder:
        path = Path(folder) / "looks.txt"
        command = [sys.executable, "-c", PROBE, str(door.http_port), str(door.pid)]
        with path.open("wb") as out:
            probe = subprocess.Popen(command, stdout=out)  # noqa: S603 - what is written here

            def longest(since_s: float) -> dict[str, float]:
                lines = [[float(one) for one in line.split()] for line in path.open()]
                seen = [(took, cpu) for ended, took, cpu in lines if ended > since_s]
                waits, cpus = zip(*seen, strict=True)
                return {
                    "longest_ms": round(max(waits) * 1000, 1),
                    "longest_cpu_ms": round(max(cpus) * 1000, 1),
                }

            try:
                yield longest
            finally:
                probe.kill()
                probe.wait()
