"""Pure: which tokens are one person, and how their clocks differ."""

from collections.abc import Mapping

from contracts.merged import IdentityMerged

Links = Mapping[str, IdentityMerged]


def edges_of(links: Links) -> dict[str, dict[str, int]]:
    """Return for each token its neighbours with the delta: ``ours = theirs + delta`` days.

    A link counts when either end tells of it: between two records of one change both may be read.
    """
    edges: dict[str, dict[str, int]] = {}
    for token, merged in links.items():
        for link in merged.links:
            edges.setdefault(token, {})[link.other] = link.shift_delta_days
            edges.setdefault(link.other, {}).setdefault(token, -link.shift_delta_days)
    return edges


def alias_deltas(token: str, edges: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return every token of the person of ``token`` with the days that bring its times to it."""
    deltas = {token: 0}
    waiting = [token]
    while waiting:
        here = waiting.pop()
        for other, delta in edges.get(here, {}).items():
            if other not in deltas:
                deltas[other] = deltas[here] + delta
                waiting.append(other)
    return deltas
