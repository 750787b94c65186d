"""The stage: a batch of sealed events in; de-identified events, relations and links out.

The vault, the relations and the links are written and confirmed before the events that depend on
them leave, so an event never shows a token that is not in the vault.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.deidentified import DEIDENTIFIED
from contracts.identified import IdentifiedEvent, Patient
from contracts.relations import RELATIONS, CareRelation
from plumbing import trace
from plumbing.byte_gate import is_taken
from plumbing.clock import Clock
from plumbing.errors import MalformedEvent
from plumbing.event_log import Headers, Output
from plumbing.stage import Arrived, Batch, Handled, Refused
from services.privacy import metrics
from services.privacy.ahead import Following, ReadAhead
from services.privacy.anonymity import Anonymity
from services.privacy.care import ended_some_day, news, relation_of
from services.privacy.dates import dated
from services.privacy.decisions import LinkChange
from services.privacy.deidentify import deidentify
from services.privacy.guard import GuardWatch, shows_identity
from services.privacy.identity import with_staff
from services.privacy.images import ImageDesk, Images, count_images, images_of, with_images
from services.privacy.links import LinkBook
from services.privacy.mirror import Entry, Mirror, Raw
from services.privacy.opening import Linking, Opened, fits_vault
from services.privacy.patient_keys import link_of
from services.privacy.people import Person
from services.privacy.primed import NO_VISIT, Primed
from services.privacy.scrubs import Scrubs
from services.privacy.seals import Seals
from services.privacy.spans import Finder, ManyFinder
from services.privacy.vault import Said, Vault
from services.privacy.vault_records import is_of

TURN_S = 0.05  # of one partition's notes, between which health is answered
TOO_LARGE = "too_large"


@dataclass(frozen=True)
class Parts:
    """What the stage works with."""

    seals: Seals
    vault: Vault
    links: LinkBook
    relations: Mirror
    link_key: bytes
    staff_key: bytes
    clock: Clock
    random_bytes: Callable[[int], bytes]
    tagger: ManyFinder | None = None
    images: ImageDesk | None = None
    site: Finder | None = None


@dataclass
class _Outcome:
    outputs: list[Output] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    relations: dict[str, tuple[CareRelation, Headers]] = field(default_factory=dict)


class _Known(NamedTuple):
    """What was read for a batch."""

    people: Mapping[str, Person]
    relations: dict[str, CareRelation]
    images: Images


class DeidentifyStage:
    """Handles the batches of ``clinical.identified.v1``."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts."""
        self._parts = parts
        self._tagger = ReadAhead(parts.tagger) if parts.tagger else None
        self._scrubs = Scrubs(self._tagger, parts.site)
        self._guard = GuardWatch()
        self._anonymity = Anonymity()
        self._turn = asyncio.Lock()

    async def handle(self, batch: Batch[IdentifiedEvent]) -> Handled:
        """Return the outputs of a batch. Raises ``Unavailable``; nothing is then half done that
        doing it again would not mend.
        """
        parts = self._parts
        with metrics.BATCH_SECONDS.time():
            outcome = _Outcome()
            opened = self._open(batch.arrived, outcome)
            wanted, links = self._wanted(opened)
            pairs = [(linking.item.link, linking.other) for linking in links]
            # They take seconds: who is erased meanwhile is found so by the reading that follows.
            images = await images_of(opened, parts, wanted, pairs)
            tokens = {link: parts.vault.token_of(link) for link in wanted}
            known = sorted({token for token in tokens.values() if token})
            people, (relations,) = await parts.vault.people(
                wanted, pairs, [(parts.relations, known)]
            )
            held = dict(zip(known, relations, strict=True))
            held |= await self._missing_relations(people, held)
            relations_now = {token: RELATIONS.decode(raw) for token, raw in held.items() if raw}
            known_now = _Known(people, relations_now, images)
            await self._deidentify(opened, known_now, outcome)
            await self._publish_links(links, people, outcome)
            await self._publish_relations(outcome)
        return Handled(outputs=outcome.outputs, refused=outcome.refused)

    def _open(self, arrived: Sequence[Arrived[IdentifiedEvent]], outcome: _Outcome) -> list[Opened]:
        opened = []
        now_ms = self._parts.clock.now_ms()
        for record in arrived:
            event = record.event
            if event is None:
                continue
            if event.event_type == "non_clinical":
                metrics.NON_CLINICAL.inc()
                continue
            try:
                body = dated(self._parts.seals.open(event, now_ms))
            except MalformedEvent as error:
                _refuse(record.offset, error.code, outcome)
                continue
            if not fits_vault(body):
                _refuse(record.offset, TOO_LARGE, outcome)
                continue
            link = link_of(self._parts.link_key, body.patient.ids[0])
            headers = trace.headers_of(event.event_id, record.headers, self._parts.random_bytes)
            source = dict(record.headers).get("source", b"").decode("ascii", "replace")
            opened.append(Opened(record.offset, event.event_id, body, link, headers, source))
        return opened

    def _wanted(self, opened: Sequence[Opened]) -> tuple[dict[str, list[Said]], list[Linking]]:
        """Which identifiers the batch is about, what it says of each, and which it links."""
        wanted: dict[str, list[Said]] = {}
        links: list[Linking] = []
        for item in opened:
            at_ms = item.body.received_at_ms
            visit = item.body.encounter or NO_VISIT
            patient = with_staff(item.body.patient, visit.staff)
            said = wanted.setdefault(item.link, [])
            if not said or said[-1] != (patient, at_ms):
                said.append((patient, at_ms))
            for linked in item.body.links:
                other = link_of(self._parts.link_key, linked.other)
                if other != item.link:
                    wanted.setdefault(other, []).append((Patient(ids=(linked.other,)), at_ms))
                    links.append(Linking(item, other, linked.link))
        return wanted, links

    def forget(self, links: Iterable[str], tokens: Iterable[str]) -> None:
        """Forget the scrub of these patients, who were erased with their tokens."""
        self._scrubs.forget(links, tokens)

    async def _missing_relations(
        self, people: Mapping[str, Person], held: Mapping[str, Raw]
    ) -> dict[str, Raw]:
        """Relations of patients that this process had not seen before: one more round trip."""
        missing = [p.key.token for p in people.values() if p.key.token not in held]
        if not missing:
            return {}
        found = await self._parts.relations.read(missing)
        return dict(zip(missing, found, strict=True))

    async def _deidentify(
        self,
        opened: Sequence[Opened],
        known: _Known,
        outcome: _Outcome,
    ) -> None:
        """De-identify a batch, a little at a time: a note can take a network a tenth of a second.

        One partition of the process has its turn, so that what else waits does not wait for all.
        """
        left = Following(opened, self._tagger)
        monotonic_s = self._parts.clock.monotonic_s
        while left:
            async with self._turn:
                begun_s = monotonic_s()
                while left and monotonic_s() - begun_s < TURN_S:
                    with left.next() as item:
                        self._deidentify_one(item, known, outcome)
            await asyncio.sleep(0)
        self._anonymity.show(monotonic_s())

    def _deidentify_one(self, item: Opened, known: _Known, outcome: _Outcome) -> None:
        person = known.people.get(item.link)
        if (
            person is None
            or not is_of(person, item.body.received_at_ms)
            or self._scrubs.is_erased(person.key.token)  # while others had their turn
        ):
            metrics.ERASED_EVENTS.inc()
            return
        primed = self._scrubs.of(person, item.body)
        event = deidentify(
            item.body,
            event_id=item.event_id,
            key=person.key,
            known=person.known,
            cleaner=primed.cleaner,
            now_ms=self._parts.clock.now_ms(),
        )
        event, value = with_images(event, item.body, known.images.get((item.offset, event.token)))
        relation = self._relation(item, person, primed, known.relations)
        shown = value if relation is None else value + RELATIONS.encode(relation)
        if shows_identity(shown, primed.known):
            counts = self._guard.hit(item.source, item.link)
            metrics.GUARD_HITS.labels(str(counts).lower()).inc()
            _refuse(item.offset, "identity_guard", outcome, counted=counts)
            return
        token = person.key.token
        output = Output(DEIDENTIFIED.name, token.encode(), value, item.headers)
        if not is_taken(output):
            _refuse(item.offset, TOO_LARGE, outcome)
            return
        if relation is not None:
            known.relations[token] = relation
            outcome.relations[token] = (relation, item.headers)
        outcome.outputs.append(output)
        metrics.EVENTS.labels(event.event_type).inc()
        self._anonymity.saw(event, self._parts.clock.monotonic_s())
        for note in event.notes:
            metrics.NOTES.labels(note.held or "passed").inc()
        count_images(event)
        primed.count_spans()

    def _relation(
        self,
        item: Opened,
        person: Person,
        primed: Primed,
        current: Mapping[str, CareRelation],
    ) -> CareRelation | None:
        said = relation_of(
            item.body,
            event_id=item.event_id,
            key=person.key,
            staff_key=self._parts.staff_key,
            cleaner=primed.cleaner,
        )
        held, body = current.get(person.key.token), item.body
        undated = ended_some_day(body)
        return said and news(held, said, body.event_type, is_undated=undated)

    async def _publish_links(
        self, links: Sequence[Linking], people: Mapping[str, Person], outcome: _Outcome
    ) -> None:
        refused = {refusal.offset for refusal in outcome.refused}
        changes = []
        for item, other, is_link in links:
            at_ms = item.body.received_at_ms
            ends = [people[link] for link in (item.link, other) if link in people]
            known = len(ends) == 2 and all(is_of(person, at_ms) for person in ends)
            if item.offset not in refused and known:
                one, two = people[item.link].key, people[other].key
                changes.append(
                    LinkChange(
                        one=one.token,
                        one_shift_days=one.shift_days,
                        other=two.token,
                        other_shift_days=two.shift_days,
                        is_link=is_link,
                        event_id=item.event_id,
                        received_at_ms=item.body.received_at_ms,
                        received_order=item.body.received_order,
                        headers=item.headers,
                    )
                )
        if changes:
            await self._parts.links.apply(changes)

    async def _publish_relations(self, outcome: _Outcome) -> None:
        entries, fields = [], []
        for token, (relation, headers) in outcome.relations.items():
            value = RELATIONS.encode(relation)
            entries.append(Entry(token, value, headers))
            fields.append([(token, value)])
        if entries:
            await self._parts.relations.publish(entries, fields)
            metrics.RELATIONS.inc(len(entries))


def _refuse(offset: int, code: str, outcome: _Outcome, *, counted: bool = True) -> None:
    outcome.refused.append(Refused(offset, code, counted))
    metrics.REFUSED.labels(code).inc()
