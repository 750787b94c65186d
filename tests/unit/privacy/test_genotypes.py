# ruff: noqa: E501  (a case is one line)
"""Genotypes pass as panel genes with star alleles and listed variants; raw variants do not."""

import base64

import pytest

from bench.bad_texts import repeated
from contracts.clinical import Genotype, Variant
from contracts.deidentified import DeidentifiedEvent
from contracts.observation import Code, Observation
from services.privacy.free_text import TextCleaner
from services.privacy.genotypes import PANEL, PANEL_VARIANTS, is_raw_genome
from tests.support.fhir import bundle, parsed
from tests.support.genomics import genomic, obx
from tests.support.timing import assert_works_within, timed
from tests.unit.privacy.bad_inputs import left_of, message, sent
from tests.unit.privacy.builders import a_body
from tests.unit.privacy.test_bad_inputs_fhir import PATIENT, SUBJECT, document
from tests.unit.privacy.test_deidentify import clean

PASSES = [
    "CYP2C19 *1/*2", "CYP2D6 *1x2/*4", "CYP2D6*4", "HLA-B*57:01 positive", "HLA-B *58:01 negative",
    "VKORC1 rs9923231 variant (T)", "VKORC1 rs9923231 C/T", "DPYD c.1905+1G>A", "UGT1A1 *28/*28",
    "DPYD Reference/c.2846A>T", "TPMT *1/*3A", "SLCO1B1 *5 activity score 1.0", "CYP2C9 *2/*3",
    "MT-RNR1 m.1555A>G",
]  # fmt: skip
VARIANTS = [
    "c.68_69delAG", "NM_000059.3:c.5946delT", "rs80357906", "p.Val600Glu", "m.3243A>G",
    "chr7:140453136A>T", "NC_000007.14:140753335:A:T", "c.506-1G>A", "g.41276045del", "n.1799T>A",
]  # fmt: skip
VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\n1\t69511\trs75062661\tA\tG\t.\tPASS"
RAW = {
    "vcf": VCF,
    "vcf-lines": "17\t41276045\t.\tACT\tA\t50\n13\t32914437\trs80359550\tGT\tG\t50",
    "vcf-line-of-an-old-number": "1\t69511\trs12\tA\tG\t50\tPASS\t.\tGT\t0/1",
    "consumer-file": "rs4477212\t1\t82154\tAA\nrs3094315\t1\t752566\tAG",
    "consumer-csv": '"rs4477212","1","82154","AA"\n"rs3094315","1","752566","AG"',
    "sequence": "sequence " + "GATTACA" * 10,
    "sequence-in-blocks": "seq " + "gattacagat " * 8,
    "fasta": ">sample 1\n" + "GATTACAGATTACAGATTACAGATT",
    "sam": "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:248956422",
    "rs-list": " ".join(f"rs{number}" for number in range(100_100, 100_120)),
}


@pytest.mark.parametrize("text", PASSES)
def test_a_genotype_of_the_panel_passes_in_every_place(text: str) -> None:
    note = f"Result: {text}, discussed."
    assert TextCleaner().clean(note).text == note
    code = Code("LN", "84413-4", "Genotype display name")
    found = clean(
        a_body(
            observations=(
                Observation(index=0, code=code, kind="text", text=text),
                Observation(index=1, code=code, kind="coded", answer=Code("L", "G1", text)),
            )
        )
    ).observations
    assert (found[0].text, found[0].finding) == (text, "")
    assert found[1].answer is not None
    assert (found[1].answer.text, found[1].finding) == (text, "")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_beyond_the_panel_is_marked_or_refused(variant: str) -> None:
    marked = TextCleaner().clean(f"carries {variant} in one copy").text
    assert marked in {"carries [OTHER-1] in one copy", "carries [ID-1] in one copy"}
    observations = (
        Observation(index=0, code=Code("L", "X"), kind="coded", answer=Code("HGVS", variant, "x")),
        Observation(index=1, code=Code("L", "X"), kind="coded", answer=Code("L", "1", variant)),
        Observation(index=2, code=Code("L", variant, variant), kind="empty"),
        Observation(index=3, code=Code("LN", "84413-4"), kind="text", text=f"BRCA1 {variant}"),
    )
    event = clean(a_body(observations=observations))
    assert [one.finding for one in event.observations] == [
        "genotype_refused", "genotype_refused", "", "genotype_refused",
    ]  # fmt: skip
    said = event.observations[2].code
    assert (said.system, said.code) == ("L", "")
    assert said.text in {"[OTHER-1]", "[ID-1]"}
    assert all(one.answer is None and not one.text for one in event.observations)


