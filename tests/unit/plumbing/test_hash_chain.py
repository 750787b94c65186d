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
    chain = Chain("privacy", start, KEY)
    entries = [
        chain.add(AuditEntry, at_ms=index, action="resolve", token=f"t{index}")
        for index in range(length)
    ]
    return entries, chain.checkpoint(at_ms=length)


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
    chain = Chain("privacy", "s1", KEY)
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
    forged = Chain("privacy", "s1", OTHER_KEY)
    forged.add(AuditEntry, at_ms=0, action="resolve")
    by_another = forged.checkpoint(at_ms=0)
    assert kinds(entries, head, by_another) == ["bad_checkpoint"]


def test_a_chain_of_a_writer_that_has_no_key_is_found() -> None:
    chain = Chain("somebody", "s1", KEY)
    entry, head = chain.add(AuditEntry, at_ms=0, action="resolve"), chain.checkpoint(at_ms=0)
    assert kinds([entry]) == ["unknown_writer"]
    assert kinds([entry], head) == ["unknown_writer", "bad_checkpoint"]


def test_entries_after_the_checkpoints_are_counted() -> None:
    first, head = a_chain(3)
    second, _ = a_chain(2, start="s2")
    assert count_unsigned(first, [head]) == 0
    assert count_unsigned([*first, *second], [head]) == 2
    assert count_unsigned(first, [msgspec.structs.replace(head, sequence=0)]) == 2


def forged_chain(start: str, after: list[AuditEntry]) -> list[AuditEntry]:
    """Entries by somebody who has no key of a writer but may write to the topic."""
    chain = Chain("privacy", start, Ed25519PrivateKey.generate())
    if after:
        chain.sequence, chain.head = len(after), after[-1].entry_hash
    return [chain.add(AuditEntry, at_ms=9, action="break_glass", viewer="innocent")]


def test_what_somebody_else_put_there_is_found() -> None:
    entries, head = a_chain(3)
    assert kinds([*entries, *forged_chain("s9", [])], head) == ["unsigned"]
    assert kinds([*entries, *forged_chain("s1", entries)], head) == ["unsigned"]
    bare = [msgspec.structs.replace(one, signature="") for one in forged_chain("s9", [])]
    assert kinds([*entries, *bare], head) == ["unsigned"]
    replayed = [msgspec.structs.replace(one, start="s9") for one in entries]  # another chain's
    assert set(kinds([*entries, *replayed], head)) == {"altered"}


def test_entries_of_old_are_vouched_for_by_their_checkpoint_and_new_ones_by_themselves() -> None:
    entries, head = a_chain(3)
    old = [msgspec.structs.replace(one, signature="") for one in entries]
    assert kinds(old, head) == []
    assert kinds(old) == ["unsigned"] * 3
    assert kinds(entries) == []  # killed before its checkpoint was kept


def test_what_kafka_deletes_by_age_is_no_fault() -> None:
    entries, head = a_chain(5)  # written at 0 to 4, its head kept at 5

    def kinds_after(left: list[AuditEntry], expired_ms: int) -> list[str]:
        return [one.kind for one in find_faults(left, [head], KEYS, expired_ms)]

    assert kinds_after(entries[2:], expired_ms=3) == []
    assert kinds_after([], expired_ms=6) == []
    assert kinds_after(entries[2:], expired_ms=2) == ["missing"]
    assert kinds_after([*entries[2:3], entries[4]], expired_ms=3) == ["missing"]
    assert kinds_after(entries[:4], expired_ms=5) == ["cut_off"]
