"""k of k-anonymity: who shares age band, sex and place, or a rare condition."""

from prometheus_client import REGISTRY

from contracts.clinical import Condition
from contracts.deidentified import Age, DeidentifiedEvent, Stay
from contracts.observation import Code
from services.privacy.anonymity import CONDITIONS_MAX, WINDOW_S, Anonymity


def an_event(
    number: int,
    years: int | None = 44,
    unit: str = "W1",
    codes: tuple[str, ...] = (),
    system: str = "I10",
    area: str = "",
) -> DeidentifiedEvent:
    return DeidentifiedEvent(
        event_id=str(number),
        token=f"t{number}",
        event_type="observation.result",
        occurred_at_ms=0,
        age=None if years is None else Age(years, days=300) if years < 2 else Age(years),
        sex="F",
        stay=Stay(encounter="e", unit=unit) if unit else None,
        conditions=tuple(Condition(code=Code(system, code)) for code in codes),
        area=area,
    )


def gauge(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"auscult_privacy_anonymity_{name}", labels) or 0.0


def test_patients_who_look_alike_are_one_class() -> None:
    seen = Anonymity()
    for number in range(5):
        seen.saw(an_event(number, 40 + number), 0.0)
    seen.saw(an_event(0, 41), 1.0)  # the same patient again is no other
    assert seen.sizes("place") == [5]
    seen.show(0.0)
    assert gauge("smallest_class", kind="place") == 5
    assert gauge("patients_below", kind="place") == 0
    seen.saw(an_event(9, 91), 1.0)
    seen.show(1.0)
    assert gauge("smallest_class", kind="place") == 5  # not at every batch
    seen.show(6.0)
    assert sorted(seen.sizes("place")) == [1, 5]
    assert gauge("smallest_class", kind="place") == 1
    assert gauge("patients_below", kind="place") == 1
    assert gauge("classes", kind="place", size="below") == 1
    assert gauge("classes", kind="place", size="at_least") == 1


def test_a_rare_condition_makes_a_class_of_one() -> None:
    seen = Anonymity()
    for number in range(6):
        seen.saw(an_event(number, codes=("I10",)), 0.0)
    seen.saw(an_event(0, codes=("E75.2",)), 0.0)
    assert sorted(seen.sizes("condition")) == [1, 6]  # the others stay known
    seen.saw(an_event(1, codes=("E75.5",)), 0.0)
    assert sorted(seen.sizes("condition")) == [2, 6]  # of one category


def test_a_move_takes_a_patient_to_another_class() -> None:
    seen = Anonymity()
    seen.saw(an_event(1), 0.0)
    seen.saw(an_event(2), 0.0)
    seen.saw(an_event(1, unit="W2"), 0.0)
    assert seen.sizes("place") == [1, 1]
    seen.saw(an_event(1, unit=""), 0.0)
    assert seen.sizes("place") == [1, 1]  # a result without a visit moves nobody


def test_after_a_day_a_patient_counts_no_more_and_memory_is_bounded() -> None:
    seen = Anonymity()
    seen.saw(an_event(1, codes=tuple(f"A{n:02}" for n in range(50))), 0.0)
    assert len(seen.sizes("condition")) == CONDITIONS_MAX
    seen.saw(an_event(2, years=1), WINDOW_S)
    assert seen.sizes("place") == [1]
    assert seen.sizes("condition") == []


def test_an_area_counts_by_itself_and_with_each_condition() -> None:
    seen = Anonymity()
    for number in range(5):
        seen.saw(an_event(number, area=f"10{number}", codes=("J18",)), 0.0)
    assert seen.sizes("place") == seen.sizes("condition") == [5]
    assert seen.sizes("area") == [1] * 5
    assert seen.sizes("area_condition") == [1] * 5
    for number in range(5):
        seen.saw(an_event(number, area="100"), 0.0)  # the condition stays known
    assert seen.sizes("area") == seen.sizes("area_condition") == [5]
    seen.show(0.0)
    assert gauge("smallest_class", kind="area_condition") == 5


def test_only_codes_of_icd_have_a_category_and_an_unknown_age_is_a_band() -> None:
    seen = Anonymity()
    for number, code in enumerate(("22298006", "222008001", "22253000")):
        seen.saw(an_event(number, codes=(code,), system="SCT"), 0.0)
    assert seen.sizes("condition") == [1, 1, 1]
    seen.saw(an_event(7, years=None), 0.0)
    assert sorted(seen.sizes("place")) == [1, 3]
