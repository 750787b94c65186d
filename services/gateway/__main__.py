"""``python -m services.gateway``: settings from the environment, then serve until SIGTERM."""

import asyncio
import signal
import sys

from plumbing import log
from plumbing.kafka_connection import require_fast_checksum
from plumbing.key_files import KeyMissing
from plumbing.stream import EXIT_CRASHED, StreamCrashed
from services.gateway.app import run
from services.gateway.settings import GatewaySettings


def main() -> None:
    """Run the service; exit 1 with one line when it cannot start."""
    settings = GatewaySettings()
    log.configure("gateway", settings.log_level)
    settings.warn_unknown()
    require_fast_checksum()
    try:
        asyncio.run(_serve(settings))
    except StreamCrashed:
        sys.exit(EXIT_CRASHED)
    except (KeyMissing, OSError) as error:
        sys.stderr.write(f"gateway cannot start: {error}\n")
        sys.exit(1)


async def _serve(settings: GatewaySettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running = asyncio.create_task(run(settings, stopping))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    await running


if __name__ == "__main__":
    main()
