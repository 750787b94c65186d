"""``POST /hl7v2`` (a message or a batch) and the health endpoints: the same intake as MLLP."""

from collections.abc import Callable

from fastapi import FastAPI, Request, Response

from plumbing.health import Checks, answer
from services.ingest.gate import Gate
from services.ingest.intake import Intake, Reply
from services.ingest.parse import SourceProfile

HL7 = "application/hl7-v2"


def build_http(
    intake: Callable[[], Intake | None],
    gate: Gate,
    source: SourceProfile,
    checks: Checks,
    body_bytes_max: int,
) -> FastAPI:
    """Return the application. ``intake`` gives None until stored answers are loaded (503)."""
    app = FastAPI(title="Auscult ingest", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/hl7v2")
    async def post_hl7v2(request: Request) -> Response:
        """Take one HL7 v2 message or batch; the body of the answer is its acknowledgement."""
        ready = intake()
        if ready is None or not gate.is_open:
            return Response(status_code=503, headers={"Retry-After": "5"})
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > body_bytes_max:
                reply = await ready.refuse_large(bytes(body[:4096]), source)
                return _response(413, reply)
        reply = await ready.take(bytes(body), source)
        return _response(status_of(reply), reply)

    @app.get("/{path:path}")
    async def get_health(path: str) -> Response:
        """Serve liveness, readiness and metrics."""
        found = answer(f"/{path}", checks)
        return Response(found.body, found.status, media_type=found.content_type)

    return app


def status_of(reply: Reply) -> int:
    """Return the status for the worst answer: sent again, all of them are safe (resends)."""
    if reply.retry:
        return 503
    if "AR" in reply.codes:
        return 400
    return 422 if "AE" in reply.codes else 202


def _response(status: int, reply: Reply) -> Response:
    headers = {"Retry-After": "5"} if status == 503 else {}
    return Response(reply.payload, status, headers=headers, media_type=HL7)
