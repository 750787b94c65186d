"""`auscult reconcile`: is every accepted event visible exactly once?"""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.accounting import Reconciliation, settle
from cli.stack.settings import StackSettings


def reconcile_command(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    quiet_s: Annotated[
        float, typer.Option(min=0, help="Give up when nothing has moved for so long.")
    ] = 20.0,
) -> None:
    """Count accepted, visible, non-clinical, refused, lost and doubled events of the local stack.

    Waits for what is still on its way. Exits 1 when they do not balance.
    """
    settings = StackSettings()
    found = asyncio.run(settle(settings.bootstrap, settings.redis_url, quiet_s=quiet_s))
    if as_json:
        print(json.dumps(asdict(found) | {"balanced": found.balanced}))
    else:
        Console().print(balance_table(found))
    raise typer.Exit(0 if found.balanced else 1)


def balance_table(found: Reconciliation) -> Table:
    """Return the balance as a table."""
    table = Table("events", "number", title="Accepted events and their results")
    table.add_row("accepted, distinct", str(found.accepted))
    table.add_row("non-clinical, counted", str(found.non_clinical))
    table.add_row("visible", str(found.visible))
    for code, count in sorted(found.refused.items()):
        table.add_row(f"refused: {code}", str(count))
    table.add_row("lost", _bad(found.lost))
    table.add_row("doubled", _bad(found.doubled))
    if found.unknown:
        table.add_row("visible but not accepted", _bad(found.unknown))
    table.add_row("scored again and absorbed", str(found.redelivered))
    if found.lost_examples:
        table.caption = "lost: " + ", ".join(found.lost_examples)
    return table


def _bad(count: int) -> str:
    return f"[green]{count}[/]" if count == 0 else f"[red]{count}[/]"
