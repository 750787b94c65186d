"""The benchmark of de-identification: how peers are scored, told of and shown."""

import importlib.util
import os
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench import deid, deid_peers
from bench.deid import TextSet
from bench.deid_peers import FindsAll, Peer
from bench.deid_readers import agreed, marked_again, second_readings
from cli.bench_tables import deid_table
from services.privacy.ahead import TEXTS
from services.privacy.spans import Span
from training.deid.scoring import NOT_REQUIRED, Spans
from training.deid.texts import BadGold, Half, Marked, read_gold

NOTE = Marked("1", "en", "s", "Ann Lee called 555-0100.", ((0, 7, "NAME"), (15, 23, "PHONE")))
SET = deid.TextSet("two", [NOTE, Marked("2", "en", "s", "Nothing here.", ())])


def finds_names(texts: Sequence[str]) -> FindsAll:
    return lambda: [[(0, 7, "PERSON")] if text.startswith("Ann") else [] for text in texts]


def fails(_: Sequence[str]) -> FindsAll:
    def find() -> Sequence[Spans]:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates")

    return find


def test_a_peer_is_scored_by_character_on_the_whole_set() -> None:
    row = deid.scored_peer(Peer("p", ("en",), finds_names), SET)
    assert (row["documents"], row["NAME"], row["PHONE"]) == (2, 1.0, 0.0)
    assert row["recall"] == round(6 / 13, 4)
    assert (row["precision"], row["leaky"]) == (1.0, 0.5)
    assert "held" not in row


def test_a_folder_of_notes_is_scored_alone(tmp_path: Path) -> None:
    (tmp_path / "mine" / "en").mkdir(parents=True)
    marked = "=== a-1\nknown NAME Ann Lee\n---\n\u27e6NAME:Ann Lee\u27e7 is well.\n"
    (tmp_path / "mine" / "en" / "a.txt").write_text(marked)
    (scores,) = deid.run(notes=tmp_path / "mine").values()
    assert set(scores) == {"mine en, nothing known", "mine en, known", deid.ALL_TEXTS}
    assert scores["mine en, known"]["NAME"] == 1.0
    with pytest.raises(BadGold):
        deid.run(notes=tmp_path)


