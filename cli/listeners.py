"""By which listener a message came, and where that listens now: for what is to be sent again."""

import sys

import pydantic
import typer

from cli.commands.replay import Doors, FrontDoor, doors_of
from cli.stack.settings import StackSettings
from plumbing.clock import Clock
from services.ingest.settings import DoorSettings, IngestSettings


class Listeners:
    """The doors of ingest by the name of their source, as ``INGEST_DOORS`` here has them.

    Each has a profile of its own (charset, zone, assigner), so the same bytes through another one
    may say something else. ``to`` is one door for all.
    """

    def __init__(self, to: str, settings: StackSettings, clock: Clock) -> None:
        """Read the settings of ingest, unless ``to`` is given. Raises ``typer.BadParameter``."""
        self._to, self._clock = to, clock
        self._default = doors_of(to, settings)
        self._open: dict[Doors, FrontDoor] = {}
        try:
            ingest = None if to else IngestSettings()
        except pydantic.ValidationError as error:
            raise typer.BadParameter("the INGEST_ settings here cannot be read") from error
        self._host = ingest.mllp_host if ingest else ""
        self._first = ingest.source if ingest else ""
        self._named = {door.name: door for door in ingest.doors} if ingest else {}
        self._warned: set[str] = set()

    def of(self, source: str) -> FrontDoor:
        """Return the door of a source; where it is not known the default one, with a warning."""
        doors = self._doors_of(source.partition("/")[0])
        if doors not in self._open:
            self._open[doors] = FrontDoor(doors, self._clock)
        return self._open[doors]

    async def close(self) -> None:
        """Close all that were opened."""
        for door in self._open.values():
            await door.close()

    def _doors_of(self, name: str) -> Doors:
        if self._to or name == self._first:
            return self._default
        door = self._named.get(name)
        if door is not None and door.port and not door.tls_cert_file:
            return Doors((self._host_of(door), door.port), self._default.fhir_url)
        if name not in self._warned:
            self._warned.add(name)
            sys.stderr.write(_warning(name, door))
        return self._default

    def _host_of(self, door: DoorSettings) -> str:
        host = door.host or self._host
        return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host


def _warning(name: str, door: DoorSettings | None) -> str:
    if door is None:
        why = "INGEST_DOORS here does not name it"
    elif door.folder is not None:
        why = "it is a watched folder"
    else:
        why = "it takes TLS" if door.tls_cert_file else "its port is any free one"
    return (
        f"warning: source {name} goes to the default listener ({why}): its charset, zone and "
        "assigner may be others; name its door with --to\n"
    )
