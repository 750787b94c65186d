"""One frame on its way from its door to its answer."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from services.ingest import metrics
from services.ingest.answers import NOT_STORED
from services.ingest.committer import Outcome
from services.ingest.doors import Door
from services.ingest.parse import Parsed

Found = TypeVar("Found")

_PENDING = Outcome("")


class Taken(Generic[Found]):
    """What became of each message of a frame so far; ``found`` is the answer, to come."""

    __slots__ = ("_finish", "_owed", "began_s", "door", "found", "messages", "outcomes", "size")

    def __init__(
        self,
        messages: Sequence[Parsed],
        size: int,
        door: Door,
        began_s: float,
        finish: Callable[[Sequence[Outcome]], Found],
    ) -> None:
        """Owe an outcome for each message; ``finish`` makes the answer of them."""
        self.messages, self.size, self.door, self.began_s = messages, size, door, began_s
        self.outcomes = [_PENDING] * len(messages)
        self.found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._owed = len(messages)
        self._finish = finish

    def is_settled(self, index: int) -> bool:
        """Return whether it is known what became of a message."""
        return self.outcomes[index] is not _PENDING

    def on_their_way(self, given: int) -> int:
        """Return of how many of the first ``given`` messages it is not known what became."""
        return given - (len(self.messages) - self._owed)

    def settle(self, index: int, outcome: Outcome) -> bool:
        """Note what became of a message; return whether it was the last one owed."""
        self.outcomes[index] = outcome
        self._owed -= 1
        return not self._owed

    def count(self, part: slice) -> None:
        """Count what became of some of the messages, all of them settled."""
        source = self.door.source.name
        for message, outcome in zip(self.messages[part], self.outcomes[part], strict=True):
            event_type = message.events[0].body.event_type if message.events else "refused"
            metrics.answered(source, event_type, outcome.code).inc()
            if NOT_STORED in outcome.findings:
                metrics.NOT_STORED.inc()
            for finding in message.findings:
                metrics.found(finding.code).inc()

    def tell(self) -> None:
        """Give the answer to who waits for it, if they still do."""
        if self.found.done():
            return
        try:
            self.found.set_result(self._finish(self.outcomes))
        except Exception as error:  # noqa: BLE001 - the door's, which has the service ended
            self.found.set_exception(error)
