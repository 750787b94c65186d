"""How a question is taken and answered over HTTP: token, size, form, then the desk that answers."""

import hmac
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import msgspec
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from contracts.reidentify import TOKENS_PER_CALL_MAX
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from services.privacy import metrics

BODY_BYTES_MAX = 64 * 1024
VALUE_CHARS_MAX = 200

Asked = TypeVar("Asked", bound=msgspec.Struct)


class Ambiguous(HTTPException):
    """A question that several ``tokens`` answer: one of them is to be asked for."""

    def __init__(self, word: str, tokens: Collection[str]) -> None:
        """Say so in a word."""
        super().__init__(409, word)
        self.tokens = tuple(tokens)


def asking(
    route: str,
    kind: type[Asked],
    ask: Callable[[Asked], Awaitable[msgspec.Struct]],
    tokens: Collection[str],
    clock: Clock,
) -> Callable[[Request], Awaitable[Response]]:
    """Return the route that has ``ask`` answer who carries one of ``tokens``."""

    async def answer(request: Request) -> Response:
        begun_s = clock.monotonic_s()
        try:
            _require_token(request, tokens)
            response = json_answer(200, await ask(await _body(request, kind)))
        except Ambiguous as error:
            said = {"status": str(error.detail), "tokens": error.tokens}
            response = json_answer(error.status_code, said)
        except HTTPException as error:
            response = json_answer(error.status_code, {"status": str(error.detail)})
        except Unavailable:
            response = json_answer(503, {"status": "unavailable"})
        spent_s = clock.monotonic_s() - begun_s
        metrics.RESOLVE_SECONDS.labels(route, str(response.status_code)).observe(spent_s)
        return response

    return answer


def _require_token(request: Request, tokens: Collection[str]) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    said = given.strip().encode()
    is_right = [hmac.compare_digest(said, token.encode()) for token in tokens]
    if scheme.lower() != "bearer" or not any(is_right):
        raise HTTPException(401, "unauthorized")


async def _body(request: Request, kind: type[Asked]) -> Asked:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > BODY_BYTES_MAX:
            raise HTTPException(413, "too large")
    try:
        asked = msgspec.json.decode(bytes(raw), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(422, "malformed") from error
    _require_sane(asked)
    return asked


def _require_sane(asked: msgspec.Struct) -> None:
    for field in msgspec.structs.fields(asked):
        value = getattr(asked, field.name)
        if value == field.default:
            continue  # not said
        if isinstance(value, tuple) and len(value) > TOKENS_PER_CALL_MAX:
            raise HTTPException(422, "too many tokens")
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, int) for text in texts):
            continue
        if any(len(text) > VALUE_CHARS_MAX for text in texts):
            raise HTTPException(422, "too long")
        if texts and not all(text.strip() for text in texts):
            raise HTTPException(422, "empty")


def json_answer(status: int, body: object) -> Response:
    """Return a struct as JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")
