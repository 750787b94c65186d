"""Every metric of the project, declared once with a sentence; `docs/metrics.md` lists them.

Label values come from closed sets: never a person, an event or a text.
"""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

PREFIX = "auscult_"
DECLARED: dict[str, tuple[str, str, tuple[str, ...]]] = {}


def counter(name: str, sentence: str, labels: Sequence[str] = ()) -> Counter:
    """Declare a counter; ``name`` ends in ``_total``."""
    DECLARED[PREFIX + name] = ("counter", sentence, tuple(labels))
    return Counter(PREFIX + name, sentence, labels)


def gauge(name: str, sentence: str, labels: Sequence[str] = ()) -> Gauge:
    """Declare a gauge."""
    DECLARED[PREFIX + name] = ("gauge", sentence, tuple(labels))
    return Gauge(PREFIX + name, sentence, labels)


def histogram(
    name: str, sentence: str, labels: Sequence[str] = (), buckets: Sequence[float] = ()
) -> Histogram:
    """Declare a histogram; ``name`` ends in its base unit."""
    DECLARED[PREFIX + name] = ("histogram", sentence, tuple(labels))
    chosen = tuple(buckets) or Histogram.DEFAULT_BUCKETS
    return Histogram(PREFIX + name, sentence, labels, buckets=chosen)
