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
