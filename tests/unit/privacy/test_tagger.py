import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from services.privacy import app
from services.privacy.folding import fold
from services.privacy.free_text import TextCleaner
from services.privacy.settings import PrivacySettings
from services.privacy.spans import Span
from services.privacy.tagger import reading, together
from services.privacy.tagger import tagger as module
from services.privacy.tagger.hints import lists_bytes
from services.privacy.tagger.identifying import Scores, identifying, words_of
from services.privacy.tagger.manifest import (
    MANIFEST,
    WEIGHTS,
    TaggerManifest,
    TaggerRefused,
    encode_manifest,
    load_tagger,
    read_manifest,
    tagger_of,
)
from services.privacy.tagger.network import LABELS, Read
from services.privacy.tagger.products import in_32_bits
from services.privacy.tagger.reading import Reader
from services.privacy.tagger.shipped import SHIPPED_DIGEST, SHIPPED_DIR
from services.privacy.tagger.tagger import (
    WHOLE,
    WINDOW,
    Tagger,
    spans_of,
    window_starts,
)

FOLDER = Path(__file__).parents[3] / SHIPPED_DIR
MAX_BYTES = 20_000_000  # of weights and of what else the network reads


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger(FOLDER, SHIPPED_DIGEST)


def spans_in(text: str, scores: Scores, threshold: float) -> list[Span]:
    return list(spans_of(text, scores, identifying(text, words_of(text), scores), threshold))


def altered(folder: Path, **changes: object) -> str:
    manifest = msgspec.structs.replace(read_manifest(FOLDER), **changes)
    (folder / MANIFEST).write_bytes(encode_manifest(manifest))
    (folder / WEIGHTS).write_bytes((FOLDER / WEIGHTS).read_bytes())
    return manifest.digest


def test_the_shipped_tagger_is_small_and_verified(tagger: Tagger) -> None:
    assert (FOLDER / WEIGHTS).stat().st_size + len(lists_bytes()) < MAX_BYTES
    assert 0 < tagger.threshold < 1
    assert SHIPPED_DIGEST in (FOLDER / "card.md").read_text(encoding="utf-8")


