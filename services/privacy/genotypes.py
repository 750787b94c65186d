"""Pure: which genotypes may pass: star alleles and listed variants of the genes of the panel.

A genome names its owner for life, and relatives with them. A pair of star alleles is shared by
thousands and is all that a dose needs. So a text with raw variants is held back whole, and a single
variant beyond the panel (`lists/panel.tsv`, after CPIC) is marked. Decision 0035.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from contracts.clinical import Genotype, Variant
from plumbing.remembering import remembered
from services.privacy.literals import Asked
from services.privacy.spans import Span
from services.privacy.words import words

RAW_GENOME = "raw_genome"
REFUSED = "genotype_refused"
RS_BEYOND_MAX = 10  # so many variants beyond the panel are a list, not a remark


def _panel() -> dict[str, frozenset[str]]:
    path = Path(__file__).with_name("lists") / "panel.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[1:] if line]
    return {gene: frozenset(variants.split()) for gene, variants, _ in rows}


PANEL = _panel()
PANEL_VARIANTS = frozenset(one for variants in PANEL.values() for one in variants)

_GENE = "|".join(re.escape(gene) for gene in sorted(PANEL, key=len, reverse=True))
_VARIANT = "|".join(re.escape(one) for one in sorted(PANEL_VARIANTS, key=len, reverse=True))
_STAR = r"\*\d{1,3}[A-Z]{0,2}(?::\d{2,3}){0,3}[NLSQ]?(?:x(?:N|\d{1,2}))?"
_LISTED = rf"(?:{_VARIANT})(?: (?:reference|variant|wild ?type))?(?: ?\([ACGT]\))?"
_ALLELE = rf"(?:{_STAR}|{_LISTED}|Reference|[ACGT](?![A-Za-z])|del(?![a-z]))"
_STATE = (
    r"(?: ?\(?(?:positive|negative|heterozygous|homozygous|activity score:? ?\d(?:\.\d{1,2})?)\)?)?"
)
GENOTYPE = re.compile(
    rf"(?<![A-Za-z0-9])(?:{_GENE})[ :]{{0,2}}(?:genotype |diplotype )?{_ALLELE}"
    rf"(?: ?[/|;] ?{_ALLELE}| ?{_ALLELE}){{0,2}}{_STATE}(?![A-Za-z0-9*])",
    re.ASCII,
)
STAR = re.compile(_STAR)
PANEL_VARIANT = re.compile(rf"(?<![A-Za-z0-9])(?:{_VARIANT})(?![A-Za-z0-9])", re.ASCII)

RS = re.compile(r"(?<![A-Za-z0-9])rs\d{3,12}(?!\d)", re.IGNORECASE | re.ASCII)
_CHANGE = (
    r"(?:[\d*+-]{1,16}(?:_[\d*+-]{1,16})?(?:[ACGTN]{1,50}>[ACGTN]{1,50}|(?:del|dup|ins|inv|con|=)"
    r"[ACGTN\d]{0,50}(?:ins[ACGTN]{0,50})?))"
)
HGVS = re.compile(
    r"(?:(?:N[CGMPRT]|LRG|ENS[TGP]|XM)_?[\d.]{3,18}(?:\([A-Z0-9-]{2,12}\))?:)?"
    rf"(?<![A-Za-z])(?:[cgmnr]\.{_CHANGE}"
    r"|p\.\(?(?:[A-Z][a-z]{2}|[A-Z])\d{1,5}(?:[A-Z][a-z]{2}|[A-Z*=]|fs|del|dup)[A-Za-z\d*]{0,12}\)?)",
    re.ASCII,
)
POSITION = re.compile(
    r"(?<![A-Za-z0-9])chr(?:\d{1,2}|[XYM]|MT):(?:g\.)?\d{4,10}(?:-\d{4,10})?"
    r"(?:[ :_-]?[ACGT]{1,50}[>:/][ACGT]{1,50})?",
    re.ASCII,
)
# A named allele of whatever gene: those of the panel stay. ``WBC10*9/L`` is a count.
NAMED_ALLELE = re.compile(
    rf"(?<![A-Za-z0-9])[A-Z]{{2,5}}\d{{1,2}}[A-Z]?\d{{0,2}}{_STAR}(?!\d*/[A-Za-z\u03bc])"
    rf"(?: ?/ ?{_STAR})?",
    re.ASCII,
)
# Of tissue types those of HLA-A and HLA-B are of the panel. A single letter alone is no locus.
HLA_ALLELE = re.compile(
    r"(?<![A-Za-z0-9])"
    r"(?:HLA[- ]?(?:C|Cw|[EFGH]|DRA|D[OMQP][AB]?|MIC[AB])\*\d{2,8}(?::\d{2,3}){0,3}"
    r"|(?:C|Cw|[EFGH]|DRA|D[OMQP][AB]|MIC[AB])\*\d{2,3}(?::\d{2,3}){1,3})[NLSCAQ]?(?![A-Za-z0-9])",
    re.ASCII,
)
APOE = re.compile(
    r"(?<![A-Za-z0-9])(?:apo ?e|apolipoprotein e)(?![a-z])[ a-z(),:=-]{0,20}?"
    "[e\u03b5]?[234] ?/ ?[e\u03b5]?[234](?![\\d/])",
    re.IGNORECASE,
)
HLA = re.compile(
    r"(?<![A-Za-z0-9])(?:HLA-)?(A|B|C|DR[AB]\d|D[QP][AB]1)\*\d{2,3}(?::\d{2,3})?", re.ASCII
)
STR = re.compile(
    r"(?<![A-Za-z0-9])(D\d{1,2}S\d{2,4}|vWA|FGA|TH01|TPOX|CSF1PO|SE33|Penta ?[DE])"
    r"[ :=]{1,3}\d{1,2}(?:\.\d)?(?![\d%])",
    re.IGNORECASE | re.ASCII,
)
LOCI_MIN = 3  # of tissue types or of a forensic profile: from here they tell one person from all
SPDI = re.compile(
    r"(?<![A-Za-z0-9])N[CGMT]_\d{4,9}\.\d{1,2}:\d{2,10}:[ACGT]{0,50}:[ACGT]{0,50}", re.ASCII
)
SEQUENCE = re.compile(r"(?:[ACGTUN](?:[ \n]?)){40}|(?:[acgtun](?:[ \n]?)){40}", re.ASCII)
FILES = (
    "##fileformat=VCF", "#CHROM\t", "#CHROM POS", "##contig=<ID=", "# rsid\t", "#rsid\t",
    "@HD\tVN:", "@SQ\tSN:", "RSID,CHROMOSOME,POSITION",
)  # fmt: skip
_GAP = r"[\t ,]{1,5}"
_CHROMOSOME = r"(?:\d{1,2}|[XYM]|MT)"
RAW_LINE = re.compile(
    rf"(?:^|[\n;])[ ]?\"?(?:(?:chr)?{_CHROMOSOME}{_GAP}\d{{3,10}}{_GAP}(?:rs\d{{1,12}}|\.){_GAP}"
    rf"[ACGTN.,]{{1,50}}[\t ,]"
    rf"|chr{_CHROMOSOME}{_GAP}\d{{3,10}}{_GAP}[ACGT]{{1,50}}{_GAP}[ACGT]{{1,50}}{_GAP}[01.][/|][01.]"
    rf"|(?:rs|i)\d{{3,12}}\"?{_GAP}\"?{_CHROMOSOME}\"?{_GAP}\"?\d{{3,10}}\"?{_GAP}\"?[ACGTDI-]{{1,2}}\b"
    rf"|>[^\n]{{1,200}}\n[ACGTN]{{20}})",
    re.ASCII,
)


class _Searched(NamedTuple):
    """Expressions by what they are searched for."""

    raw: tuple[re.Pattern[str], ...]
    loci: tuple[re.Pattern[str], ...]
    variants: tuple[re.Pattern[str], ...]
    of_panel: tuple[re.Pattern[str], ...]


_ALL = _Searched(
    raw=(SEQUENCE, RAW_LINE),
    loci=(HLA, STR),
    variants=(RS, HGVS, POSITION, SPDI, NAMED_ALLELE, HLA_ALLELE, APOE),
    of_panel=(GENOTYPE, PANEL_VARIANT),
)
_ASKED = Asked([*chain(*_ALL)])

# LOINC of what a variant file says of one variant: none of it passes, whatever it says.
VARIANT_CODES = words(
    "48004-6 48005-3 48013-7 51958-7 69547-8 69551-0 81252-9 81254-5 81258-6 81290-9 81300-6",
    "81301-4 81302-2 82121-5 82154-6 82155-3",
)
# LOINC whose value is a genotype: of the panel, or it does not pass.
GENOTYPE_CODES = words("84413-4 84414-1 47998-0 81255-2")


@lru_cache(maxsize=8)
def _searched(text: str) -> _Searched:
    """Return the expressions that may match in a text."""
    met = _ASKED.met(text)
    numbers = count()
    return _Searched(*(tuple(one for one in group if next(numbers) in met) for group in _ALL))


def is_raw_genome(text: str) -> bool:
    """Return whether a text is, or holds, raw variants or a sequence."""
    if any(mark in text for mark in FILES):
        return True
    searched = _searched(text)
    if any(form.search(text) for form in searched.raw):
        return True
    if any(
        len({one[1].lower() for one in form.finditer(text)}) >= LOCI_MIN for form in searched.loci
    ):
        return True
    is_any = RS in searched.variants
    beyond = {rs[0].lower() for rs in RS.finditer(text)} - PANEL_VARIANTS if is_any else ()
    return len(beyond) > RS_BEYOND_MAX


def loci_in(text: str) -> frozenset[tuple[str, str]]:
    """Return the loci of a tissue type or of a forensic profile that a text names with alleles,
    each with which of the two.
    """
    return frozenset(
        ("HLA" if form is HLA else "STR", one[1].lower())
        for form in _searched(text).loci
        for one in form.finditer(text)
    )


def find_genotypes(text: str) -> Iterator[Span]:
    """Yield the variants of ``text`` that are not of the panel."""
    for regex in _searched(text).variants:
        for match in regex.finditer(text):
            if not _is_listed(match[0]) and not GENOTYPE.match(match[0]):
                yield Span(match.start(), match.end(), "OTHER")


def panel_spans(text: str) -> list[tuple[int, int]]:
    """Return where genotypes and variants of the panel stand: no number in them is anybody's."""
    return [match.span() for regex in _searched(text).of_panel for match in regex.finditer(text)]


