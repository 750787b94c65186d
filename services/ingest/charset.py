"""Which charset a message is in, and its text: BOM, MSH-18, the source's default, UTF-8, cp1252."""

import codecs

from contracts.clinical import Finding

SINGLE_BYTE = ("iso8859", "cp125", "cp874", "koi8", "ascii")
# How a message of two or four bytes a sign begins. The longer ones first: that of UTF-32 begins as
# that of UTF-16.
WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (b"M\x00\x00\x00S\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00M\x00\x00\x00S", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"M\x00S\x00H\x00", "utf-16-le"),
    (b"\x00M\x00S\x00H", "utf-16-be"),
)
WIDE_STARTS = tuple(mark for mark, _ in WIDE_MARKS)
# In their signs of two bytes the second may be a delimiter (| ^ ~ may be halves of letters).
TRAIL_CODECS = ("big5hkscs", "gb18030", "cp932")
# MSH-18 by HL7 table 0211 and by what is sent in its place; compared without space, - _ and case.
ALIASES = {
    "ASCII": "ascii",
    "USASCII": "ascii",
    "ISOIR6": "ascii",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UNICODEUTF16": "utf-16",
    "UTF16": "utf-16",
    "UNICODEUTF32": "utf-32",
    "UTF32": "utf-32",
    "ISOIR100": "iso8859-1",
    "ISOIR14": "iso2022_jp",
    "ISOIR87": "iso2022_jp",
    "ISOIR159": "iso2022_jp_1",
    "ISO2022JP": "iso2022_jp",
    "ISOIR13": "cp932",
    "SHIFTJIS": "cp932",
    "GB180302000": "gb18030",
    "GB18030": "gb18030",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "BIG5": "big5hkscs",
    "KSX1001": "euc_kr",
    "EUCKR": "euc_kr",
    "ISOIR149": "euc_kr",
    "ISOIR58": "gb18030",
    "ISOIR101": "iso8859-2",
    "ISOIR109": "iso8859-3",
    "ISOIR110": "iso8859-4",
    "ISOIR144": "iso8859-5",
    "ISOIR127": "iso8859-6",
    "ISOIR126": "iso8859-7",
    "ISOIR138": "iso8859-8",
    "ISOIR148": "iso8859-9",
    "ISOIR166": "iso8859-11",
    "LATIN1": "iso8859-1",
    "LATIN2": "iso8859-2",
    "LATIN9": "iso8859-15",
    "WINDOWS874": "cp874",
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
}
ALIASES |= {f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)}
for page in range(1250, 1259):
    ALIASES |= {f"WINDOWS{page}": f"cp{page}", f"CP{page}": f"cp{page}"}
for name, codec in tuple(ALIASES.items()):
    if "/" in name:
        ALIASES |= dict.fromkeys((name.replace("8859/", "ISO8859"), f"ISO{name}"), codec)
        ALIASES[name.replace("/", "")] = codec
# What switches to double bytes and back in 7 bits; no other charset has it.
ISO2022_MARKS = (b"\x1b$B", b"\x1b$@", b"\x1b$(D", b"\x1b(J", b"\x1b(I")
ISO2022_CODEC = "iso2022_jp_ext"


class Decoded:
    """The text of a message, the charset that read it and the one that MSH-18 named."""

    __slots__ = ("declared", "findings", "text", "used")

    def __init__(
        self, text: str, used: str, declared: str, findings: tuple[Finding, ...] = ()
    ) -> None:
        """Take what was decoded."""
        self.text, self.used, self.declared, self.findings = text, used, declared, findings


def ascii_text(raw: bytes) -> str | None:
    """Return the text of a message that is the same in every charset but UTF-16, else None."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return None
    return None if "\x1b" in text or "\x00" in text[:8] else text


def decode(raw: bytes, default: str) -> Decoded:
    """Return the text of one message. ``default`` is the source's charset (a Python codec)."""
    text = ascii_text(raw)
    if text is not None:
        return Decoded(text, "ascii", _declared(raw))
    return decode_wide(raw, default)


def decode_wide(raw: bytes, default: str) -> Decoded:
    """Return the text of one message for which ``ascii_text`` has none."""
    wide = wide_codec(raw)
    if wide or (raw.isascii() and b"\x1b" not in raw):
        return _decode_wide(raw, wide or ("utf-16-le" if raw[:1] == b"M" else "utf-16-be"))
    if raw.startswith(codecs.BOM_UTF8):
        body = raw[len(codecs.BOM_UTF8) :]
        return _first_that_reads(body, ("utf-8",), _declared(body))
    declared = _declared(raw)
    candidates = _candidates(declared, default)
    if b"\x1b" in raw and any(mark in raw for mark in ISO2022_MARKS):
        # MSH-18 may name ASCII first and ISO IR87 as what escapes switch to, or nothing at all.
        switched = codec_of(declared)
        is_known = switched.startswith("iso2022")
        candidates = ((switched, ISO2022_CODEC) if is_known else (ISO2022_CODEC,)) + candidates
    return _first_that_reads(raw, candidates, declared)


