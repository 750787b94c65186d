"""The trace id goes through every stage unchanged; the span id is each stage's own."""

from itertools import count

import pytest

from plumbing import trace

_seed = count(1)


def _bytes(size: int) -> bytes:
    return next(_seed).to_bytes(size, "big")


def test_onward_keeps_the_trace_and_changes_the_span() -> None:
    first = trace.start(_bytes)
    second = trace.onward(first, _bytes)
    assert trace.trace_id(first) == trace.trace_id(second) != ""
    assert first[36:52] != second[36:52]
    assert (first[:3], first[-3:]) == (second[:3], second[-3:])


def test_flags_of_an_unsampled_trace_stay() -> None:
    received = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-00"
    assert trace.onward(received, _bytes).endswith(b"-00")


@pytest.mark.parametrize(
    "received",
    [
        None,
        b"",
        b"00-" + b"0" * 32 + b"-" + b"b" * 16 + b"-01",
        b"00-" + b"a" * 32 + b"-" + b"0" * 16 + b"-01",
        b"01-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",
        b"00-" + b"A" * 32 + b"-" + b"b" * 16 + b"-01",
        b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01;drop",
    ],
)
def test_a_missing_or_malformed_header_starts_a_new_trace(received: bytes | None) -> None:
    made = trace.onward(received, _bytes)
    assert trace.trace_id(made)
    assert trace.trace_id(made) != "a" * 32


def test_headers_carry_event_id_and_trace() -> None:
    received = (("other", b"1"), ("traceparent", trace.start(_bytes)))
    headers = trace.headers_of("e-1", received, _bytes)
    assert [name for name, _ in headers] == ["event_id", "traceparent"]
    assert trace.find(headers, trace.EVENT_ID) == b"e-1"
    sent = trace.find(headers, trace.TRACEPARENT)
    assert sent is not None
    assert trace.trace_id(sent) == trace.trace_id(received[1][1])
