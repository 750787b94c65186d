"""Reports of persons who have several identifiers.

One writer for each person: the owner of the partition of the smallest token. Facts that arrive at
another of the person's tokens in another partition are told to that owner through Redis, which
answers within a second; a change of links is seen by every replica by itself.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from contracts.assessed import CURRENT, Assessment
from contracts.topic import DAY_MS
from plumbing.event_log import Headers, Output
from plumbing.trace import RandomBytes, headers_of
from services.inference import metrics
from services.inference.judge import Judge, Judged, Look
from services.inference.links import Aliases, LinkTable
from services.inference.report import in_frame_of, of_person
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, PatientState
from services.inference.state_codec import decode_state
from services.inference.state_store import StateStore, due_member

Cause = str


@dataclass(frozen=True, slots=True)
class Reports:
    """Records to write, and what to mark when they are confirmed."""

    outputs: tuple[Output, ...] = ()
    marks: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class _Person:
    head: str
    parts: tuple[Part, ...]


class People:
    """Makes the reports of linked persons from the states in the store."""

    def __init__(
        self,
        links: LinkTable,
        store: StateStore,
        judge: Judge,
        partition_of: Callable[[str], int],
        random_bytes: RandomBytes,
    ) -> None:
        """``partition_of`` tells the partition of a token."""
        self._random_bytes = random_bytes
        self._links = links
        self._store = store
        self._judge = judge
        self._partition_of = partition_of

    async def report(self, heads: Iterable[str], cause: Cause) -> Reports:
        """Return the reports of the persons of ``heads``: one for each token that has facts."""
        wanted = sorted(set(heads))
        if not wanted:
            return Reports()
        version = self._links.version
        aliases = {head: self._links.aliases(head) for head in wanted}
        marks = tuple((head, self._links.fingerprint(head)) for head in wanted)
        states = await self._states(token for found in aliases.values() for token in found)
        people = [_person(head, found, states) for head, found in aliases.items()]
        people = [person for person in people if person.parts]
        looks = [Look(view_of(one.head, one.parts, _last_ms(one.parts))) for one in people]
        judged = await self._judge.judge(looks)
        outputs = [
            self.output(report, ())
            for person, said in zip(people, judged, strict=True)
            for report in self._reports(person, said, aliases[person.head], version)
        ]
        metrics.PERSON_REPORTS.labels(cause).inc(len(outputs))
        return Reports(tuple(outputs), marks)

    def alone(self, judged: Judged, state: PatientState, partition: int) -> Assessment:
        """Return the report of a person with one identifier."""
        token = judged.view.token
        version = self._links.version if self._links.knows(token) else 0
        report = of_person(judged, {token: state.applied}, version)
        return _about_last_event(report, state, partition)

    def output(self, report: Assessment, received: Headers) -> Output:
        """Return the record of a report; ``received`` are the headers of what caused it."""
        return Output(
            topic=CURRENT.name,
            key=report.token.encode(),
            value=CURRENT.encode(report),
            headers=headers_of(report.event_id, received, self._random_bytes),
        )

    async def tell_owners(self, told: Mapping[str, int]) -> None:
        """Ask for the reports of the persons of ``told``: token -> offset of its newest fact."""
        due: dict[int, list[bytes]] = defaultdict(list)
        for token, applied in told.items():
            head = self._links.head(token)
            due[self._partition_of(head)].append(due_member(head, token, applied))
        if due:
            await self._store.mark_due(due)

    def _reports(
        self, person: _Person, judged: Judged, aliases: Aliases, version: int
    ) -> list[Assessment]:
        seen = {part.token: part.state.applied for part in person.parts}
        whole = of_person(judged, seen, version)
        return [
            _about_last_event(
                in_frame_of(whole, part.token, -aliases[part.token]),
                part.state,
                self._partition_of(part.token),
            )
            for part in person.parts
        ]

    async def _states(self, tokens: Iterable[str]) -> dict[str, PatientState]:
        wanted: dict[int, list[str]] = defaultdict(list)
        for token in sorted(set(tokens)):
            wanted[self._partition_of(token)].append(token)
        found = await self._store.states(wanted)
        return {
            token: decode_state(raw)
            for token, (progress, raw) in found.items()
            if progress is not None and raw is not None
        }


def _person(head: str, aliases: Aliases, states: Mapping[str, PatientState]) -> _Person:
    parts = (
        Part(token, states.get(token, EMPTY), delta_days=days)
        for token, days in sorted(aliases.items())
    )
    return _Person(head, tuple(part for part in parts if part.state.heard))


def _last_ms(parts: Sequence[Part]) -> int:
    """Return the newest time at which anything was said, in the frame of the view."""
    return max(one.said_ms + part.delta_days * DAY_MS for part in parts for one in part.state.heard)


def _about_last_event(report: Assessment, state: PatientState, partition: int) -> Assessment:
    """Return the report with the coordinates of the last event of its token."""
    last = state.heard[-1]
    return msgspec.structs.replace(
        report, event_id=last.event_id, partition=partition, offset=state.applied
    )
