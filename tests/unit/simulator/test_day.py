"""The simulated day is seeded, ordered, and holds the troubles that real feeds have."""

from collections import Counter

from contracts.loinc import BY_LOINC
from simulator.day import DayPlan, Timed, hospital_day

START_MS = 1_790_000_000_000
PLAN = DayPlan(patients=12, hours=12, seed=3)


def the_day() -> list[Timed]:
    return list(hospital_day(PLAN, START_MS))


def field(payload: bytes, segment: bytes, number: int) -> bytes:
    for line in payload.split(b"\r"):
        if line.startswith(segment):
            return line.split(b"|")[number]
    return b""


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    assert the_day() == the_day()
    other = list(hospital_day(DayPlan(patients=12, hours=12, seed=4), START_MS))
    assert [one.payload for one in other] != [one.payload for one in the_day()]


def test_messages_come_in_order_of_time_and_within_the_day() -> None:
    times = [one.at_ms for one in the_day()]
    assert times == sorted(times)
    assert times[0] >= START_MS
    assert times[-1] <= START_MS + 12.2 * 3_600_000


def test_control_ids_differ_but_for_resends_which_are_the_same_bytes() -> None:
    day = the_day()
    first = [one for one in day if one.kind != "resend"]
    again = [one for one in day if one.kind == "resend"]
    assert len({field(one.payload, b"MSH", 9) for one in first}) == len(first)
    assert again
    assert {one.payload for one in again} <= {one.payload for one in first}


def test_the_day_has_admissions_transfers_a_merge_its_unlink_and_both_languages() -> None:
    day = the_day()
    kinds = Counter(one.kind for one in day)
    assert kinds["admit"] == PLAN.patients + 4
    assert kinds["merge"] == 2
    assert kinds["unlink"] == 1
    assert kinds["vitals"] > 200
    notes = b"".join(one.payload for one in day if one.kind == "note").decode()
    assert "查房记录" in notes
    assert "ward round" in notes


def test_the_laboratory_falls_silent_for_the_last_quarter() -> None:
    labs = [one for one in the_day() if one.feed == "LIS" and one.kind != "resend"]
    assert labs
    assert max(one.at_ms for one in labs) < START_MS + 9 * 3_600_000


def test_every_number_is_coded_in_loinc_with_the_unit_of_its_parameter() -> None:
    for one in the_day():
        for line in one.payload.decode().split("\r"):
            if line.startswith("OBX") and "|NM|" in line:
                fields = line.split("|")
                parameter = BY_LOINC[fields[3].split("^")[0]]
                assert fields[6] == parameter.unit
                assert parameter.low <= float(fields[5]) <= parameter.high


def test_someone_gets_worse() -> None:
    rates: dict[str, list[float]] = {}
    for one in the_day():
        if one.kind == "vitals":
            line = next(x for x in one.payload.decode().split("\r") if "|8867-4^" in x)
            rates.setdefault(one.patient, []).append(float(line.split("|")[5]))
    assert max(values[-1] - values[0] for values in rates.values()) > 25
