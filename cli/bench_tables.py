"""Figures of benchmarks as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table


def figures_table(title: str, figures: Any) -> Table:
    """Return nested figures as a table, one line for each number."""
    table = Table("figure", "value", title=title)
    for path, value in _leaves("", figures):
        table.add_row(path, str(value))
    return table


def deid_table(title: str, figures: Mapping[str, Any]) -> Table:
    """Return the systems beside one another on each set of texts; by kind of text in the JSON."""
    kinds = ("NAME", "ID", "DATE", "LOC", "PHONE")
    table = Table(title=f"{title}: by character, on one core")
    table.add_column("texts, and what is known of their people")
    table.add_column("system")
    for head in ("recall", "precision", *kinds, "leaky", "KB/s"):
        table.add_column(head, justify="right", no_wrap=True)
    names = dict.fromkeys(name for sets in figures.values() for name in sets if name != "note")
    for number, name in enumerate(names):
        if number:
            table.add_section()
        for system, sets in figures.items():
            if name in sets:
                table.add_row(name, system, *_scores(sets[name], kinds))
    absent = [f"{system}: {sets['note']}" for system, sets in figures.items() if "note" in sets]
    table.caption = "\n".join(absent) or None
    table.caption_justify = "left"
    return table


def _scores(row: Mapping[str, Any], kinds: Sequence[str]) -> list[str]:
    if "note" in row:
        return [str(row["note"])]
    heads = ("recall", "precision", *kinds, "leaky")
    speed = f"{row['KB/s']:.0f}" if "KB/s" in row else ""
    return [*(f"{row[head]:.3f}" if head in row else "" for head in heads), speed]


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        named = [(str(key), one) for key, one in value.items()]
    elif isinstance(value, list | tuple):
        named = [(str(number), one) for number, one in enumerate(value)]
    else:
        return [(path, value)]
    return [leaf for key, one in named for leaf in _leaves(f"{path}.{key}".lstrip("."), one)]
