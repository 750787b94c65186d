from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import pytest
import torch

from services.privacy.tagger.manifest import MANIFEST, WEIGHTS, TaggerRefused
from services.privacy.tagger.network import LABELS, CharacterTagger, Shape
from services.privacy.tagger.shipped import SHIPPED_DIR
from training.deid.corpus import Writer
from training.deid.feeding import Batch, Corpus, Source, fed
from training.deid.fit import Progress, Recipe, fit, new_network
from training.deid.teachers import first_part, teacher

SMALL = Shape(
    char_width=4, word_width=4, width=8, dilations=(1, 2), context_layers=0, context_width=4
)
NAMED = LABELS.index("NAME")
pytestmark = pytest.mark.skipif(
    find_spec("jieba") is None or find_spec("spellchecker") is None,
    reason="the word lists are in the training extra",
)


def some(writer: Writer, workers: int) -> list[Batch]:
    writer.begin_again(5)
    return list(islice(fed(Source(Corpus(writer, None), 0.0, 5, 400), workers), 4))


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.labels, other.labels) and torch.equal(one.read.chars, other.read.chars)


def test_processes_beside_write_other_texts_in_one_order(writer: Writer) -> None:
    one, again, alone = some(writer, 2), some(writer, 2), some(writer, 0)
    assert all(map(same, one, again))
    assert not same(one[0], one[1])
    assert not any(same(a, b) for a in one for b in alone)


def test_what_is_past_the_end_of_a_text_is_not_learnt(writer: Writer) -> None:
    for batch in some(writer, 0):
        assert ((batch.labels >= 0) == (batch.read.chars > 0)).all()
        assert (batch.mask[:, 0, 0] == (batch.labels >= 0)).all()


def test_what_teachers_say_is_learnt_too(writer: Writer) -> None:
    sees_names = new_network(SMALL, 9)
    with torch.no_grad():
        assert sees_names.exit.bias is not None
        sees_names.exit.bias[NAMED] = 50.0
    batch = some(writer, 0)[0]

    def trained(teachers: list[CharacterTagger]) -> float:
        writer.begin_again(5)
        network = new_network(SMALL, 5)
        recipe = replace(Recipe(), steps=12, chars=400, seed=5, rate=5e-2)
        fit(network, Corpus(writer, None), recipe, Progress(lambda _: None), teachers)
        with torch.no_grad():
            read = batch.read._replace(context=network.context(batch.pieces))
            return float(torch.softmax(network(read, batch.mask), dim=1)[:, NAMED].mean())

    assert trained([sees_names.eval()]) > 0.5 > trained([])


def test_a_folder_without_a_tagger_teaches_nobody(tmp_path: Path) -> None:
    with pytest.raises(TaggerRefused):
        teacher(tmp_path, "cpu")


def test_the_first_part_teaches_where_it_is_kept(tmp_path: Path) -> None:
    assert first_part(tmp_path) == tmp_path
    (tmp_path / "first-part").mkdir()
    assert first_part(tmp_path) == tmp_path / "first-part"


def test_weights_that_are_not_those_of_the_manifest_teach_nobody(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / SHIPPED_DIR
    (tmp_path / MANIFEST).write_bytes((shipped / MANIFEST).read_bytes())
    (tmp_path / WEIGHTS).write_bytes((shipped / WEIGHTS).read_bytes()[:-1] + b"x")
    with pytest.raises(TaggerRefused, match="weights"):
        teacher(tmp_path, "cpu")
