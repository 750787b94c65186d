"""Files of the command line: plain or ``.gz``; ``-`` is a pipe."""

import errno
import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast


@contextmanager
def opened(name: str, mode: str) -> Iterator[IO[bytes]]:
    """Yield the file ``name`` as bytes, ``mode`` rb or wb. Raises ``OSError``, also for a cut
    archive.
    """
    if name == "-":
        yield sys.stdin.buffer if mode == "rb" else sys.stdout.buffer
        return
    opener = gzip.open if name.endswith(".gz") else open
    with cast("IO[bytes]", opener(Path(name), mode)) as file, _whole(name):
        yield file


def content_of(name: str) -> bytes:
    """Return all of a file. Raises ``OSError`` as ``opened`` does."""
    with opened(name, "rb") as file:
        return file.read()


@contextmanager
def _whole(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error) as error:  # of EOFError click would only say "Aborted!"
        raise OSError(errno.EIO, "the compressed file is cut or damaged", name) from error
