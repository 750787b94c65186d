"""Pure: how long the images of a batch may take, so that no sender's hold up their partition."""

from collections import defaultdict

FAILING_EVENTS_MAX = 2  # of all senders of a batch: the time of so many events may come to nothing


class ImageTime:
    """The seconds of one batch. An event has ``event_s`` for all its images; so much time of a
    sender, and twice as much of all, may come to nothing (a decoder that hangs or dies).
    """

    def __init__(self, event_s: float) -> None:
        """Begin with all of it."""
        self._event_s = event_s
        self._lost: defaultdict[str, float] = defaultdict(float)

    def left_s(self, source: str, spent_s: float) -> float:
        """Return how long the next image of an event may take that took ``spent_s`` so far."""
        of_source = self._event_s - self._lost[source]
        of_all = FAILING_EVENTS_MAX * self._event_s - sum(self._lost.values())
        return min(self._event_s - spent_s, of_source, of_all)

    def lost(self, source: str, seconds: float) -> None:
        """Remember that an image took ``seconds`` for nothing."""
        self._lost[source] += seconds
