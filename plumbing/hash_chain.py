"""A tamper-evident chain of signed entries: each holds the hash of the one before.

A chain belongs to one writer and one start of it. An entry is any msgspec struct that has the
fields ``writer``, ``start``, ``sequence``, ``at_ms``, ``previous_hash``, ``entry_hash`` and
``signature``. When it is unsure whether an entry was written, its chain is left as it is and a new
start is begun. Heads are signed too, and kept elsewhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Protocol, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FaultKind = Literal[
    "altered",
    "missing",
    "reordered",
    "cut_off",
    "unsigned",
    "bad_checkpoint",
    "unknown_writer",
]


class Linked(Protocol):
    """What the chain needs to see of an entry."""

    @property
    def writer(self) -> str:
        """Return who wrote it."""

    @property
    def start(self) -> str:
        """Return which start of the writer."""

    @property
    def sequence(self) -> int:
        """Return its place, from 0."""

    @property
    def at_ms(self) -> int:
        """Return when it was written, Unix ms."""

    @property
    def previous_hash(self) -> str:
        """Return the hash of the entry before."""

    @property
    def entry_hash(self) -> str:
        """Return its own hash."""

    @property
    def signature(self) -> str:
        """Return what its writer signed ``entry_hash`` with; "" of old."""


Entry = TypeVar("Entry", bound=msgspec.Struct)
ChainName = tuple[str, str]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a chain at a moment, signed (Ed25519, hex); kept away from the entries."""

    writer: str
    start: str
    sequence: int
    head: str
    at_ms: int
    signature: str = ""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a chain, at a sequence number."""

    kind: FaultKind
    writer: str
    start: str
    sequence: int


class Chain:
    """Gives entries their place in one chain. ``start`` must be new at every start."""

    def __init__(self, writer: str, start: str, key: Ed25519PrivateKey) -> None:
        """Begin an empty chain, whose entries and heads ``key`` signs."""
        self.writer = writer
        self.start = start
        self._key = key
        self.sequence = 0
        self.head = first_hash(writer, start)

    def add(self, make: Callable[..., Entry], **fields: object) -> Entry:
        """Return the next entry: ``make`` called with ``fields`` and the chain's own fields."""
        entry = make(
            writer=self.writer,
            start=self.start,
            sequence=self.sequence,
            previous_hash=self.head,
            **fields,
        )
        self.head = hash_of(entry)
        self.sequence += 1
        signature = self._key.sign(bytes.fromhex(self.head)).hex()
        return msgspec.structs.replace(entry, entry_hash=self.head, signature=signature)

    def checkpoint(self, at_ms: int) -> Checkpoint:
        """Return the signed head; the chain must hold an entry."""
        bare = Checkpoint(
            writer=self.writer,
            start=self.start,
            sequence=self.sequence - 1,
            head=self.head,
            at_ms=at_ms,
        )
        return msgspec.structs.replace(bare, signature=self._key.sign(_canonical(bare)).hex())


def first_hash(writer: str, start: str) -> str:
    """Return the ``previous_hash`` of a chain's first entry."""
    return sha256(f"chain|{writer}|{start}".encode()).hexdigest()


def hash_of(entry: msgspec.Struct) -> str:
    """Return SHA-256 (hex) of the entry's canonical JSON, its hash and signature empty."""
    bare = msgspec.structs.replace(entry, entry_hash="", signature="")
    return sha256(_canonical(bare)).hexdigest()


