"""A month of a hospital's resends in small: what is delivered, to which listener, what must be."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.identified import IdentifiedBody
from services.ingest.committer import REUSED
from tests.unit.ingest.conftest import msa, sender

RESENT, REUSED_IDS = 0.10, 0.01
CONNECTIONS_EACH = 4

ORU = (
    "MSH|^~\\&|LAB|HOSP|AUSCULT|HOSP|{sent_at}||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r"
    "PID|1||{mrn}^^^HOSP^MR||Doe^Jane||19600101|F\r"
    "OBR|1||F1|2345-7^Glucose^LN|||20240501\r"
    "OBX|1|NM|2345-7^Glucose^LN||{value}|mg/dL|||||F\r"
)


@dataclass(frozen=True)
class Month:
    """``deliveries`` in the order they begin; ``contents`` different messages among them, of which
    ``reused`` bear a control id that another of them bears.
    """

    deliveries: tuple[tuple[int, bytes], ...]
    contents: int
    reused: int


def oru(control_id: str, value: float, sent_at: int = 0) -> bytes:
    """Return a message. MSH-7 (``sent_at``) is no part of what it says."""
    moment = f"202405{1 + sent_at % 28:02d}101500"
    mrn = f"M{sum(control_id.encode()) % 97}"
    text = ORU.format(sent_at=moment, control_id=control_id, mrn=mrn, value=value)
    return text.encode()


def a_month(messages: int, seed: int) -> Month:
    """Return a month in random order, each delivery to the first or the second listener."""
    chance = random.Random(seed)
    reused = chance.sample(range(messages), int(messages * REUSED_IDS))
    said = [oru(f"C{number}", 5.5) for number in range(messages)]
    said += [oru(f"C{number}", 9.9) for number in reused]
    resent = [chance.choice(said) for _ in range(int(messages * RESENT))]
    later = [one.replace(b"20240501101500", b"20240502101500") for one in resent]
    deliveries = [(chance.randrange(2), one) for one in said + later]
    chance.shuffle(deliveries)
    return Month(tuple(deliveries), len(said), len(reused))


async def deliver(month: Month, ports: Sequence[int]) -> None:
    """Send all of it over several connections to each listener; each waits for its answers."""
    waiting = [iter([one for to, one in month.deliveries if to == port]) for port in range(2)]
    async with asyncio.TaskGroup() as group:
        for port, messages in zip(ports, waiting, strict=True):
            for _ in range(CONNECTIONS_EACH):
                group.create_task(_send(port, messages))


async def _send(port: int, messages: Iterable[bytes]) -> None:
    async with sender(port) as link:
        for message in messages:
            control_id = message.split(b"|")[9].decode()
            while (answer := msa(await link.send(message))) != ("AA", control_id):
                assert answer == ("AE", control_id)


def require_exact(month: Month, bodies: Sequence[IdentifiedBody]) -> None:
    """Every message once; of two with one control id exactly the later one is flagged."""
    said = Counter(
        (body.control_id, observation.value) for body in bodies for observation in body.observations
    )
    assert len(bodies) == month.contents
    assert set(said.values()) == {1}
    assert len(said) == month.contents
    flagged = Counter(body.control_id for body in bodies if REUSED in body.findings)
    assert len(flagged) == month.reused
    assert set(flagged.values()) <= {1}
