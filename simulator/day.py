"""A hospital day: wards and intensive care, people who come, worsen, move and go home.

``hospital_day`` is pure and seeded: the same arguments give the same bytes. It also holds what
real feeds do: 3 % of messages come twice, one patient arrives under a temporary number and is
merged later, one merge was wrong and is unlinked, and the laboratory's feed falls silent for the
last quarter of the day.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from simulator import messages
from simulator.course import Course, a_course
from simulator.messages import MINUTE_MS, Visit
from simulator.people import DOCTORS, a_person

HOUR_MS = 60 * MINUTE_MS
UNITS = ("MICU", "CCU", "W1", "W2", "W3")
UNIT_WEIGHTS = (0.16, 0.12, 0.26, 0.24, 0.22)
INTENSIVE = frozenset({"MICU", "CCU"})
DRUGS = (
    ("161", "acetaminophen", "1000"),
    ("2193", "ceftriaxone", "2000"),
    ("4603", "furosemide", "40"),
    ("7980", "penicillin G", "1200"),
)
RESEND_SHARE = 0.03


@dataclass(frozen=True)
class DayPlan:
    """How large the day is. ``vitals_every_min`` is for wards; intensive care is four times it."""

    patients: int = 40
    hours: float = 12.0
    vitals_every_min: float = 30.0
    labs_every_h: float = 6.0
    notes_every_h: float = 5.0
    seed: int = 7


@dataclass(frozen=True, order=True)
class Timed:
    """One message: when it is sent (clinical time, ms UTC), by which feed, about which patient."""

    at_ms: int
    sequence: int
    feed: str = field(compare=False)
    patient: str = field(compare=False)
    kind: str = field(compare=False)
    payload: bytes = field(compare=False)


def hospital_day(plan: DayPlan, start_ms: int) -> Iterator[Timed]:
    """Yield the day's messages in order of time, from ``start_ms`` on."""
    rng = random.Random(plan.seed)
    made: list[Timed] = []
    for number in range(plan.patients):
        made += _Bedside(plan, start_ms, number, random.Random(rng.getrandbits(64))).messages()
    made += _identity_troubles(plan, start_ms, random.Random(rng.getrandbits(64)))
    silent_from = start_ms + round(plan.hours * 0.75 * HOUR_MS)
    heard = (one for one in made if one.feed != "LIS" or one.at_ms < silent_from)
    yield from _with_resends(sorted(heard), rng)


def _with_resends(ordered: list[Timed], rng: random.Random) -> Iterator[Timed]:
    """Yield the same bytes again for some messages, at once or a few minutes later."""
    again: list[Timed] = []
    for one in ordered:
        while again and again[0].at_ms <= one.at_ms:
            yield heapq.heappop(again)
        yield one
        if rng.random() < RESEND_SHARE:
            later = rng.choice((0, 90_000, 10 * MINUTE_MS))
            heapq.heappush(again, replace(one, at_ms=one.at_ms + later, kind="resend"))
    yield from sorted(again)


