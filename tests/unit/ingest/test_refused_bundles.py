"""A bundle of several patients that is refused is kept whole: sent again, it brings all back."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.commands.rejected import replay_command
from contracts.blobs import BLOBS
from contracts.identified import IDENTIFIED
from plumbing.errors import MalformedEvent
from plumbing.event_log import Output
from tests.support.fhir import bundle, observation, patient, quantity
from tests.support.privacy import make_keys
from tests.unit.ingest.conftest import MakeBench
from tests.unit.ingest.test_many_values import shown_whole
from tests.unit.ingest.test_rejected import kept, privacy_over

NUMBERS = ("700121", "700122", "700123")
LARGE_CHARS = 80_000  # of a note of each: their bytes go apart


def too_large(_outputs: Sequence[Output]) -> int:
    raise MalformedEvent("too_large")


@pytest.mark.parametrize("note", ["short", "long " * (LARGE_CHARS // 5)], ids=["small", "large"])
@pytest.mark.parametrize("least", [1, 1 << 30], ids=["apart", "here"])
async def test_it_is_kept_whole_and_replayed_whole(
    make_bench: MakeBench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    *,
    note: str,
    least: int,
) -> None:
    keys = make_keys(tmp_path / "site")
    sent = json.dumps(
        bundle(
            *(patient(f"p{number}", number) for number in NUMBERS),
            *(
                observation(
                    subject=f"urn:uuid:p{number}",
                    valueQuantity=quantity(80, "/min"),
                    note=[{"text": note}],
                )
                for number in NUMBERS
            ),
        )
    ).encode()
    async with (
        make_bench(keys_dir=keys, parser_process_bytes=least) as bench,
        privacy_over(bench, keys) as url,
    ):
        base = f"http://127.0.0.1:{bench.service.http_port}"
        monkeypatch.setattr("services.ingest.committer.bytes_of", too_large)
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"{base}/fhir", content=sent)).status_code == 413
        (found,) = await kept(bench, 1)
        assert (found.code, found.payload_left) == ("102", False)
        assert (await shown_whole(bench, keys, url)).raw == sent
        assert not bench.log.records(IDENTIFIED.name)

        monkeypatch.undo()
        told: dict[str, Any] = {"viewer": "o", "privacy": url, "token": keys / "operator.token"}
        capsysbinary.readouterr()
        await asyncio.to_thread(replay_command, [], **told, since="2023-01-01", to=base)
        assert json.loads(capsysbinary.readouterr().out.splitlines()[-1])["ack"] == "AA"
        assert len(bench.log.records(IDENTIFIED.name)) == len(NUMBERS)
        assert bool(bench.log.records(BLOBS.name)) == (note != "short")
