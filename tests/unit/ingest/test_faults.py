"""A fault of ours in one message refuses that message, with a reason, and no other."""

import pytest

from services.ingest.draft import Draft
from services.ingest.identity import Keys
from services.ingest.parse import READERS, Parsed, Reader
from services.ingest.portions import portioned
from tests.unit.ingest.conftest import MakeBench, msa, sender
from tests.unit.ingest.test_mllp import oru
from tests.unit.ingest.test_rejected import kept

ODD = b"ODD|1\r"


def breaks(_draft: Draft, _fields: list[str]) -> None:
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a segment that nobody reads be one that our code falls over."""
    monkeypatch.setitem(READERS, "ODD", Reader(breaks, 2))


def answers(reply: bytes) -> list[tuple[str, str]]:
    return [msa(b"MSA" + one) for one in reply.split(b"\rMSA")[1:]]


@pytest.mark.parametrize("number", [3, 300])
@pytest.mark.parametrize("opening", [b"", b"BHS|^~\\&|LAB\r"])
async def test_the_others_of_a_batch_are_stored(
    make_bench: MakeBench, number: int, opening: bytes
) -> None:
    names = [f"C{index}" for index in range(number)]
    messages = [oru(name) for name in names]
    messages[1] += ODD
    closing = b"BTS|%d\r" % number if opening else b""
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        reply = await link.send(opening + b"".join(messages) + closing)
        expected = ["AA", "AE", *["AA"] * (number - 2)]
        assert answers(reply) == list(zip(expected, names, strict=True))
        assert [body.control_id for body in bench.bodies()] == [names[0], *names[2:]]
        (refused,) = await kept(bench, 1)
        assert refused.code == "207"
        assert b"ERR||" in reply
        assert (await link.send(oru("NEXT"))).find(b"MSA|AA|NEXT") > 0


async def test_a_message_alone_is_refused_with_its_control_id(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(oru("C1") + ODD)) == ("AE", "C1")
        enhanced = (oru("C2") + ODD).replace(b"|P|2.5.1\r", b"|P|2.5.1|||AL|NE\r")
        assert msa(await link.send(enhanced)) == ("CE", "C2")
        assert len(await kept(bench, 2)) == 2
        assert bench.bodies() == []


async def test_a_fault_after_the_parser_is_one_of_the_message_too(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def falls_over(parsed: Parsed, keys: Keys) -> Parsed:
        if parsed.header is not None and parsed.header.control_id == "C1":
            raise ZeroDivisionError
        return portioned(parsed, keys)

    monkeypatch.setattr("services.ingest.reading.portioned", falls_over)
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert answers(await link.send(oru("C0") + oru("C1"))) == [("AA", "C0"), ("AE", "C1")]
        await kept(bench, 1)
        assert [body.control_id for body in bench.bodies()] == ["C0"]
