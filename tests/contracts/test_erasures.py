"""What the proof of an erasure says is kept is what the topics keep."""

from contracts.erasures import COMPACTED, COMPACTED_WITHIN_MS, KEPT, TOMBSTONE_MS
from contracts.identified import IDENTIFIED
from contracts.pipeline import PIPELINE
from contracts.promoted import PROMOTED
from contracts.topic import DAY_MS, FOREVER_MS
from plumbing.kafka_admin import Durability, _configs_of


def test_the_proof_knows_every_topic_that_holds_patients() -> None:
    told = {name: days for name, _, days in KEPT}
    kept = {
        topic.name: COMPACTED if topic.retention_ms == FOREVER_MS else topic.retention_ms // DAY_MS
        for topic in PIPELINE
        if topic is not PROMOTED
    }
    assert told == kept
    assert all(topic.segment_ms <= DAY_MS for topic in PIPELINE)


def test_compaction_is_as_the_proof_says() -> None:
    compacted = [topic for topic in PIPELINE if topic.cleanup == "compact"]
    for topic in compacted:
        configs = _configs_of(topic, Durability())
        assert int(configs["max.compaction.lag.ms"]) == COMPACTED_WITHIN_MS
        assert int(configs["delete.retention.ms"]) == TOMBSTONE_MS


def test_a_tombstone_outlives_every_event_that_it_holds_back() -> None:
    assert IDENTIFIED.retention_ms + IDENTIFIED.segment_ms < TOMBSTONE_MS
