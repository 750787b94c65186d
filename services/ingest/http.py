"""``POST /hl7v2`` (a message or a batch), ``POST /fhir``, and the health endpoints.

The same intake as MLLP. HL7 is answered by its acknowledgement, or by an OperationOutcome where
``Accept`` asks for FHIR; FHIR always by an OperationOutcome.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import Message

from fastapi import FastAPI, HTTPException, Request, Response
from starlette.requests import ClientDisconnect

from contracts.clinical import Finding
from plumbing import log
from plumbing.health import Checks, answer
from services.ingest.answers import NOT_STORED
from services.ingest.charset import codec_of
from services.ingest.committer import Outcome
from services.ingest.doors import Door
from services.ingest.fhir_conflicts import NO_VERSIONS, PRECONDITION
from services.ingest.fhir_outcome import operation_outcome
from services.ingest.gate import Gate
from services.ingest.intake import MESSAGES_A_TURN, Intake
from services.ingest.outcomes import FHIR, status_of
from services.ingest.reading import ParseResource
from services.ingest.replies import Reply

HL7 = "application/hl7-v2"
HEAD_BYTES = 4096
VERSION_ASKED = Finding("error", "", PRECONDITION, NO_VERSIONS)
RETRY_AFTER = {"Retry-After": "5"}

_log = log.get("ingest")


@dataclass(frozen=True)
class Desk:
    """What the routes work with. ``intake`` gives None until stored answers are loaded (503)."""

    intake: Callable[[], Intake | None]
    gate: Gate
    door: Door
    checks: Checks
    body_bytes_max: int
    body_timeout_s: float
    parse_resource: ParseResource


def build_http(desk: Desk) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Auscult ingest", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/hl7v2")
    async def post_hl7v2(request: Request) -> Response:
        """Take one HL7 v2 message or batch; the body of the answer is its acknowledgement."""
        return await _take_hl7v2(desk, request)

    @app.post("/fhir")
    async def post_fhir(request: Request) -> Response:
        """Take a FHIR R4 resource or Bundle; the answer is an OperationOutcome."""
        return await _take_fhir(desk, request)

    @app.exception_handler(ClientDisconnect)
    async def hung_up(_request: Request, _error: Exception) -> Response:
        """End a request whose sender went away before its end: nobody reads the answer."""
        _log.info("A sender hung up in the middle of a request")
        return Response(status_code=400)

    @app.get("/{path:path}")
    async def get_health(path: str) -> Response:
        """Serve liveness, readiness and metrics."""
        found = answer(f"/{path}", desk.checks)
        return Response(found.body, found.status, media_type=found.content_type)

    return app


async def _take_hl7v2(desk: Desk, request: Request) -> Response:
    as_fhir = FHIR in request.headers.get("accept", "")
    ready = desk.intake()
    if ready is None or not desk.gate.is_open:
        return _not_now()
    body, is_whole = await _body(request, desk)
    if not is_whole:
        reply = await ready.refuse_large(body, desk.door)
    else:
        reply = await ready.take(body, _door_for(desk.door, request))
    if len(reply.outcomes) > MESSAGES_A_TURN:
        return await asyncio.to_thread(_reply, reply, as_fhir=as_fhir)
    return _reply(reply, as_fhir=as_fhir)


def _reply(reply: Reply, *, as_fhir: bool) -> Response:
    # The worst: resends are safe. An empty batch has none.
    status = max((status_of(one) for one in reply.outcomes), default=202)
    if as_fhir:
        return _outcome(reply.outcomes, status)
    headers = RETRY_AFTER if status == 503 else {}
    payload = reply.payloads[-1] if reply.payloads else b""
    return Response(payload, status, headers=headers, media_type=HL7)


def _door_for(door: Door, request: Request) -> Door:
    """Return the door with the charset of ``Content-Type``: it holds where MSH-18 says nothing."""
    told = Message()
    told["content-type"] = request.headers.get("content-type", "")
    codec = codec_of(str(told.get_param("charset") or ""))
    if not codec or codec == door.source.charset:
        return door
    return replace(door, source=replace(door.source, charset=codec))


async def _take_fhir(desk: Desk, request: Request) -> Response:
    ready = desk.intake()
    if ready is None or not desk.gate.is_open:
        return _not_now()
    body, is_whole = await _body(request, desk)
    if not is_whole:
        return _outcome((ready.refuse_large_resource(body, desk.door),), 413)
    if "if-match" in request.headers:
        return _outcome((await ready.refuse_resource(body, desk.door, VERSION_ASKED),), 412)
    found = await ready.take_resource(body, desk.door, desk.parse_resource)
    return _outcome((found,), status_of(found))


async def _body(request: Request, desk: Desk) -> tuple[bytes, bool]:
    """Return the body, or its beginning and False when it is over the limit.

    Raises ``HTTPException``: 408 when it is not whole in time, 503 when there is no room for it.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(desk.body_timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > desk.body_bytes_max:
                    return bytes(body[:HEAD_BYTES]), False
                desk.gate.hold(request, len(body))
                if not desk.gate.may_read(request):
                    raise HTTPException(503, headers=RETRY_AFTER)
    except TimeoutError as error:
        raise HTTPException(408) from error
    finally:
        desk.gate.hold(request, 0)
    return bytes(body), True


def _outcome(outcomes: tuple[Outcome, ...], status: int) -> Response:
    headers = RETRY_AFTER if status == 503 else {}
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    return Response(operation_outcome(findings), status, headers=headers, media_type=FHIR)


def _not_now() -> Response:
    return _outcome((Outcome("AE", (NOT_STORED,)),), 503)
