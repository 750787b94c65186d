from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.numpy import load, save

from contracts.identified import Patient, PersonName
from services.privacy.free_text import TextCleaner
from services.privacy.identity import NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.tagger.identifying import words_of
from services.privacy.tagger.manifest import (
    SECOND,
    SEEN,
    WEIGHTS,
    TaggerRefused,
    load_tagger,
    read_manifest,
    second_look_of,
)
from services.privacy.tagger.network import LABELS
from services.privacy.tagger.packing import packed, unpacked
from services.privacy.tagger.second_look import (
    FEATURES,
    Floats,
    Looked,
    Said,
    SecondLook,
    looked_at,
)
from services.privacy.tagger.seen import READ
from services.privacy.tagger.shipped import SHIPPED_DIGEST, SHIPPED_DIR
from services.privacy.tagger.tagger import Tagger
from training.deid.looking_again import TABLE_NUMBERS_MIN

FOLDER = Path(__file__).parents[3] / SHIPPED_DIR
NOTE = "Seen with Wren today. Plan agreed with Wren, home on Friday.\n"


class Always(SecondLook):
    """Says the same of each word."""

    def __init__(self, share: float) -> None:
        super().__init__(FEATURES, 1)
        self.share = share

    def probabilities(self, features: Floats) -> Floats:
        return np.full(len(features), self.share, dtype=np.float32)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger(FOLDER, SHIPPED_DIGEST)


def said(text: str, **names: float) -> Said:
    """What a network would say that is so sure of these words' being names, and of no other."""
    scores = np.zeros((len(text), len(LABELS)), dtype=np.float32)
    for name, share in names.items():
        start = text.index(name)
        scores[start : start + len(name), LABELS.index("NAME")] = share
    scores[:, 0] = 1 - scores.sum(axis=1)
    return Said(scores, np.zeros((len(text), 2), dtype=np.float32))


def words_in(text: str, look: Looked) -> list[str]:
    return [text[start:end] for start, end in words_of(text)[look.at].tolist()]


def test_only_what_may_identify_is_looked_at() -> None:
    look = looked_at(NOTE, words_of(NOTE), said(NOTE, Wren=0.4, home=0.02, Plan=0.005))
    assert words_in(NOTE, look) == ["Wren", "home"]
    assert look.features.shape == (2, FEATURES + 2)
    assert np.isfinite(look.features).all()


def test_of_a_text_that_identifies_nobody_nothing_is_looked_at() -> None:
    look = looked_at(NOTE, words_of(NOTE), said(NOTE))
    assert look.features.shape == (0, FEATURES + 2)


def test_what_the_network_says_of_a_word_elsewhere_is_read() -> None:
    unsure = said(NOTE, Wren=0.4)
    alone = looked_at(NOTE, words_of(NOTE), unsure)
    again = NOTE.rindex("Wren")
    unsure.probabilities[again : again + 4, LABELS.index("NAME")] = 0.9
    both = looked_at(NOTE, words_of(NOTE), unsure)
    changed = np.flatnonzero(alone.features[0] != both.features[0])
    assert 0.9 in both.features[0, changed].round(4)


def test_who_looks_again_raises_and_lowers_what_the_network_said(tagger: Tagger) -> None:
    text = "Mr Tadeusz Kowalczyk of Leeds was seen by Dr Okafor.\n"
    raised, lowered = (replace(tagger, second=Always(share)).find(text) for share in (1.0, 0.0))
    assert sum(one.end - one.start for one in raised) > sum(one.end - one.start for one in lowered)


def test_what_the_network_is_sure_of_is_not_lowered(tagger: Tagger) -> None:
    text = "Mr Tadeusz Kowalczyk of Leeds was seen by Dr Okafor.\n"
    sure = replace(tagger, second=Always(0.0)).find(text)
    assert "Kowalczyk" in " ".join(text[one.start : one.end] for one in sure)


