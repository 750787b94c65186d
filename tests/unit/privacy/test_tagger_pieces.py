import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from services.privacy.tagger.context import HEADS, INNER, WIDTH, ContextReader, Layer, Where
from services.privacy.tagger.hints import RARE, RARE_NAME, UNLISTED, hint_of_word, read_hint
from services.privacy.tagger.packing import packed, unpacked
from services.privacy.tagger.pieces import (
    PIECE_CHARS_MAX,
    PIECES,
    PIECES_MAX,
    UNKNOWN,
    Pieces,
    halved,
    longest_first,
    part_of,
    piece_vectors,
    pieces_of,
    repeats_in,
    stacked,
    without_repeats,
    word_pieces,
)
from services.privacy.tagger.pieces import unpacked as unpacked_vectors
from services.privacy.tagger.rare_words import fingerprint
from services.privacy.tagger.rare_words import packed as packed_words
from services.privacy.tagger.rare_words import unpacked as unpacked_words

NAMES = PIECES.read_text(encoding="utf-8").splitlines()


def spelt(text: str) -> list[list[str]]:
    return [[NAMES[number] for number in stretch] for stretch in pieces_of(text).stretches]


def test_words_are_read_in_the_longest_pieces_and_each_character_knows_its_own() -> None:
    text = "Seen by Dr Okafor, Leeds."
    assert spelt(text) == [["seen", "by", "dr", "ok", "##af", "##or", ",", "leeds", "."]]
    assert list(pieces_of(text).at[:8]) == [1, 1, 1, 1, 0, 2, 2, 0]
    assert list(pieces_of(text).at[11:17]) == [4, 4, 5, 5, 6, 6]


@pytest.mark.parametrize("text", ["", "患者王五，男", "予 CT 检查，BP 120/80", "\n \n"])
def test_what_is_hardly_english_has_no_pieces(text: str) -> None:
    pieces = pieces_of(text)
    assert pieces.stretches == []
    assert not pieces.at.any()


def test_accents_are_read_as_without_and_what_is_no_word_is_unknown() -> None:
    assert word_pieces("Ångström") == word_pieces("angstrom")
    assert word_pieces("ж") == ((UNKNOWN, 1),)


def test_stretches_are_bounded_and_end_where_a_line_does() -> None:
    line = "seen by the ward team again today\n"
    read = pieces_of(line * 200)
    assert all(len(stretch) <= PIECES_MAX for stretch in read.stretches)
    assert {len(stretch) % 7 for stretch in read.stretches} == {0}
    assert sum(map(len, read.stretches)) == read.at.max() == 1_400


def test_a_stretch_that_comes_again_is_kept_once_and_each_character_finds_it() -> None:
    read = Pieces([[7, 8], [9], [7, 8], [9, 9]], np.array([1, 1, 2, 0, 3, 4, 5, 5, 6, 7], np.int32))
    once = without_repeats(read)
    assert once.stretches == [[7, 8], [9], [9, 9]]
    assert list(once.at) == [1, 1, 2, 0, 3, 1, 2, 2, 4, 5]
    assert repeats_in(once.at) == [5, 8]
    assert repeats_in(read.at) == []
    nothing = without_repeats(Pieces([], np.zeros(3, np.int32)))
    assert nothing.stretches == []
    assert list(nothing.at) == [0, 0, 0]


def test_a_line_without_an_end_is_cut_all_the_same() -> None:
    read = pieces_of("word " * 1_000)
    assert {len(stretch) for stretch in read.stretches} <= {76, 77}
    assert read.at.max() == 1_000


def test_a_text_little_longer_than_a_stretch_is_two_of_one_length() -> None:
    assert [len(stretch) for stretch in pieces_of("word " * 96).stretches] == [96]
    assert [len(stretch) for stretch in pieces_of("word " * 97).stretches] == [49, 48]


def test_a_part_of_a_text_reads_the_pieces_of_its_characters() -> None:
    text = "Seen by Dr Okafor in Leeds.\n" * 40
    whole = pieces_of(text)
    part = part_of(whole, slice(500, 700))
    numbers = [0, *(number for stretch in part.stretches for number in stretch)]
    all_numbers = [0, *(number for stretch in whole.stretches for number in stretch)]
    told = [numbers[at] for at in part.at]
    assert told == [all_numbers[at] for at in whole.at[500:700]]
    assert len(part.stretches) < len(whole.stretches)


def test_vectors_keep_their_direction_in_four_bits() -> None:
    rows = np.random.default_rng(1).standard_normal((50, 32)).astype(np.float32)
    numbers, scales = halved(rows)
    assert numbers.nbytes == rows.size // 2
    stored: dict[str, npt.NDArray[np.generic]] = {
        "numbers": numbers,
        "scales": scales,
        "axes": np.eye(32),
        "middle": np.ones(32),
    }
    assert np.abs(unpacked_vectors(stored) - 1 - rows).max() <= np.abs(rows).max() / 14 * 1.01


