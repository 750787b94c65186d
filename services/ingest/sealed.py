"""Events as they stand on the topic: sealed, keyed by their patient, with their headers. Pure."""

from collections.abc import Callable

import msgspec

from contracts.identified import IDENTIFIED, IdentifiedBody, IdentifiedEvent
from plumbing import trace
from plumbing.event_log import Output
from plumbing.sealing import Sealer
from services.ingest.parse import ParsedEvent

_encoder = msgspec.json.Encoder()


def sealed_record(
    event: ParsedEvent,
    source: str,
    sealer: Sealer,
    key_day: str,
    random_bytes: Callable[[int], bytes],
    sent_by: str,
) -> Output:
    """Return the record of an event: sealed, keyed by its patient, with its headers.

    ``sent_by`` is the source whose refusals are counted together: see ``identity.sender``.
    """
    value = sealed_event(event.event_id, event.body, source, sealer, key_day)
    headers = (*trace.headers_of(event.event_id, (), random_bytes), ("source", sent_by.encode()))
    return Output(IDENTIFIED.name, event.route_key, IDENTIFIED.encode(value), headers)


def sealed_event(
    event_id: str, body: IdentifiedBody, source: str, sealer: Sealer, key_day: str
) -> IdentifiedEvent:
    """Return the body sealed under the id of its event."""
    associated = f"{IDENTIFIED.name}|{event_id}|{sealer.key_id}".encode()
    sealed = sealer.seal(_encoder.encode(body), associated)
    return IdentifiedEvent(
        event_id=event_id,
        event_type=body.event_type,
        source=source,
        key_id=sealed.key_id,
        key_day=key_day,
        wrapped_key=sealed.wrapped_key,
        nonce=sealed.nonce,
        sealed=sealed.ciphertext,
    )