class _Bedside:
    """Everything one patient's bed sends in the day."""

    def __init__(self, plan: DayPlan, start_ms: int, number: int, rng: random.Random) -> None:
        self.plan, self.start_ms, self.number, self.rng = plan, start_ms, number, rng
        self.person = a_person(rng, number, today_year=_year(start_ms))
        self.course: Course = a_course(rng, plan.hours)
        unit = rng.choices(UNITS, UNIT_WEIGHTS)[0]
        came_ms = start_ms + round(rng.uniform(0, 0.15) * plan.hours * HOUR_MS)
        self.visit = Visit(
            person=self.person,
            number=f"V{came_ms // MINUTE_MS}{number:04d}",
            unit=unit,
            room=f"{number // 4 + 1:02d}",
            bed=f"{'ABCD'[number % 4]}",
            admitted_ms=came_ms,
            doctor=rng.randrange(len(DOCTORS)),
        )
        self.leaves_ms = start_ms + round(plan.hours * HOUR_MS)
        self.goes_home = self.course.kind == "recovering" and rng.random() < 0.7
        if self.goes_home:
            self.leaves_ms = start_ms + round(rng.uniform(0.75, 0.97) * plan.hours * HOUR_MS)
        self.moved, self.moves_ms = self.visit, self.leaves_ms
        self.made: list[Timed] = []

    def messages(self) -> list[Timed]:
        """Return all messages of this bed."""
        self._add("PAS", "admit", self.visit.admitted_ms, "A01")
        self._maybe_transfer()
        self._every("MONITOR", "vitals", self._vitals_interval())
        self._every("LIS", "labs", self.plan.labs_every_h * HOUR_MS)
        self._every("EHR", "note", self.plan.notes_every_h * HOUR_MS)
        self._medicate()
        if self.goes_home:
            self._add("PAS", "discharge", self.leaves_ms, "A03")
        return self.made

    def _vitals_interval(self) -> float:
        every = self.plan.vitals_every_min * MINUTE_MS
        return every / 4 if self.visit.unit in INTENSIVE else every

    def _maybe_transfer(self) -> None:
        """Move someone who gets much worse to intensive care."""
        worsens = self.course.kind in {"sepsis", "respiratory", "bleeding"}
        when_h = self.course.onset_h + self.course.pace_h * 2
        if worsens and self.visit.unit not in INTENSIVE and when_h < self.plan.hours * 0.95:
            at_ms = max(self.start_ms + round(when_h * HOUR_MS), self.visit.admitted_ms + 1000)
            self.moves_ms = at_ms
            self.moved = replace(self.visit, unit="MICU", room="20", bed=f"{self.number:02d}")
            self._add("PAS", "transfer", at_ms, "A02")

    def _every(self, feed: str, kind: str, interval_ms: float) -> None:
        at = self.visit.admitted_ms + interval_ms * self.rng.uniform(0.02, 0.4)
        while at < self.leaves_ms:
            self._add(feed, kind, round(at))
            at += interval_ms * self.rng.uniform(0.85, 1.15)

    def _medicate(self) -> None:
        for code, name, dose in self.rng.sample(DRUGS, k=2):
            at_ms = self.visit.admitted_ms + round(self.rng.uniform(0.1, 1.5) * HOUR_MS)
            if at_ms < self.leaves_ms:
                control_id = self._control("RX")
                payload = messages.medication(control_id, self.visit, at_ms, code, name, dose)
                self._keep(at_ms, "PHARM", "medication", payload)

    def _add(self, feed: str, kind: str, at_ms: int, trigger: str = "") -> None:
        hours = (at_ms - self.start_ms) / HOUR_MS
        control_id = self._control(feed[:2])
        if trigger:
            payload = messages.adt(trigger, control_id, self._where(at_ms), at_ms)
        elif kind == "vitals":
            found, level = self.course.vitals(hours), self.course.consciousness(hours)
            payload = messages.vitals(control_id, self._where(at_ms), at_ms, found, level)
        elif kind == "labs":
            payload = messages.labs(control_id, self._where(at_ms), at_ms, self.course.labs(hours))
        else:
            severity = self.course.severity(hours)
            payload = messages.note(control_id, self._where(at_ms), at_ms, severity)
        self._keep(at_ms, feed, kind, payload)

    def _where(self, at_ms: int) -> Visit:
        """Return the visit as it was at ``at_ms``: from the transfer on, the new bed."""
        return self.visit if at_ms < self.moves_ms else self.moved

    def _keep(self, at_ms: int, feed: str, kind: str, payload: bytes) -> None:
        sequence = self.number * 100_000 + len(self.made)
        self.made.append(Timed(at_ms, sequence, feed, self.person.mrn, kind, payload))

    def _control(self, prefix: str) -> str:
        return f"{prefix}{self.start_ms // 1000}{self.number:04d}{len(self.made):05d}"


def _identity_troubles(plan: DayPlan, start_ms: int, rng: random.Random) -> list[Timed]:
    """A patient under a temporary number who is merged, and a wrong merge that is undone."""
    made: list[Timed] = []
    for pair, undo in ((0, False), (1, True)):
        first = _Bedside(plan, start_ms, plan.patients + 2 * pair, rng)
        second = _Bedside(plan, start_ms, plan.patients + 2 * pair + 1, rng)
        beds = (first, second)
        for bed in beds:
            made += bed.messages()
        merged_ms = start_ms + round(plan.hours * 0.5 * HOUR_MS)
        other = second.person.mrn
        payload = messages.adt("A40", first._control("MG"), first.visit, merged_ms, other)  # noqa: SLF001  same module
        made.append(Timed(merged_ms, 10**9 + pair, "PAS", first.person.mrn, "merge", payload))
        if undo:
            undone_ms = merged_ms + round(plan.hours * 0.2 * HOUR_MS)
            payload = messages.adt("A37", first._control("UL"), first.visit, undone_ms, other)  # noqa: SLF001  same module
            made.append(Timed(undone_ms, 10**9 + 9, "PAS", first.person.mrn, "unlink", payload))
    return made


def _year(at_ms: int) -> int:
    return 1970 + round(at_ms / (365.25 * 24 * HOUR_MS))
