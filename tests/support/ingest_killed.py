"""``python -m tests.support.ingest_killed STEPS PID``: ingest that kills a process at set steps.

STEPS is a comma-separated list of ``STEP:GROUP``: at that step of the GROUP-th group from now (or
from the step before), PID is killed as ``kill -9`` does; PID 0 is ingest itself. The steps are all
there are between a frame and its answer.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from plumbing.event_log import Output, Place
from plumbing.kafka_transactions import KafkaTransactions
from services.ingest.__main__ import main
from services.ingest.ledger import Ledger
from services.ingest.mllp import MllpConnection

STEPS = ("before", "open", "produced", "checked", "committed", "remembered", "answered")
BROKER_STEPS = STEPS[1:5]  # where a broker can tell one from the other


class Killer:
    """Kills at the steps of its plan, one after the other."""

    def __init__(self, plan: str, pid: int) -> None:
        self._plan = [one.split(":") for one in plan.split(",") if one]
        self._pid = pid or os.getpid()
        self._groups = 0

    def reach(self, step: str) -> None:
        """Kill, if the plan says so."""
        self._groups += step == "before"
        if self._plan and self._plan[0][0] == step and self._groups >= int(self._plan[0][1]):
            self._plan.pop(0)
            self._groups = 0
            os.kill(self._pid, signal.SIGKILL)


def plant(killer: Killer) -> None:
    """Have the killer called at every step."""
    commit, deliver = KafkaTransactions.commit, KafkaTransactions._deliver
    confirmed, send_answers = Ledger.confirmed, MllpConnection._send_answers

    async def committing(
        self: KafkaTransactions,
        outputs: Sequence[Output],
        check: Callable[[Sequence[Place]], Awaitable[None]],
    ) -> Sequence[Place]:
        async def checking(places: Sequence[Place]) -> None:
            killer.reach("produced")
            await check(places)
            killer.reach("checked")

        killer.reach("before")
        places = await commit(self, outputs, checking)
        killer.reach("committed")
        return places

    async def delivering(self: KafkaTransactions, *told: Any) -> list[Place]:
        killer.reach("open")
        return await deliver(self, *told)

    def confirming(self: Ledger, group: Any) -> None:
        confirmed(self, group)
        killer.reach("remembered")

    def sending(self: MllpConnection, done: Any) -> None:
        send_answers(self, done)
        killer.reach("answered")

    for owner, name, with_killer in (
        (KafkaTransactions, "commit", committing),
        (KafkaTransactions, "_deliver", delivering),
        (Ledger, "confirmed", confirming),
        (MllpConnection, "_send_answers", sending),
    ):
        setattr(owner, name, with_killer)


if __name__ == "__main__":
    plant(Killer(sys.argv[1], int(sys.argv[2])))
    main()