@pytest.mark.parametrize(
    "code", ["48004-6", "81252-9", "81254-5", "69547-8", "69551-0", "48013-7", "81290-9"]
)
def test_the_parts_of_a_variant_are_refused_whatever_they_say(code: str) -> None:
    said = Observation(
        index=0, code=Code("LN", code), kind="quantity", value=140453136.0, text="140453136"
    )
    (found,) = clean(a_body(observations=(said,))).observations
    assert (found.kind, found.value, found.text) == ("empty", None, "")
    assert found.finding == "genotype_refused"


def test_genotypes_and_listed_variants_of_the_panel_pass_as_such() -> None:
    body = a_body(
        genotypes=(
            Genotype(gene="CYP2C19", diplotype="*1/*2", about=0, metabolism="Intermediate"),
            Genotype(gene="CYP2D6", diplotype="*4/*1x2", about=1, metabolism="as in Anna Vickers"),
            Genotype(gene="BRCA1", diplotype="*1/*2", about=2),
            Genotype(gene="", diplotype="*1/*2", about=3),
            Genotype(gene="TPMT", diplotype="c.68_69delAG", about=4),
            Genotype(gene="TPMT", diplotype="*1/*3A of Anna Vickers", about=5),
        ),
        variants=(
            Variant(gene="VKORC1", about=6, name="rs9923231 C/T", id="13961", state="Heterozygous"),
            Variant(
                gene="VKORC1", about=7, dbsnp="rs9923231", genomic="NC_000016.10:g.31096368C>T"
            ),
            Variant(gene="DPYD", about=8, dna="c.1905+1G>A", protein="p.Val600Glu"),
            Variant(gene="DPYD", about=9, dbsnp="rs80357906", dna="c.68_69delAG"),
            Variant(gene="BRAF", about=10, dbsnp="rs9923231", name="V600E"),
            Variant(gene="", about=11, name="rs9923231 C/T"),
        ),
    )
    event = clean(body)
    assert event.genotypes == (
        Genotype(gene="CYP2C19", diplotype="*1/*2", about=0, metabolism="Intermediate"),
        Genotype(gene="CYP2D6", diplotype="*4/*1x2", about=1),
    )
    assert event.variants == (
        Variant(gene="VKORC1", about=6, name="rs9923231 C/T", state="Heterozygous"),
        Variant(gene="VKORC1", about=7, dbsnp="rs9923231"),
        Variant(gene="DPYD", about=8, dna="c.1905+1G>A"),
    )


def test_a_panel_of_a_message_arrives_as_genotypes() -> None:
    event: DeidentifiedEvent = clean(
        genomic(
            obx(1, "ST", "48018-6", "1", "CYP2C9"),
            obx(2, "ST", "84413-4", "1", "*2/*3"),
            obx(3, "ST", "47998-0", "1", "NM_000059.3:c.5946delT"),
        )
    )
    assert event.genotypes == (Genotype(gene="CYP2C9", diplotype="*2/*3", about=1),)
    assert event.variants == ()


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_raw_variants_are_held_back_whole(raw: str) -> None:
    for text in (raw, f"See below.\n{raw}\nThank you"):
        found = TextCleaner().clean(text)
        assert (found.text, found.held) == (None, "raw_genome")


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_raw_variants_leave_by_no_door(raw: str) -> None:
    """As the lines of a result, as a note, as an attachment of HL7 and of FHIR."""
    encoded = base64.b64encode(raw.encode()).decode()
    frame = message(
        *raw.split("\n"), ("ED", f"^TEXT^x-vcf^Base64^{encoded}"), notes=[raw.replace("\n", "~")]
    )
    sentinel = max(raw.replace("\t", " ").split(), key=len)
    for left in (
        sent(frame),
        left_of(parsed(bundle(PATIENT, document(raw, "text/x-vcf")))),
        left_of(parsed(bundle(PATIENT, {
            "resourceType": "Observation", "id": "o", "status": "final", "subject": SUBJECT,
            "code": {"text": "sequence"}, "valueString": raw, "note": [{"text": raw}],
        }))),
    ):  # fmt: skip
        assert left.fate == "held"
        assert sentinel not in left.out
        assert encoded[:20] not in left.out
        assert all(note.held == "raw_genome" for event in left.events for note in event.notes)


