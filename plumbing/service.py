"""The process of a service: from its settings to its exit code."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping

from plumbing import log
from plumbing.garbage import spare_what_stays
from plumbing.kafka_connection import require_fast_checksum
from plumbing.settings import ServiceSettings
from plumbing.stream import EXIT_CRASHED, StreamCrashed


def run_service(
    name: str,
    settings: ServiceSettings,
    serve: Callable[[asyncio.Event], Awaitable[None]],
    cannot_start: Mapping[type[Exception], str],
) -> None:
    """Serve until SIGTERM or SIGINT, which set the event that ``serve`` is given.

    An error of a type in ``cannot_start`` (the first that fits) ends the process with its sentence
    ("{}" is the error's own) on stderr and code 1, ``StreamCrashed`` with ``EXIT_CRASHED``; any
    other is a crash.
    """
    log.configure(name, settings.log_level)
    settings.warn_unknown()
    require_fast_checksum()
    spare_what_stays()
    try:
        asyncio.run(_until_told(serve))
    except StreamCrashed:
        sys.exit(EXIT_CRASHED)
    except tuple(cannot_start) as error:
        sentence = next(said for kind, said in cannot_start.items() if isinstance(error, kind))
        sys.stderr.write(f"{name} cannot start: {sentence.replace('{}', str(error))}\n")
        sys.exit(1)


async def _until_told(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(stop)
