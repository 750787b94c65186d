"""What large teachers tell is written, read again, learnt; none tells of what it learnt from."""

import random
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from cli.commands.train import train_command
from services.privacy.tagger.network import LABELS, Shape
from training.deid import large_model, large_teacher, telling
from training.deid.corpus import Learnt, Writer, cut, examples, hidden
from training.deid.feeding import Corpus, tensors
from training.deid.fit import Progress, Recipe, fit, new_network
from training.deid.large_model import NotBert, Vocabulary, begin_as_bert, read_weights
from training.deid.large_teacher import PIECES_MAX, cuts, read
from training.deid.large_texts import PARTS, Dealt, Texts, part_of, written
from training.deid.plain_texts import Plain
from training.deid.texts import Marked
from training.deid.told import BadTold, Told, read_told, worth_saying, write_told
from training.deid.variants import Variants

NAMED, PLACE = LABELS.index("NAME"), LABELS.index("LOC")
SMALL = Shape(
    char_width=4, word_width=4, width=8, dilations=(1, 2), context_layers=0, context_width=4
)
PIECES = (
    "[PAD] [unused1] [UNK] [CLS] [SEP] [MASK] Ada Lowe ##ll came home from in Le ##eds , . - to"
)


def a_told(text: str = "Ada Lowe came\nhome", said: tuple[int, ...] = (NAMED, 900)) -> Told:
    return Told(Marked("", "en", "told", text, ((0, 8, "NAME"),)), [[0, 3, *said], [4, 8, *said]])


def a_note(number: int, text: str = "⟦NAME:Ada Lowe⟧ came home.") -> Marked:
    plain = text.replace("⟦NAME:", "").replace("⟧", "")
    return Marked(f"n-{number}", "en", "n", plain, ((0, 8, "NAME"),))


