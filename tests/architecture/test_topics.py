"""The topics say who writes and who reads; the code agrees."""

import ast
from pathlib import Path
from typing import Any

import pytest

from contracts import pipeline
from contracts.deidentified import DEIDENTIFIED
from contracts.identified import IDENTIFIED
from contracts.pipeline import PIPELINE
from contracts.rejection import rejected
from contracts.topic import Topic
from services.gateway import projector

ROOT = Path(__file__).parents[2]
SERVICES = ("ingest", "privacy", "inference", "gateway")
# What a ``Subscription`` is made for, by the file that makes it.
STREAMED: dict[str, tuple[Topic[Any], ...]] = {
    "services/privacy/app.py": (IDENTIFIED,),
    "services/inference/app.py": (DEIDENTIFIED,),
    "services/gateway/projector.py": tuple(projector.TOPICS.values()),
}
CONSTANTS = {
    constant: topic
    for constant, topic in vars(pipeline).items()
    if constant.isupper() and constant != "PIPELINE"
}


def imported_constants(service: str) -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "services" / service).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("contracts."):
                found |= {alias.name for alias in node.names if alias.name.isupper()}
    return found & set(CONSTANTS)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_touches_only_the_topics_that_name_it(service: str) -> None:
    for constant in imported_constants(service):
        topic = CONSTANTS[constant]
        named = {*topic.producer.split(", "), *topic.consumers}
        assert service in named, f"{service} imports {constant}, which names {sorted(named)}"


@pytest.mark.parametrize("constant", sorted(CONSTANTS))
def test_who_a_topic_names_really_imports_it(constant: str) -> None:
    topic = CONSTANTS[constant]
    named = {*topic.producer.split(", "), *topic.consumers} & set(SERVICES)
    missing = [service for service in named if constant not in imported_constants(service)]
    assert missing == []


def test_names_are_versioned_and_differ() -> None:
    names = [topic.name for topic in PIPELINE]
    assert len(set(names)) == len(names)
    assert all(".v1" in name for name in names)


def test_what_holds_identities_is_marked_and_stays_between_ingest_and_privacy() -> None:
    for topic in PIPELINE:
        if topic.identified:
            parties = {*topic.producer.split(", "), *topic.consumers}
            assert parties <= {"ingest", "privacy", "operators"}


def test_the_streams_are_those_listed_here() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "services").rglob("*.py")
        if "Subscription(" in path.read_text(encoding="utf-8")
    }
    assert found == set(STREAMED)


@pytest.mark.parametrize("place", sorted(STREAMED))
def test_every_topic_that_is_read_as_a_stream_has_its_rejected_topic(place: str) -> None:
    """Without it a refused record would stop its partition for ever."""
    service = place.split("/")[1]
    names = {topic.name for topic in PIPELINE}
    for topic in STREAMED[place]:
        assert rejected(topic).name in names
        assert rejected(topic).producer == service == topic.consumers[0]
        assert rejected(topic).retention_ms > 0
