"""What an HL7 v2 message encapsulates (OBX-5 of ED): how its bytes are read out of the message.

Ingest names what it finds by a hash; privacy takes the same bytes out of the same message, by that
hash. Both read it here, so that they cannot differ. Pure.
"""

import binascii
from collections.abc import Callable, Iterator, Sequence
from time import sleep
from typing import Final, NamedTuple

# Charsets in which a sign has several bytes, of which one may look like a delimiter; by codec.
WIDE: Final = frozenset({"utf-16", "utf-32"})
TRAILED: Final = frozenset({"big5hkscs", "gb18030", "cp932"})
BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
LONG_BYTES: Final = 65_536  # of an attachment: others have their turn while it is read
NULL: Final = b'""'
ATTACHED: Final = frozenset({b"ED", b"RP"})  # OBX-2
# A line break inside base64, as an escape.
LINE_BREAKS: Final = (b".br", b"X0D0A", b"X0D", b"X0A")
ENCODINGS: Final[dict[bytes, Callable[[bytes], bytes]]] = {
    b"BASE64": binascii.a2b_base64,
    b"HEX": binascii.unhexlify,
}


class Signs(NamedTuple):
    """The delimiters of MSH-2 that an encapsulated value is read with."""

    component: bytes
    repeat: bytes
    escape: bytes


def readable(raw: bytes, charset: str) -> bytes:
    """Return a message so that each byte that looks like a delimiter is one: in UTF-8 where its
    ``charset`` (the codec that reads it) has such bytes within letters, else as it is.
    """
    if charset in WIDE:
        has_mark = raw.startswith(BYTE_ORDER_MARKS)
        codec = charset if has_mark else f"{charset}-be" if raw[:1] == b"\0" else f"{charset}-le"
        return raw.decode(codec, "replace").encode("utf-8", "replace")
    if charset in TRAILED:
        return raw.decode(charset, "replace").encode()
    return raw


def lines_of(message: bytes) -> list[bytes]:
    """Return the segments of a readable message, however its lines end."""
    return message.replace(b"\n", b"\r").split(b"\r")


def signs_of(lines: Sequence[bytes]) -> Signs:
    """Return the delimiters of a message by its header; a sign may have several bytes in UTF-8."""
    header = next((line[line.index(b"MSH") :] for line in lines if b"MSH" in line[:8]), b"")
    said = header[4:].partition(header[3:4] or b"|")[0] or b"^~\\&"
    try:
        signs = [sign.encode() for sign in said.decode()]
    except UnicodeDecodeError:
        signs = [bytes([byte]) for byte in said]
    component, repeat, escape = (signs + [b"\0"] * 3)[:3]
    return Signs(component, repeat, escape)


def is_attachment(line: bytes) -> bool:
    """Return whether a segment is an OBX of type ED or RP with something in it."""
    if line[:3] != b"OBX":
        return False
    fields = line.split(line[3:4] or b"|", 6)
    there = len(fields) > 5 and fields[5] not in {b"", NULL}
    return there and fields[2].strip().upper() in ATTACHED


def contents_of(line: bytes, signs: Signs, limit: int = -1) -> Iterator[bytes | None]:
    """Yield the content of each repetition of an attachment's value, of the first ``limit`` where
    it is not negative: empty where it says no encoding, None where it is not what it says.
    """
    value = line.split(line[3:4], 6)[5]
    for one in value.split(signs.repeat, limit):
        yield _content(one.split(signs.component, 4), signs)


def _content(parts: Sequence[bytes], signs: Signs) -> bytes | None:
    decode = ENCODINGS.get(parts[3].strip().upper()) if len(parts) == 5 else None
    if decode is None:
        return b""
    sent = parts[4]
    is_long = len(sent) > LONG_BYTES
    for sign in LINE_BREAKS if signs.escape in sent else ():
        if is_long:
            sleep(0)
        sent = sent.replace(signs.escape + sign + signs.escape, b"")
    if is_long:
        sleep(0)
    try:
        content = decode(sent)
    except ValueError:
        return None
    return content if content or not sent.strip() else None
