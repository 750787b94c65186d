"""What was refused, for operators: listed by reason and time, opened, taken again. Audited.

They hold a secret of their own: a gateway that was taken over opens none of it.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
from starlette.exceptions import HTTPException

from contracts.identified import IDENTIFIED, IdentifiedBody
from contracts.refused import (
    ENTRIES_MAX,
    OPERATING_ROLES,
    RefusedEntry,
    RefusedList,
    RefusedMessage,
    RefusedPlace,
    RefusedQuery,
    RefusedReplay,
)
from contracts.rejection import Rejection, rejected
from plumbing.clock import Clock
from plumbing.errors import MalformedEvent
from plumbing.event_log import EventReader, EventWriter, Output, Record, whole_topic
from services.privacy import metrics
from services.privacy.audit import Answers
from services.privacy.blobs import read_blob
from services.privacy.entitled import Allowance
from services.privacy.patient_keys import staff_token
from services.privacy.resolve import Route
from services.privacy.seals import Seals

REJECTED = rejected(IDENTIFIED)
FRONT_DOOR = "ingest"


@dataclass(frozen=True)
class RejectedDesk:
    """What answers. Every call raises ``Unavailable`` when it cannot be answered."""

    reader: EventReader
    writer: EventWriter
    seals: Seals
    audit: Answers
    staff_key: bytes
    clock: Clock
    allowance: Allowance

    def routes(self, operator_token: str | None) -> "Sequence[Route]":
        """Return the questions that operators ask; without their secret nobody can ask any."""
        tokens = (operator_token,) if operator_token else ()
        return [
            ("rejected/list", RefusedQuery, self.list, tokens),
            ("rejected/show", RefusedPlace, self.show, tokens),
            ("rejected/replay", RefusedPlace, self.replay, tokens),
        ]

    async def list(self, asked: RefusedQuery) -> RefusedList:
        """Tell what was refused, oldest first; names no patient."""
        await self._require_role(asked, "rejected_list")
        found = [
            _entry(record, rejection)
            async for record, rejection in self._all()
            if asked.since_ms <= record.timestamp_ms < asked.until_ms
            and (not asked.codes or rejection.code in asked.codes)
        ]
        found.sort(key=lambda entry: (entry.at_ms, entry.partition, entry.offset))
        viewer = staff_token(self.staff_key, asked.viewer)
        await self.audit.looked(viewer, "rejected_list", [""], asked.purpose)
        return RefusedList(entries=tuple(found[:ENTRIES_MAX]), more=len(found) > ENTRIES_MAX)

    async def show(self, asked: RefusedPlace) -> RefusedMessage:
        """Open one."""
        await self._require_role(asked, "rejected_show")
        record, rejection = await self._at(asked)
        await self._require_allowance(asked, "rejected_show")
        body, raw = await self._open(rejection)
        await self._note(asked.viewer, "rejected_show", rejection.event_id, asked.purpose)
        return RefusedMessage(
            entry=_entry(record, rejection),
            message_type=body.message_type,
            control_id=body.control_id,
            findings=body.findings,
            raw=raw,
        )

    async def replay(self, asked: RefusedPlace) -> RefusedReplay:
        """Have one taken again. Its event id stays, so twice is no more than once."""
        await self._require_role(asked, "rejected_replay")
        record, rejection = await self._at(asked)
        if rejection.stage == FRONT_DOOR:  # what is answered then is the message
            await self._require_allowance(asked, "rejected_replay")
        _, raw = await self._open(rejection)
        await self._note(asked.viewer, "rejected_replay", rejection.event_id, asked.purpose)
        if rejection.stage == FRONT_DOOR and rejection.payload_left:
            raise HTTPException(422, "only its beginning was kept: its sender has the message")
        if rejection.stage == FRONT_DOOR:
            return RefusedReplay(to="front_door", raw=raw, source=_source(record))
        again = Output(IDENTIFIED.name, record.key, rejection.payload, record.headers)
        await self.writer.write([again])
        return RefusedReplay(to="stream")

    async def _require_role(self, asked: RefusedQuery | RefusedPlace, action: str) -> None:
        if asked.role not in OPERATING_ROLES:
            await self._refuse(403, "role", asked, action)

    async def _require_allowance(self, asked: RefusedPlace, action: str) -> None:
        """Whoever holds the secret can name any viewer: all of them together have one limit."""
        place = f"{asked.partition}:{asked.offset}"
        if not self.allowance.takes("", [place], self.clock.monotonic_s()):
            await self._refuse(429, "too_many", asked, action)

    async def _refuse(
        self, status: int, word: str, asked: RefusedQuery | RefusedPlace, action: str
    ) -> NoReturn:
        """Refuse, and write that down."""
        metrics.REFUSED_LOOKS.labels(word).inc()
        viewer = staff_token(self.staff_key, asked.viewer)
        await self.audit.acted(viewer, action, "", asked.purpose, f"refused_{word}")
        raise HTTPException(status, word)

    async def _all(self) -> AsyncIterator[tuple[Record, Rejection]]:
        async for records in whole_topic(self.reader, REJECTED.name):
            for record in records:
                if record.value is not None:
                    yield record, REJECTED.decode(record.value)

    async def _at(self, asked: RefusedPlace) -> tuple[Record, Rejection]:
        ranges = {asked.partition: (asked.offset, asked.offset + 1)}
        partitions = await self.reader.end_offsets(REJECTED.name)
        if not 0 <= asked.offset < partitions.get(asked.partition, 0):
            raise HTTPException(404, "no such record")
        found = await self.reader.read_ranges(REJECTED.name, ranges)
        if not found or found[0].value is None:
            raise HTTPException(404, "no such record")
        return found[0], REJECTED.decode(found[0].value)

    async def _open(self, rejection: Rejection) -> tuple[IdentifiedBody, bytes]:
        now_ms = self.clock.now_ms()
        try:
            event = IDENTIFIED.decode(rejection.payload)
            body = self.seals.unseal(event, now_ms)
            if body.raw_blob is None:
                return body, body.raw
            return body, await read_blob(self.reader, self.seals, body.raw_blob, now_ms)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HTTPException(422, "not an event") from error
        except MalformedEvent as error:
            raise HTTPException(422, error.code) from error

    async def _note(self, viewer: str, action: str, event_id: str, purpose: str) -> None:
        await self.audit.acted(staff_token(self.staff_key, viewer), action, event_id, purpose)


def _entry(record: Record, rejection: Rejection) -> RefusedEntry:
    return RefusedEntry(
        partition=record.partition,
        offset=record.offset,
        at_ms=record.timestamp_ms,
        code=rejection.code,
        stage=rejection.stage,
        source=_source(record),
        event_id=rejection.event_id,
    )


def _source(record: Record) -> str:
    return dict(record.headers).get("source", b"").decode("ascii", "replace")
