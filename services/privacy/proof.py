"""Pure: the proof of an erasure, signed; and whether a signed one is as it was written."""

from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contracts.erasures import GONE, DestroyedKey, ErasureAnswer, Proof, SignedProof, expiries
from services.privacy.erasure_book import Erasure


def sign_proof(
    erasure: Erasure,
    destroyed: Sequence[DestroyedKey],
    entries_verified: int,
    now_ms: int,
    sealed_until_ms: int,
    key: Ed25519PrivateKey,
) -> bytes:
    """Return the signed proof as JSON."""
    proof = Proof(
        erasure=erasure.id,
        basis=erasure.basis,
        requested_by=erasure.requested_by,
        requested_at_ms=erasure.requested_at_ms,
        confirmed_by=erasure.confirmed_by,
        confirmed_at_ms=erasure.confirmed_at_ms,
        erased_at_ms=erasure.erased_at_ms,
        finished_at_ms=now_ms,
        identifiers=erasure.identifiers,
        others_kept=erasure.others_kept,
        keys_destroyed=tuple(destroyed),
        entries_verified=entries_verified,
        gone=GONE,
        tombstones=erasure.tombstones,
        expires=expiries(now_ms, sealed_until_ms),
    )
    said = msgspec.json.encode(proof)
    signed = SignedProof(proof=msgspec.Raw(said), signature=key.sign(said).hex())
    return msgspec.json.encode(signed)


def answer_of(signed: bytes) -> ErasureAnswer:
    """Return what is told of an erasure of which only the proof is kept, as privacy signed it."""
    said = msgspec.json.decode(signed, type=SignedProof).proof
    proof = msgspec.json.decode(bytes(said), type=Proof)
    return ErasureAnswer(
        erasure=proof.erasure,
        state="done",
        identifiers=proof.identifiers,
        others_kept=proof.others_kept,
        proof=signed,
    )


def read_proof(signed: bytes, key: Ed25519PublicKey) -> Proof:
    """Return the proof; raise ``ValueError`` when it is none or not signed by ``key``."""
    try:
        found = msgspec.json.decode(signed, type=SignedProof)
        key.verify(bytes.fromhex(found.signature), bytes(found.proof))
        return msgspec.json.decode(bytes(found.proof), type=Proof)
    except (msgspec.DecodeError, InvalidSignature, ValueError) as error:
        raise ValueError("not a proof that this key has signed") from error
