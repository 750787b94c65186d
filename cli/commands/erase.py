"""`auscult erase request|confirm|withdraw|show|hold|verify`: erase a person, with a proof.

Two persons do it, each with a secret file of their own (`erasure/request.token`,
`erasure/confirm.token`). Privacy does the work and writes who asked to the audit log.
"""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.privacy_api import PrivacyApi, PrivacyRefuses
from cli.progress import step
from cli.stack.process import StackError
from contracts.erasures import (
    Basis,
    ErasureAnswer,
    ErasureRequest,
    ErasureStep,
    HoldAnswer,
    HoldRequest,
)
from plumbing.key_files import KeyMissing, read_public_key
from services.privacy.proof import read_proof

app = typer.Typer(help="Erase a person.", no_args_is_help=True)

REQUEST, CONFIRM = "erasure/request.token", "erasure/confirm.token"
POLL_S = 1.0
OVER = {"done", "refused", "withdrawn"}
SHARES = (
    "other entries share an identifier with this person: look who they are, then ask again with "
    "`--others erase` (they go too) or `--others keep` (they stay, with name and birth date): "
)


class OthersSaid(StrEnum):
    """What becomes of other entries that share an identifier with the person."""

    ERASE = "erase"
    KEEP = "keep"


Viewer = Annotated[str, typer.Option(help="Your staff number, for the audit log.")]
Privacy = Annotated[str, typer.Option(help="Address of privacy; default: the local stack's.")]
Token = Annotated[Path | None, typer.Option("--secret", help="Your secret file.")]
Number = Annotated[str, typer.Option(help="Record number; `-` reads it from stdin.")]
OfToken = Annotated[str, typer.Option("--token", help="Token, instead of a record number.")]
Erasure = Annotated[str, typer.Argument(help="What `request` printed.")]


@app.command("request")
def request_command(
    number: Number = "",
    token: OfToken = "",
    *,
    legal: Annotated[bool, typer.Option("--legal", help="By legal duty, not on request.")] = False,
    others: Annotated[
        OthersSaid | None,
        typer.Option(
            help="Other entries that share an identifier with the person: erase them together, or "
            "keep them. Asked for where there are any."
        ),
    ] = None,
    viewer: Viewer = "",
    privacy: Privacy = "",
    secret: Token = None,
) -> None:
    """Ask for an erasure; prints its name, by which a second person confirms it."""
    basis: Basis = "LEGAL" if legal else "PATRQT"
    api = PrivacyApi(viewer, privacy, secret, REQUEST)
    asked = ErasureRequest(
        viewer=api.viewer,
        purpose=basis,
        token=token,
        number=_number(number),
        others=others.value if others else "",
    )
    try:
        _line(api.ask("erasures/request", asked, ErasureAnswer))
    except PrivacyRefuses as error:
        if error.word != "shares_an_identifier":
            raise
        raise StackError(SHARES + " ".join(error.tokens)) from error


@app.command("confirm")
def confirm_command(
    erasure: Erasure,
    *,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
    output: Annotated[Path | None, typer.Option(help="Where the proof goes.")] = None,
    viewer: Viewer = "",
    privacy: Privacy = "",
    secret: Token = None,
) -> None:
    """Confirm as the second person, and wait for the proof. There is no way back."""
    api = PrivacyApi(viewer, privacy, secret, CONFIRM)
    answer = api.ask("erasures/confirm", _step(api, erasure), ErasureAnswer)
    if wait:
        with step(f"erasing {erasure}"):
            answer = _until_over(api, erasure)
    _tell(answer, output)


@app.command("withdraw")
def withdraw_command(
    erasure: Erasure, viewer: Viewer = "", privacy: Privacy = "", secret: Token = None
) -> None:
    """Take back a request that nobody has confirmed."""
    api = PrivacyApi(viewer, privacy, secret, REQUEST)
    _line(api.ask("erasures/withdraw", _step(api, erasure), ErasureAnswer))


@app.command("show")
def show_command(
    erasure: Erasure,
    output: Annotated[Path | None, typer.Option(help="Where the proof goes.")] = None,
    viewer: Viewer = "",
    privacy: Privacy = "",
    secret: Token = None,
) -> None:
    """Say how far an erasure is; the proof when it is done."""
    api = PrivacyApi(viewer, privacy, secret, REQUEST)
    _tell(api.ask("erasures/show", _step(api, erasure), ErasureAnswer), output)


@app.command("hold")
def hold_command(  # Typer calls it by name
    number: Number = "",
    token: OfToken = "",
    end: Annotated[bool, typer.Option("--end", help="End the hold.")] = False,
    viewer: Viewer = "",
    privacy: Privacy = "",
    secret: Token = None,
) -> None:
    """Put a person under legal hold: nobody can erase them until it is ended."""
    api = PrivacyApi(viewer, privacy, secret, REQUEST)
    asked = HoldRequest(viewer=api.viewer, hold=not end, token=token, number=_number(number))
    _line(api.ask("erasures/hold", asked, HoldAnswer))


@app.command("verify")
def verify_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The proof.")],
    key: Annotated[Path, typer.Option(help="Privacy's public audit key.")] = Path(
        ".auscult/keys/privacy/audit.pub"
    ),
) -> None:
    """Check who signed a proof, and print what it says. Exits 1 when it is not privacy's."""
    try:
        proof = read_proof(file.read_bytes(), read_public_key(key))
    except (ValueError, KeyMissing) as error:
        raise StackError(f"{file}: {error}") from error
    typer.echo(msgspec.json.format(msgspec.json.encode(proof)).decode())


def _until_over(api: PrivacyApi, erasure: str) -> ErasureAnswer:
    while True:
        answer = api.ask("erasures/show", _step(api, erasure), ErasureAnswer)
        if answer.state in OVER:
            return answer
        time.sleep(POLL_S)


def _step(api: PrivacyApi, erasure: str) -> ErasureStep:
    return ErasureStep(viewer=api.viewer, erasure=erasure)


def _number(said: str) -> str:
    return sys.stdin.readline().strip() if said == "-" else said


def _tell(answer: ErasureAnswer, output: Path | None) -> None:
    if answer.proof and output is not None:
        output.write_bytes(answer.proof + b"\n")
        answer = msgspec.structs.replace(answer, proof=b"")
    if answer.proof:
        sys.stdout.write(answer.proof.decode() + "\n")
        return
    _line(answer)
    if answer.state == "refused":
        raise typer.Exit(1)


def _line(said: msgspec.Struct) -> None:
    told = {name: value for name, value in msgspec.structs.asdict(said).items() if value != b""}
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
