"""What one service's examples say is what the next makes of them, from HL7 to the read model."""

from typing import Any

import msgspec
import pytest

from contracts.assessed import ASSESSED
from contracts.deidentified import DEIDENTIFIED
from services.gateway.stored import detail, point
from tests.support.golden import EXAMPLES, KEY, bodies, chain

CASES = [(topic, case) for topic, cases in sorted(chain().items()) for case in sorted(cases)]


@pytest.mark.parametrize(("topic", "case"), CASES)
def test_an_example_is_what_the_product_makes(topic: str, case: str) -> None:
    made: Any = chain()[topic][case]
    written = (EXAMPLES / topic / f"{case}.json").read_bytes()
    assert msgspec.json.decode(written, type=type(made)) == made, (
        "run: python -m tests.support.golden"
    )


def test_no_example_is_left_over() -> None:
    ours = set(chain())
    written = {(path.parent.name, path.stem) for path in EXAMPLES.rglob("*.json")}
    assert {pair for pair in written if pair[0] in ours} == set(CASES)


def test_the_vitals_of_the_message_reach_the_read_model() -> None:
    event = DEIDENTIFIED.decode((EXAMPLES / DEIDENTIFIED.name / "oru_vitals_en.json").read_bytes())
    assessment = ASSESSED.decode((EXAMPLES / ASSESSED.name / "oru_vitals_en.json").read_bytes())
    assert assessment.event_id == event.event_id
    assert event.token == assessment.token == KEY.token
    news2 = next(score for score in assessment.scores if score.name == "NEWS2")
    shown = point(assessment, scored_ms=0, offset=1)
    assert (shown.total, shown.total_min, shown.total_max) == (
        news2.total,
        news2.total_min,
        news2.total_max,
    )
    assert detail(assessment).scores == assessment.scores
    sent = {one.value for one in event.observations if one.value is not None}
    coded = "consciousness"
    assert {one.value for one in assessment.vitals if one.parameter != coded} <= sent


def test_a_visit_becomes_a_relation_in_tokens() -> None:
    relation = msgspec.to_builtins(chain()["care.relations.v1"]["adt_a01_admit_en"])
    assert relation["token"] == KEY.token
    assert relation["unit"]
    assert relation["staff"]
    visit = bodies()["adt_a01_admit_en"].encounter
    assert visit is not None
    numbers = {one.id for one in visit.staff}
    assert numbers.isdisjoint(one["staff"] for one in relation["staff"])
