"""Pure: names in ways of their own: of animals (``her dog Biscuit``), ``a/l`` (Malay: child of)
between two names, a name in small letters before an initial (``nkosi z``). Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import (
    SAID_IN_CHARTS,
    is_listed_name,
    is_rare_name_word,
    is_word_and_name,
)
from services.privacy.patterns import form
from services.privacy.tagger.hints import FAMILY, GIVEN, MEDICAL, hint_of_word
from services.privacy.words import words

LETTERS = re.compile(r"[^\W\d_]{2,}")
ANIMAL = (
    r"(?:dogs?|cats?|pupp(?:y|ies)|pup|kittens?|rabbits?|bunny|horse|pony|mare|gelding|parrot|budgie|cockatoo|cockatiel|parakeet|canary|hamsters?|guinea pigs?|ferret|tortoise|pets?|goat|donkey"
    r"|terrier|collie|spaniel|labrador|poodle|greyhound|whippet|corgi|beagle|chihuahua)"
)
# What stands behind an animal and is not what it is called.
NOT_ANIMALS = words(
    "bite bites bitten scratch scratches scan scans dander hair fur allergy allergies allergen epithelium walker walking handler owner show farm food flea fleas licks lick attack",
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december mon tue tues wed thu thur thurs fri sat sun",
    "pasteurella capnocytophaga bartonella toxoplasma appaloosa husky sheltie british maine plott shire persian siamese labrador lab collie clydesdale shetland connemara alsatian rottweiler staffy jack pit bull boxer hound",
    "none nil no yes never denies denied exposure rabies tetanus vaccinated vaccine unvaccinated immunised stray unknown wife husband lives home at in on is was and or with she he they",
)


def _is_called(match: re.Match[str]) -> bool:
    """An animal is called by any word but those of medicine; in capitals, by names alone."""
    name = match["name"]
    lowered = name.lower()
    if lowered in NOT_ANIMALS or lowered in SAID_IN_CHARTS:
        return False
    if name.isupper():
        return is_word_and_name(name) or is_rare_name_word(name)
    hint = hint_of_word(lowered)
    return not hint & MEDICAL or bool(hint & (GIVEN | FAMILY))


def _is_child(match: re.Match[str]) -> bool:
    """``a/l`` is an arterial line too, ``a/p`` a plan or an abdomen: then medicine stands beside it."""
    beside = [word.lower() for word in LETTERS.findall(match["name"])]
    if match["of"] in "pP":
        return all(map(is_listed_name, beside))
    return not any(word in SAID_IN_CHARTS or hint_of_word(word) & MEDICAL for word in beside)


def _is_before_initial(match: re.Match[str]) -> bool:
    return is_listed_name(match["word"])


NAMED_EN = (
    form("NAME", rf"\b{ANIMAL}(?:,|:| is| was| called| named)? [\"“'(]{{0,2}}(?P<name>[A-Z][a-z]{{2,12}})\b", _is_called, "name"),
    form("NAME", r"\b(?:DOG|PUPPY|HORSE|PONY|PARROT),? (?P<name>[A-Z]{3,12})\b", _is_called, "name"),
    form("NAME", r"\b(?P<name>(?:[A-Z][a-z]{1,15} )?[A-Za-z][a-z]{1,15} [aA]/(?P<of>[lLpP]) [A-Za-z][a-z]{1,15}(?: [A-Z][a-z]{1,15})?)\b", _is_child, "name"),
    form("NAME", r"\b(?P<name>[A-Z]{2,15}(?: [A-Z]{2,15})? A/(?P<of>[LP]) [A-Z]{2,15}(?: [A-Z]{2,15})?)\b", _is_child, "name"),
    form("NAME", r"\b(?P<name>(?P<word>[a-z]{3,15}),? [a-z])(?=\.?(?:[:,;)\n]| [/–-])|\.(?: |\Z)|\Z|(?<! [acivwxy]) )", _is_before_initial, "name"),
)  # fmt: skip
