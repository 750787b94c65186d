"""docs/openapi.json is what the code says; run ``python -m services.gateway.export`` to renew."""

import json
from pathlib import Path

import msgspec
from openapi_spec_validator import validate

from services.gateway.export import current
from services.gateway.schema import VIEWS

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == current(), "run: python -m services.gateway.export"


def test_the_document_is_valid_openapi() -> None:
    validate(json.loads(current()))


def test_every_view_is_in_it() -> None:
    schemas = json.loads(current())["components"]["schemas"]
    assert {view.__name__ for view in VIEWS} <= set(schemas)
    fields = {field.encode_name for field in msgspec.structs.fields(VIEWS[2])}
    assert set(schemas["Worklist"]["properties"]) == fields


def test_every_route_has_its_refusals() -> None:
    for path, item in json.loads(current())["paths"].items():
        for operation in item.values():
            assert {"200", "401", "403", "404", "503"} <= set(operation["responses"]), path


def test_no_address_can_hold_a_name_or_a_record_number() -> None:
    """Addresses end up in the logs of everything on the way: tokens, units and times alone."""
    told = {
        parameter["name"]
        for item in json.loads(current())["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] in ("query", "path")
    }
    harmless = {"token", "event_id", "unit", "limit", "since", "lang", "from", "to", "points"}
    assert told - harmless - {"next", "code", "state", "error"} == set()
