"""A site's recognisers: what they add, that they take nothing away, and that they fail closed."""

import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.commands.deidentify import deidentify_command
from plumbing.clock import SystemClock
from services.privacy import app, metrics
from services.privacy.folding import fold
from services.privacy.free_text import CannotSearch, TextCleaner
from services.privacy.settings import PrivacySettings
from services.privacy.site_recognizers import (
    RecognizersRefused,
    SiteRecognizers,
    label_of,
    load_recognizers,
)
from services.privacy.spans import Span
from tests.support.timing import assert_within, timed

NOTE = "Locked with zq-4471 then. Mr Vickers, MRN 7700123, of ward 3."
BADGE = """
recognizers:
  - name: Badge
    supported_entity: BADGE
    patterns: [{name: badge, regex: 'ZQ-\\d{4}', score: 0.6}]
"""


def installed() -> None:
    pytest.importorskip("presidio_analyzer", reason="presidio-analyzer: extra `presidio`")


def loaded(tmp_path: Path, content: str, seconds_max: float = 2.0) -> SiteRecognizers:
    installed()
    file = tmp_path / "site.yaml"
    file.write_text(content, encoding="utf-8")
    return load_recognizers(file, SystemClock(), seconds_max)


def found(recognizers: SiteRecognizers, text: str) -> list[str]:
    return [text[span.start : span.end] for span in recognizers.find(text)]


def test_what_a_site_adds_goes_and_nothing_of_ours_stays_for_it(tmp_path: Path) -> None:
    site = loaded(tmp_path, BADGE)
    with_site, without = TextCleaner(site=site), TextCleaner()
    more, less = with_site.clean(NOTE), without.clean(NOTE)
    assert more.text is not None
    assert less.text is not None
    assert "zq-4471" in less.text
    assert "zq-4471" not in more.text
    assert with_site.found["site", "ID"] == 1
    covered = {i for span in more.spans for i in range(span.start, span.end)}
    assert all(set(range(span.start, span.end)) <= covered for span in less.spans)


def test_spans_are_of_the_text_as_it_was_written(tmp_path: Path) -> None:
    text = "工牌 ＺＱ\u200b－４４７１ 已核对"
    cleaned = TextCleaner(site=loaded(tmp_path, BADGE)).clean(text)
    assert [text[s.start : s.end] for s in cleaned.spans] == ["ＺＱ\u200b－４４７１"]
    assert cleaned.text == "工牌 [ID-1] 已核对"


def test_lists_of_words_and_presidios_own_recognisers_are_taken(tmp_path: Path) -> None:
    site = loaded(
        tmp_path,
        """
supported_languages: [en]
recognizers:
  - {name: Wards, type: custom, supported_language: zh, supported_entity: LOC,
     deny_list: [望江楼, Rose Court]}
  - {name: UkNinoRecognizer, type: predefined}
  - {name: EmailRecognizer, type: predefined}
  - {name: PhoneRecognizer, type: predefined, enabled: false}
""",
    )
    text = "From rose court, 转自 望江楼 , NINO AB123456C, a@example.org; 12.03"
    assert [(text[s.start : s.end], s.label) for s in site.find(text)] == [
        ("rose court", "LOC"),
        ("望江楼", "LOC"),
        ("AB123456C", "ID"),
        ("a@example.org", "EMAIL"),
    ]


def test_a_check_that_fails_and_a_score_below_its_threshold_leave_a_match_out(
    tmp_path: Path,
) -> None:
    site = loaded(
        tmp_path,
        """
recognizers:
  - {name: NhsRecognizer, type: predefined}
  - name: Locker
    supported_entity: LOCKER
    score_thresholds: {default: 0.4}
    context: [locker, 柜]
    patterns: [{name: weak, regex: '\\b\\d{3}\\b', score: 0.01}]
""",
    )
    assert found(site, "NHS 943 476 5919") == ["943 476 5919"]
    assert found(site, "NHS 943 476 5918") == []
    assert found(site, "glucose 118, lockers: see 204") == ["204"]
    assert found(site, "储物柜 204，血糖 118") == ["204", "118"]
    assert found(site, "locker one two three four five six 204") == []


@timed
def test_a_text_that_takes_too_long_is_held_back_in_time(tmp_path: Path) -> None:
    bomb = "  - {name: Bomb, supported_entity: X, patterns: [{name: b, score: 1, regex: &}]}\n"
    site = loaded(tmp_path, BADGE + bomb.replace("&", "'(e|e)*b|(e+)+c'"), seconds_max=0.2)
    text = "ZQ-4471 " + "e" * 100_000
    begun = time.process_time()
    cleaned = TextCleaner(site=site).clean(text)
    assert (cleaned.text, cleaned.held) == (None, "site_recognizer_time")
    took_s = time.process_time() - begun
    with pytest.raises(CannotSearch, match=r"^site_recognizer_time$") as caught:
        site.find(text)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    counted = metrics.SITE_RECOGNIZER_FAILURES.labels("Bomb", "site_recognizer_time")
    assert counted._value.get() == 2.0
    assert TextCleaner(site=site).clean("ZQ-4471 here").text == "[ID-1] here"
    assert_within(took_s, 2.0)


