"""Pure: one heard event as MessagePack without field names, and back.

Packed once, when it is heard: writing a long state then only copies bytes.
"""

from typing import Any

import msgspec

from contracts.loinc import BY_NAME
from services.inference.view import Fact

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Any, int, int, list[list[Any]]]).decode
_NAMES = {name: name for name in BY_NAME}  # one string object for each parameter
# Series, status, text, flagged, ahead, finding, precision: left out at the end of a row.
_DEFAULTS = ("", "F", "", False, False, "", "")
_ROW_LENGTH_MIN = 4


def pack(event_id: str, offset: int, said_ms: int, facts: tuple[Fact, ...]) -> msgspec.Raw:
    """Return one event: its id (16 bytes when a UUID), offset, time said, and a row a fact."""
    rows = [_row(fact) for fact in facts]
    return msgspec.Raw(_encode((_short(event_id), offset, said_ms, rows)))


def unpack(packed: bytes | msgspec.Raw) -> tuple[str, int, int, tuple[Fact, ...]]:
    """Return what was packed; raise ``msgspec.DecodeError`` or ``ValueError`` when it is not."""
    short, offset, said_ms, rows = _decode(packed)
    event_id = short if isinstance(short, str) else _long(short)
    return event_id, offset, said_ms, tuple(_fact(event_id, offset, said_ms, row) for row in rows)


def _row(fact: Fact) -> list[Any]:
    row: list[Any] = [fact.index, fact.parameter, fact.value, fact.at_ms - fact.said_ms]
    row.extend((fact.series, fact.status, fact.text, fact.flagged, fact.ahead, fact.finding))
    row.append(fact.at_precision)
    while len(row) > _ROW_LENGTH_MIN and row[-1] == _DEFAULTS[len(row) - _ROW_LENGTH_MIN - 1]:
        row.pop()
    return row


def _fact(event_id: str, offset: int, said_ms: int, row: list[Any]) -> Fact:
    rest: list[Any] = [*row[_ROW_LENGTH_MIN:], *_DEFAULTS[len(row) - _ROW_LENGTH_MIN :]]
    series, status, text, flagged, ahead, finding, at_precision = rest
    return Fact(
        event_id=event_id,
        index=row[0],
        offset=offset,
        parameter=_NAMES.get(row[1], row[1]),
        value=row[2],
        at_ms=said_ms + row[3],
        said_ms=said_ms,
        text=text,
        status=status,
        series=series,
        flagged=flagged,
        ahead=ahead,
        finding=finding,
        at_precision=at_precision,
    )


def _short(event_id: str) -> bytes | str:
    plain = event_id.replace("-", "")
    try:
        short = bytes.fromhex(plain)
    except ValueError:
        return event_id
    return short if len(plain) == 32 and _long(short) == event_id else event_id


def _long(short: bytes) -> str:
    plain = short.hex()
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