def codec_of(declared: str) -> str:
    """Return the Python codec for a charset name as in MSH-18; empty when it is not known."""
    squeezed = declared.upper().replace(" ", "").replace("-", "").replace("_", "")
    return ALIASES.get(squeezed, "")


def split_frame(frame: bytes) -> tuple[bytes, list[bytes]]:
    """Return what stands before the first MSH, and each message of a frame (batch or single)."""
    codec = wide_codec(frame)
    if codec:
        head, parts = _split(_decode_wide(frame, codec).text.encode())
        if len(parts) == 1:
            return head, [frame]
        return head, [f"\ufeff{part.decode()}".encode(codec) for part in parts]
    return _split(frame)


def _split(frame: bytes) -> tuple[bytes, list[bytes]]:
    starts = []
    at = frame.find(b"MSH")
    while at >= 0:
        opens_line = at == 0 or frame[at - 1] in b"\r\n\x0b\xbf"
        if opens_line and not frame[at + 3 : at + 4].isalnum():
            starts.append(at)
        at = frame.find(b"MSH", at + 3)
    if not starts:
        return frame, []
    ends = [*starts[1:], len(frame)]
    bom = codecs.BOM_UTF8 if frame.startswith(codecs.BOM_UTF8) else b""
    parts = [frame[start:end] for start, end in zip(starts, ends, strict=True)]
    return frame[len(bom) : starts[0]], [bom + part for part in parts] if bom else parts


def wide_codec(raw: bytes) -> str:
    """Return the codec of a message of two or four bytes a sign, by how it begins, else ""."""
    for mark, codec in WIDE_MARKS:
        if raw.startswith(mark):
            return codec
    return ""


def _declared(raw: bytes) -> str:
    end = len(raw)
    for mark in (b"\r", b"\n"):
        found = raw.find(mark, 0, end)
        end = found if found >= 0 else end
    head, field = raw[:end], raw[3:4].decode("latin-1")
    if not field:
        return ""
    declared = _eighteenth(head.decode("ascii", "replace"), field)
    if codec_of(declared) or head.isascii():
        return declared
    for codec in TRAIL_CODECS:
        # The second byte of a letter may look like a separator, and then MSH-18 is not the 18th.
        other = _eighteenth(head.decode(codec, "replace"), field)
        if codec_of(other) == codec:
            return other
    return declared


def _eighteenth(head: str, field: str) -> str:
    fields = head.split(field, 18)
    return charset_of(fields[17]) if len(fields) > 17 else ""


def header_text(head: bytes) -> str:
    """Return the header of a message by the charset it declares; what it cannot be is replaced."""
    if head.isascii():
        return head.decode("ascii")
    codec = codec_of(_declared(head))
    return head.decode(codec if codec in TRAIL_CODECS else "latin-1", "replace")


def charset_of(field: str) -> str:
    """Return the charset that MSH-18 names: its first repetition."""
    return field.partition("~")[0].strip()


def _candidates(declared: str, default: str) -> tuple[str, ...]:
    codec = codec_of(declared)
    if codec.startswith(SINGLE_BYTE):
        # Any bytes pass as Latin-1: what is valid UTF-8 beyond ASCII is UTF-8 whatever is said.
        return "utf-8", codec, default
    return codec, default, "utf-8"


def _first_that_reads(raw: bytes, candidates: tuple[str, ...], declared: str) -> Decoded:
    for codec in (*candidates, "cp1252"):
        try:
            text = raw.decode(codec) if codec else ""
        except (UnicodeDecodeError, LookupError):
            continue
        if codec:
            return Decoded(text, codec, declared, _mismatch(declared, codec))
    # cp1252 leaves five bytes open; Latin-1 never does, and no two inputs become one text.
    return Decoded(raw.decode("latin-1"), "iso8859-1", declared, _mismatch(declared, "iso8859-1"))


def _mismatch(declared: str, used: str) -> tuple[Finding, ...]:
    if not declared or codec_of(declared) == used:
        return ()
    return (Finding("warn", "MSH-18", "charset_mismatch", "read in another charset than declared"),)


def _decode_wide(raw: bytes, codec: str) -> Decoded:
    try:
        text = raw.decode(codec).lstrip("\ufeff")
    except UnicodeDecodeError:
        return Decoded(raw.decode("latin-1"), "iso8859-1", "")
    return Decoded(text, codec[:6], _declared(text.encode("utf-8", "replace")))