@pytest.mark.parametrize(
    "text",
    ["BRAF V600E, EGFR L858R", "E. coli, C. diff; at c. 3 cm", "GATTACA", "Hb A1c 7.2", "HLA-B27 positive",
     "Na 140 K 4.1", "a 2-0 suture, p.o. 3 times", "chr. kidney disease", "G6PD deficiency, CFTR carrier"],
)  # fmt: skip
def test_what_is_no_germline_variant_stays(text: str) -> None:
    assert TextCleaner().clean(text).text == text
    assert not is_raw_genome(text)


def test_the_panel_is_of_genes_with_a_source() -> None:
    assert len(PANEL) >= 20
    assert {"CYP2C19", "CYP2D6", "DPYD", "HLA-B", "SLCO1B1", "TPMT", "VKORC1"} <= PANEL.keys()
    assert "rs9923231" in PANEL_VARIANTS


@pytest.mark.parametrize(
    "unit", ["ACGT", "c.1", "rs1234567 ", "1\t123\t.\tA\t", "CYP2C19 *1/", "*1/*2"]
)
@timed
def test_no_sequence_takes_long(unit: str) -> None:
    text = repeated(unit, 50_000)
    assert_works_within(1.0, lambda: TextCleaner().clean(text))


def test_a_variant_in_a_further_answer_is_refused_as_in_the_first() -> None:
    panel, raw = Code("", "", "CYP2C19 *1/*2"), Code("", "", "BRCA1 185delAG")
    for answers in ((panel, raw), (raw, panel)):
        found = Observation(
            index=0,
            code=Code("LN", "84413-4", "Genotype"),
            kind="coded",
            answer=answers[0],
            further_answers=answers[1:],
        )
        (left,) = clean(a_body(observations=(found,))).observations
        assert (left.finding, left.answer, left.further_answers) == ("genotype_refused", None, ())


