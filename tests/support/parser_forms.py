"""``python -m tests.support.parser_forms compiled|python < frames``: what that form of the parser
says of each frame (a JSON list of base64 on stdin), in full, one JSON line each.
"""

import sys
from typing import Any

import msgspec

import services.ingest
from services.ingest.compiled import PACKAGE, in_use

HEADER_FIELDS = (
    "application", "charset", "control_id", "encoding", "facility", "kind", "message_type",
    "processing_id", "receiver_application", "receiver_facility", "sent_at", "trigger", "version",
)  # fmt: skip
RECEIVED_AT_MS = 1_700_000_000_000


def main() -> None:
    form = sys.argv[1]
    if form == "python":
        services.ingest.__path__[:] = [str(PACKAGE)]
    from services.ingest.identity import Keys
    from services.ingest.parse import SourceProfile

    assert in_use() == (form == "compiled")
    keys = Keys(event=b"e" * 32, route=b"r" * 32)
    sources = (
        SourceProfile("strict"),
        SourceProfile("lenient", "gb18030", "Asia/Shanghai", "HOSP", strict=False),
    )
    frames = msgspec.json.decode(sys.stdin.buffer.read(), type=list[bytes])
    for frame in frames:
        for source in sources:
            sys.stdout.buffer.write(msgspec.json.encode(_said(frame, source, keys)) + b"\n")


def _said(frame: bytes, source: Any, keys: Any) -> list[Any]:
    from services.ingest.frames import parse_frame

    said: list[Any] = []
    for parsed in parse_frame(frame, source, keys, RECEIVED_AT_MS, 7).messages:
        header = parsed.header
        named = header and {name: getattr(header, name) for name in HEADER_FIELDS}
        events = [(event.event_id, event.route_key, event.body) for event in parsed.events]
        hashes = parsed.content, parsed.answer_key
        said.append([parsed.code, named, parsed.charset, parsed.findings, events, hashes])
    return said


if __name__ == "__main__":
    main()
