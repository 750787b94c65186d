"""W3C trace context in record headers: one trace id from the first byte to the screen.

``traceparent`` is ``00-<trace id, 32 hex>-<span id, 16 hex>-<flags, 2 hex>``. Each stage keeps the
trace id and puts its own span id; a missing or malformed header starts a new trace.
"""

import re
from collections.abc import Callable

from plumbing.event_log import Headers

EVENT_ID = "event_id"
TRACEPARENT = "traceparent"

_SHAPE = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

RandomBytes = Callable[[int], bytes]


def start(random_bytes: RandomBytes) -> bytes:
    """Return a new, sampled traceparent. ``random_bytes`` is ``os.urandom`` outside tests."""
    return f"00-{random_bytes(16).hex()}-{random_bytes(8).hex()}-01".encode()


def onward(received: bytes | None, random_bytes: RandomBytes) -> bytes:
    """Return the traceparent to send on: same trace, new span; a new trace if there was none."""
    if received is None or not _SHAPE.fullmatch(received):
        return start(random_bytes)
    return received[:36] + random_bytes(8).hex().encode() + received[52:]


def trace_id(traceparent: bytes) -> str:
    """Return the 32 hex digits of the trace id, or an empty string when malformed."""
    return traceparent[3:35].decode() if _SHAPE.fullmatch(traceparent) else ""


def find(headers: Headers, name: str) -> bytes | None:
    """Return the value of the first header called ``name``."""
    return next((value for key, value in headers if key == name), None)


def headers_of(event_id: str, received: Headers, random_bytes: RandomBytes) -> Headers:
    """Return the headers every record carries, made from those it was ``received`` with."""
    traceparent = onward(find(received, TRACEPARENT) if received else None, random_bytes)
    return ((EVENT_ID, event_id.encode()), (TRACEPARENT, traceparent))
