"""Pure: genotypes that a result says by its name and its value together, and those that the results
of an event say together: the usual shape of both, where no text alone is one. Decision 0035.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contracts.identified import Note
from contracts.observation import Observation
from plumbing.remembering import remembered
from services.privacy.genotypes import LOCI_MIN, PANEL, STAR, loci_in, names_variant
from services.privacy.words import words

VALUE_CHARS_MAX = 60  # a longer text says more than an allele, and is searched as a text
NAME_CHARS_MAX = 200  # of a longer name of a result nothing passes
HLA_NAME = re.compile(
    r"(?<![A-Za-z0-9])HLA[-_ ]?(A|B|C|Cw|E|F|G|DR[AB]\d?|DR|D[QP][AB]?1?)(?![A-Za-z0-9])"
    r"(?! ?(?:[Aa]nti|A[Bb]\b|MFI))",
    re.ASCII,
)
STR_NAME = re.compile(
    r"(?<![A-Za-z0-9])(D\d{1,2}S\d{2,4}|vWA|FGA|TH01|TPOX|CSF1PO|SE33|Penta ?[DE])(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
GENE_NAME = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2,5}\d{1,2}[A-Z]?\d{0,2})(?![A-Za-z0-9])", re.ASCII)
APOE_NAME = re.compile(r"(?<![A-Za-z0-9])(?:apo ?e|apolipoprotein e)(?![A-Za-z0-9])", re.IGNORECASE)
TYPED = re.compile(
    r"(?<![A-Za-z0-9])([A-Z][A-Z0-9-]{1,9})[ (,:-]{1,3}(?:gene |DNA )?(?:geno|diplo|haplo)typ",
    re.ASCII,
)
# What has a genotype and is no person.
GERMS = words("CMV EV HBV HCV HDV HEV HIV HIV-1 HIV-2 HPV HSV MTB RSV TB VZV")
PAIR = re.compile(r"[^\s/|]{1,16} ?[/|] ?[^\s/|]{1,16}|[ACGT]{2}")
OF_TUMOUR = re.compile(
    r"[A-Z]\d{1,4}[A-Z*](?: ?[/|] ?[A-Z]\d{1,4}[A-Z*])*", re.ASCII
)  # V600E: stays
STARS = re.compile(rf"{STAR.pattern} ?[/|] ?{STAR.pattern}", re.ASCII)


class Typed(NamedTuple):
    """What of an event is a part of a tissue type or of a forensic profile: results by their
    ``index``, notes by their text.
    """

    places: frozenset[int] = frozenset()
    notes: frozenset[str] = frozenset()


class _Named(NamedTuple):
    """What the name of a result says of its value, "" where nothing."""

    hla: str
    tandem: str
    star: str
    gene: str
    name: str


NOT_TYPED = Typed()
NO_LOCI: frozenset[tuple[str, str]] = frozenset()


def typed_in(observations: Iterable[Observation], notes: Iterable[Note]) -> Typed:
    """Return the parts of what would tell one person from all: ``LOCI_MIN`` loci, over all that an
    event says.
    """
    results = [(one.index, loci) for one in observations if (loci := _loci_of(one))]
    texts = [(note.text, loci) for note in notes if (loci := loci_in(note.text))]
    if not results and not texts:
        return NOT_TYPED
    by_kind: defaultdict[str, set[str]] = defaultdict(set)
    for _, loci in (*results, *texts):
        for kind, locus in loci:
            by_kind[kind].add(locus)
    full = {kind for kind, loci in by_kind.items() if len(loci) >= LOCI_MIN}
    return Typed(
        frozenset(index for index, loci in results if any(kind in full for kind, _ in loci)),
        frozenset(text for text, loci in texts if any(kind in full for kind, _ in loci)),
    )


def names_allele(found: Observation) -> bool:
    """Return whether the name of a result and its value together are a genotype beyond the panel:
    ``HLA-C`` and ``07:01``, ``APOE genotype`` and ``E3/E4``.
    """
    named = _named_by(found)
    return named is not None and any(_is_allele(named, said) for said in _said(found))


def _is_allele(named: _Named, said: str) -> bool:
    if named.name and names_variant(f"{named.name} {said}"):
        return True
    if named.hla and said[:1] in "*0123456789":
        return names_variant(f"HLA-{named.hla}*{said.lstrip('*')}")
    if named.star and STARS.match(said):
        return names_variant(f"{named.star}{said}")
    is_pair = (PAIR.fullmatch(said) or STAR.match(said)) is not None
    return bool(named.gene) and is_pair and OF_TUMOUR.fullmatch(said) is None


def _said(found: Observation) -> Iterator[str]:
    for said in (found.text, *(word for one in found.answers for word in (one.code, one.text))):
        short = said.strip()
        if 0 < len(short) <= VALUE_CHARS_MAX:
            yield short


def _loci_of(found: Observation) -> frozenset[tuple[str, str]]:
    named = _named_by(found)
    if found.kind == "quantity":  # the number of repeats; of tissue types none is a number
        return frozenset([("STR", named.tandem)]) if named and named.tandem else NO_LOCI
    loci = loci_in(found.text) if found.text else NO_LOCI
    for one in found.answers:
        for word in (one.code, one.text):
            loci |= _loci_in(word)
    if loci or named is None or not any(map(_has_digit, _said(found))):
        return loci
    both = (("HLA", named.hla.lower()), ("STR", named.tandem))
    return frozenset((kind, locus) for kind, locus in both if locus)


def _named_by(found: Observation) -> _Named | None:
    return _named(found.code.text[:NAME_CHARS_MAX], found.code.code[:NAME_CHARS_MAX])


def _has_digit(said: str) -> bool:
    return any(map(str.isdecimal, said))


_loci_in = remembered(4096)(loci_in)


@remembered(4096)
def _named(text: str, code: str) -> _Named | None:
    """Return what the name of a result, else its code, says of its value: mostly nothing."""
    label = f"{text} {code}"
    hla, tandem = HLA_NAME.search(label), STR_NAME.search(label)
    typed, star = TYPED.search(label), GENE_NAME.search(label)
    is_beyond = typed is not None and typed[1] not in PANEL and typed[1] not in GERMS
    is_apoe = APOE_NAME.search(label) is not None
    named = _Named(
        hla=hla[1].upper() if hla else "",
        tandem=tandem[1].lower() if tandem else "",
        star=star[1] if star else "",
        gene=typed[1] if typed and is_beyond else "",
        name=text if is_apoe or names_variant(text) else code if names_variant(code) else "",
    )
    return named if any(named) else None
