"""How many records a batch takes: so many that the process is seldom busy with them for long.

While the code of a batch runs, nothing else of the process does: no health check is answered, no
other partition gets on. What a record costs differs a thousandfold (a heart rate, a long note read
by a network), so it is learnt from the last batch; a stage whose records may suddenly cost more
lets others have their turn besides (privacy's does). Time spent waiting for Kafka or Redis does not
count: smaller batches would not shorten it.
"""

FIRST = 16  # records, as long as nothing is known
GROWTH = 2


class Pace:
    """The size of one partition's next batch."""

    def __init__(self, size_max: int, busy_s_max: float) -> None:
        """Take few records at first; more as long as they keep nobody waiting."""
        self._size_max, self._busy_s_max = size_max, busy_s_max
        self.size = min(FIRST, size_max)

    def took(self, count: int, busy_s: float) -> None:
        """Learn that the code of a batch of ``count`` records ran for ``busy_s`` seconds, those of
        the batches beside it included.
        """
        fits = int(count * self._busy_s_max / busy_s) if busy_s > 0 else self._size_max
        if busy_s > self._busy_s_max:
            self.size = max(1, fits)
        elif count >= self.size:  # of a smaller one little can be said of what more would take
            self.size = min(self._size_max, GROWTH * self.size, max(fits, self.size))
