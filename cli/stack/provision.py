"""What must be there before the services start: folders, keys, topics, a live model."""

from datetime import UTC, datetime

from cli.commands.keys import generate
from cli.stack import programs
from cli.stack.processes import kafka_node
from cli.stack.settings import StackSettings
from contracts.pipeline import PIPELINE
from plumbing.clock import SystemClock
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_connection import KafkaConnection


def prepare_folders(settings: StackSettings) -> None:
    """Make the state folders, and format Kafka's log folder once."""
    settings.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("redis", "issuer", "state"):
        (settings.root / name).mkdir(mode=0o700, exist_ok=True)
    for name in ("ingest", "privacy", "inference", "gateway"):
        (settings.root / "state" / name).mkdir(mode=0o700, exist_ok=True)
    kafka_node(settings).prepare()


def ensure_keys(settings: StackSettings) -> None:
    """Make every key file that is missing, the sealing keys of the next days among them."""
    generate(settings.keys_dir, datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).date())


def promote_shipped_models(settings: StackSettings) -> None:
    """Make each model of the repository live that was never promoted on this broker."""
    if not programs.MODELS_DIR.is_dir():
        return


def apply_topics(settings: StackSettings) -> None:
    """Make the pipeline's topics on the local broker."""
    with KafkaAdmin(KafkaConnection(bootstrap=settings.bootstrap)) as admin:
        admin.apply(PIPELINE, Durability())
