"""The benchmark of texts that are made to be slow."""

import time

from bench import bad_texts


def test_a_piece_is_repeated_up_to_a_size() -> None:
    assert bad_texts.repeated("abc", 8) == "abcabc"
    assert len(bad_texts.repeated("农历", 50_000).encode()) <= 50_000


def test_the_slowest_are_told_in_order_by_the_byte() -> None:
    took_s = {"1-1-": 0.02, "闰": 0.01}

    def spin(text: str) -> None:
        piece = next((one for one in took_s if text.startswith(one)), "")
        until = time.process_time() + took_s.get(piece, 0.0)
        while time.process_time() < until:
            pass

    found = bad_texts.slowest(spin)
    assert len(found) == bad_texts.SLOWEST
    assert list(found)[:2] == ["'1-1-'", "'闰'"]
    assert found["'1-1-'"] >= 0.04  # of 100 KB, where half is tried
