"""uvicorn inside our own event loop, under our own handling of signals."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import uvicorn


class WebServer(uvicorn.Server):
    """uvicorn in our event loop, with our signal handling."""

    def __init__(self, app: Callable[..., object], host: str, port: int) -> None:
        config = uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off"
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
