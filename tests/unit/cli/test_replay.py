"""`auscult replay` hands HL7 v2 to MLLP and FHIR to HTTP, in the order given."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread, Timer

import pytest
import typer

from cli.commands.replay import Doors, FrontDoor, doors_of, replay_command, require_listener
from cli.live_day import LiveDay
from cli.stack.process import StackError
from cli.stack.processes import simulator_process
from cli.stack.settings import StackSettings
from plumbing.clock import SystemClock
from services.ingest.fhir import parse_fhir
from services.ingest.fhir_outcome import operation_outcome
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from simulator.fhir_client import FhirSender, answer_code
from simulator.mllp_client import Outgoing
from tests.support.brokers import free_port

KEYS = Keys(event=bytes(32), route=bytes(32))


class Door(ThreadingHTTPServer):
    """A real HTTP server that answers FHIR as ingest's pure parts say; first it is busy."""

    daemon_threads = True

    def __init__(self, busy: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.busy = busy
        self.taken: list[bytes] = []
        self.paths: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        door = self.server
        assert isinstance(door, Door)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        door.paths.add(self.path)
        found = parse_fhir(body, SourceProfile("test"), KEYS, 0)
        status = 202 if found.code == "AA" else 400
        if door.busy:
            door.busy, status = door.busy - 1, 503
        else:
            door.taken.append(body)
        answer = operation_outcome(found.findings)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def door(busy: int = 0) -> Iterator[Door]:
    server = Door(busy)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_fhir_files_are_posted_in_order_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text('{"resourceType":"Patient","id":"1"}')
    (tmp_path / "b.json").write_text("{}")
    with door(busy=1) as server, pytest.raises(typer.Exit) as ended:
        replay_command([tmp_path / "a.json", tmp_path / "b.json"], to=server.url)
    assert ended.value.exit_code == 0
    assert [json.loads(one) for one in server.taken] == [
        {"resourceType": "Patient", "id": "1"},
        {},
    ]
    assert server.paths == {"/fhir"}
    shown = capsys.readouterr().out
    assert "2 messages" in shown
    assert "AR" in shown


@pytest.mark.parametrize(
    ("name", "content", "to"),
    [
        ("a.json", '{"resourceType":"Patient"}', "mllp://127.0.0.1:1"),
        ("a.hl7", "MSH|^~\\&|A", "http://127.0.0.1:1"),
    ],
)
def test_a_file_for_which_there_is_no_door_is_bad_usage(
    tmp_path: Path, name: str, content: str, to: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(typer.BadParameter):
        replay_command([tmp_path / name], to=to)


def test_the_local_stack_has_both_doors() -> None:
    settings = StackSettings(port_offset=100)
    assert doors_of("", settings) == Doors(("127.0.0.1", 2675), "http://127.0.0.1:8181")
    assert doors_of("mllp://h:1", settings) == Doors(("h", 1), "")
    assert doors_of("https://h/base", settings) == Doors(None, "https://h/base")


def test_a_door_that_is_not_there_is_given_up() -> None:
    async def send() -> tuple[str, int]:
        sender = FhirSender("http://127.0.0.1:9", SystemClock(), give_up_s=0.5)
        answer = await sender.send(Outgoing(b"{}", "lane", kind="FHIR"))
        await sender.close()
        return answer.code, answer.attempts

    code, attempts = asyncio.run(send())
    assert (code, attempts >= 2) == ("", True)


def test_a_message_without_a_door_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="no door"):
        asyncio.run(FrontDoor(Doors(None, ""), SystemClock()).send(Outgoing(b"", "lane")))


@pytest.mark.parametrize(
    ("to", "error", "said"),
    [
        ("http://127.0.0.1:1", StackError, "nobody takes messages at 127.0.0.1:1"),
        ("http://127.0.0.1:99999", typer.BadParameter, "expected http://host:port"),
    ],
)
def test_a_dead_or_impossible_port_for_fhir_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, error: type[Exception], said: str
) -> None:
    monkeypatch.setattr(
        "cli.commands.replay.require_listener", partial(require_listener, within_s=0)
    )
    (tmp_path / "a.json").write_text('{"resourceType":"Patient"}')
    with pytest.raises(error, match=said):
        replay_command([tmp_path / "a.json"], to=to)


def test_a_listener_that_comes_late_is_waited_for() -> None:
    port = free_port()

    def listen() -> None:
        with socket.create_server(("127.0.0.1", port)) as server:
            server.accept()[0].close()

    late = Timer(0.3, listen)
    late.start()
    require_listener("127.0.0.1", port, 5)
    late.join()
    with pytest.raises(StackError, match="nobody takes messages"):
        require_listener("127.0.0.1", port, 0)


def test_the_demo_s_day_waits_for_ingest_as_long_as_the_stack_does() -> None:
    settings = StackSettings(ready_timeout_s=90)
    command = simulator_process(settings, LiveDay()).command
    assert command[command.index("--within") + 1] == "90.0"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (202, "AA"),
        (200, "AA"),
        (400, "AR"),
        (413, "AR"),
        (409, "AE"),
        (422, "AE"),
        (503, "AE"),
        (0, ""),
    ],
)
def test_what_a_status_stands_for(status: int, code: str) -> None:
    assert answer_code(status) == code