def without_panel(text: str) -> str:
    """Return ``text``, as long as it was, with letters in the place of the panel's genotypes."""
    for start, end in panel_spans(text):
        text = f"{text[:start]}{'r' * (end - start)}{text[end:]}"
    return text


def refuses(code: str, said: str) -> bool:
    """Return whether the value ``said`` of an observation of LOINC ``code`` may not pass."""
    if code in VARIANT_CODES:
        return True
    if code in GENOTYPE_CODES and said:
        return not any(form.fullmatch(said.strip()) for form in (GENOTYPE, STAR, PANEL_VARIANT))
    return False


def panel_genotypes(said: Iterable[Genotype]) -> Iterator[Genotype]:
    """Yield the genotypes that name a gene of the panel and its alleles, and nothing else."""
    for one in said:
        if one.gene in PANEL and GENOTYPE.fullmatch(f"{one.gene} {one.diplotype}"):
            yield one


def panel_variants(said: Iterable[Variant]) -> Iterator[Variant]:
    """Yield the variants that the panel lists for their gene, by what it lists them by alone."""
    for one in said:
        listed = PANEL.get(one.gene, frozenset())
        name = one.name if listed and GENOTYPE.fullmatch(f"{one.gene} {one.name}") else ""
        dbsnp = one.dbsnp if one.dbsnp in listed else ""
        dna = one.dna if one.dna in listed else ""
        if name or dbsnp or dna:
            yield Variant(
                gene=one.gene, about=one.about, name=name, dbsnp=dbsnp, dna=dna, state=one.state
            )


@remembered(4096)
def names_variant(text: str) -> bool:
    """Return whether a short text or a code names a variant that is not of the panel."""
    return any(find_genotypes(text)) or is_raw_genome(text)


def _is_listed(variant: str) -> bool:
    return variant in PANEL_VARIANTS or variant.lower() in PANEL_VARIANTS
