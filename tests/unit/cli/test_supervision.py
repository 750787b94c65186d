"""What the process runner is told, and the one-line failures."""

import shlex
import socket
from configparser import RawConfigParser
from pathlib import Path

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from cli.live_day import LiveDay
from cli.stack.process import Port, Process, StackError, check_ports, http_get, redis_answers
from cli.stack.processes import stack_processes
from cli.stack.settings import StackSettings
from cli.stack.supervision import configuration, socket_path


def process(command: tuple[str, ...] = ("x",), port: int = 0) -> Process:
    return Process(
        name="thing",
        command=command,
        ports=(Port(port, "AUSCULT_THING_PORT"),),
        ready=lambda: True,
        stop_rank=10,
        environment={"A": "100% sure", "B": '["P","T"]'},
    )


def parsed(text: str) -> RawConfigParser:
    parser = RawConfigParser()
    parser.read_string(text)
    return parser


def test_a_command_with_odd_characters_survives_the_configuration(tmp_path: Path) -> None:
    command = ("run", "a b", "50%", "it's")
    text = configuration([process(command)], tmp_path, tmp_path, tmp_path / "s")
    written = parsed(text)["program:thing"]
    assert tuple(shlex.split(written["command"].replace("%%", "%"))) == command
    assert written["environment"] == 'A="100%% sure",B=\'["P","T"]\''
    read = dict_of_key_value_pairs(written["environment"].replace("%%", "%"))
    assert read == {"A": "100% sure", "B": '["P","T"]'}
    assert written["stopasgroup"] == written["killasgroup"] == "true"


def test_a_taken_port_is_one_line_that_names_process_port_and_setting() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(StackError, match=rf"port {port} for thing .* AUSCULT_THING_PORT"):
            check_ports(process(port=port))
    check_ports(process(port=port))


def test_nobody_answers_on_a_port_that_nobody_holds() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert http_get(port, "/") == (0, "")
    assert not redis_answers(port)


def test_a_long_path_still_fits_a_unix_socket(tmp_path: Path) -> None:
    assert socket_path(Path("/a")) == Path("/a/supervisord.sock")
    deep = tmp_path / ("x" * 120)
    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) != socket_path(deep / "y")


def test_ports_of_a_stack_all_move_with_the_offset_and_differ(tmp_path: Path) -> None:
    def ports(offset: int) -> list[int]:
        settings = StackSettings(home=tmp_path, port_offset=offset)
        return [port.number for one in stack_processes(settings, demo=True) for port in one.ports]

    assert len(set(ports(0))) == len(ports(0)) == 10
    assert ports(500) == [port + 500 for port in ports(0)]


def test_the_front_door_closes_first_and_kafka_last(tmp_path: Path) -> None:
    processes = stack_processes(StackSettings(home=tmp_path), demo=True, day=LiveDay())
    ranks = sorted(processes, key=lambda one: -one.stop_rank)
    assert [one.name for one in ranks][:2] == ["simulator", "ingest"]
    assert ranks[-1].name == "kafka"
