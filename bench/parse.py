"""HL7 v2 messages a second on one core: ours in three depths, and its peers.

``PARSE``: bytes to envelope and JSON: charset, header, every mapped segment, the keyed hashes.
``FRAME``: what ingest does with a frame before it seals: that it is one message or a batch, the
above, cleaning, images and nulls, MSH-15/16, JSON. ``RECORD``: the same, sealed, as the record's
value and headers. ``parser`` says whether they ran compiled.

The peers (python-hl7, hl7apy, HAPI typed and generic) parse only; ``ours_is`` compares them with
``PARSE``, ``frame_is`` with ``FRAME``. Same messages, one run, rates of processor time; ours take
turns; each has one pass to warm up (HAPI as many seconds as it is measured). What a peer refuses
counts as done.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from time import process_time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from plumbing.sealing import Sealer
from services.ingest import compiled
from services.ingest.charset import decode, split_frame
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile, parse
from services.ingest.sealed import encoded, sealed_record
from simulator.day import hospital_day
from simulator.run import plan_for

KEYS = Keys(event=bytes(32), route=bytes(32))
SOURCE = SourceProfile("bench")
PARSE = "envelope, keyed hashes, JSON"
FRAME = "the frame as ingest does, JSON"
RECORD = "the frame as ingest does, sealed record"
DAY, SENT_BY = "2026-01-01", "bench/0123456789ab"
RECEIVED_AT_MS = 1_700_000_000_000
SIMULATED = 500
SECONDS = 3.0
ROUNDS = 5
TARGET_PER_S = 20_000
HAPI = Path(__file__).with_name("hapi")
MAVEN_TIMEOUT_S = 600
SUFFIXES = frozenset({".hl7", ".txt", ".dat"})


@dataclass(frozen=True)
class Rate:
    """One parser: messages a second (the best of ``ROUNDS``; None: ``note`` says why it did not
    run), how many of the messages it refused, and how many times as fast ours is: to the
    envelope, and with all that is done to a frame.
    """

    parser: str
    does: str
    per_s: float | None = None
    refused: int = 0
    ours_is: float | None = None
    frame_is: float | None = None
    note: str = ""


def run(data: Path | None = None) -> dict[str, object]:
    """Measure all on the accepted messages under ``data``, else on simulated ones."""
    messages = _accepted(_files(data) if data else _simulated())
    if not messages:
        return {"note": f"no message that is accepted under {data}"}
    # The peers get what they can read: text, and CR at the end of a segment.
    read = [decode(message, "").text for message in messages]
    texts = [text.replace("\r\n", "\r").replace("\n", "\r") for text in read]
    ours = _ours(messages)
    by_depth = {one.does: one.per_s or 0 for one in ours}
    peers = [_python_hl7(texts), _hl7apy(texts), *_hapi(texts)]
    rates = [*ours, *(_compared(by_depth, peer) for peer in peers)]
    return {
        "messages": len(messages),
        "parser": "compiled" if compiled.in_use() else "python",
        "bytes_mean": round(sum(map(len, messages)) / len(messages)),
        "reaches_target": {does: per_s >= TARGET_PER_S for does, per_s in by_depth.items()},
        "parsers": [asdict(rate) for rate in rates],
    }


def _files(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES:
            yield from split_frame(path.read_bytes())[1]


def _simulated() -> Iterator[bytes]:
    plan = plan_for(patients=50, messages=SIMULATED, seed=1)
    for one in hospital_day(plan, RECEIVED_AT_MS):
        yield one.payload


def _accepted(messages: Iterator[bytes]) -> list[bytes]:
    return [one for one in messages if parse(one, SOURCE, KEYS, RECEIVED_AT_MS).code == "AA"]


def rate_of(once: Callable[[], object], count: int, seconds: float = SECONDS) -> float:
    """Return how many of ``count`` things a second ``once`` does: the best of ``ROUNDS`` rounds,
    which share ``seconds`` of processor time; a slow one gets as many as fit in it, at least one.
    """
    best, began = 0.0, process_time()
    for _ in range(ROUNDS):
        round_began, done = process_time(), 0
        while not done or process_time() - round_began < seconds / ROUNDS:
            once()
            done += count
        best = max(best, done / (process_time() - round_began))
        if process_time() - began >= seconds:
            break
    return round(best, 1)


def _ours(messages: Sequence[bytes]) -> list[Rate]:
    """Return ours in each depth. They take turns: machines change their speed by the minute."""
    sealer = Sealer(X25519PrivateKey.generate().public_key().public_bytes_raw(), os.urandom)
    depths = {
        PARSE: partial(_parsed, messages),
        FRAME: partial(_framed, messages),
        RECORD: partial(_sealed, messages, sealer),
    }
    best = dict.fromkeys(depths, 0.0)
    for once in depths.values():
        once()
    for _ in range(ROUNDS):
        for does, once in depths.items():
            best[does] = max(best[does], rate_of(once, len(messages), SECONDS / ROUNDS))
    return [Rate("ours", does, per_s) for does, per_s in best.items()]


# Three plain loops, so that little of what is measured is the bench itself.
def _parsed(messages: Sequence[bytes]) -> None:
    for message in messages:
        for event in parse(message, SOURCE, KEYS, RECEIVED_AT_MS).events:
            encoded(event.body)


def _framed(messages: Sequence[bytes]) -> None:
    for message in messages:
        for one in parse_frame(message, SOURCE, KEYS, RECEIVED_AT_MS).messages:
            for event in one.events:
                encoded(event.body)


def _sealed(messages: Sequence[bytes], sealer: Sealer) -> None:
    for message in messages:
        for one in parse_frame(message, SOURCE, KEYS, RECEIVED_AT_MS).messages:
            for event in one.events:
                sealed_record(event, SOURCE.name, sealer, DAY, os.urandom, SENT_BY)


def _python_hl7(texts: Sequence[str]) -> Rate:
    try:
        import hl7
    except ImportError:
        return Rate("python-hl7", "parse", note="not installed: it is in the dev extra")
    return _peer("python-hl7", texts, hl7.parse)


def _hl7apy(texts: Sequence[str]) -> Rate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from hl7apy.consts import VALIDATION_LEVEL
            from hl7apy.parser import parse_message
    except ImportError:
        return Rate("hl7apy", "parse", note="not installed: it is in the dev extra")

    def read(text: str) -> object:
        return parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)

    return _peer("hl7apy", texts, read)


def _peer(name: str, texts: Sequence[str], read: Callable[[str], object]) -> Rate:
    def once() -> int:
        refused = 0
        for text in texts:
            try:
                read(text)
            except Exception:  # noqa: BLE001 - a peer may raise anything, and that is counted
                refused += 1
        return refused

    refused = once()
    return Rate(name, "parse", rate_of(once, len(texts)), refused)


def _hapi(texts: Sequence[str]) -> list[Rate]:
    names = ("HAPI typed", "HAPI generic")
    missing = [tool for tool in ("mvn", "javac") if shutil.which(tool) is None]
    if missing:
        return [Rate(name, "parse", note=f"skipped: no {missing[0]} here") for name in names]
    with tempfile.TemporaryDirectory() as folder:
        try:
            lines = _java(Path(folder), texts)
        except (subprocess.SubprocessError, OSError):
            return [Rate(name, "parse", note="skipped: Maven could not build it") for name in names]
    found = [line.split() for line in lines]
    return [Rate(f"HAPI {name}", "parse", float(per_s), int(no)) for name, per_s, no in found]


def _java(folder: Path, texts: Sequence[str]) -> list[str]:
    build = ["mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(HAPI / "pom.xml"),
             f"-Dbench.target={folder}", "compile", "dependency:copy-dependencies"]  # fmt: skip
    subprocess.run(build, check=True, capture_output=True, timeout=MAVEN_TIMEOUT_S)  # noqa: S603
    encoded = [text.encode() for text in texts]
    (folder / "messages").write_bytes(
        b"".join(struct.pack(">i", len(one)) + one for one in encoded)
    )
    java = ["java", "-cp", f"{folder}/classes:{folder}/libs/*", "HapiBench",
            str(folder / "messages"), str(SECONDS)]  # fmt: skip
    done = subprocess.run(java, check=True, capture_output=True, timeout=120, text=True)  # noqa: S603
    return done.stdout.splitlines()


def _compared(ours: Mapping[str, float], peer: Rate) -> Rate:
    """Return a peer with how many times as fast ours is, by what ours does."""
    if not peer.per_s:
        return peer
    return replace(
        peer,
        ours_is=round(ours[PARSE] / peer.per_s, 2),
        frame_is=round(ours[FRAME] / peer.per_s, 2),
    )


def main() -> None:
    """Print the figures as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, help="a folder of HL7 v2 files")
    print(json.dumps(run(options.parse_args().data), indent=2))


if __name__ == "__main__":
    main()
