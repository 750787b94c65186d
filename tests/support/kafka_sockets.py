"""kafka-python's connections, closed without a warning when nothing holds them any more.

It drops sockets that nobody closed: of a connection that was refused, of a client that was closed
while it connected, and of one that was closed with a request not yet written
(``KafkaTCPTransport.close``). Python closes them when it collects them, and warns, in whichever
test that happens. A client of ours that nobody closed still warns, by its selector's own pair.
"""

import socket

from kafka.net.inet import KafkaNetSocket


class Connection(socket.socket):
    """A socket that closes when it is collected, and says nothing."""

    def __del__(self) -> None:
        """Close; the plain socket's own finalizer, which warns, does not run."""
        self.close()


def connection(_self: KafkaNetSocket, family: int, kind: int, protocol: int) -> socket.socket:
    """Return a socket for a connection of kafka-python."""
    return Connection(family, kind, protocol)


def close_quietly() -> None:
    """Put ``connection`` in the place of what kafka-python makes sockets with."""
    KafkaNetSocket.socket = connection
