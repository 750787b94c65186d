"""Pure: whether a word with a capital may be somebody's name: by the word lists, and by our own of
signs, organisms, drugs and languages that are called like people.
"""

import re

# ruff: noqa: E501  (one word after the other)
from services.privacy.tagger.doubts import CHART_WORDS, LANGUAGES, is_medical_by_form
from services.privacy.tagger.doubts import EPONYMS as LISTED_EPONYMS
from services.privacy.tagger.hints import (
    COMMON,
    FAMILY,
    GIVEN,
    MEDICAL,
    ORDINARY,
    RARE,
    RARE_NAME,
    RARE_PLACE,
    UNLISTED,
    hint_of_word,
    read_hint,
)
from services.privacy.words import NEVER_NAMES, NOT_NAMES, words

VOWEL = re.compile("[aeiouy]")  # without one: shorthand
ORGANISMS = words(
    "coli aureus difficile diff pneumoniae pneumonia pylori falciparum vivax faecalis faecium influenzae jejuni",
    "tuberculosis cerevisiae albicans glabrata auris marcescens cloacae mirabilis maltophilia baumannii",
    "pyogenes viridans bovis epidermidis monocytogenes pneumophila trachomatis meningitidis fumigatus",
    "sigmoid stenson jirovecii gondii gonorrhoeae aeruginosa fragilis perfringens catarrhalis pertussis typhi",
)
GENERA = words(
    "mycoplasma candida vibrio yersinia legionella clostridium bacteroides listeria borrelia brucella coxiella bordetella helicobacter salmonella shigella campylobacter",
    "pseudomonas serratia enterobacter citrobacter proteus morganella acinetobacter stenotrophomonas burkholderia aspergillus fusarium rhizopus mucor nocardia bartonella",
)

EPONYMS = words(
    "barrett romberg gleason whipple nissen hartmann colles kocher breslow clark duke virchow edu bier alzheimer raynaud meniere behcet",
    "kawasaki lewy korsakoff wernicke tourette asperger rett angelman prader ehlers duchenne becker charcot reiter zenker mallory weiss",
    "dressler brugada ranson wells braden norton morse barthel rankin tinetti hoehn yahr epley dix hallpike lachman mcmurray thomas",
    "trendelenburg phalen tinel finkelstein kernig brudzinski hoffman hoffmann schober simmonds bruce weber rinne apgar bishop epworth",
)
NAMED_SIGNS = EPONYMS | LISTED_EPONYMS
SAID_IN_CHARTS = CHART_WORDS | NOT_NAMES | NEVER_NAMES
# Neither somebody nor a place, whatever the lists of names say.
NEVER_PROPER = SAID_IN_CHARTS | NAMED_SIGNS | ORGANISMS | GENERA

RARE_NAMES = (RARE + RARE_NAME, RARE + RARE_NAME + RARE_PLACE)


def is_rare_name_word(word: str) -> bool:
    """Return whether a word with a capital is a name or in no list, and no sign, drug or organism."""
    lowered = word.lower()
    if hint_of_word(lowered) != UNLISTED:
        return _is_only_name(lowered)
    is_word = VOWEL.search(lowered) is not None and not is_medical_by_form(lowered)
    return is_word and not _is_never(lowered)


def is_word_and_name(word: str) -> bool:
    """Return whether a word is listed as somebody's name and is none of medicine."""
    lowered = word.lower()
    hint = hint_of_word(lowered)
    is_listed = bool(hint & (GIVEN | FAMILY)) and not hint & MEDICAL
    return is_listed and lowered not in NEVER_PROPER


def may_be_name(word: str) -> bool:
    """Return whether a word with a capital is a name, a word that is one too, or in no list."""
    return is_rare_name_word(word) or is_word_and_name(word)


def is_listed_name(lowered: str) -> bool:
    """Return whether a word in small letters is a name by the short or long lists, and nothing else."""
    if hint_of_word(lowered) != UNLISTED:
        return _is_only_name(lowered)
    return read_hint(lowered) in RARE_NAMES and not _is_never(lowered)


def _is_only_name(lowered: str) -> bool:
    hint = hint_of_word(lowered)
    is_name = bool(hint & (GIVEN | FAMILY)) and not hint & (COMMON | ORDINARY | MEDICAL)
    return is_name and not _is_never(lowered)


def _is_never(lowered: str) -> bool:
    return lowered in NEVER_PROPER or lowered in LANGUAGES
