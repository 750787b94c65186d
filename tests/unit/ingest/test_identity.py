"""The Keyed hash is HMAC-SHA256, however it is computed; without the keys ids tell nothing."""

import hashlib
import hmac
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.identity import Keyed, Keys
from services.ingest.parse import Parsed, SourceProfile, parse

MESSAGE = (
    "MSH|^~\\&|APP|FAC|||20240305120000+0000||ADT^A01|CTL{0}|P|2.5\r"
    "PID|1||10045{0:03}^^^HOSP^MR||Doe^Jane\rPV1|1|I|MICU^1^A\r"
)
OURS = Keys(event=b"e" * 32, route=b"r" * 32)


@given(key=st.binary(min_size=1, max_size=64), said=st.binary(max_size=300))
def test_the_keyed_hash_is_hmac_sha256(key: bytes, said: bytes) -> None:
    assert Keyed(key).digest(said) == hmac.digest(key, said, "sha256")


def read(number: int, keys: Keys) -> Parsed:
    return parse(MESSAGE.format(number).encode(), SourceProfile("test"), keys, 0)


def told(parsed: Parsed) -> set[bytes]:
    """Whatever stands on a topic or in a key of it, as bytes."""
    (event,) = parsed.events
    event_id = bytes.fromhex(event.event_id.replace("-", ""))
    return {event_id, event.route_key, parsed.answer_key, parsed.content[:16]}


def test_a_known_message_gives_no_id_without_the_keys() -> None:
    """Whoever has every message and every algorithm, and keys of their own or none."""
    stored: set[bytes] = set().union(*(told(read(number, OURS)) for number in range(20)))
    theirs = [Keys(event=bytes(32), route=bytes(32)), Keys(event=b"r" * 32, route=b"e" * 32)]
    for number, keys in product(range(20), theirs):
        assert not told(read(number, keys)) & stored
    for number, algorithm in product(range(20), ("md5", "sha1", "sha256", "sha512", "blake2b")):
        message = MESSAGE.format(number)
        for said in (message, f"10045{number:03}", f"HOSP\x1f10045{number:03}", f"CTL{number}"):
            digest = hashlib.new(algorithm, said.encode()).digest()
            assert not any(digest[:16] == one for one in stored)
    assert told(read(3, OURS)) <= stored
