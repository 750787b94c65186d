"""What kafka-python leaves open is closed in tests, so that a warning is about a socket of ours."""

import gc
import socket
from pathlib import Path
from types import coroutine
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError
from kafka.net.inet import KafkaNetSocket
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaTCPTransport


class NeverReady:
    @coroutine
    def wait_write(self, _sock: socket.socket, timeout_at: float | None = None) -> Any:
        yield timeout_at


def number_open() -> int:
    gc.collect()  # what others left, and what this test dropped: a warning would fail it
    return len(list(Path("/proc/self/fd").iterdir()))


def sent(connecting: Any, times: int) -> None:
    for _ in range(times):
        connecting.send(None)


def addrinfo(address: tuple[str, int]) -> tuple[int, int, int, str, tuple[str, int]]:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)


def test_a_socket_is_closed_when_its_client_gives_up_while_it_connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened = number_open()
        connecting = KafkaNetSocket().connect(NeverReady(), addrinfo(server.getsockname()))
        connecting.send(None)
        assert number_open() == opened + 1
        connecting.close()
        del connecting
        assert number_open() == opened


def test_a_refused_socket_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()
    opened = number_open()
    connecting = KafkaNetSocket().connect(NeverReady(), addrinfo(nobody))
    with pytest.raises(KafkaConnectionError):
        sent(connecting, times=2)  # refused by the time it is asked again
    del connecting
    assert number_open() == opened


def test_one_that_is_closed_with_a_request_not_yet_written_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened = number_open()
        sock = KafkaNetSocket().socket(*addrinfo(server.getsockname())[:3])
        sock.connect(server.getsockname())
        net = NetworkSelector()
        transport = KafkaTCPTransport(net, sock, host="127.0.0.1")
        transport._write_buffer.append(b"a request")
        transport.close()
        assert sock.fileno() != -1  # kafka-python means to write first; nothing runs any more
        net.close()
        del sock, transport, net
        assert number_open() == opened


def test_a_socket_of_ours_is_still_told() -> None:
    sock = socket.socket()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del sock
