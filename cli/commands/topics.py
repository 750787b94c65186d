"""`auscult topics apply`: make the pipeline's topics, report where the broker differs."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.stack.settings import StackSettings
from contracts.pipeline import PIPELINE
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_connection import KafkaConnection

app = typer.Typer(no_args_is_help=True, help="Kafka topics, as the contracts declare them.")


@app.callback()
def _root() -> None:
    """Keep the subcommand's name needed."""


@app.command("apply")
def apply_command(
    bootstrap: Annotated[
        str, typer.Option(help="Kafka brokers; the local stack's when left out.")
    ] = "",
    replication_factor: Annotated[int, typer.Option(min=1, help="Copies of each record.")] = 1,
    min_in_sync: Annotated[int, typer.Option(min=1, help="Copies that must confirm.")] = 1,
    partitions: Annotated[
        int, typer.Option(min=0, help="Instead of 12, at the first making only; 0 leaves it.")
    ] = 0,
) -> None:
    """Make the topics that are missing; change none. Exits 1 when one differs."""
    durability = Durability(replication_factor=replication_factor, min_in_sync=min_in_sync)
    if bootstrap and not all(map(_is_address, bootstrap.split(","))):
        raise typer.BadParameter("expected host:port, by comma", param_hint="--bootstrap")
    connection = KafkaConnection(bootstrap=bootstrap or StackSettings().bootstrap)
    with KafkaAdmin(connection) as admin:
        states = admin.apply(PIPELINE, durability, partitions or None)
    table = Table("topic", "partitions", "state")
    for state in states:
        word = "made" if state.created else "there"
        table.add_row(state.topic, str(state.partitions), "; ".join(state.drift) or word)
    Console().print(table)
    raise typer.Exit(1 if any(state.drift for state in states) else 0)


def _is_address(text: str) -> bool:
    host, _, port = text.strip().rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65_536