class TakesAll:
    """A tagger that finds nothing, and keeps how many texts it was given at once."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        self.given.append(len(texts))
        return [[] for _ in texts]

    def find(self, folded: str) -> list[Span]:
        return self.find_all([folded])[0]


def test_short_texts_are_given_together() -> None:
    tagger = TakesAll()
    texts = [Marked(str(n), "en", "s", f"Seen on day {n}.", ()) for n in range(TEXTS + 2)]
    assert len(deid.cleans_with(tagger)(texts, False)) == len(texts)
    assert tagger.given == [TEXTS, 2]


def test_what_two_readers_mark_alike_has_to_go_and_nothing_else() -> None:
    """Half a name, and what one of them marked alone, is disputed: it may go."""
    again = ((0, 3, "NAME"), (8, 14, "LOC"), (15, 18, "ID"), (19, 23, "ID"))
    both = agreed(NOTE, again)
    required = [span for span in both.spans if span[2] not in NOT_REQUIRED]
    assert required == [(15, 23, "PHONE")]
    row = deid.scored(lambda *_: [([(0, 23, "NAME")], None)], TextSet("one", [both]), known=False)
    assert (row["recall"], row["precision"], row["leaky"]) == (1.0, 1.0, 0.0)


def test_what_a_reader_says_need_not_go_is_disputed() -> None:
    note = Marked("3", "en", "s", "Ann Lee at Acme", ((0, 7, "NAME"), (11, 15, "ORG")))
    both = agreed(note, ((0, 7, "OTHER"), (11, 15, "LOC")))
    assert {label for _, _, label in both.spans} == {"OTHER", "ORG"}
    assert agreed(note, note.spans) == note


def test_notes_that_were_read_again_are_the_gold_notes() -> None:
    for half in Half:
        readings = second_readings("en", half)
        notes = read_gold(deid.GOLD, "en", half)
        assert {note.id for note in notes} == set(readings)
        assert all(marked_again(note, readings) == readings[note.id].spans for note in notes)
    with pytest.raises(BadGold, match="read again"):
        marked_again(NOTE, readings)


def test_a_second_reader_is_scored_beside_the_systems() -> None:
    ((name, sets),) = deid.second_reader()
    assert name == deid.SECOND_READER
    assert set(sets) == {f"gold en, {half}, nothing known" for half in Half}
    for row in sets.values():
        assert row["recall"] > 0.95
        assert row["precision"] > 0.95
    shown = StringIO()
    Console(file=shown, width=200).print(deid_table("t", {name: sets}))
    assert name in shown.getvalue()


def test_a_peer_that_fails_on_a_text_says_how() -> None:
    row = deid.scored_peer(Peer("p", ("en",), fails), SET)
    assert row == {"note": "fails: UnicodeEncodeError"}


def test_a_peer_that_is_not_installed_is_a_line_with_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    found = dict(one for one in deid_peers.peers() if not isinstance(one, Peer))
    assert found["Philter"] == "not installed: pip install philter-ucsf chardet"
    assert list(found) == ["Presidio, patterns", "Presidio, spaCy model", "scrubadub", "Philter"]


def test_peers_get_the_languages_that_they_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = deid.TextSet("zh", [Marked("3", "zh", "s", "患者王芳。", ((2, 4, "NAME"),))])
    monkeypatch.setattr(deid, "text_sets", lambda _: [SET, chinese])
    both = [Peer("p", ("en",), finds_names), ("q", "not installed: pip install q")]
    monkeypatch.setattr(deid, "peers", lambda: both)
    found = deid.run()
    assert list(found["p"]) == ["two, nothing known"]
    assert found["q"] == {"note": "not installed: pip install q"}
    assert {"two, known", "zh, nothing known"} <= found["ours, rules only"].keys()
    assert found["ours, rules only"][deid.ALL_TEXTS].keys() == {"KB/s"}


def test_the_speed_over_all_texts_is_by_bytes_and_not_by_sets() -> None:
    two = deid.TextSet("two, short", [Marked("1", "en", "s", "x" * 2_000, ())])
    ten = deid.TextSet("ten", [Marked("2", "en", "s", "x" * 10_000, ())])
    rows = {
        "two, short, known": {"KB/s": 10.0},
        "ten, known": {"KB/s": 100.0},
        "ten, nothing known": {"KB/s": 0.0},  # too quick to time
    }
    assert deid.speed_of_all([two, ten], rows) == 40.0  # 12 KB in .3 s
    assert deid.speed_of_all([two], {}) == 0.0


def test_the_run_is_held_to_one_core_and_let_go() -> None:
    before = os.sched_getaffinity(0)
    with deid.one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_the_table_has_the_systems_of_a_set_together() -> None:
    row = deid.scored_peer(Peer("p", ("en",), finds_names), SET)
    figures = {
        "ours": {"two, nothing known": row},
        "p": {"two, nothing known": row},
        "q": {"note": "not installed: pip install q"},
        "r": {"two, nothing known": {"note": "fails: X"}},
    }
    shown = StringIO()
    Console(width=200, file=shown).print(deid_table("deid", figures))
    lines = [line for line in shown.getvalue().splitlines() if "two" in line]
    assert [line.split("│")[2].strip() for line in lines] == ["ours", "p", "r"]
    assert "0.462" in lines[0]
    assert any("pip install q" in line for line in shown.getvalue().splitlines())


def test_philters_patterns_get_their_flags_in_front() -> None:
    assert deid_peers._flags_first(r"\b(?i)ward\b").search("On WARD 3") is not None


@pytest.mark.parametrize(
    ("name", "module", "caught"),
    [
        ("Presidio, patterns", "presidio_analyzer", "ann@example.org"),
        ("scrubadub", "scrubadub", "ann@example.org"),
        ("Philter", "philter_ucsf", "Okonkwo"),
    ],
)
def test_a_peer_that_is_installed_finds_what_it_is_known_for(
    name: str, module: str, caught: str
) -> None:
    pytest.importorskip(module, reason=f"{module} is in the extra `peers`")
    peer = next(p for p in deid_peers.peers() if isinstance(p, Peer) and p.name == name)
    text = "Seen by Dr Okonkwo, write to ann@example.org."
    (spans,) = peer.prepare([text])()
    at = text.index(caught)
    covered = {index for start, end, _ in spans for index in range(start, end)}
    assert {at, at + len(caught) - 1} <= covered
