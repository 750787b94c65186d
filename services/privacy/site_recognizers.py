"""A site's own recognisers, from a file in Presidio's format, as one more layer of the scrub.

Presidio reads the file and brings its validators (check digits); the patterns run here, on folded
text, since Presidio fails open: it passes over a pattern whose time is up. Here a note that was not
searched to its end is held back. Taken are recognisers made of patterns and lists of words, whose
time can be bounded; models and remote services are refused at the start.
"""

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plumbing.clock import Clock
from services.privacy import metrics
from services.privacy.free_text import CannotSearch
from services.privacy.marking import LABEL_ORDER
from services.privacy.spans import Span

KEYS = {"supported_languages", "global_regex_flags", "recognizers"}
FLAGS = int(re.DOTALL | re.MULTILINE | re.IGNORECASE)  # as Presidio's own
REASON_CHARS_MAX = 300
OUT_OF_TIME, FAILED = "site_recognizer_time", "site_recognizer_failed"

# Presidio's LemmaContextAwareEnhancer: a word of the context in the match or one of the five
# words before it raises the score. Words here are runs of letters and digits; a run of Han is one.
CONTEXT_WORDS, CONTEXT_CHARS = 6, 120
CONTEXT_RAISE, CONTEXT_SCORE_MIN = 0.35, 0.4
WORD = re.compile(r"\w+")

# Presidio's names of kinds; those that are ours too stand for themselves, any other is an ID.
LABELS = {
    "PERSON": "NAME", "DATE_TIME": "DATE", "PHONE_NUMBER": "PHONE", "FAX": "PHONE",
    "EMAIL_ADDRESS": "EMAIL", "DOMAIN_NAME": "URL", "IP_ADDRESS": "IP", "MAC_ADDRESS": "IP",
    "LOCATION": "LOC", "ADDRESS": "LOC", "CITY": "LOC", "STATE": "LOC", "ZIP": "LOC",
    "ZIP_CODE": "LOC", "HOSPITAL": "LOC", "ORGANIZATION": "ORG", "NRP": "OTHER", "TITLE": "OTHER",
}  # fmt: skip


class RecognizersRefused(Exception):
    """The file is not used; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One pattern of one recogniser."""

    name: str
    label: str
    pattern: Any  # a pattern of the module regex, which takes a time limit
    score: float
    threshold: float
    context: tuple[str, ...]
    recognizer: Any

    def scored(self, text: str, start: int, end: int) -> float:
        """Return the score of a match as Presidio gives it: by its check, then by its context."""
        matched = text[start:end]
        valid = self.recognizer.validate_result(matched)
        score = self.score if valid is None else float(bool(valid))
        if not score or self.recognizer.invalidate_result(matched):
            return 0.0
        before = WORD.findall(text[max(0, start - CONTEXT_CHARS) : end].lower())[-CONTEXT_WORDS:]
        if any(cue in word for cue in self.context for word in before):
            score = min(1.0, max(score + CONTEXT_RAISE, CONTEXT_SCORE_MIN))
        return score


class SiteRecognizers:
    """The rules of a site's file."""

    def __init__(self, rules: Sequence[_Rule], clock: Clock, seconds_max: float) -> None:
        """``seconds_max`` is what all rules together may take for one text."""
        self._rules = tuple(rules)
        self._clock = clock
        self._seconds_max = seconds_max

    def find(self, folded: str) -> list[Span]:
        """Return what any rule finds in a folded text. Raises ``CannotSearch``."""
        ends_s = self._clock.monotonic_s() + self._seconds_max
        found: list[Span] = []
        for rule in self._rules:
            try:
                found += self._spans(rule, folded, ends_s)
            except TimeoutError:
                self._fail(rule, OUT_OF_TIME)
            except Exception:  # noqa: BLE001 - a site's check may fail in any way: hold the text back
                self._fail(rule, FAILED)
        return found

    def _spans(self, rule: _Rule, folded: str, ends_s: float) -> Iterator[Span]:
        for match in rule.pattern.finditer(folded, timeout=self._left_s(ends_s)):
            start, end = match.span()
            if end > start:
                score = rule.scored(folded, start, end)
                if score > 0 and score >= rule.threshold:
                    yield Span(start, end, rule.label)
            self._left_s(ends_s)

    def _left_s(self, ends_s: float) -> float:
        left_s = ends_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _fail(self, rule: _Rule, code: str) -> None:
        metrics.SITE_RECOGNIZER_FAILURES.labels(rule.name, code).inc()
        raise CannotSearch(code) from None  # what was raised may quote the text


