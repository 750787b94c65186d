"""The Keyed hash is HMAC-SHA256, however it is computed."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.identity import Keyed


@given(key=st.binary(min_size=1, max_size=64), said=st.binary(max_size=300))
def test_the_keyed_hash_is_hmac_sha256(key: bytes, said: bytes) -> None:
    assert Keyed(key).digest(said) == hmac.digest(key, said, "sha256")