def find_faults(
    entries: Iterable[Linked],
    checkpoints: Sequence[Checkpoint],
    keys: Mapping[str, Ed25519PublicKey],
    expired_ms: int = 0,
) -> list[Fault]:
    """Return what is wrong with the chains in ``entries`` (in the order of the log).

    ``keys`` has the public key of each writer: it alone signs the entries and checkpoints of that
    writer, and chains of any other writer are a fault. Against the checkpoints it finds chains that
    were cut off, dropped or made anew as a whole. An entry that neither bears its writer's
    signature nor stands before a checkpoint was put there by somebody else, or comes from a version
    that did not sign entries and was killed before its checkpoint. What was written before
    ``expired_ms`` may be gone from the beginning of the log: Kafka deletes it by age.
    """
    chains: dict[ChainName, list[Linked]] = {}
    for entry in entries:
        chains.setdefault((entry.writer, entry.start), []).append(entry)
    faults = [fault for chain in chains.values() for fault in _faults_within(chain, expired_ms)]
    faults += [Fault("unknown_writer", *name, 0) for name in chains if name[0] not in keys]
    signed: dict[ChainName, int] = {}
    for one in checkpoints:
        fault = _fault_at(one, chains, keys, expired_ms)
        if fault is not None:
            faults.append(fault)
        else:
            name = (one.writer, one.start)
            signed[name] = max(signed.get(name, -1), one.sequence)
    for name, chain in chains.items():
        faults += _unsigned(chain, keys.get(name[0]), signed.get(name, -1))
    return faults


def count_unsigned(entries: Iterable[Linked], checkpoints: Iterable[Checkpoint]) -> int:
    """Return how many entries come after the last checkpoint of their chain.

    They are what was being written while the checkpoints were read, or writes that were unsure;
    many of them are checkpoints that somebody removed.
    """
    last = {(one.writer, one.start): one.sequence for one in checkpoints}
    return sum(entry.sequence > last.get((entry.writer, entry.start), -1) for entry in entries)


def _unsigned(
    chain: Sequence[Linked], key: Ed25519PublicKey | None, vouched: int
) -> Iterable[Fault]:
    """Return the entries behind number ``vouched`` which their writer did not sign."""
    if key is None:
        return
    for entry in chain:
        if entry.sequence > vouched and not _verifies(key, entry.signature, entry.entry_hash):
            yield Fault("unsigned", entry.writer, entry.start, entry.sequence)


def _verifies(key: Ed25519PublicKey, signature: str, signed: str) -> bool:
    try:
        key.verify(bytes.fromhex(signature), bytes.fromhex(signed))
    except (InvalidSignature, ValueError):
        return False
    return True


def _faults_within(chain: Sequence[Linked], expired_ms: int) -> list[Fault]:
    faults = []
    writer, start = chain[0].writer, chain[0].start
    expected, head = 0, first_hash(writer, start)
    if chain[0].at_ms < expired_ms:  # those before it are older still
        expected, head = chain[0].sequence, chain[0].previous_hash
    for entry in chain:
        kind: FaultKind | None = None
        if entry.sequence < expected:
            kind = "reordered"
        elif entry.sequence > expected:
            kind = "missing"
        elif entry.previous_hash != head or not _is_intact(entry):
            kind = "altered"
        if kind is not None:
            faults.append(Fault(kind, writer, start, entry.sequence))
        expected, head = max(expected, entry.sequence + 1), entry.entry_hash
    return faults


def _is_intact(entry: Linked) -> bool:
    return isinstance(entry, msgspec.Struct) and hash_of(entry) == entry.entry_hash


def _fault_at(
    checkpoint: Checkpoint,
    chains: Mapping[ChainName, Sequence[Linked]],
    keys: Mapping[str, Ed25519PublicKey],
    expired_ms: int,
) -> Fault | None:
    kind: FaultKind | None = None
    chain = chains.get((checkpoint.writer, checkpoint.start), ())
    found = [entry for entry in chain if entry.sequence == checkpoint.sequence]
    if not _is_signed(checkpoint, keys.get(checkpoint.writer)):
        kind = "bad_checkpoint"
    elif not found and checkpoint.at_ms >= expired_ms:
        kind = "cut_off"
    elif found and found[0].entry_hash != checkpoint.head:
        kind = "altered"
    if kind is None:
        return None
    return Fault(kind, checkpoint.writer, checkpoint.start, checkpoint.sequence)


def _is_signed(checkpoint: Checkpoint, key: Ed25519PublicKey | None) -> bool:
    if key is None:
        return False
    bare = msgspec.structs.replace(checkpoint, signature="")
    try:
        key.verify(bytes.fromhex(checkpoint.signature), _canonical(bare))
    except (InvalidSignature, ValueError):
        return False
    return True


def _canonical(struct: msgspec.Struct) -> bytes:
    return msgspec.json.encode(struct, order="sorted")
