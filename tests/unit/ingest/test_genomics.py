"""Genomic results by LOINC, grouped by OBX-4: genotypes and variants with their genes."""

import pytest

from contracts.clinical import Genotype, Variant
from contracts.identified import IdentifiedBody
from services.ingest.genomics import ROLES
from services.ingest.results import GENOMIC
from tests.support.genomics import genomic, obx
from tests.unit.privacy.test_deidentify import clean


def codes_of(event: IdentifiedBody) -> list[str]:
    return [one.code for one in event.findings]


def test_genotypes_are_read_with_the_gene_of_their_group() -> None:
    event = genomic(
        obx(1, "CWE", "48018-6", "1a", "HGNC:2621^CYP2C19^HGNC"),
        obx(2, "CWE", "84413-4", "1a", "*1/*2^*1/*2^L"),
        obx(3, "CWE", "53040-2", "1a", "LA9657-3^Intermediate metabolizer^LN"),
        obx(4, "ST", "84413-4", "1b", "*1/*4"),
        obx(5, "ST", "48018-6", "1b", "CYP2D6"),
    )
    assert event.genotypes == (
        Genotype(gene="CYP2C19", diplotype="*1/*2", about=1, metabolism="Intermediate metabolizer"),
        Genotype(gene="CYP2D6", diplotype="*1/*4", about=3),
    )
    assert event.variants == ()
    coded, text = event.observations[1], event.observations[3]
    assert coded.answer is not None
    assert (coded.answer.code, coded.answer.text) == ("*1/*2", "CYP2C19 *1/*2")
    assert text.text == "CYP2D6 *1/*4"
    assert codes_of(event).count("gene_joined") == 2


def test_variants_are_read_together_and_apart() -> None:
    event = genomic(
        obx(1, "CWE", "48018-6", "2a", "HGNC:1097^BRAF^HGNC"),
        obx(2, "CWE", "48004-6", "2a", "NM_004333.4:c.1799T>A^NM_004333.4:c.1799T>A^HGVS"),
        obx(3, "CWE", "48005-3", "2a", "NP_004324.2:p.Val600Glu^^HGVS"),
        obx(4, "CWE", "53034-5", "2a.1", "LA6706-1^Heterozygous^LN"),
        obx(5, "ST", "81252-9", "2b", "13961"),
        obx(6, "ST", "81255-2", "2b", "rs4244285"),
        obx(7, "ST", "48004-6", "2c", "c.1A>G", "X"),
    )
    braf, other = event.variants
    assert braf == Variant(
        gene="BRAF",
        about=1,
        dna="NM_004333.4:c.1799T>A",
        protein="NP_004324.2:p.Val600Glu",
    )
    assert other == Variant(gene="", about=4, id="13961", dbsnp="rs4244285")
    assert event.genotypes == ()


def test_groups_without_a_number_are_told_apart_by_their_order() -> None:
    event = genomic(
        obx(1, "ST", "48018-6", "", "CYP2C9"),
        obx(2, "ST", "84413-4", "", "CYP2C9*2/*3"),
        obx(3, "ST", "48018-6", "", "VKORC1"),
        obx(4, "ST", "47998-0", "", "rs9923231 C/T"),
        obx(5, "ST", "47998-0", "", "VKORC1 c.-1639G>A"),
    )
    assert event.genotypes == (Genotype(gene="CYP2C9", diplotype="*2/*3", about=1),)
    assert [(one.gene, one.name) for one in event.variants] == [
        ("VKORC1", "rs9923231 C/T"),
        ("VKORC1", "c.-1639G>A"),
    ]
    texts = [one.text for one in event.observations]
    assert texts[1] == "CYP2C9*2/*3"
    assert texts[3:] == ["VKORC1 rs9923231 C/T", "VKORC1 c.-1639G>A"]


def test_star_alleles_without_a_gene_are_said_to_be() -> None:
    event = genomic(
        obx(
            1, "CWE", "48018-6", "1", "1^CYP2C9^HGNC~2^CYP2D6^HGNC"
        ),  # a list: all that was studied
        obx(2, "ST", "84413-4", "1", "*1/*2"),
    )
    assert event.genotypes == (Genotype(gene="", diplotype="*1/*2", about=1),)
    assert "gene_unknown" in codes_of(event)


@pytest.mark.parametrize("code", sorted(GENOMIC))
def test_a_genomic_code_in_another_system_is_none(code: str) -> None:
    event = genomic(f"OBX|1|ST|{code}^x^L|1|*1/*2||||||F")
    assert (event.genotypes, event.variants) == ((), ())


def test_the_parser_collects_what_genomics_reads() -> None:
    assert set(ROLES) == GENOMIC


def test_a_genotype_with_its_gene_passes_privacy_and_a_variant_does_not() -> None:
    event = genomic(
        obx(1, "CWE", "48018-6", "1a", "HGNC:2621^CYP2C19^HGNC"),
        obx(2, "CWE", "84413-4", "1a", "*1/*2^*1/*2^L"),
        obx(3, "ST", "84413-4", "9z", "*1/*4"),
        obx(4, "ST", "48004-6", "2a", "NM_004333.4:c.1799T>A"),
    )
    gene, genotype, lone, variant = clean(event).observations
    assert gene.answer.text == "CYP2C19"
    assert (genotype.answer.text, genotype.finding) == ("CYP2C19 *1/*2", "")
    assert [one.finding for one in (lone, variant)] == ["genotype_refused"] * 2
