"""What kafka-python leaves open is closed in tests, so that a warning is about a socket of ours."""

import socket
from types import coroutine
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError
from kafka.net.inet import KafkaNetSocket


class NeverReady:
    @coroutine
    def wait_write(self, _sock: socket.socket, timeout_at: float | None = None) -> Any:
        yield timeout_at


def test_a_socket_is_closed_when_its_client_gives_up_while_it_connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = socket.socket()
        sock.setblocking(False)
        connecting = KafkaNetSocket().sock_connect(NeverReady(), sock, server.getsockname())
        connecting.send(None)
        assert sock.fileno() > 0
        connecting.close()
    assert sock.fileno() == -1


def test_a_refused_socket_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()
    sock = socket.socket()
    with pytest.raises(KafkaConnectionError):
        KafkaNetSocket().sock_connect(NeverReady(), sock, nobody).send(None)
    assert sock.fileno() == -1
