"""FHIR that contradicts itself or what came before (409), or asks for a version (412)."""

import json
from typing import Any

import httpx
import pytest

from contracts.identified import IDENTIFIED
from services.ingest.fhir import parse_fhir
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from tests.unit.ingest.conftest import Bench, MakeBench
from tests.unit.ingest.test_rejected import kept

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
SOURCE = SourceProfile("fhir")
URL = "urn:uuid:1"
Node = dict[str, Any]


def patient(**more: Any) -> Node:
    identifier = [{"system": "urn:h", "value": "778899"}]
    return {"resourceType": "Patient", "identifier": identifier, **more}


def entry(resource: Node, full_url: str = URL, **request: Any) -> Node:
    asked = {"method": "POST", "url": resource["resourceType"], **request}
    return {"fullUrl": full_url, "resource": resource, "request": asked}


def bundle(*entries: Node, kind: str = "transaction", **more: Any) -> Node:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def message(identifier: str = "", bundle_id: str = "", **of_patient: Any) -> Node:
    code = {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "A01"}
    header = {"resourceType": "MessageHeader", "eventCoding": code, "source": {"name": "X"}}
    more: Node = {"identifier": {"value": identifier}} if identifier else {}
    if bundle_id:
        more["id"] = bundle_id
    return bundle({"resource": header}, {"resource": patient(**of_patient)}, kind="message", **more)


MALE = patient(gender="male")
PUT_1 = {"method": "PUT", "url": "Patient/1"}
CONFLICTS = [
    bundle(entry(patient()), entry(MALE)),
    bundle(entry(patient()), entry(MALE), kind="batch"),
    bundle({"fullUrl": URL, "resource": patient()}, {"fullUrl": URL, "resource": MALE},
           kind="collection"),
    bundle(entry(patient(), "urn:a", **PUT_1), entry(MALE, "urn:b", **PUT_1)),
    bundle(entry(patient(), "urn:a", **PUT_1), {"request": {"method": "DELETE",
                                                           "url": "Patient/1"}}),
]  # fmt: skip
TAKEN = [
    bundle(entry(patient()), entry(patient())),
    bundle(entry(patient()), entry(MALE, "urn:uuid:2")),
    bundle(entry(patient(meta={"versionId": "1"})), entry(patient(meta={"versionId": "2"}))),
    bundle(entry(patient()), entry(MALE), kind="history"),
    bundle(entry(patient(), ifNoneExist="identifier=urn:h|778899")),
]


@pytest.mark.parametrize("root", CONFLICTS)
def test_what_contradicts_itself_is_named_with_its_place(root: Node) -> None:
    parsed = parse_fhir(json.dumps(root).encode(), SOURCE, KEYS, 1)
    assert parsed.code == "AE"
    told = [(one.level, one.where, one.code) for one in parsed.findings]
    assert told == [("error", "Bundle.entry[1]", "conflict")]
    assert not parsed.events


@pytest.mark.parametrize("root", TAKEN)
def test_what_only_repeats_itself_is_taken(root: Node) -> None:
    assert parse_fhir(json.dumps(root).encode(), SOURCE, KEYS, 1).code == "AA"


async def post(bench: Bench, root: Node, **headers: str) -> tuple[int, list[tuple[str, str]]]:
    url = f"http://127.0.0.1:{bench.service.http_port}/fhir"
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=json.dumps(root), headers=headers)
    issues = [(one["severity"], one["code"]) for one in answer.json()["issue"]]
    return answer.status_code, issues


async def test_a_contradiction_is_409_and_a_version_that_is_asked_for_412(
    make_bench: MakeBench,
) -> None:
    async with make_bench() as bench:
        assert await post(bench, CONFLICTS[0]) == (409, [("error", "conflict")])
        stale = {"If-Match": 'W/"3"'}
        assert await post(bench, patient(), **stale) == (412, [("error", "conflict")])
        root = bundle(entry(patient(), ifMatch='W/"3"'))
        assert await post(bench, root) == (412, [("error", "conflict")])
        assert bench.events() == []
        codes = [one.code for one in await kept(bench, 3)]
        assert codes == ["conflict", "precondition", "precondition"]
        assert (await post(bench, patient()))[0] == 202


@pytest.mark.parametrize("named", [{"identifier": "m1"}, {"bundle_id": "m1"}])
async def test_the_identifier_of_a_message_comes_again_only_with_the_same_content(
    make_bench: MakeBench, named: dict[str, str]
) -> None:
    async with make_bench() as bench:
        assert (await post(bench, message(**named)))[0] == 202
        assert (await post(bench, message(**named)))[0] == 202  # a resend
        for _ in range(2):
            found = await post(bench, message(**named, gender="male"))
            assert found == (409, [("error", "conflict")])
        assert len(bench.events()) == 1
        assert (await post(bench, message("m2", gender="male")))[0] == 202
        (refused,) = await kept(bench, 1)
        body = bench.keys.open(IDENTIFIED.decode(refused.payload))
        assert (refused.code, refused.stage) == ("conflict", "ingest")
        assert json.loads(body.raw) == message(**named, gender="male")


async def test_a_message_of_several_patients_is_kept_whole_where_it_is_refused(
    make_bench: MakeBench,
) -> None:
    first = message(identifier="m1")
    again = message(identifier="m1", gender="male")
    again["entry"].append(entry(MALE | {"id": "p2", "identifier": [{"value": "2"}]}, "urn:p2"))
    async with make_bench() as bench:
        assert (await post(bench, first))[0] == 202
        assert (await post(bench, again))[0] == 409
        (refused,) = await kept(bench, 1)
        assert json.loads(bench.keys.open(IDENTIFIED.decode(refused.payload)).raw) == again


async def test_other_bundles_with_a_used_id_are_taken_and_flagged(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        for resource in (patient(), MALE):
            assert (await post(bench, bundle(entry(resource), id="b1")))[0] == 202
        flagged = [[one.code for one in body.findings] for body in bench.bodies()]
        assert "control_id_reuse" not in flagged[0]
        assert "control_id_reuse" in flagged[1]
