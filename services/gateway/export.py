"""``python -m services.gateway.export``: write docs/openapi.json."""

import json
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plumbing.clock import ManualClock
from plumbing.key_files import KEY_BYTES
from plumbing.memory_log import InMemoryLog
from services.gateway.app import Gateway, Outside
from services.gateway.keys import Keys
from services.gateway.read_model import ReadModel
from services.gateway.schema import document
from services.gateway.settings import GatewaySettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def current() -> str:
    """Return the OpenAPI document of the code; nothing is reached for it."""
    settings = GatewaySettings()
    log, http, clock = InMemoryLog(), httpx.AsyncClient(), ManualClock()
    model = ReadModel.at(settings.redis_url)
    outside = Outside(writer=log, reader=log, model=model, privacy=http, issuer=http, clock=clock)
    keys = Keys(bytes(KEY_BYTES), "00" * KEY_BYTES, Ed25519PrivateKey.generate())
    gateway = Gateway(settings, keys, outside, partitions=1)
    return json.dumps(document(gateway.app), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it."""
    DOCUMENT.write_text(current(), encoding="utf-8")


if __name__ == "__main__":
    main()
