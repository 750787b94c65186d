"""kafka-python's sockets that never came to connect, closed.

It drops a socket that was refused, or whose client was closed while it connected, without closing
it (``KafkaNetSocket.sock_connect``). Python closes it when it is collected, and warns: in whichever
test that happens. With this a ``ResourceWarning`` is a socket of ours.
"""

import socket
from typing import Any

from kafka.net.inet import KafkaNetSocket

_connect = KafkaNetSocket.sock_connect


async def connect_or_close(
    self: KafkaNetSocket, net: Any, sock: socket.socket, address: Any, timeout_at: Any = None
) -> socket.socket:
    """Do what kafka-python does; what does not lead to a connection is closed."""
    try:
        connected: socket.socket = await _connect(self, net, sock, address, timeout_at=timeout_at)
    except BaseException:  # also GeneratorExit: the client was closed meanwhile
        sock.close()
        raise
    return connected


def close_what_never_connected() -> None:
    """Put ``connect_or_close`` in the place of kafka-python's own."""
    KafkaNetSocket.sock_connect = connect_or_close
