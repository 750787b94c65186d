"""`auscult erase` against a privacy that answers as the real one does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from cli.commands.erase import app
from cli.stack.process import StackError
from contracts.erasures import DestroyedKey, ErasureAnswer, HoldAnswer, Place, SignedProof, State
from plumbing.key_files import make_signing_pair, read_signing_key
from services.privacy.erasure_book import Erasure
from services.privacy.proof import sign_proof

GOLDENS = Path(__file__).parents[3] / "contracts" / "cli"
SHARING = [f"token{number:02}" + "a" * 19 for number in range(12)]
ASKED: list[tuple[str, str, dict[str, object]]] = []


def a_proof(folder: Path) -> bytes:
    make_signing_pair(folder / "audit.ed25519", folder / "audit.pub", lambda n: bytes(
        (7 * i * i + 3) % 251 for i in range(n)
    ))  # fmt: skip
    erasure = Erasure(
        id="e1", state="confirmed", basis="PATRQT", requested_by="a", requested_at_ms=1,
        confirmed_by="b", confirmed_at_ms=2, erased_at_ms=3, identifiers=1,
        tombstones=(Place("care.relations.v1", 0, 7),),
    )  # fmt: skip
    destroyed = [DestroyedKey(kek_id="kek", at_ms=9)]
    return sign_proof(erasure, destroyed, 5, 10, 20, read_signing_key(folder / "audit.ed25519"))


@pytest.fixture
def privacy(tmp_path: Path) -> Iterator[list[str]]:
    """Serve; return the options that every command takes."""
    ASKED.clear()
    proof = a_proof(tmp_path)
    (tmp_path / "secret").write_text("s3cret\n")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class calls it so
            said = json.loads(self.rfile.read(int(self.headers["content-length"])))
            ASKED.append((self.path, self.headers["authorization"], said))
            state: State = "requested" if self.path.endswith("request") else "done"
            answer: ErasureAnswer | HoldAnswer = ErasureAnswer(
                erasure="e1", state=state, identifiers=1, proof=proof if state == "done" else b""
            )
            if "hold" in said:
                answer = HoldAnswer(identifiers=2, hold=bool(said["hold"]))
            raw = msgspec.json.encode(answer)
            refused = said.get("number") == "held"
            if said.get("number") == "shared" and not said["others"]:
                refused = True
                told = {"status": "shares_an_identifier", "tokens": SHARING}
                raw = msgspec.json.encode(told)
            self.send_response(409 if refused else 200)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield [
        *("--privacy", f"http://127.0.0.1:{server.server_port}"),
        *("--secret", str(tmp_path / "secret"), "--viewer", "O1"),
    ]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_number_is_read_from_stdin_and_not_told(privacy: list[str]) -> None:
    done = CliRunner().invoke(app, ["request", "--number", "-", *privacy], input="10045678\n")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "erasure": "e1",
        "state": "requested",
        "refusal": "",
        "identifiers": 1,
        "others_kept": 0,
    }
    ((path, bearer, said),) = ASKED
    assert (path, bearer) == ("/v1/erasures/request", "Bearer s3cret")
    assert said == {
        "viewer": "O1",
        "purpose": "PATRQT",
        "token": "",
        "number": "10045678",
        "others": "",
    }


def test_confirming_waits_and_keeps_the_proof_which_verifies(
    privacy: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "proof.json"
    done = CliRunner().invoke(app, ["confirm", "e1", "--output", str(file), *privacy])
    assert (done.exit_code, json.loads(done.stdout)["state"]) == (0, "done")
    assert [path for path, _, _ in ASKED] == ["/v1/erasures/confirm", "/v1/erasures/show"]
    assert msgspec.json.decode(file.read_bytes(), type=SignedProof).signature
    key = ["--key", str(tmp_path / "audit.pub")]
    verified = CliRunner().invoke(app, ["verify", str(file), *key])
    assert json.loads(verified.stdout)["entries_verified"] == 5
    file.write_bytes(file.read_bytes().replace(b"PATRQT", b"LEGAL "))
    again = CliRunner().invoke(app, ["verify", str(file), *key])
    assert isinstance(again.exception, StackError)


def test_the_answers_are_as_their_golden_files(privacy: list[str], tmp_path: Path) -> None:
    asked = CliRunner().invoke(app, ["request", "--number", "1", *privacy])
    assert json.loads(asked.stdout) == golden("erase.request.output.jsonl")
    shown = CliRunner().invoke(app, ["show", "e1", *privacy])
    assert json.loads(shown.stdout) == golden("erase.show.output.json")
    file = tmp_path / "proof.json"
    file.write_text(shown.stdout)
    key = ["--key", str(tmp_path / "audit.pub")]
    verified = CliRunner().invoke(app, ["verify", str(file), *key])
    assert json.loads(verified.stdout) == golden("erase.verify.output.json")
    held = CliRunner().invoke(app, ["hold", "--number", "1", *privacy])
    assert json.loads(held.stdout) == golden("erase.hold.output.json")


def golden(name: str) -> object:
    """Return the first answer of a golden file."""
    return json.loads((GOLDENS / name).read_text(encoding="utf-8").splitlines()[0])


def test_a_refusal_is_said_in_a_word(privacy: list[str]) -> None:
    done = CliRunner().invoke(app, ["request", "--number", "held", *privacy])
    assert isinstance(done.exception, StackError)
    assert "409" in str(done.exception)


def test_who_shares_an_identifier_is_told_whole_and_asked_for(privacy: list[str]) -> None:
    asked = ["request", "--number", "shared", *privacy]
    done = CliRunner().invoke(app, asked)
    assert isinstance(done.exception, StackError)
    told = str(done.exception)
    assert all(token in told for token in SHARING)
    assert "--others erase" in told
    assert "--others keep" in told
    for others in ("erase", "keep"):
        assert CliRunner().invoke(app, [*asked, "--others", others]).exit_code == 0
        assert ASKED[-1][2]["others"] == others
    assert CliRunner().invoke(app, [*asked, "--others", "forget"]).exit_code == 2