def load_recognizers(path: Path, clock: Clock, seconds_max: float) -> SiteRecognizers:
    """Return the recognisers of a file in the format of Presidio's registry.

    Raises ``RecognizersRefused`` for anything in it that would not be searched for as it says.
    """
    try:
        providers: Any = importlib.import_module("presidio_analyzer.recognizer_registry")
        tld: Any = importlib.import_module("tldextract.tldextract")
    except ImportError as error:
        raise RecognizersRefused("presidio-analyzer is not installed (extra `presidio`)") from error
    # Or its check of e-mail addresses would ask the net for the list of domain suffixes.
    tld.TLD_EXTRACTOR = tld.TLDExtract(suffix_list_urls=(), cache_dir=None)
    read = _read(path)
    rules: list[_Rule] = []
    for number, entry in enumerate(read["recognizers"], 1):
        if isinstance(entry, Mapping) and entry.get("enabled", True) is False:
            continue
        try:
            rules += _rules(providers.RecognizerRegistryProvider, read, entry)
        except RecognizersRefused as error:
            raise RecognizersRefused(f"recogniser {number}: {error}") from error
        except Exception as error:  # Presidio raises of many kinds
            raise RecognizersRefused(f"recogniser {number}: {_reason(error)}") from error
    if not rules:
        raise RecognizersRefused("no recogniser is enabled")
    return SiteRecognizers(rules, clock, seconds_max)


def _reason(error: BaseException) -> str:
    """Return what Presidio says is wrong, in one line: the cause, not what is wrapped around it."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = str(error)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        said = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return " ".join(said.split())[:REASON_CHARS_MAX]


def _read(path: Path) -> dict[str, Any]:
    import yaml  # comes with Presidio

    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecognizersRefused(f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecognizersRefused(f"is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(read, dict) or not isinstance(read.get("recognizers"), list):
        raise RecognizersRefused("has no list `recognizers`")
    if unknown := sorted(map(str, read.keys() - KEYS)):
        raise RecognizersRefused(f"what {', '.join(unknown)} asks for is not done here")
    return read


def _rules(provider: Any, read: Mapping[str, Any], entry: object) -> list[_Rule]:
    if not isinstance(entry, Mapping):
        raise RecognizersRefused("is not a mapping with a `name`")
    configuration = {
        "supported_languages": _languages(read, entry),
        "global_regex_flags": read.get("global_regex_flags", FLAGS),
        "recognizers": [dict(entry)],
    }
    registry = provider(registry_configuration=configuration).create_recognizer_registry()
    rules = [rule for one in registry.recognizers for rule in _rules_of(one)]
    if not rules:
        raise RecognizersRefused("nothing is made of it")
    return rules


def _languages(read: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
    """A note has no sure language: each recogniser runs on every text, whatever it is meant for."""
    said = entry.get("supported_languages") or [entry.get("supported_language")]
    languages = [one["language"] if isinstance(one, Mapping) else one for one in said]
    named = [str(one) for one in languages if one]
    return list(dict.fromkeys(named or read.get("supported_languages") or ["en"]))


def _rules_of(recognizer: Any) -> Iterator[_Rule]:
    presidio: Any = importlib.import_module("presidio_analyzer")
    regex: Any = importlib.import_module("regex")
    name = str(recognizer.name)
    if getattr(type(recognizer), "analyze", None) is not presidio.PatternRecognizer.analyze:
        raise RecognizersRefused(f"{name} is not made of patterns: its time cannot be bounded")
    entity = str(recognizer.supported_entities[0])
    thresholds = recognizer.score_thresholds
    for one in recognizer.patterns:
        try:
            pattern = regex.compile(one.regex, flags=recognizer.global_regex_flags)
        except regex.error as error:
            raise RecognizersRefused(f"{name}: pattern {one.name}: {error}") from error
        yield _Rule(
            name=name,
            label=label_of(entity),
            pattern=pattern,
            score=float(one.score),
            threshold=float(thresholds.get(entity, thresholds.get("default", 0.0))),
            context=tuple(str(cue).lower() for cue in recognizer.context or ()),
            recognizer=recognizer,
        )


def label_of(entity: str) -> str:
    """Return our kind for one of Presidio's or the site's."""
    kind = entity.upper()
    return kind if kind in LABEL_ORDER else LABELS.get(kind, "ID")
