"""What a POST has to bring: our own page's secret, and a small JSON body."""

import hmac
from typing import Annotated, TypeVar

import msgspec
from fastapi import Request

from contracts.reidentify import GlassReason
from services.gateway.access import Viewer
from services.gateway.problems import Problem

BODY_BYTES_MAX = 4_096

Body = TypeVar("Body", bound=msgspec.Struct)


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/search``: a name or a record number. No address may hold
    either: addresses end up in the logs of everything on the way.
    """

    q: Annotated[str, msgspec.Meta(min_length=2, max_length=100)]


class GlassRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/patients/{token}/glass``: why the glass is broken, from a coded set.

    Free text is not taken: it would carry names to the audit log, which has none.
    """

    reason: GlassReason


def require_same_origin(request: Request, viewer: Viewer) -> None:
    """Refuse a POST by cookie that is not from our own page: same origin, the session's secret."""
    if not viewer.session:
        return
    site = request.headers.get("sec-fetch-site", "same-origin")
    given = request.headers.get("x-csrf-token", "")
    if site != "same-origin" or not hmac.compare_digest(given.encode(), viewer.csrf.encode()):
        raise Problem(403, "csrf", "The request did not come from the page.")


async def read_body(request: Request, kind: type[Body]) -> Body:
    """Return the body; raise ``Problem`` when it is too large or not a ``kind``."""
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > BODY_BYTES_MAX:
            raise Problem(413, "too_large")
    try:
        return msgspec.json.decode(received, type=kind)
    except msgspec.DecodeError as error:
        raise Problem(422, "body", "The body is not what this route takes.") from error
