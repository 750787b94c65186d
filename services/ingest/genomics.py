"""What genomic results say, by LOINC: genotypes (pairs of star alleles) and variants, with genes.

The results of one variant or genotype share OBX-4, and mostly only one of them names the gene.

Codes are of LOINC's panel for HL7 genomics reporting (81247-9, loinc.org), as its guides use them.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from contracts.clinical import Genotype, Variant
from contracts.observation import Observation

GENE, DIPLOTYPE, NAME, METABOLISM = "gene", "diplotype", "name", "metabolism"
ROLES: Final[dict[str, str]] = {
    "48018-6": GENE,  # gene studied
    "84413-4": DIPLOTYPE,  # genotype display name
    "47998-0": NAME,  # variant display name
    "81252-9": "id",  # discrete genetic variant: its number in ClinVar or dbSNP
    "81255-2": "dbsnp",  # dbSNP number
    "48004-6": "dna",  # DNA change, c.HGVS
    "48005-3": "protein",  # amino acid change, p.HGVS
    "81290-9": "genomic",  # genomic DNA change, g.HGVS
    "53034-5": "state",  # allelic state
    "53040-2": METABOLISM,  # the variation's effect on drug metabolism
}
OF_VARIANT: Final = frozenset({NAME, "id", "dbsnp", "dna", "protein", "genomic"})
WITHDRAWN: Final = frozenset({"D", "W", "X"})
GENE_CHARS_MAX: Final = 15
Tell = Callable[[str, str], None]
Genes = tuple[list[int], list[str]]  # of one group: places of its gene results, ascending; names


def genomics_of(
    observations: list[Observation], genomic: Sequence[tuple[int, str]], tell: Tell
) -> tuple[tuple[Genotype, ...], tuple[Variant, ...]]:
    """Return what results say together, and have each genotype name its gene: alone, ``*1/*2`` says
    nothing.

    ``genomic`` has the indices of the genomic ones with their groups; ``tell`` takes a code and a
    text, of what was found.
    """
    groups: dict[str, list[tuple[str, int]]] = {}
    for index, group in genomic:
        one = observations[index]
        if one.status not in WITHDRAWN:
            groups.setdefault(group, []).append((ROLES[one.code.code], index))
    genotypes: list[Genotype] = []
    variants: list[Variant] = []
    genes = {group: _genes_of(observations, members) for group, members in groups.items()}
    nothing: Genes = ([], [])
    for group, members in groups.items():
        above = genes.get(group.rpartition(".")[0], nothing)  # 2a is above 2a.1
        _read_group((observations, tell), (genes[group], above), members, genotypes, variants)
    return tuple(genotypes), tuple(variants)


def _read_group(
    said_in: tuple[list[Observation], Tell],
    genes: tuple[Genes, Genes],
    members: list[tuple[str, int]],
    genotypes: list[Genotype],
    variants: list[Variant],
) -> None:
    observations, tell = said_in
    variant: dict[str, str] = {}
    about = -1
    first = len(genotypes)
    for role, index in members:
        said = said_of(observations[index])
        if role in {DIPLOTYPE, NAME}:
            gene = _gene_of(genes[0], index) or _gene_of(genes[1], index)
            said = _with_gene(observations, index, gene, said, tell)
            if role == DIPLOTYPE:
                genotypes.append(Genotype(gene=gene, diplotype=said, about=index))
                continue
        if role == METABOLISM and len(genotypes) == first + 1:
            genotypes[first] = msgspec.structs.replace(genotypes[first], metabolism=said)
        elif role in OF_VARIANT or role == "state":
            if role in variant:  # the next one of a group that was not numbered
                _end_variant(genes, variant, about, variants)
                variant, about = {}, -1
            variant[role] = said
            about = index if about < 0 else about
    _end_variant(genes, variant, about, variants)


def _end_variant(
    genes: tuple[Genes, Genes],
    said: dict[str, str],
    about: int,
    variants: list[Variant],
) -> None:
    if not any(role in OF_VARIANT for role in said):
        return
    gene = _gene_of(genes[0], about) or _gene_of(genes[1], about)
    variants.append(
        Variant(
            gene=gene,
            name=said.get(NAME, ""),
            id=said.get("id", ""),
            dbsnp=said.get("dbsnp", ""),
            dna=said.get("dna", ""),
            protein=said.get("protein", ""),
            genomic=said.get("genomic", ""),
            state=said.get("state", ""),
            about=about,
        )
    )


def _genes_of(observations: list[Observation], members: list[tuple[str, int]]) -> Genes:
    """Return where the members of a group name genes, and which."""
    places: list[int] = []
    names: list[str] = []
    for role, place in members:
        if role != GENE:
            continue
        answer = observations[place].answer
        text = answer.text if answer is not None else observations[place].text
        code = answer.code if answer is not None else ""
        name = text if _is_gene(text) else code if _is_gene(code) else ""
        if name:
            places.append(place)
            names.append(name)
    return places, names


def _gene_of(genes: Genes, index: int) -> str:
    """Return the gene named last before a result, else the first one after it."""
    places, names = genes
    return names[max(0, bisect_right(places, index) - 1)] if places else ""


def _is_gene(text: str) -> bool:
    plain = text.replace("-", "")
    return plain.isalnum() and plain[0].isalpha() and len(text) <= GENE_CHARS_MAX


def said_of(one: Observation) -> str:
    """Return what a genomic result says: its words, its code where it has none."""
    answer = one.answer
    return one.text if answer is None else answer.text or answer.code


def _with_gene(
    observations: list[Observation], index: int, gene: str, said: str, tell: Tell
) -> str:
    """Return a genotype without its gene, and have the result say it with its gene."""
    if not said or not gene:
        if said[:1] == "*":
            tell("gene_unknown", "star alleles without the gene they are of")
        return said
    if said.startswith(gene):
        return said[len(gene) :].strip(" :")
    if gene in said:
        return said
    one = observations[index]
    whole = f"{gene} {said}"
    if one.answer is not None:
        answer = msgspec.structs.replace(one.answer, text=whole)
        observations[index] = msgspec.structs.replace(one, answer=answer)
    else:
        observations[index] = msgspec.structs.replace(one, text=whole)
    tell("gene_joined", "a genotype is said with the gene of its group")
    return said
