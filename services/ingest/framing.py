"""MLLP framing on bytes as they come: VT, content, FS CR; split, joined and careless frames. Pure.

An FS ends a frame when CR, LF or VT follows, not merely by itself: in UTF-16 it is half of a
letter. An FS as the last byte there is waits for the next byte, or for ``end_of_input``.

A sender that gives up within a message and begins anew leaves a frame in which a second start
stands in the middle of a line: what is before it was never finished and is thrown away.
"""

import msgspec

VT, FS, CR, LF = 0x0B, 0x1C, 0x0D, 0x0A
BETWEEN_FRAMES = b"\r\n\x1c \t\x00"
HEAD_BYTES = 4_096
RESTART = b"\x0bMSH"
WIDE_BEGINNINGS = (b"\xff\xfe", b"\xfe\xff", b"M\x00", b"\x00M", b"\x00\x00")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # there, the bytes of a restart may be letters


class Frame(msgspec.Struct, frozen=True, gc=False):
    """The content of one frame; ``too_large``: only its beginning, the rest was thrown away."""

    content: bytes
    too_large: bool = False


class Framer:
    """Cuts a stream of bytes into frames of at most ``bytes_max``."""

    def __init__(self, bytes_max: int) -> None:
        """Start between two frames."""
        self._bytes_max = bytes_max
        self._buffer = bytearray()
        self._inside = False
        self._scanned = 0
        self._head: bytes | None = None  # the beginning of a frame that is being thrown away
        self.unframed = 0

    @property
    def is_partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside

    @property
    def is_wide(self) -> bool:
        """Whether the frame that begins is of two bytes a letter, where FS may be half of one."""
        at = 0 if self._inside else self._buffer.find(VT) + 1
        return bytes(self._buffer[at : at + 2]) in WIDE_BEGINNINGS

    @property
    def held_bytes(self) -> int:
        """How many bytes wait to be a frame, or to be taken."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += data

    def next_frame(self, *, end_of_input: bool = False) -> Frame | None:
        """Return the next whole frame, or None until more bytes come."""
        if not self._inside and not self._skip_to_start():
            return None
        end = self._find_end(end_of_input=end_of_input)
        if end < 0:
            self._shorten()
            return None
        with memoryview(self._buffer) as view:  # copied once: it may be 16 MB
            content = bytes(view[:end])
        del self._buffer[: end + 1]
        self._inside, self._scanned = False, 0
        if self._head is not None or len(content) > self._bytes_max:
            head, self._head = self._head or content[:HEAD_BYTES], None
            return Frame(head, too_large=True)
        return Frame(self._finished(content))

    def _finished(self, content: bytes) -> bytes:
        """Return what of a frame was finished: all, or what follows the last restart."""
        if content.find(VT, 1) < 0:  # a fraction of the look for all four bytes
            return content
        at = content.rfind(RESTART, 1)
        while at > 0 and content[at - 1] in (CR, LF):  # a careless batch: each message is whole
            at = content.rfind(RESTART, 1, at)
        if at <= 0 or content.startswith(UTF16_MARKS):
            return content
        self.unframed += at
        return content[at + 1 :]

    def _skip_to_start(self) -> bool:
        start = self._buffer.find(VT)
        between = self._buffer if start < 0 else self._buffer[:start]
        self.unframed += len(between.strip(BETWEEN_FRAMES))
        del self._buffer[: len(between) + (start >= 0)]
        self._inside = start >= 0
        return self._inside

    def _find_end(self, *, end_of_input: bool) -> int:
        at = self._buffer.find(FS, self._scanned)
        while at >= 0:
            if at + 1 == len(self._buffer):
                self._scanned = at
                return at if end_of_input else -1
            if self._buffer[at + 1] in (CR, LF, VT):
                return at
            at = self._buffer.find(FS, at + 1)
        self._scanned = len(self._buffer)
        return -1

    def _shorten(self) -> None:
        """Throw away what is over the limit, but for the beginning and the last byte."""
        if len(self._buffer) <= self._bytes_max + 1:
            return
        if self._head is None:
            self._head = bytes(self._buffer[:HEAD_BYTES])
        del self._buffer[:-1]
        self._scanned = 0
