"""``python -m services.gateway``: settings from the environment, then serve until SIGTERM."""

import asyncio
from functools import partial

from plumbing.key_files import KeyMissing
from plumbing.service import run_service
from services.gateway.app import run
from services.gateway.settings import GatewaySettings

CANNOT_START = {KeyMissing: "{}", OSError: "{}"}


def main() -> None:
    """Run the service; exit 1 with one line when it cannot start."""
    settings = GatewaySettings()
    run_service("gateway", settings, partial(_serve, settings), CANNOT_START)


async def _serve(settings: GatewaySettings, stopping: asyncio.Event) -> None:
    running = asyncio.create_task(run(settings, stopping))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    await running


if __name__ == "__main__":
    main()
