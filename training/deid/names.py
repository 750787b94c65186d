"""The word lists, and pools of names and addresses of many countries that Faker writes once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

from training.deid.grammar import read_groups

WORDS = Path(__file__).with_name("templates") / "words.txt"
LATIN_LOCALES = (
    "en_US", "en_GB", "en_IE", "en_IN", "en_NZ", "en_CA", "en_AU", "de_DE", "fr_FR", "es_ES",
    "es_MX", "it_CH", "pt_BR", "pt_PT", "nl_NL", "nl_BE", "sv_SE", "da_DK", "no_NO", "fi_FI",
    "et_EE", "pl_PL", "cs_CZ", "sl_SI", "sk_SK", "hr_HR", "hu_HU", "ro_RO", "tr_TR", "id_ID",
    "fil_PH", "de_CH", "fr_CH", "de_AT", "vi_VN", "lt_LT", "en_TH", "ga_IE", "fr_CA", "en_PH",
)  # fmt: skip
POOL = 260


@dataclass(frozen=True)
class Locale:
    """What one locale's names and addresses look like."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    address: tuple[str, ...]
    city: tuple[str, ...]
    phone: tuple[str, ...]
    company: tuple[str, ...]


def read_words(path: Path = WORDS) -> dict[str, list[str]]:
    """Return the word lists: a line holds items between bars, or between blanks."""
    found: dict[str, list[str]] = {}
    for name, lines in read_groups(path).items():
        items: list[str] = []
        for line in lines:
            items += line.split("|") if "|" in line else line.split()
        found[name] = items
    return found


def latin_locales(seed: int) -> list[Locale]:
    """Return the pools of all locales; the same seed gives the same."""
    return [_locale(name, seed) for name in LATIN_LOCALES]


def _locale(name: str, seed: int) -> Locale:
    fake, spare = Faker(name), Faker("en_US")
    fake.seed_instance(seed)
    spare.seed_instance(seed)

    def draws(what: str) -> list[str]:
        write = getattr(fake, what, None) or getattr(spare, what)
        return [str(write()) for _ in range(POOL)]

    return Locale(
        first=_latin(draws("first_name")),
        last=_latin(draws("last_name")),
        address=tuple(draws("address")),
        city=_latin(draws("city")),
        phone=tuple(draws("phone_number")),
        company=_latin(draws("company")),
    )


def _latin(names: Sequence[str]) -> tuple[str, ...]:
    unique = dict.fromkeys(name.strip() for name in names)
    return tuple(name for name in unique if name and name[0].upper() < "\u0250")
