from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AuditEntry
from plumbing.hash_chain import Chain, Checkpoint, Fault, count_unsigned, find_faults

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
KEYS = {"privacy": KEY.public_key(), "gateway": OTHER_KEY.public_key()}


def a_chain(length: int, start: str = "s1") -> tuple[list[AuditEntry], Checkpoint]:
    chain = Chain("privacy", start)
    entries = [
        chain.add(AuditEntry, at_ms=index, action="resolve", token=f"t{index}")
        for index in range(length)
    ]
    return entries, chain.checkpoint(KEY, at_ms=length)


def kinds(entries: list[AuditEntry], *checkpoints: Checkpoint) -> list[str]:
    return [fault.kind for fault in find_faults(entries, checkpoints, KEYS)]


def test_an_untouched_chain_has_no_fault() -> None:
    first, head = a_chain(5)
    second, other_head = a_chain(3, start="s2")
    interleaved = [first[0], second[0], *first[1:3], *second[1:], *first[3:]]
    assert kinds(interleaved, head, other_head) == []


def altered(entries: list[AuditEntry]) -> list[AuditEntry]:
    entries[2] = msgspec.structs.replace(entries[2], viewer="someone")
    return entries


def swapped(entries: list[AuditEntry]) -> list[AuditEntry]:
    entries[1], entries[2] = entries[2], entries[1]
    return entries


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        (altered, "altered"),
        (swapped, "reordered"),
        (lambda entries: entries[:2] + entries[3:], "missing"),
        (lambda entries: entries[1:], "missing"),
        (lambda entries: entries[:-1], "cut_off"),
        (lambda entries: entries[:0], "cut_off"),
        (lambda entries: [entries[0], *entries], "reordered"),
    ],
)
def test_tampering_is_found(
    tamper: Callable[[list[AuditEntry]], list[AuditEntry]], kind: str
) -> None:
    entries, head = a_chain(5)
    assert kind in kinds(tamper(entries), head)


def test_a_chain_made_anew_does_not_match_its_checkpoint() -> None:
    _, head = a_chain(5)
    chain = Chain("privacy", "s1")
    forged = [chain.add(AuditEntry, at_ms=9, action="resolve") for _ in range(5)]
    assert kinds(forged, head) == ["altered"]


def test_a_forged_checkpoint_is_found() -> None:
    entries, head = a_chain(2)
    forged = msgspec.structs.replace(head, sequence=0, head=entries[0].entry_hash)
    faults = find_faults(entries, [forged], KEYS)
    assert faults == [Fault("bad_checkpoint", "privacy", "s1", 0)]


def test_entries_survive_their_codec() -> None:
    entries, head = a_chain(3)
    again = [msgspec.json.decode(msgspec.json.encode(entry), type=AuditEntry) for entry in entries]
    assert kinds(again, head) == []


def test_a_writer_signs_for_nobody_else() -> None:
    entries, head = a_chain(2)
    forged = Chain("privacy", "s1")
    forged.add(AuditEntry, at_ms=0, action="resolve")
    by_another = forged.checkpoint(OTHER_KEY, at_ms=0)
    assert kinds(entries, head, by_another) == ["bad_checkpoint"]


def test_a_chain_of_a_writer_that_has_no_key_is_found() -> None:
    chain = Chain("somebody", "s1")
    entry, head = chain.add(AuditEntry, at_ms=0, action="resolve"), chain.checkpoint(KEY, at_ms=0)
    assert kinds([entry]) == ["unknown_writer"]
    assert kinds([entry], head) == ["unknown_writer", "bad_checkpoint"]


def test_entries_after_the_checkpoints_are_counted() -> None:
    first, head = a_chain(3)
    second, _ = a_chain(2, start="s2")
    assert count_unsigned(first, [head]) == 0
    assert count_unsigned([*first, *second], [head]) == 2
    assert count_unsigned(first, [msgspec.structs.replace(head, sequence=0)]) == 2
