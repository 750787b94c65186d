"""Progress on stderr while something long runs; nothing when stderr is not a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Show ``name`` as running, then as done with its seconds, or as failed."""
    if not console.is_terminal:
        yield
        return
    began = time.monotonic()
    try:
        with console.status(name):
            yield
    except BaseException:
        console.print(f"[red]✗[/] {name}", highlight=False)
        raise
    console.print(f"[green]✓[/] {name} [dim]{time.monotonic() - began:.1f} s[/]", highlight=False)


def say(sentence: str) -> None:
    """Print one line of progress."""
    if console.is_terminal:
        console.print(sentence, highlight=False)
