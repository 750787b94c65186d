"""Pure: the state of one identifier as bytes, for Redis and for snapshots."""

import msgspec

from services.inference.packing import unpack
from services.inference.state import Heard, PatientState, Trait, fact_order, is_plain
from services.inference.stay import Move

VERSION = 1


class StateUnreadable(Exception):
    """The bytes are not a state of this version."""


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    version: int
    applied: int
    heard: list[msgspec.Raw]
    moves: tuple[Move, ...]
    traits: tuple[Trait, ...]


class _Head(msgspec.Struct, frozen=True, array_like=True):
    version: int
    applied: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode
_decode_head = msgspec.msgpack.Decoder(_Head).decode


def encode_state(state: PatientState) -> bytes:
    """Return the bytes; equal states give equal bytes."""
    heard = [one.packed for one in state.heard]
    return _encode(_Stored(VERSION, state.applied, heard, state.moves, state.traits))


def decode_state(data: bytes) -> PatientState:
    """Return the state in ``data``.

    Raises:
        StateUnreadable: it is not one; then it counts as lost.
    """
    try:
        stored = _decode(data)
        if stored.version != VERSION:
            raise StateUnreadable
        heard = tuple(Heard(*unpack(raw), packed=_owned(raw)) for raw in stored.heard)
    except (msgspec.MsgspecError, ValueError, TypeError, IndexError) as error:
        raise StateUnreadable from error
    facts = tuple(sorted((fact for one in heard for fact in one.facts), key=fact_order))
    return PatientState(
        applied=stored.applied,
        heard=heard,
        facts=facts,
        plain=is_plain(facts),
        moves=stored.moves,
        traits=stored.traits,
    )


def applied_of(data: bytes) -> int:
    """Return the offset of the last event in a state, without decoding the rest."""
    return _decode_head(data).applied


def _owned(raw: msgspec.Raw) -> msgspec.Raw:
    """Return a copy: the slice would keep every earlier version of the whole state alive."""
    return msgspec.Raw(bytes(raw))
