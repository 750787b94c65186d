"""The process that decodes images: requests on stdin, answers on stdout, each with its length.

It reads bytes that anyone may have sent, in libraries written in C. So it is a process of its own:
bounded in memory, without files, core dumps and the environment of its parent, and it may die.
"""

import resource
import struct
import sys
from typing import BinaryIO

import msgspec
from PIL import Image

from services.privacy.imaging.cleaning import Request, clean
from services.privacy.imaging.pixels import PIXELS_MAX

LENGTH = struct.Struct(">I")
FILES_MAX = 16


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request until there is none."""
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    decoder, encoder = msgspec.msgpack.Decoder(Request), msgspec.msgpack.Encoder()
    while len(head := requests.read(LENGTH.size)) == LENGTH.size:
        said = encoder.encode(clean(decoder.decode(requests.read(*LENGTH.unpack(head)))))
        answers.write(LENGTH.pack(len(said)) + said)
        answers.flush()


def limit(memory_bytes_max: int) -> None:
    """Bound what this process may take for the rest of its life."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes_max),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, FILES_MAX),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    limit(int(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)
