from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from services.privacy.folding import fold
from services.privacy.tagger.identifying import words_of
from services.privacy.tagger.manifest import load_tagger
from services.privacy.tagger.seen import (
    PER_WORD,
    READ,
    STEPS,
    keys_of,
    seen_in,
    told,
)
from services.privacy.tagger.shipped import SHIPPED_DIGEST, SHIPPED_DIR
from training.deid.seen_words import counted, seen_elsewhere, shipped
from training.deid.texts import BadGold, Marked, read_notes

FOLDER = Path(__file__).parents[3] / SHIPPED_DIR
TEXT = "Seen with Wren today. WREN drove home; wren nests. Room 12."


def keys(text: str) -> np.ndarray:
    words = words_of(text)
    return keys_of(text, words, np.arange(len(words)))


def note(text: str, *names: str, writer: str = "naa") -> Marked:
    spans = tuple((text.index(name), text.index(name) + len(name), "NAME") for name in names)
    return Marked("x-1", "en", f"{writer}-letter-1", text, spans)


def test_a_word_is_told_by_its_case_and_by_what_stands_beside_it() -> None:
    found = keys(TEXT)
    assert found.shape == (11, PER_WORD)
    titled, capital, small = found[2], found[4], found[7]
    assert (titled[:3] == capital[:3]).all()
    assert (titled[:3] == small[:3]).all()
    assert len({titled[3], capital[3], small[3]}) == 3
    assert (titled[4:] != capital[4:]).any()


def test_digits_are_all_alike() -> None:
    assert (keys("in Room 12.") == keys("in Room 47.")).all()
    assert (keys("in Room 12.") != keys("in Room 123.")).any()


def test_half_a_surrogate_pair_is_a_word_like_another() -> None:
    assert keys("seen \udc00x today").shape[1] == PER_WORD


def test_of_how_many_notes_each_key_is_counted_in_which_it_identified() -> None:
    tally = counted(
        [note("Wren came. Wren left.", "Wren"), note("Wren came.", "Wren"), note("A Wren.")]
    )
    (found,) = tally.of(keys("Wren")[:, 3:4])
    assert found.tolist() == [[2, 2]]  # its second place in the first note is not marked


def test_what_was_never_seen_says_nothing_and_what_was_says_how_often() -> None:
    seen = shipped(counted([note("Dr Wren came.", "Wren")] * 5 + [note("Bluey is on.")]))
    unknown = seen.told("Zyx", words_of("Zyx"), np.array([0]))
    assert unknown.shape == (1, READ)
    assert not unknown[0, :12].any()  # the others tell of where it stands
    (wren, bluey) = (seen.counts(keys(word)[0, 3:4]).tolist() for word in ("Wren", "Bluey"))
    assert wren == [[4, 0]]  # of 5 the step that is reached
    assert bluey == [[0, 1]]
    assert told(seen.counts(keys("Dr Wren came.")))[1].any()


def test_what_stands_beside_a_word_is_shipped_when_seen_twice() -> None:
    once, twice = (shipped(counted([note("Dr Wren came.", "Wren")] * n)) for n in (1, 2))
    beside = keys("Dr Wren came.")[1, 4:]
    assert not once.counts(beside).any()
    assert twice.counts(beside).any(axis=-1).all()


def test_what_the_same_writer_wrote_is_not_read_in_learning() -> None:
    own, other = note("Wren came.", "Wren"), note("A Wren sang.", writer="nab")
    _, seen = seen_elsewhere([own, own, other])
    assert seen(own, keys("Wren"))[0, 3].tolist() == [0, 1]
    assert seen(other, keys("Wren"))[0, 3].tolist() == [2, 0]
    assert seen(note("", writer="nac"), keys("Wren"))[0, 3].tolist() == [2, 1]


def test_what_stands_beside_a_word_is_read_in_learning_as_it_is_shipped() -> None:
    own, other = note("Dr Wren came.", "Wren"), note("Dr Wren sang.", "Wren", writer="nab")
    every, seen = seen_elsewhere([own, own, other])
    beside = keys("Dr Wren")[1:, :]
    assert not seen(own, beside)[0, 4].any()  # one note of another says too little
    assert seen(other, beside)[0, 4].tolist() == [2, 0]
    assert shipped(every).counts(beside)[0, 4].tolist() == [3, 0]


def test_the_notes_of_one_writer_tell_nothing() -> None:
    with pytest.raises(BadGold, match="two writers"):
        seen_elsewhere([note("Wren came.", "Wren")])


def test_the_check_sums_of_a_word_are_these() -> None:
    (found,) = keys_of("Dr Wren, 47", words_of("Dr Wren, 47"), np.array([1])).tolist()
    parts = [
        ("c", "wren", "U"), ("c", "wren", "C"), ("c", "wren", "l"), ("c", "wren", "C"),
        ("l", "dr", "wren"), ("r", "wren", "00"), ("b", "dr", " ", "C"), ("a", "C", ", ", "00"),
    ]  # fmt: skip
    assert found == [crc32("\0".join(part).encode()) for part in parts]


def test_the_steps_hold_in_half_a_byte() -> None:
    assert len(STEPS) == 16
    seen = shipped(counted([note("Wren came.", "Wren")] * 300))
    assert seen.counts(keys("Wren")[0, 3:4]).tolist() == [[256, 0]]


@pytest.mark.parametrize(
    "state",
    [
        {"keys": np.array([1], "u4")},
        {"keys": np.array([[1], [2]], "u4"), "levels": np.array([[1], [1]], "u1")},
        {"keys": np.array(1, "u4"), "levels": np.array(1, "u1")},
        {"keys": np.array([1], "u4"), "levels": np.array([1], "u1"), "more": np.array([1])},
        {"keys": np.array([], "u4"), "levels": np.array([], "u1")},
        {"keys": np.array([1, 2], "u4"), "levels": np.array([1], "u1")},
        {"keys": np.array([2, 1], "u4"), "levels": np.array([1, 1], "u1")},
        {"keys": np.array([1, 1], "u4"), "levels": np.array([1, 1], "u1")},
        {"keys": np.array([1, 2], "i4"), "levels": np.array([1, 1], "u1")},
    ],
)
def test_a_list_that_cannot_be_searched_is_refused(state: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="key"):
        seen_in(state)


def test_a_tagger_without_it_has_none() -> None:
    assert seen_in({}) is None


def test_the_shipped_tagger_has_seen_the_words_of_the_training_notes() -> None:
    tagger = load_tagger(FOLDER, SHIPPED_DIGEST)
    assert tagger.seen is not None
    for one in read_notes(FOLDER.parents[2] / "training_notes", "en")[::400]:
        words = keys(fold(one.text).folded)[:, 3]
        assert (tagger.seen.counts(words).sum(axis=-1) >= 1).all()