def test_another_digest_than_the_pinned_is_refused() -> None:
    with pytest.raises(TaggerRefused, match="digest"):
        load_tagger(FOLDER, "0" * 64)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaggerRefused, match="manifest"):
        load_tagger(tmp_path, SHIPPED_DIGEST)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"weights_sha256": "0" * 64}, "weights"),
        ({"architecture": "oracle"}, "architecture"),
        ({"alphabet_sha256": "0" * 64}, "alphabet"),
        ({"golden": ()}, "golden"),
    ],
)
def test_what_does_not_fit_this_code_is_refused(
    tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    digest = altered(tmp_path, **changes)
    with pytest.raises(TaggerRefused, match=code):
        load_tagger(tmp_path, digest)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    digest = altered(tmp_path)
    weights = bytearray((tmp_path / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(weights)
    with pytest.raises(TaggerRefused, match="weights"):
        load_tagger(tmp_path, digest)


def test_a_manifest_survives_its_file() -> None:
    manifest = read_manifest(FOLDER)
    assert msgspec.json.decode(encode_manifest(manifest), type=TaggerManifest) == manifest


def test_a_manifest_without_ranges_keeps_the_digest_that_was_pinned() -> None:
    manifest = read_manifest(FOLDER)
    without = msgspec.structs.replace(manifest, ranges={})
    assert "ranges" in json.loads(encode_manifest(manifest))
    assert "ranges" not in json.loads(encode_manifest(without))
    assert without.digest != manifest.digest


def test_windows_cover_a_text_and_overlap_by_what_the_network_sees() -> None:
    starts = window_starts(5_000, 64)
    assert starts[0] == 0
    assert starts[-1] == 5_000 - WINDOW
    assert all(b - a <= WINDOW - 2 * 64 for a, b in pairwise(starts))


def test_windows_begin_at_repeats_that_are_near() -> None:
    starts = window_starts(5_000, 64, [700, 900, 1_500, 1_750, 3_000])
    # What counts of the second begins at 900, of the third at 1,750; then none is near.
    assert starts[:4] == [0, 900 - 64, 1_750 - 64, 1_750 - 64 + WINDOW - 2 * 64]
    assert starts[-1] == 5_000 - WINDOW
    assert all(b - a <= WINDOW - 2 * 64 for a, b in pairwise(starts))


NOTE = "Seen by Dr Okafor of Leeds on 3/4.\nPlan: home with Anwen, ring 01632 960112.\n"


@pytest.mark.parametrize("text", [NOTE * 200, "<a href='" * 1_700, "患者赵云飞诉腹痛。" * 1_700])
def test_repeats_are_read_once_and_what_is_found_is_the_same(
    tagger: Tagger, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(
        reader: Reader, window: Read, lengths: Sequence[int]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        nonlocal read
        read += window.chars.numel()
        return as_it_is(reader, window, lengths)

    as_it_is = Reader.read
    monkeypatch.setattr(Reader, "read", counted)
    once = tagger.said(text).probabilities
    assert read < len(text)
    monkeypatch.setattr(together, "without_repeats", lambda pieces: pieces)
    monkeypatch.setattr(module, "_digest", lambda _: str(read).encode())
    assert np.allclose(once, tagger.said(text).probabilities, atol=0.03)


def test_a_long_text_is_read_as_if_it_were_whole(tagger: Tagger) -> None:
    text = ("患者赵云飞诉腹痛，予奥美拉唑。Seen by Dr Okafor, Leeds. " * 120)[: WHOLE + 700]
    assert len(text) == WHOLE + 700
    in_windows = tagger.said(text)
    around = WINDOW - tagger.shape.reach  # where the second window takes over
    # By more than is seen: the analyser reads a clause as a whole.
    alone = tagger.said(text[around - 200 : around + 200])
    middle = slice(around - 20, around + 20)
    assert np.allclose(in_windows.probabilities[middle], alone.probabilities[180:220], atol=1e-4)
    assert np.allclose(in_windows.hidden[middle], alone.hidden[180:220], atol=0.02, rtol=0.01)


@pytest.mark.parametrize("text", ["Seen by Dr Okafor, Leeds. ", "患者赵云飞诉腹痛，予奥美拉唑。"])
def test_what_is_put_behind_a_text_to_round_its_length_changes_nothing(
    tagger: Tagger, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = tagger.said(text * 3)
    for step in (1, 640):
        monkeypatch.setattr(reading, "SHORT_STEP", step)
        again = tagger.said(text * 3)
        assert np.allclose(again.probabilities, once.probabilities, atol=1e-4)
        assert again.hidden.shape == once.hidden.shape


SEVERAL = (
    "Seen by Dr Okafor, Leeds.",
    "患者赵云飞诉腹痛，予奥美拉唑。",
    "",
    "K 4.1",
    "Call Anwen Pugh on 01632 960112 about the wound on her left heel.",
    "Seen by Dr Okafor, Leeds.",
    "Reviewed with Mr Kowalczyk's daughter at 12 Elm Road. " * 60,
    "Plan: home tomorrow, Dr Okafor to write to the GP in Harrogate.",
)


def test_texts_that_are_read_together_give_what_each_gives_alone(tagger: Tagger) -> None:
    folded = [fold(text).folded for text in SEVERAL]
    found = tagger.find_all(folded)
    assert found == [tagger.find(text) for text in folded]
    assert found[4][0] == Span(5, 15, "NAME")
    assert found[2] == []
    assert tagger.find_all([]) == []


def test_in_eight_bits_to_the_last_bit(tagger: Tagger) -> None:
    if not tagger.reader.reads_many:
        pytest.skip("this processor computes in 32 bits")
    short = [fold(text).folded for text in SEVERAL if text]
    for said, alone in zip(tagger._said_all(short), map(tagger.said, short), strict=True):
        assert np.array_equal(said.probabilities, alone.probabilities)
        assert np.array_equal(said.hidden, alone.hidden)


def test_short_texts_are_read_at_once_and_long_ones_alone(
    tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    as_it_is = Reader.read

    def counted(
        reader: Reader, read: Read, lengths: Sequence[int]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        counts.append(len(lengths))
        return as_it_is(reader, read, lengths)

    monkeypatch.setattr(Reader, "read", counted)
    tagger.find_all([text for text in SEVERAL if text])
    together = [5, 1, 1] if tagger.reader.reads_many else [1] * 7
    assert counts == together


def test_in_32_bits_each_text_is_read_alone() -> None:
    manifest = read_manifest(FOLDER)
    slow = tagger_of(manifest, (FOLDER / WEIGHTS).read_bytes(), in_32_bits)
    assert not slow.reader.reads_many


def test_the_same_text_gives_the_same_spans(tagger: Tagger) -> None:
    text = fold("古丽巴哈尔 女 住院号ZY0098231。Mr Tadeusz Kowalczyk of 12 Elm Road. " * 30).folded
    assert tagger.find(text) == tagger.find(text)


def test_names_that_nobody_told_are_found(tagger: Tagger) -> None:
    cleaner = TextCleaner(tagger=tagger)
    for text, name in (
        ("患者因腹痛入院，丈夫蔺守则陪同，已签字。", "蔺守则"),
        ("Spoke to Oyelaran Adewale (pharmacist), who agrees with the plan.", "Adewale"),
    ):
        cleaned = cleaner.clean(text).text
        assert cleaned is not None
        assert name not in cleaned


KEPT = [
    "BP 120/80, HR 88, RR 16, T 36.8, SpO2 97% on 2 L/min",
    "Parkinson disease, Graves disease, Crohn disease; Foley catheter",
    "Babinski sign absent, metformin 500 mg BID, reviewed 3 days ago.",
    "72-year-old woman, 3 weeks ago, every 8 hours, in 2019",
    "体温38.5℃，血压120/80mmHg，心率88次/分，WBC 12.3×10^9/L",
    "患者高热3天，伴咳嗽、咳痰，无胸痛。白细胞升高，黄疸不明显。",
    "予头孢曲松2g静滴每日1次，奥美拉唑40mg qd，患者帕金森病史5年。",
    "Echo: LVEF 35%, moderate MR, LA 48 mm, RVSP 42 mmHg.",
    "Guillain-Barre syndrome suspected; LP showed albuminocytologic dissociation.",
    "Murphy's sign negative. McBurney's point non-tender. Rovsing absent.",
    "Discharged on aspirin, clopidogrel, bisoprolol, ramipril and atorvastatin.",
    "She is afebrile, tolerating diet, ambulating with walker.",
    "Blood cultures grew Klebsiella pneumoniae, sensitive to meropenem.",
    "新生儿Apgar评分9-10-10分，体重3200g，羊水清。",
    "头颅CT示右侧基底节区脑出血，量约30ml，中线移位5mm。",
    "甲状腺左叶结节，TI-RADS 4a类，拟行细针穿刺活检。",
    "化疗方案：奥沙利铂+卡培他滨，第3周期第1天，无明显不良反应。",
]


@pytest.mark.parametrize("text", KEPT)
def test_medicine_stays_with_all_layers(tagger: Tagger, text: str) -> None:
    assert TextCleaner(tagger=tagger).clean(text).text == text


def test_spans_are_code_points_of_the_input(tagger: Tagger) -> None:
    text = "🙂👍🏽 Ｄｒ Ｏｋａｆｏｒ 查房，住院号：ＺＹ００９８２３１"
    spans = TextCleaner(tagger=tagger).clean(text).spans
    assert "ＺＹ００９８２３１" in {text[span.start : span.end] for span in spans}
    assert "Ｏｋａｆｏｒ" in {text[span.start : span.end] for span in spans}


def test_a_word_of_an_alphabet_goes_whole_and_neighbours_join() -> None:
    text = "by Ann Lowe, 3 times"
    scores = np.zeros((len(text), len(LABELS)), dtype=np.float32)
    scores[3:8, LABELS.index("NAME")] = 0.9  # "Ann L", the rest of the word is below
    scores[8:10, LABELS.index("NAME")] = 0.3
    assert spans_in(text, scores, 0.5) == [Span(3, 11, "NAME")]


def test_what_is_likely_goes_only_beside_what_is_sure() -> None:
    text = "夫李桂芳陪，王说"
    scores = np.zeros((len(text), len(LABELS)), dtype=np.float32)
    scores[1:4, LABELS.index("NAME")] = (0.9, 0.9, 0.3)  # the last character is less sure
    scores[6, LABELS.index("NAME")] = 0.3
    assert spans_in(text, scores, 0.5) == [Span(1, 4, "NAME")]


def test_what_was_found_once_is_found_everywhere() -> None:
    class First:
        def find(self, folded: str) -> list[Span]:
            at = folded.index("蔺守则")
            return [Span(at, at + 3, "NAME")]

    cleaner = TextCleaner(tagger=First())
    assert cleaner.clean("蔺守则入院。后蔺守则好转").text == "[NAME-1]入院。后[NAME-1]好转"
    assert cleaner.found["tagger", "NAME"] == 1
    assert cleaner.found["repeat", "NAME"] == 2


def test_privacy_does_not_start_with_a_tagger_that_is_not_pinned() -> None:
    settings = PrivacySettings(tagger_dir=FOLDER, tagger_digest="0" * 64)
    with pytest.raises(TaggerRefused):
        app._tagger(settings)
    assert app._tagger(settings.model_copy(update={"uses_tagger": False})) is None
    assert app._tagger(settings.model_copy(update={"tagger_digest": SHIPPED_DIGEST})) is not None