def test_there_is_a_vector_for_each_piece() -> None:
    assert piece_vectors().shape == (len(NAMES), WIDTH)
    number_of = {name: number for number, name in enumerate(NAMES)}
    rows = piece_vectors() - piece_vectors().mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near, far = (
        float(rows[number_of["leeds"]] @ rows[number_of[one]]) for one in ("sheffield", "fever")
    )
    assert near > far + 0.2


def test_a_layer_is_the_one_that_everybody_means() -> None:
    torch.manual_seed(1)
    ours = Layer().eval()
    theirs = nn.TransformerEncoderLayer(
        WIDTH, HEADS, INNER, activation="gelu", batch_first=True, layer_norm_eps=1e-12
    ).eval()
    names = {
        "self_attn.in_proj_": "heads.",
        "self_attn.out_proj.": "joined.",
        "linear1.": "inner.",
        "linear2.": "outer.",
        "norm1.": "norm.",
        "norm2.": "last_norm.",
    }
    state = ours.state_dict()
    theirs.load_state_dict(
        {f"{a}{part}": state[f"{b}{part}"] for a, b in names.items() for part in ("weight", "bias")}
    )
    hidden = torch.randn(2, 5, WIDTH)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    at = torch.arange(10)
    with torch.inference_mode():
        found = ours(hidden.flatten(0, 1), Where(at, 10, 2, 5, mask[:, None, None])).view(2, 5, -1)
        expected = theirs(hidden, src_key_padding_mask=~mask)
    assert torch.allclose(found[mask], expected[mask], atol=1e-5)


def test_stretches_read_together_say_what_each_says_alone() -> None:
    torch.manual_seed(2)
    reader = ContextReader(1, 8).eval()
    one, other = pieces_of("Seen by Dr Okafor").stretches, pieces_of("in the ward today").stretches
    with torch.inference_mode():
        together = reader(stacked([one[0], other[0][:3]]))
        alone = [reader(stacked([one[0]])), reader(stacked([other[0][:3]]))]
        nothing = reader(stacked([]))
    assert not together[0].any()
    assert torch.allclose(together[1:], torch.cat([found[1:] for found in alone]), atol=1e-5)
    assert nothing.shape == (1, 8)


def test_weights_come_back_within_half_a_step() -> None:
    torch.manual_seed(3)
    state = {"table": torch.randn(600, 100), "small": torch.randn(4, 4), "bias": torch.randn(7)}
    stored = packed(state)
    assert stored["table"].dtype == np.int8
    back = unpacked(stored)
    assert set(back) == set(state)
    steps = state["table"].abs().amax(dim=1, keepdim=True) / 127
    assert ((back["table"] - state["table"]).abs() <= steps * 0.51).all()
    assert torch.allclose(back["small"], state["small"], atol=2e-3)


def test_a_table_without_its_scales_is_refused() -> None:
    stored = packed({"table": torch.randn(600, 100)})
    with pytest.raises(KeyError):
        unpacked({"table": stored["table"]})


def test_rare_words_come_back_from_three_bytes_each() -> None:
    words = ["obermeyer", "wichmann", "cozad", "ghosh", "obermeyer"]
    stored = packed_words(words)
    assert len(stored) == 3 * 4
    assert unpacked_words(stored) == set(map(fingerprint, words))
    assert unpacked_words(packed_words([])) == frozenset()


def test_a_rare_name_is_told_to_the_network_alone() -> None:
    assert hint_of_word("obermeyer") == UNLISTED
    assert read_hint("obermeyer") == RARE + RARE_NAME
    assert read_hint("aspirin") == hint_of_word("aspirin") != UNLISTED
    assert read_hint("xqzvbk") == UNLISTED


def test_a_long_word_is_looked_up_a_letter_at_a_time_and_not_all_of_it() -> None:
    """A word of 10,000 letters took minutes: what stood behind each was looked up whole."""
    asked: list[str] = []

    class Told(dict[str, int]):
        def __contains__(self, piece: object) -> bool:
            asked.append(str(piece))
            return super().__contains__(piece)

    numbers = Told({"b": 1, "##a": 2})
    assert longest_first("b" + "a" * 999, numbers) == [(1, 1)] + [(2, 1)] * 999
    assert len(asked) <= 1_000 * PIECE_CHARS_MAX
    assert max(map(len, asked)) <= PIECE_CHARS_MAX + len("##")


def test_no_piece_is_longer_than_is_looked_for() -> None:
    assert max(len(name.removeprefix("##")) for name in NAMES) == PIECE_CHARS_MAX