def test_what_rules_and_records_know_goes_whoever_denies_it(tagger: Tagger) -> None:
    never = replace(tagger, second=Always(0.0))
    wren = Patient(ids=(), names=(PersonName(family="Wren", given="Ada"),))
    text = "Wren seen in clinic, MRN 1004567, call (617) 555-0142.\n"
    cleaned = TextCleaner(KnownTerms(terms_of(grow(NOBODY, wren))), never).clean(text).text
    assert cleaned is not None
    assert not any(part in cleaned for part in ("Wren", "1004567", "555-0142"))


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize(
    "text",
    [
        "患者赵云飞由Dr Okafor收治，诉腹痛，予奥美拉唑，择期复查。",
        "spoke to oyelaran adewale in leeds, he agrees with the plan.\n",
        "SPOKE TO OYELARAN ADEWALE IN LEEDS, HE AGREES WITH THE PLAN.\n",
        "120/80, 36.8",
        "...",
    ],
)
def test_in_chinese_and_in_texts_of_one_case_nobody_looks_again(
    tagger: Tagger, text: str, share: float
) -> None:
    assert replace(tagger, second=Always(share)).find(text) == replace(tagger, second=None).find(
        text
    )


def stored() -> dict[str, npt.NDArray[np.generic]]:
    return dict(load((FOLDER / WEIGHTS).read_bytes()))


def test_a_tagger_without_a_second_look_has_none(tagger: Tagger) -> None:
    first = {n: part for n, part in stored().items() if not n.startswith((SECOND, SEEN))}
    assert second_look_of(save(first), tagger.shape) == (None, None)
    assert tagger.second is not None


def test_words_seen_without_a_second_look_are_refused(tagger: Tagger) -> None:
    first = {name: part for name, part in stored().items() if not name.startswith(SECOND)}
    with pytest.raises(TaggerRefused, match="weights"):
        second_look_of(save(first), tagger.shape)


def test_one_that_learnt_without_what_was_seen_reads_without(tagger: Tagger) -> None:
    parts = {name: part for name, part in stored().items() if not name.startswith(SEEN)}
    for name in ("second.mean", "second.scale"):
        parts[name] = parts[name][:-READ]
    inner = unpacked(stored())["second.inner.weight"][:, :-READ]
    parts |= packed({"second.inner.weight": inner}, TABLE_NUMBERS_MIN)
    second, seen = second_look_of(save(parts), tagger.shape)
    assert second is not None
    assert seen is None
    without = replace(tagger, second=second, seen=seen)
    assert without.find("Mr Tadeusz Kowalczyk of Leeds was seen by Dr Okafor.\n")


@pytest.mark.parametrize(
    "missing",
    ["second.inner.bias", "second.exit.weight", "second.mean", "seen.keys", "seen.levels"],
)
def test_half_a_second_look_is_refused(tagger: Tagger, missing: str) -> None:
    parts = stored()
    del parts[missing]
    with pytest.raises(TaggerRefused, match="weights"):
        second_look_of(save(parts), tagger.shape)


def test_the_limit_of_the_manifest_is_that_of_the_second_look(tagger: Tagger) -> None:
    text = "Walks with a frame at Peas & Carrots. Collar by Rooster, friend Termite, in the Swan.\n"
    limit = read_manifest(FOLDER).threshold
    over, under = (
        sum(one.end - one.start for one in replace(tagger, second=Always(limit * part)).find(text))
        for part in (1.01, 0.39)
    )
    assert over > under


def test_features_are_scaled_and_cut() -> None:
    second = SecondLook(FEATURES, 1)
    second.mean.fill_(1.0)
    second.scale.fill_(0.5)
    features = torch.tensor([[2.0] * (FEATURES - 1) + [100.0]])
    scaled = second.scaled(features)
    assert scaled[0, 0] == 2.0
    assert scaled[0, -1] == 6.0
