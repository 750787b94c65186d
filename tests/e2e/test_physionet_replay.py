"""Recorded intensive care stays through the whole stack: the page's risk is the offline score."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from bench.physionet import Reach, adults, prove
from cli.commands.predict import shipped
from cli.stack.programs import MODELS_DIR
from plumbing.clock import SystemClock
from services.inference.icu_mortality import NAME, IcuMortality
from simulator.run import Target
from tests.support.running_stack import HOST, running_stack
from tests.support.shared import DATA
from training.physionet import Stays, read_stays

STAYS = 20
UNMEASURED = "142731"  # a stay of the table with nothing but age, sex and unit
PER_S = 150.0
TABLE = DATA / "physionet2012" / "icu_b_long.csv.gz"


@pytest.mark.shared_data
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_shows_the_offline_score_of_every_stay(tmp_path: Path) -> None:
    model = shipped(NAME, MODELS_DIR)
    stays = _some_adults(model)
    with running_stack(tmp_path / "stack") as running:
        settings = running.settings
        reach = Reach(
            feed=Target(HOST, settings.at(settings.mllp_port), connections=8),
            gateway_url=f"http://{HOST}:{settings.at(settings.gateway_port)}",
            privacy_url=f"http://{HOST}:{settings.at(settings.privacy_port)}",
            keys_dir=settings.keys_dir,
        )
        proof = asyncio.run(prove(reach, model, stays, SystemClock(), PER_S))
    assert proof.accepted == proof.messages > STAYS * 20
    assert [one for one in proof.stays if not one.equal] == []
    scores = {round(one.offline, 4) for one in proof.stays if isinstance(one.offline, float)}
    assert len(scores) > STAYS // 2
    assert [one.offline for one in proof.stays if one.record_id == UNMEASURED] == [
        "no_observations"
    ]


def _some_adults(model: IcuMortality) -> Stays:
    """Return the first adults of the table, and one of whom nothing was measured."""
    every = read_stays(TABLE)
    records = adults(every, model, STAYS).record_ids
    chosen = [place for place, one in enumerate(every.record_ids) if one in {*records, UNMEASURED}]
    return every.some(np.array(chosen))
