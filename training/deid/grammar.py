"""Pure: texts from templates. ``{a|b}`` is one of them, ``$slot`` what a slot makes, ``@group``
a line of another group. Marks ``⟦KIND:..⟧`` that the slots write say what is an identifier.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Slot = Callable[[random.Random], str]
TOKEN = re.compile(r"\$([a-z_]+)|@([a-z_]+)|([{|}])")
DEPTH_MAX = 8


class Grammar:
    """Groups of templates with the slots that fill them."""

    def __init__(self, groups: Mapping[str, Sequence[str]], slots: Mapping[str, Slot]) -> None:
        """Keep both; raise ``KeyError`` when a template asks for what is not there."""
        self._slots = dict(slots)
        self.groups = {name: [_parse(line)[0] for line in lines] for name, lines in groups.items()}
        for lines in groups.values():
            for line in lines:
                for slot, group, _ in TOKEN.findall(line):
                    if (slot and slot not in slots) or (group and group not in groups):
                        raise KeyError(slot or group)

    def write(self, group: str, rng: random.Random, depth: int = 0) -> str:
        """Return one text of a group."""
        return self._expand(rng.choice(self.groups[group]), rng, depth)

    def _expand(self, node: "Node", rng: random.Random, depth: int) -> str:
        pieces = []
        for part in node:
            if isinstance(part, list):
                pieces.append(self._expand(rng.choice(part), rng, depth))
            elif part[0] == "$" and part[1:] in self._slots:
                pieces.append(self._slots[part[1:]](rng))
            elif part[0] == "@" and part[1:] in self.groups:
                pieces.append(self.write(part[1:], rng, depth + 1) if depth < DEPTH_MAX else "")
            else:
                pieces.append(part)
        return "".join(pieces)


Node = tuple["str | list[Node]", ...]


def marked(label: str, make: Slot) -> Slot:
    """Return a slot whose text is marked as an identifier of a kind."""
    return lambda rng: f"⟦{label}:{make(rng)}⟧"


def from_list(items: Sequence[str]) -> Slot:
    """Return a slot that is one of ``items``."""
    return lambda rng: rng.choice(items)


def read_groups(path: Path) -> dict[str, list[str]]:
    r"""Return the groups of a template file: ``# name`` begins one, each other line is a template.

    ``\n`` in a line is a new line.
    """
    groups: dict[str, list[str]] = {}
    current: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            current = groups.setdefault(line[2:].strip(), [])
        elif line.strip():
            current.append(line.replace("\\n", "\n"))
    return groups


def _parse(text: str, at: int = 0, *, inside: bool = False) -> "tuple[Node, int]":
    """Return the node that begins at ``at``, and where it ends."""
    parts: list[str | list[Node]] = []
    position = at
    while (found := TOKEN.search(text, position)) is not None:
        if found.start() > position:
            parts.append(text[position : found.start()])
        slot, group, sign = found.groups()
        position = found.end()
        if slot or group:
            parts.append(found[0])
        elif sign == "{":
            options, position = _options(text, position)
            parts.append(options)
        elif inside:
            return tuple(parts), found.start()
        else:
            parts.append(sign)
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts), len(text)


def _options(text: str, at: int) -> "tuple[list[Node], int]":
    options = []
    while True:
        node, end = _parse(text, at, inside=True)
        options.append(node)
        if end >= len(text):
            raise ValueError(f"a choice that does not close: {text[:40]}")
        at = end + 1
        if text[end] == "}":
            return options, at
