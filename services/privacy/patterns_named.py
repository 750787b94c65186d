"""Pure: names in ways of their own: of animals (``her dog Biscuit``), ``a/l`` and ``a/p``
(Malay: child of) between two names, a name in small letters before an initial (``nkosi z``). Folded text.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import (
    SAID_IN_CHARTS,
    is_listed_name,
    is_rare_name_word,
    may_be_name,
)
from services.privacy.patterns import form
from services.privacy.tagger.hints import FAMILY, GIVEN, MEDICAL, hint_of_word
from services.privacy.words import words

ANIMAL = (
    r"(?:dog|cat|puppy|pup|kitten|rabbit|bunny|horse|pony|mare|gelding|parrot|budgie|cockatoo|cockatiel|parakeet|hamster|guinea pig|ferret|tortoise|goat|donkey"
    r"|terrier|collie|spaniel|labrador|poodle|greyhound|whippet|corgi|beagle|chihuahua)"
)
# What stands behind an animal and is not what it is called; days, months and medicine are told by the lists.
NOT_ANIMALS = words(
    "bite bites bitten scratch scan dander hair fur allergen walker handler owner show farm food licks lick attack",
    "mon tue wed thu thur fri sat sun",
    "westie border greyhound pasteurella bartonella appaloosa husky sheltie british maine plott shire siamese labrador collie clydesdale shetland connemara alsatian jack bull hound",
    "antivenom milk ear litter tapeworm kick riding rider ride fell club cross mix fever groomer breeder trainer drops shoe rose yellow mould dust grass rash fair two one",
    "yes exposure unvaccinated immunised stray",
)
# After whom classes are called, and short words of charts that the lists have as names: no name
# before a letter (``stanford b``).
NOT_BEFORE_LETTER = words(
    "stanford angeles okuda bormann denis danis childs pagets levine abdo neo levo senna vcr plas oto penrose quinton bivona crawford fontaine savary siewert frankel",
    "pauwels lown epstein ashworth baso ddimer ferr cort pelv",
)
GRADES = "abcde"


def _is_called(match: re.Match[str]) -> bool:
    """An animal is called by any word but those of medicine."""
    lowered = match["name"].lower()
    if lowered in NOT_ANIMALS or lowered in SAID_IN_CHARTS:
        return False
    hint = hint_of_word(lowered)
    return not hint & MEDICAL or bool(hint & (GIVEN | FAMILY))


def _is_named(match: re.Match[str]) -> bool:
    """In a list (``cats, dust``) and in capitals more stands behind animals: names alone."""
    return _is_called(match) and may_be_name(match["name"])


def _is_child(match: re.Match[str]) -> bool:
    """``a/l`` is an arterial line too, ``a/p`` a plan or an abdomen: then no names are beside it."""
    beside = [match["child"], match["of"]]
    lowered = [word.lower() for word in beside]
    if not NOT_BEFORE_LETTER.isdisjoint(lowered):
        return False
    are_names = [is_rare_name_word(word) for word in beside]
    if match["as"] in "pP":
        return all(are_names)
    hints = [hint_of_word(word) for word in lowered]
    if all(map(str.istitle, beside)) and all(hint & (GIVEN | FAMILY) for hint in hints):
        return True  # ``Lim a/l Tan``
    is_said = any(hint & MEDICAL for hint in hints) or not SAID_IN_CHARTS.isdisjoint(lowered)
    return any(are_names) and not is_said


def _is_before_initial(match: re.Match[str]) -> bool:
    """Before a letter that may be a grade, only names of the lists of names."""
    word = match["word"]
    is_sure = match["letter"] not in GRADES or bool(hint_of_word(word) & (GIVEN | FAMILY))
    return is_sure and word not in NOT_BEFORE_LETTER and is_listed_name(word)


NAMED_EN = (
    form("NAME", rf"\b{ANIMAL}(?: called| named)? [\"“'(]{{0,2}}(?P<name>[A-Z][a-z]{{2,12}})\b", _is_called, "name"),
    form("NAME", rf"\b{ANIMAL}[,:] [\"“'(]{{0,2}}(?P<name>[A-Z][a-z]{{2,12}})\b", _is_named, "name"),
    form("NAME", r"\b(?:DOG|PUPPY|HORSE|PONY|PARROT),? (?P<name>[A-Z]{3,12})\b", _is_named, "name"),
    form("NAME", r"\b(?P<child>[A-Za-z][a-z]{1,15}) [aA]/(?P<as>[lLpP]) (?P<of>[A-Za-z][a-z]{1,15})\b", _is_child),
    form("NAME", r"\b(?P<child>[A-Z]{2,15}) A/(?P<as>[LP]) (?P<of>[A-Z]{2,15})\b", _is_child),
    form("NAME", r"\b(?P<word>[a-z]{3,15}),? (?P<letter>[a-z])(?=\.?(?:[:,;)\n]| [/–-])|\.(?: |\Z)|\Z|(?<! [acivwxy]) )", _is_before_initial),
)  # fmt: skip
