"""uvicorn in a service's own event loop: ``__main__`` has the signals, nothing is logged twice."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOK_S = 10.0


class Connection(HttpToolsProtocol):
    """Closed when it asks nothing for one to two times ``LOOK_S``, also where it never asked, or
    not to the end of a request's head: uvicorn looks only at those that were answered.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        self._answered: Any = self  # the last request, where it was answered by the last look
        self._look = self.loop.call_later(LOOK_S, self._looked)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._look.cancel()
        super().connection_lost(exc)

    def _looked(self) -> None:
        request = self.cycle
        is_idle = request is None or request.response_complete
        if is_idle and self._answered is request:
            self.transport.close()
            return
        self._answered = request if is_idle else self
        self._look = self.loop.call_later(LOOK_S, self._looked)


class WebServer(uvicorn.Server):
    """Serves ``app`` on ``host`` and ``port``, or with ``serve`` on sockets that listen already.

    ``drain_s`` bounds the wait for open requests at the end; None waits for all of them. Beyond
    ``connections_max`` connections the answer is 503.
    """

    def __init__(
        self,
        app: Callable[..., object],
        host: str = "127.0.0.1",
        port: int = 0,
        drain_s: int | None = None,
        connections_max: int | None = None,
    ) -> None:
        """Nothing listens yet."""
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Connection,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=drain_s,
            limit_concurrency=connections_max,
        )
        super().__init__(config)
        self._serving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to ``__main__``."""
        yield

    @property
    def port(self) -> int:
        """The port that was taken."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    async def begin(self) -> None:
        """Return when it listens. Raises ``OSError`` when the port is taken."""
        self._serving = asyncio.create_task(self.serve())
        while not self.started:
            if self._serving.done():
                await self._serving
                raise OSError("the HTTP port cannot be taken")
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        if self._serving is not None:
            await self._serving