@pytest.mark.parametrize(
    "text",
    [
        "HLA typing: A*02:01,24:02; B*07:02,44:03; C*07:02; DRB1*15:01,04:01",
        "STR profile D3S1358 15,16; vWA 17,18; FGA 21,24; TH01 6,9.3",
        "found chr1 12345 A G 0/1; chr2 55555 C T 1/1",
    ],
)
def test_a_tissue_type_or_a_forensic_profile_names_one_person(text: str) -> None:
    assert TextCleaner().clean(text).held == "raw_genome"
    assert TextCleaner().label(text) == ""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Genotype CYP2A6*4/*9 seen", "Genotype [OTHER-1] seen"),
        ("CYP2C19*1/*2, CYP2A6*4", "CYP2C19*1/*2, [OTHER-1]"),
        (
            "HLA-B*57:01 positive, HLA-A*31:01 negative",
            "HLA-B*57:01 positive, HLA-A*31:01 negative",
        ),
        ("WBC10*9/L 5.1", "WBC10*9/L 5.1"),
        ("FGA 2.1 g/L, TH01 negative", "FGA 2.1 g/L, TH01 negative"),
    ],
)
def test_named_alleles_beyond_the_panel_are_marked(text: str, rest: str) -> None:
    assert TextCleaner().clean(text).text == rest


TISSUE = ["A*02:01", "A*24:02", "B*08:01", "B*57:01", "C*07:01", "C*06:02"]
PROFILE = [("D3S1358", "15,17"), ("vWA", "16,18"), ("FGA", "21,24"), ("TH01", "6,9.3")]


def rows(kind: str, *said: tuple[str, str]) -> list[str]:
    return [f"OBX|{n}|{kind}|T{n}^{name}^L||{value}||||||F" for n, (name, value) in enumerate(said)]


@pytest.mark.parametrize("kind", ["CWE", "ST", "IS"])
def test_a_tissue_type_is_refused_over_several_results_whole(kind: str) -> None:
    named = [(f"HLA-{one[0]}", one) for one in TISSUE]
    bare = [(f"HLA-{one[0]}", one[2:]) for one in TISSUE]
    unnamed = [("HLA typing", one) for one in TISSUE]
    for said in (named, bare, unnamed):
        left = sent(message(more=[*rows(kind, *said), "OBX|9|ST|X^y^L||seen||||||F"]))
        assert [one for one in TISSUE if one[2:] in left.out] == []
        *typed, other = left.events[0].observations
        assert {one.finding for one in typed} == {"genotype_refused"}
        assert other.text == "seen"


@pytest.mark.parametrize("kind", ["CWE", "ST", "NM"])
def test_a_forensic_profile_is_refused_over_several_results_whole(kind: str) -> None:
    said = [(locus, value.split(",")[0] if kind == "NM" else value) for locus, value in PROFILE]
    (event,) = sent(message(more=rows(kind, *said))).events
    assert {one.finding for one in event.observations} == {"genotype_refused"}
    assert all(one.value is None and one.answer is None for one in event.observations)


def test_a_profile_in_results_and_notes_is_held_back_in_both() -> None:
    left = sent(message("vWA 16,18 seen", notes=["TH01 6,9.3"], more=rows("CWE", PROFILE[0])))
    assert [one for _, one in PROFILE if one in left.out] == []
    assert {note.held for note in left.events[0].notes} == {"raw_genome"}


def test_two_loci_of_the_panel_pass_as_star_alleles() -> None:
    said = [("HLA-A", "HLA-A*31:01"), ("HLA-B", "HLA-B*57:01 positive")]
    (event,) = sent(message(more=rows("ST", *said))).events
    assert [one.text for one in event.observations] == ["HLA-A*31:01", "HLA-B*57:01 positive"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HLA-C", "07:01"), ("HLA typing", "HLA-C*07:01"), ("HLA typing", "C*07:01:01:01"),
        ("HLA typing", "HLA-DQ*05:01"), ("APOE genotype", "E3/E4"), ("APOE genotype", "3/4"),
        ("Apolipoprotein E genotyping", "ε3/ε4"), ("CYP2A6 diplotype", "*4/*9"),
        ("CYP2A6", "*4/*9"), ("rs429358", "C/T"), ("FUT2 genotype", "GA"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["CWE", "ST"])
def test_an_allele_beyond_the_panel_is_known_by_the_name_of_its_result(
    kind: str, name: str, value: str
) -> None:
    (event,) = sent(message(more=rows(kind, (name, value)))).events
    (found,) = event.observations
    assert found.answer is None
    assert value not in found.text
    assert found.finding == "genotype_refused" or found.text.startswith("[")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CYP2C19 genotype", "*1/*2"), ("VKORC1 genotype", "C/T"), ("HLA-B*57:01", "Negative"),
        ("HLA-B27", "Positive"), ("HCV genotype", "1a/1b"),
        ("CO2", "*31"), ("FGA", "2.1"), ("HLA-C antibody", "12%"), ("APOE", "not done"),
        ("Blood pressure", "120/80"), ("APOB", "90"),
    ],
)  # fmt: skip
def test_a_result_that_is_no_allele_beyond_the_panel_stays(name: str, value: str) -> None:
    (event,) = sent(message(more=rows("ST", (name, value)))).events
    (found,) = event.observations
    assert (found.text, found.finding) == (value, "")


def test_changes_of_a_tumour_stay_under_the_name_of_a_genotype() -> None:
    code, answer = Code("L", "E", "EGFR genotype"), Code("L", "L858R/T790M", "L858R/T790M")
    found = Observation(index=0, code=code, kind="coded", answer=answer)
    assert clean(a_body(observations=(found,))).observations[0].finding == ""
