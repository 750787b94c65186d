"""Quantiles out of a Prometheus histogram, between two scrapes."""

import re
from collections.abc import Mapping
from itertools import pairwise

METRIC = "auscult_event_end_to_end_latency_seconds"
BUCKET = re.compile(r'^(\w+)_bucket\{([^}]*)le="([^"]+)"([^}]*)\} (\S+)$')

Buckets = Mapping[float, float]


def buckets_of(text: str, metric: str = METRIC) -> dict[float, float]:
    """Return upper bound -> cumulative count of a histogram, its label sets added up."""
    found: dict[float, float] = {}
    for line in text.splitlines():
        match = BUCKET.match(line)
        if match and match.group(1) == metric:
            bound = float(match.group(3))
            found[bound] = found.get(bound, 0.0) + float(match.group(5))
    return found


def quantile(before: Buckets, after: Buckets, q: float) -> float | None:
    """Return the ``q`` quantile of what came between, linear within its bucket; None for nothing.

    A quantile in the open last bucket is given as the greatest bound: at least so much.
    """
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    total = max(counts.values(), default=0.0)
    if total <= 0:
        return None
    wanted = q * total
    for (low, under), (high, through) in pairwise([(0.0, 0.0), *counts.items()]):
        if through >= wanted:
            if high == float("inf"):
                return low
            return low + (high - low) * (wanted - under) / (through - under)
    return None
