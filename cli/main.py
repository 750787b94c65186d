"""The `auscult` command: finds the module of the command that was asked for, and runs it.

Only that module is imported, so `auscult status` does not wait for torch.
"""

import importlib
import os
import sys
from dataclasses import dataclass
from typing import NoReturn

import typer

from cli.stack.process import StackError
from cli.stack.programs import ProgramMissing
from plumbing import log
from plumbing.errors import Unavailable


@dataclass(frozen=True)
class Command:
    """Where a command lives: ``name`` in ``module`` is a function, or a Typer of subcommands."""

    module: str
    name: str


COMMANDS: dict[str, Command] = {
    "up": Command("cli.commands.stack", "up_command"),
    "down": Command("cli.commands.stack", "down_command"),
    "status": Command("cli.commands.stack", "status_command"),
    "logs": Command("cli.commands.stack", "logs_command"),
    "topics": Command("cli.commands.topics", "app"),
    "demo": Command("cli.commands.demo", "demo_command"),
    "simulate": Command("cli.commands.simulate", "simulate_command"),
    "replay": Command("cli.commands.replay", "replay_command"),
    "reconcile": Command("cli.commands.reconcile", "reconcile_command"),
    "parse": Command("cli.commands.parse", "parse_command"),
    "deidentify": Command("cli.commands.deidentify", "deidentify_command"),
    "score": Command("cli.commands.score", "score_command"),
    "train": Command("cli.commands.train", "train_command"),
    "predict": Command("cli.commands.predict", "predict_command"),
    "models": Command("cli.commands.models", "app"),
    "keys": Command("cli.commands.keys", "app"),
    "audit": Command("cli.commands.audit", "app"),
    "bench": Command("cli.commands.bench", "bench_command"),
}
EXPECTED = (StackError, ProgramMissing, Unavailable, OSError, UnicodeError)


def build(wanted: str = "") -> typer.Typer:
    """Return the command line with the one command ``wanted``, or with all of them."""
    app = typer.Typer(
        help="Auscult: from a hospital's event stream to a clinician's worklist.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def _root() -> None:
        """Keep a command's name needed even when it is the only one that was imported."""

    for name, command in COMMANDS.items():
        if wanted in {"", name}:
            found = getattr(importlib.import_module(command.module), command.name)
            if isinstance(found, typer.Typer):
                app.add_typer(found, name=name)
            else:
                app.command(name)(found)
    return app


def main() -> None:
    """Run the command line; whatever goes wrong is one line on stderr, never a traceback."""
    first = next(iter(sys.argv[1:]), "")
    try:
        build(first if first in COMMANDS else "")()
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except EXPECTED as error:
        fail(_sentence(error))
    except Exception as error:  # noqa: BLE001  # a traceback could show what is being worked on
        fail(f"internal error: {type(error).__name__} at {log.where(error)}")


def fail(sentence: str) -> NoReturn:
    """Print one line to stderr and exit 1."""
    print(f"auscult: {sentence}", file=sys.stderr)
    raise SystemExit(1)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


if __name__ == "__main__":
    main()