@pytest.fixture
def small_bert(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of a model that is made like bert-base-cased, and much smaller."""
    monkeypatch.setattr(large_model, "WIDTH", 24)
    monkeypatch.setattr(large_model, "INNER", 32)
    monkeypatch.setattr(large_model, "LAYERS", 2)
    generator = torch.Generator().manual_seed(1)
    sizes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(PIECES.split()), 24),
        "embeddings.position_embeddings.weight": (512, 24),
        "embeddings.token_type_embeddings.weight": (2, 24),
        "embeddings.LayerNorm.gamma": (24,),
        "embeddings.LayerNorm.beta": (24,),
    }
    for layer in range(2):
        name = f"encoder.layer.{layer}."
        parts = {f"attention.self.{one}": (24, 24) for one in ("query", "key", "value")}
        parts |= {"attention.output.dense": (24, 24)}
        parts |= {"intermediate.dense": (32, 24), "output.dense": (24, 32)}
        for part, size in parts.items():
            sizes |= {f"{name}{part}.weight": size, f"{name}{part}.bias": size[:1]}
        for part in ("attention.output", "output"):
            sizes |= {f"{name}{part}.LayerNorm.{one}": (24,) for one in ("gamma", "beta")}
    weights: dict[str, Tensor] = {
        f"bert.{name}": torch.randn(size, generator=generator) / 5 for name, size in sizes.items()
    }
    folder = tmp_path / "bert"
    folder.mkdir()
    save_file(weights, folder / "model.safetensors")
    (folder / "vocab.txt").write_text("\n".join(PIECES.split()) + "\n")
    return folder


def test_what_is_told_is_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl.gz"
    told = a_told("Ada Lowe came home", (NAMED, 700, PLACE, 250))
    write_told(path, [told, Told(told.marked)])
    (again,) = read_told(path)
    assert again.marked == told.marked
    shares = again.shares()
    assert shares is not None
    assert np.allclose(shares[0, [0, NAMED, PLACE]], [0.05, 0.7, 0.25])
    assert shares[9, 0] == 1.0
    assert not shares[3].any()  # of a blank within a name no piece tells


def test_a_piece_of_which_nothing_is_said_is_not_written_down() -> None:
    shares = np.zeros((3, len(LABELS)), dtype=np.float32)
    shares[:, 0] = 0.995, 0.2, 0.9
    shares[1, NAMED], shares[2, PLACE] = 0.8, 0.1
    found = list(worth_saying([0, 4, 9], [3, 8, 10], shares))
    assert found == [[4, 8, NAMED, 800], [9, 10, PLACE, 100]]


def test_what_is_told_stays_at_its_characters() -> None:
    rng, noise = random.Random(1), np.random.default_rng(1)
    long = a_told("Ada Lowe came " * 90)
    (one,) = examples([long])
    part = hidden(cut(one, rng), noise)
    assert one.told is not None
    assert part.told is not None
    assert part.told.shape == (len(part.chars), len(LABELS))
    (wide,) = examples([a_told("Ａda Lowe came")])  # folded, as the network reads it
    assert wide.told is not None
    assert wide.told[:8, NAMED].min() > 0.0 or wide.told[0, NAMED] > 0
    batch = tensors([one, examples([Told(long.marked)])[0]])
    is_told = batch.told[0].sum(dim=0)
    assert [bool(one) for one in is_told] == [not char.isspace() for char in long.marked.text]
    assert (batch.told[1] == 0).all()


def test_what_a_large_teacher_told_is_learnt(writer: Writer) -> None:
    def trained(said: tuple[int, ...]) -> float:
        writer.begin_again(5)
        told = [a_told(said=said)]
        variants = Variants({"en": [a_note(1)]}, writer.people, writer.names)
        more = Learnt(variants, (), 1.0, told=told, told_share=1.0)
        network = new_network(SMALL, 5)
        recipe = replace(Recipe(), steps=60, chars=400, seed=5, rate=3e-2, more_share=1.0)
        assert fit(network, Corpus(writer, more), recipe, Progress(lambda _: None)) == 60
        batch = tensors(examples(told))
        with torch.no_grad():
            read = batch.read._replace(context=network.context(batch.pieces))
            return float(torch.softmax(network(read, batch.mask), dim=1)[0, PLACE, :3].mean())

    assert trained((PLACE, 990)) > 0.5 > trained((NAMED, 990))


def test_training_by_time_ends_with_it_and_at_the_lowest_rate(writer: Writer) -> None:
    moments = iter(range(10_000))

    def clock() -> float:
        return float(next(moments))

    recipe = replace(Recipe(), seconds=20.0, chars=400, seed=5)
    writer.begin_again(5)
    progress = Progress(lambda _: None, clock=clock)
    steps = fit(new_network(SMALL, 5), Corpus(writer, None), recipe, progress)
    assert 18 <= steps <= 21


def test_no_teacher_tells_of_a_note_that_it_learnt_from(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, small_bert: Path
) -> None:
    learnt: list[set[int]] = []
    told: list[set[int]] = []

    def learn(_: object, texts: large_teacher.Read, part: int, *__: object) -> None:
        kept = [one for one in texts.dealt if one.part != part]
        learnt.append({one.part for one in kept})

    def shares_of(
        _: object, texts: large_teacher.Read, wanted: list[int], __: int
    ) -> dict[int, np.ndarray]:
        told.append({texts.dealt[at].part for at in wanted})
        size = len(LABELS)
        return {at: np.full((len(texts.words[at].numbers), size), 1 / size) for at in wanted}

    monkeypatch.setattr(large_teacher, "learn", learn)
    monkeypatch.setattr(large_teacher, "shares_of", shares_of)
    notes = [a_note(number) for number in range(30)]
    texts = Texts(notes[:20], notes[20:], Plain({"en": [("All is well here.",)]}))
    dealt = list(written(texts, writer, 3, 200))
    is_told = [one.is_told for one in dealt]
    pieces = read(Vocabulary(small_bert), dealt)
    found = large_teacher.tell(
        read_weights(small_bert), pieces, large_teacher.Recipe(), "cpu", Progress(print)
    )
    assert told == [{part} for part in range(PARTS)]
    assert all(not one & two for one, two in zip(told, learnt, strict=True))
    assert len(found) == sum(is_told)
    assert 0 < sum(is_told) < len(is_told)  # what is only learnt from is not told of


def test_variants_of_a_note_are_dealt_to_its_part(writer: Writer) -> None:
    notes = [a_note(number, f"⟦NAME:Ada Lowe⟧ in {number} homes.") for number in range(9)]
    texts = Texts(notes, [], Plain({}))
    parts = {str(number): part_of(note) for number, note in enumerate(notes)}
    assert len(set(parts.values())) == PARTS
    seen = 0
    for dealt in written(texts, writer, 5, 300):
        assert dealt.is_told
        for number in (word for word in dealt.marked.text.split() if word in parts):
            if f"{number} homes" in dealt.marked.text:
                assert parts[number] == dealt.part
                seen += 1
    assert seen > 50


def test_a_text_is_read_in_its_own_pieces(small_bert: Path) -> None:
    vocabulary = Vocabulary(small_bert)
    words = vocabulary.words("Lowell, Leeds\nxq")
    text = "Lowell, Leeds\nxq"
    found = [text[a:b] for a, b in zip(words.starts, words.ends, strict=True)]
    assert found == ["Lowe", "ll", ",", "Le", "eds", "\n", "xq"]
    assert words.numbers[-2] == vocabulary.line
    assert words.numbers[-1] == PIECES.split().index("[UNK]")


def test_a_long_text_is_cut_at_its_lines() -> None:
    numbers = [7] * 1_000
    numbers[320] = numbers[650] = 1
    places = list(cuts(numbers, 1))
    assert [start for start, _ in places] == [0, 320, 650]
    assert places[-1][1] == 1_000
    assert all(end - start <= PIECES_MAX for start, end in places)
    assert list(cuts([], 1)) == []


def test_a_large_teacher_learns_what_is_marked(small_bert: Path) -> None:
    marked = Marked("", "en", "s", "Ada Lowe came home", ((0, 8, "NAME"),))
    texts = read(Vocabulary(small_bert), [Dealt(marked, 1)] * 40)
    teacher = begin_as_bert(read_weights(small_bert), 1)
    recipe = large_teacher.Recipe(seconds=200, pieces=128, rate=5e-3)
    batches = Progress(lambda _: None, clock=count().__next__)  # each takes a second
    large_teacher.learn(teacher, texts, 0, recipe, batches)
    shares = large_teacher.shares_of(teacher, texts, [0], 128)[0]
    assert shares[:2, NAMED].min() > 0.8
    assert shares[2:, 0].min() > 0.8


def test_another_model_is_refused(small_bert: Path, tmp_path: Path) -> None:
    weights = read_weights(small_bert)
    with pytest.raises(KeyError):
        begin_as_bert({name: part for name, part in weights.items() if "query" not in name}, 1)
    plan = telling.Plan(tmp_path, tmp_path, "", "", 1, 10, "cpu")
    told = (large_teacher.Recipe(), tmp_path / "told", Progress(print))
    with pytest.raises(NotBert, match="not a folder of bert-base-cased"):
        telling.tell_of_notes(plan, tmp_path, *told)
    with pytest.raises(FileNotFoundError, match="no note to tell of"):
        telling.tell_of_notes(plan, small_bert, *told)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        telling.tell_of_notes(plan, small_bert, told[0], tmp_path / "none" / "told", told[2])


def test_another_file_is_not_what_was_told(tmp_path: Path) -> None:
    (tmp_path / "told").write_text("[]")
    for name in ("told", "none"):
        with pytest.raises(BadTold, match=name):
            read_told(tmp_path / name)


def test_options_that_do_not_go_together_are_wrong_usage(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with pytest.raises(typer.BadParameter, match="go together"):
        train_command("deid", data=tmp_path, tell=told)
    with pytest.raises(typer.BadParameter, match="go together"):
        train_command("deid", data=tmp_path, large_model=tmp_path)
    with pytest.raises(typer.BadParameter, match="not with --second-look"):
        train_command("deid", data=tmp_path, tell=told, second_look=tmp_path)


@pytest.mark.parametrize(
    ("options", "unread"),
    [
        ({"second_look": Path("a"), "told": Path("b")}, "--told"),
        ({"second_look": Path("a"), "leave_out": "nv*"}, "--leave-out"),
        ({"measure": Path("a"), "workers": 2}, "--workers"),
        ({"tell": Path("a"), "large_model": Path("b"), "begin": Path("c")}, "--begin"),
        ({"lighten": Path("a"), "device": "cuda"}, "--device"),
        ({"lighten": Path("a"), "gold": Path("b")}, "--gold"),
        ({"measure": Path("a"), "threshold": 0.3}, "--threshold"),
        ({"new_notes": "nv*"}, "--new-notes"),
        ({"not_told": "nv*"}, "--not-told"),
    ],
)
def test_an_option_that_would_not_be_read_is_wrong_usage(
    options: dict[str, Any], unread: str, tmp_path: Path
) -> None:
    with pytest.raises(typer.BadParameter, match="is not read by") as refused:
        train_command("deid", data=tmp_path, **options)
    assert refused.value.param_hint == unread
