"""Pure: finds what is nearly a known identifier, as whoever writes in haste writes it.

Of a Latin name of five letters and more, of a number of six signs and more: one sign wrong, left
out, doubled, or two swapped. Of a Chinese name: one character by another that sounds the same; of
one known in pinyin, all characters that sound so. What is an ordinary or a clinical word is no near
miss.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

import ahocorasick

from services.privacy.folding import Squeezed
from services.privacy.identity import is_han
from services.privacy.known import EPONYM_AFTER, reads_as_name
from services.privacy.known_terms import Term
from services.privacy.pattern_checks import UNIT_AFTER
from services.privacy.pinyin import SOUNDS, readings_of, spelt_sounds
from services.privacy.spans import Span
from services.privacy.tagger.hints import COMMON, ORDINARY, UNLISTED, hint_of_word, is_han_word
from services.privacy.words import CLINICAL_WORDS, DOUBLE_SURNAMES, RARE_SURNAMES, SURNAMES

NAME_CHARS_MIN, NAME_CHARS_PLAIN = 5, 6  # from the second on in lower case too
NUMBER_CHARS_MIN, NUMBER_CHARS_LONG = 6, 8  # from the second on with one sign more or less too
NUMBER_DIGITS_MIN = 5
TERM_CHARS_MAX = 32
TERMS_MAX = 2_000  # of one event
SHARING_MAX = 8  # terms with the same half: only made up names have more
VERDICTS_MAX = 500  # of one patient
HAN_NAME_CHARS_SURE, HAN_NAME_CHARS_MAX = 3, 5
WRITINGS_MAX = 12
WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{4,33}(?![A-Za-z0-9])")
# A number in pieces: ``00-12 34.56``, ``V-2024-991``.
PIECES = re.compile(r"(?<![A-Za-z0-9.,])(?:[A-Za-z]{1,4}[ -])?\d+(?:[ ./-]\d+){1,7}(?![A-Za-z0-9])")
PIECE = re.compile(r"[A-Za-z0-9]+")
PIECES_MAX = 5  # of one number
HAN = re.compile("[\u3400-\u9fff]")
FAMILY_SIGNS, DOUBLES = frozenset(SURNAMES + RARE_SURNAMES), frozenset(DOUBLE_SURNAMES.split())
SENTENCE_STARTS = frozenset("。,;!?\n ")
TITLE_AFTER = re.compile(
    "女士|先生|小姐|同志|老人|阿姨|大爷|医[生师]|护士|主任|,? ?[男女][,。、 \n]"
)
SAYS_AFTER = re.compile("自?诉|述|今[日晨天]|昨[日晚天]|入院|因|,? ?\\d{1,3}岁")
NO_NUMBER_BEFORE, NO_NUMBER_AFTER = re.compile(r"\d\.$"), re.compile(r"\.\d")


class NearTerms:
    """The near misses of the terms of one event. Nothing is built before a text asks for it."""

    def __init__(self, terms: Iterable[Term]) -> None:
        """Keep the terms."""
        self._terms = terms
        self._words: _Words | None = None
        self._han: _Homophones | None = None

    def find(self, folded: str, squeezed: Squeezed) -> Iterator[Span]:
        """Yield the spans of ``folded`` that are nearly a term."""
        if self._words is None:
            self._words = _Words(self._terms)
        yield from self._words.find(folded)
        if HAN.search(folded):
            if self._han is None:
                self._han = _Homophones(self._terms)
            yield from self._han.find(folded, squeezed)


class _Words:
    """Latin names and numbers, by the half of them that one error leaves as it is."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._by_head: dict[str, tuple[Term, ...]] = {}
        self._by_tail: dict[str, tuple[Term, ...]] = {}
        self._verdicts: dict[str, Term | None] = {}
        self._exact = set()
        for term in islice(filter(_is_indexed, terms), TERMS_MAX):
            text, middle = term.text, len(term.text) // 2
            self._exact.add(text)
            # Wrong before the middle, or two swapped across it: all behind the middle stays.
            _share(self._by_head, text[:middle], term)
            _share(self._by_tail, text[middle + 1 :], term)
        self._heads = {text[:2] for text in self._exact}
        self._tails = {text[-2:] for text in self._exact}

    def find(self, folded: str) -> Iterator[Span]:
        if not self._exact:
            return
        nearly = self._nearly(set(WORD.findall(folded)))
        for match in WORD.finditer(folded) if nearly else ():
            term = nearly.get(match[0])
            if term is not None and _stands(term, folded, *match.span()):
                yield Span(*match.span(), term.label)
        for match in PIECES.finditer(folded):
            if match.end() - match.start() >= NUMBER_CHARS_MIN:
                yield from self._in_pieces(match, folded)

    def _nearly(self, words: set[str]) -> dict[str, Term]:
        heads, tails = self._heads, self._tails
        found = {}
        for word in words:
            lowered = word.lower()
            if lowered[:2] in heads or lowered[-2:] in tails:
                term = self._verdict(lowered)
                if term is not None:
                    found[word] = term
        return found

    def _in_pieces(self, match: re.Match[str], folded: str) -> Iterator[Span]:
        pieces = list(PIECE.finditer(folded, *match.span()))
        texts = [piece[0].lower() for piece in pieces]
        for first, head in enumerate(texts):
            word = head
            for last in range(first + 1, min(first + PIECES_MAX, len(pieces))):
                word += texts[last]
                if word[:2] not in self._heads and word[-2:] not in self._tails:
                    continue
                term = self._verdict(word) if len(word) >= NUMBER_CHARS_MIN - 1 else None
                start, end = pieces[first].start(), pieces[last].end()
                if term is not None and _stands(term, folded, start, end):
                    yield Span(start, end, term.label)

    def _verdict(self, word: str) -> Term | None:
        """Return the term that a word in lower case is nearly; the same words come all the time."""
        if len(word) > TERM_CHARS_MAX + 1:
            return None
        if word not in self._verdicts:
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
            self._verdicts[word] = self._nearest(word)
        return self._verdicts[word]

    def _nearest(self, word: str) -> Term | None:
        if word in self._exact:
            return None
        is_number = not word.isalpha()
        if is_number and sum(char.isdecimal() for char in word) < NUMBER_DIGITS_MIN:
            return None
        for term in self._halves(word):
            if (term.label != "NAME") == is_number and _is_one_off(word, term):
                return None if not is_number and is_word(word) else term
        return None

    def _halves(self, word: str) -> Iterator[Term]:
        """Yield the terms, of one sign more or less too, that have a half of a word."""
        size = len(word)
        for middle in {(size - 1) // 2, (size + 1) // 2}:
            yield from self._by_head.get(word[:middle], ())
        for rest in {(size - 2) // 2, size // 2}:
            yield from self._by_tail.get(word[size - rest :], ())


class _Homophones:
    """Chinese names in a text of which each character stands for all that sound as it does."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._automaton = ahocorasick.Automaton()
        by_sound: dict[str, list[Term]] = {}
        for term in islice(filter(_has_sound, terms), TERMS_MAX):
            for sound in _sounds(term):
                by_sound.setdefault(sound, []).append(term)
        for sound, named in by_sound.items():
            self._automaton.add_word(sound, (len(sound), named[:SHARING_MAX]))
        self._is_empty = not by_sound
        if by_sound:
            self._automaton.make_automaton()

    def find(self, folded: str, squeezed: Squeezed) -> Iterator[Span]:
        if self._is_empty:
            return
        text, at = squeezed.squeezed, squeezed.at
        for last, (size, terms) in self._automaton.iter(text.translate(SOUNDS.of_char)):
            written = text[last - size + 1 : last + 1]
            start, end = at[last - size + 1], at[last] + 1
            if end - start > 2 * size or is_han_word(written):
                continue
            if any(_sounds_as(term, written, folded, start, end) for term in terms):
                yield Span(start, end, "NAME")


def is_word(lowered: str) -> bool:
    """Return whether a word is an ordinary or a clinical one, also in the plural."""
    stems = (lowered, lowered.removesuffix("s"), lowered.removesuffix("es"))
    return any(
        stem in CLINICAL_WORDS
        or (hint_of_word(stem) != UNLISTED and hint_of_word(stem) & (COMMON | ORDINARY))
        for stem in stems
    )


def _is_indexed(term: Term) -> bool:
    size = len(term.text)
    if size > TERM_CHARS_MAX or term.is_initials or not term.text.isascii():
        return False
    if term.label == "NAME":
        return size >= NAME_CHARS_MIN and term.text.isalpha() and not term.is_strong
    digits = sum(char.isdecimal() for char in term.text)
    is_number = term.label in {"ID", "PHONE"}
    return is_number and size >= NUMBER_CHARS_MIN and digits >= NUMBER_DIGITS_MIN


def _has_sound(term: Term) -> bool:
    if term.is_spelt:
        return True
    size = len(term.text)
    is_name = term.label == "NAME" and 2 <= size <= HAN_NAME_CHARS_MAX
    return is_name and all(map(is_han, term.text))


def _share(index: dict[str, tuple[Term, ...]], key: str, term: Term) -> None:
    held = index.get(key, ())
    if len(held) < SHARING_MAX:
        index[key] = (*held, term)


def _is_one_off(word: str, term: Term) -> bool:
    text = term.text
    if abs(len(word) - len(text)) > 1:
        return False
    if len(word) != len(text) and term.label != "NAME" and len(text) < NUMBER_CHARS_LONG:
        return False
    start = 0
    while start < min(len(word), len(text)) and word[start] == text[start]:
        start += 1
    one, other = word[start:], text[start:]
    if len(word) == len(text):
        return one[1:] == other[1:] or (one[1::-1] == other[:2] and one[2:] == other[2:])
    return one[1:] == other if len(word) > len(text) else one == other[1:]


def _stands(term: Term, folded: str, start: int, end: int) -> bool:
    """Return whether a near miss stands as a name or number does."""
    if term.label != "NAME":
        is_measured = UNIT_AFTER.match(folded, end) or NO_NUMBER_AFTER.match(folded, end)
        return not (is_measured or NO_NUMBER_BEFORE.search(folded, max(0, start - 2), start))
    if EPONYM_AFTER.match(folded, end):
        return False
    if term.needs_cue:
        return reads_as_name(folded, start)
    return folded[start].isupper() or len(term.text) >= NAME_CHARS_PLAIN


def _sounds_as(term: Term, written: str, folded: str, start: int, end: int) -> bool:
    """Return whether characters that sound like a name stand for it."""
    if term.is_spelt:
        return _is_spelt(written, folded, start, end)
    if sum(map(str.__ne__, written, term.text)) != 1:
        return False
    return len(written) >= HAN_NAME_CHARS_SURE or reads_as_name(folded, start)


def _is_spelt(written: str, folded: str, start: int, end: int) -> bool:
    """Return whether characters that sound like a name in pinyin are one: a family name comes
    first. Two characters, and three of which two are a word, where a person stands alone.
    """
    if written[0] not in FAMILY_SIGNS and written[:2] not in DOUBLES:
        return False
    has_word = is_han_word(written[:2]) or is_han_word(written[1:])
    if len(written) > HAN_NAME_CHARS_SURE or (len(written) == HAN_NAME_CHARS_SURE and not has_word):
        return True
    if reads_as_name(folded, start) or TITLE_AFTER.match(folded, end):
        return True
    is_first = start == 0 or folded[start - 1] in SENTENCE_STARTS
    return is_first and SAYS_AFTER.match(folded, end) is not None


def _sounds(term: Term) -> set[str]:
    """Return a name with each character as the first of those that sound as it may."""
    if term.is_spelt:
        return spelt_sounds(*term.text.split(" "))
    of_char, of_syllable = SOUNDS
    options = []
    for char in term.text:
        readings = readings_of(char) if ord(char) in of_char else ()
        alike = {of_syllable[one] for one in readings if one in of_syllable}
        options.append({of_char.get(ord(char), char)} | alike)
    return {"".join(one) for one in islice(product(*map(sorted, options)), WRITINGS_MAX)}