def test_many_matches_are_within_the_time_too(tmp_path: Path) -> None:
    any_digit = BADGE.replace("ZQ-\\d{4}", "\\d")
    site = loaded(tmp_path, any_digit, seconds_max=0.05)
    with pytest.raises(CannotSearch, match="site_recognizer_time"):
        site.find("1 " * 100_000)


def test_a_check_that_raises_holds_the_text_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = loaded(tmp_path, BADGE)

    def fails(_self: object, matched: str) -> bool:
        raise ValueError(matched)

    monkeypatch.setattr("presidio_analyzer.PatternRecognizer.validate_result", fails)
    cleaned = TextCleaner(site=site).clean(NOTE)
    assert (cleaned.text, cleaned.held) == (None, "site_recognizer_failed")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("- a\n", "no list `recognizers`"),
        ("recognizers: {}\n", "no list `recognizers`"),
        ("recognizers: []\n", "no recogniser is enabled"),
        ("a: [b\n", "is not YAML"),
        ("recognizers: [PhoneRecognizer]\n", "recogniser 1: is not a mapping"),
        ("recognizers: [{name: NoSuchRecognizer, type: predefined}]\n", "recogniser 1: .*NoSuch"),
        ("recognizers: [{name: PhoneRecognizer, type: predefined}]\n", "cannot be bounded"),
        ("recognizers: [{name: IbanRecognizer, type: predefined}]\n", "cannot be bounded"),
        ("recognizers: [{name: X, supported_entity: X}]\n", "recogniser 1: .*not found"),
        (BADGE.replace("ZQ-", "(ZQ"), "recogniser 1: .*missing"),
        (BADGE.replace("0.6", "7"), "recogniser 1: "),
        (BADGE + "supported_countries: [us]\n", "supported_countries asks for is not done"),
        (BADGE + "  - {name: SpacyRecognizer, type: predefined}\n", "recogniser 2: .*bounded"),
    ],
)
def test_a_file_that_would_not_be_searched_for_as_it_says_is_refused(
    tmp_path: Path, content: str, why: str
) -> None:
    with pytest.raises(RecognizersRefused, match=why) as caught:
        loaded(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_privacy_does_not_start_on_a_file_that_is_not_there(tmp_path: Path) -> None:
    installed()
    settings = PrivacySettings(presidio_recognizers=tmp_path / "none.yaml")
    with pytest.raises(RecognizersRefused, match="cannot be read: No such file"):
        app._site(settings, SystemClock())
    assert app._site(PrivacySettings(), SystemClock()) is None


def test_without_presidio_the_file_is_refused_with_the_extra_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer.recognizer_registry", None)
    with pytest.raises(RecognizersRefused, match="extra `presidio`"):
        load_recognizers(tmp_path / "any.yaml", SystemClock(), 1.0)


def test_the_command_takes_the_file_too(tmp_path: Path) -> None:
    installed()
    file = tmp_path / "site.yaml"
    file.write_text(BADGE, encoding="utf-8")
    auscult = typer.Typer()
    auscult.command()(deidentify_command)
    options = ["--rules-only", "--recognizers", str(file)]
    given = '{"id": 1, "text": "Badge ZQ-4471"}\n'
    done = CliRunner().invoke(auscult, options, input=given)
    assert '"text":"Badge [ID-1]"' in done.stdout
    file.write_text("recognizers: []\n", encoding="utf-8")
    refused = CliRunner().invoke(auscult, options, input=given)
    assert refused.exit_code == 1
    assert refused.stderr == f"auscult: {file}: no recogniser is enabled\n"


@pytest.mark.parametrize(
    ("entity", "label"),
    [("PERSON", "NAME"), ("LOC", "LOC"), ("zip", "LOC"), ("US_NPI", "ID"), ("BADGE", "ID")],
)
def test_kinds_are_ours(entity: str, label: str) -> None:
    assert label_of(entity) == label


class Fixed:
    """A recogniser that finds what it is told to."""

    def find(self, folded: str) -> list[Span]:
        return [Span(0, len(folded) // 2, "ORG")]


def test_spans_of_a_site_are_united_with_ours() -> None:
    text = "Mr Vickers, tel 555-123-4567, spoke."
    ours = TextCleaner().clean(text)
    both = TextCleaner(site=Fixed()).clean(text)
    covered = {i for s in both.spans for i in range(s.start, s.end)}
    assert {i for s in ours.spans for i in range(s.start, s.end)} <= covered
    assert set(range(len(fold(text).folded) // 2)) <= covered


def test_the_example_of_the_decision_is_one_that_loads(tmp_path: Path) -> None:
    pages = Path(__file__).parents[3] / "docs" / "decisions"
    page = (pages / "0028-a-sites-own-recognisers.md").read_text(encoding="utf-8")
    site = loaded(tmp_path, page.partition("```yaml\n")[2].partition("```")[0])
    assert found(site, "工牌 ZQ-1234; Rose Court, ZQ-5.") == ["ZQ-1234", "Rose Court"]
