"""Genomic FHIR fills the fields that a genomic ORU does: the guide of genomics reporting."""

from typing import Any

import pytest

from contracts.clinical import Genotype, Variant
from tests.support.fhir import bundle, only, patient
from tests.support.genomics import component, concept, gene, genomic, observed, obx

PRESENT, ABSENT = concept("Present", "LA9633-4"), concept("Absent", "LA9634-2")
BRAF = (
    gene("BRAF"),
    component("48004-6", concept("NM_004333.4:c.1799T>A")),
    component("48005-3", concept("NP_004324.2:p.Val600Glu")),
    component("81252-9", concept("13961", "13961", "http://www.ncbi.nlm.nih.gov/clinvar")),
    component("53034-5", concept("Heterozygous", "LA6706-1")),
)


def test_a_variant_is_what_a_genomic_oru_says() -> None:
    body = only(bundle(patient(), observed("v1", "69548-6", PRESENT, *BRAF)))
    assert body.variants == (
        Variant(
            gene="BRAF",
            about=2,
            id="13961",
            dna="NM_004333.4:c.1799T>A",
            protein="NP_004324.2:p.Val600Glu",
            state="Heterozygous",
        ),
    )
    assert body.genotypes == ()
    assert [one.code.code for one in body.observations] == [
        "69548-6", "48018-6", "48004-6", "48005-3", "81252-9", "53034-5",
    ]  # fmt: skip
    v2 = genomic(
        obx(1, "CWE", "69548-6", "1", "LA9633-4^Present^LN"),
        obx(2, "CWE", "48018-6", "1", "HGNC:1097^BRAF^HGNC"),
        obx(3, "ST", "48004-6", "1", "NM_004333.4:c.1799T>A"),
        obx(4, "ST", "48005-3", "1", "NP_004324.2:p.Val600Glu"),
        obx(5, "ST", "81252-9", "1", "13961"),
        obx(6, "CWE", "53034-5", "1", "LA6706-1^Heterozygous^LN"),
    )
    assert v2.variants == body.variants


@pytest.mark.parametrize(
    "said",
    [
        {"value": ABSENT},
        {"value": concept("No call", "LA18198-4")},
        {"value": PRESENT, "status": "entered-in-error"},
        {"value": PRESENT, "status": "cancelled"},
    ],
)
def test_what_was_not_found_or_is_taken_back_is_no_variant(said: dict[str, Any]) -> None:
    value = said.pop("value")
    body = only(bundle(patient(), observed("v1", "69548-6", value, *BRAF, **said)))
    assert body.variants == ()
    assert len(body.observations) == 6


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_genotype_has_its_gene_and_what_it_does_to_drugs(order: tuple[int, int]) -> None:
    diplotype = concept("*1/*2")
    genotype = observed("g1", "84413-4", diplotype, gene("CYP2C19"))
    effect = observed(
        "m1",
        "53040-2",
        concept("Intermediate metabolizer", "LA9657-3"),
        derivedFrom=[{"reference": "urn:uuid:g1"}],
    )
    both = (genotype, effect)
    body = only(bundle(patient(), *(both[place] for place in order)))
    (found,) = body.genotypes
    assert found == Genotype(
        gene="CYP2C19",
        diplotype="*1/*2",
        about=order.index(0),
        metabolism="Intermediate metabolizer",
    )
    answer = body.observations[found.about].answer
    assert answer is not None
    assert answer.text == "CYP2C19 *1/*2"  # alone, the alleles say nothing


def test_genotypes_of_two_genes_are_two_and_one_without_a_gene_is_told() -> None:
    body = only(
        bundle(
            patient(),
            observed("g1", "84413-4", concept("*1/*4"), gene("CYP2D6")),
            observed("g2", "84413-4", concept("CYP2C9 *2/*3"), gene("CYP2C9")),
            observed("g3", "84413-4", concept("*1/*1")),
        )
    )
    assert [(one.gene, one.diplotype) for one in body.genotypes] == [
        ("CYP2D6", "*1/*4"),
        ("CYP2C9", "*2/*3"),
        ("", "*1/*1"),
    ]
    assert [one.code for one in body.findings].count("gene_unknown") == 1


def test_a_plain_result_is_none_of_it() -> None:
    body = only(bundle(patient(), observed("o1", "600-7", concept("E. coli"))))
    assert (body.genotypes, body.variants) == ((), ())
