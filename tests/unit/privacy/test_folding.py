"""ASCII is folded to itself and squeezed by a table: the same as character by character."""

from services.privacy.folding import Squeezed, fold, squeeze, term

MIXED = "Zoë–Ann’s  ＮＨＳ 12-34\x1fŁódź ﬁt"


def test_every_character_of_ascii_is_folded_to_itself_beside_others_too() -> None:
    ascii_chars = "".join(map(chr, range(128)))
    folded = fold(ascii_chars + "é")
    assert folded.folded == ascii_chars + "e"
    assert folded.starts == list(range(129))


def test_offsets_lead_back_to_the_original_across_characters_that_grow() -> None:
    folded = fold(MIXED)
    start = folded.folded.index("fit")
    assert MIXED[slice(*folded.original(start, start + 3))] == "ﬁt"
    at = folded.folded.index("NHS")
    assert MIXED[slice(*folded.original(at, at + 3))] == "ＮＨＳ"


def test_ascii_is_squeezed_as_the_same_characters_beside_another_are() -> None:
    text = "Smith, Anna 12-34\x1fx"
    beside = squeeze(text + "李")
    assert squeeze(text) == Squeezed(beside.squeezed[:-1], beside.at[:-1])
    assert term(text) == beside.squeezed[:-1]


def test_a_character_that_is_squeezed_to_several_keeps_its_place() -> None:
    assert squeeze("é-ẞ1") == Squeezed("éss1", [0, 2, 2, 3])
