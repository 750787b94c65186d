"""How much CPU time some work takes, on a core that is shared with others."""

import time
from collections.abc import Callable


def is_within(limit_s: float, work: Callable[[], object], tries: int = 6) -> bool:
    """Return whether ``work`` takes at most ``limit_s`` of CPU time in the best of some tries.

    Neighbours on the core and the host only ever add to it.
    """
    for _ in range(tries):
        begun = time.process_time()
        work()
        if time.process_time() - begun <= limit_s:
            return True
    return False
