"""The processes of the local stack in the order they start, and what each is told."""

import sys
from collections.abc import Mapping

from cli.live_day import LiveDay
from cli.stack import programs
from cli.stack.kafka import KafkaNode, kafka_answers, redis_command
from cli.stack.orphans import MARK
from cli.stack.process import Port, Process, http_get, is_ready, redis_answers
from cli.stack.settings import StackSettings

# On the way down the front door closes first, then each stage drains into the next.
STOP_RANK = {
    "simulator": 90,
    "ingest": 80,
    "privacy": 70,
    "inference": 60,
    "gateway": 50,
    "issuer": 40,
    "redis": 20,
    "kafka": 10,
}
LOOPBACK = "127.0.0.1"


def stack_processes(
    settings: StackSettings, *, demo: bool, day: LiveDay | None = None
) -> tuple[Process, ...]:
    """Return the processes; ``demo`` adds the login issuer, ``day`` the simulated hospital."""
    brokers = (_kafka(settings), _redis(settings))
    gateway = _gateway(settings, demo=demo)
    services = (_ingest(settings), _privacy(settings), _inference(settings), gateway)
    issuer = (_issuer(settings),) if demo else ()
    simulator = (simulator_process(settings, day),) if day else ()
    return (*brokers, *issuer, *services, *simulator)


def kafka_node(settings: StackSettings) -> KafkaNode:
    """Return the broker as the settings want it."""
    return KafkaNode(
        settings.root / "kafka",
        settings.at(settings.kafka_port),
        settings.at(settings.kafka_controller_port),
        heap_mb=settings.kafka_heap_mb,
        quick=True,
    )


def _kafka(settings: StackSettings) -> Process:
    node = kafka_node(settings)
    return Process(
        name="kafka",
        command=tuple(node.command()),
        ports=(
            Port(node.port, "AUSCULT_KAFKA_PORT"),
            Port(node.controller_port, "AUSCULT_KAFKA_CONTROLLER_PORT"),
        ),
        ready=lambda: kafka_answers(node.bootstrap),
        stop_rank=STOP_RANK["kafka"],
        environment=_marked(settings),
    )


def _redis(settings: StackSettings) -> Process:
    port = settings.at(settings.redis_port)
    directory = settings.root / "redis"
    return Process(
        name="redis",
        command=tuple(redis_command(port, directory, settings.redis_memory_mb)),
        ports=(Port(port, "AUSCULT_REDIS_PORT"),),
        ready=lambda: redis_answers(port),
        stop_rank=STOP_RANK["redis"],
        environment=_marked(settings),
    )


def _issuer(settings: StackSettings) -> Process:
    port = settings.at(settings.issuer_port)
    return Process(
        name="issuer",
        command=(sys.executable, "-m", "simulator.issuer"),
        ports=(Port(port, "AUSCULT_ISSUER_PORT"),),
        ready=lambda: http_get(port, "/.well-known/openid-configuration")[0] == 200,
        stop_rank=STOP_RANK["issuer"],
        environment=_marked(settings)
        | {
            "ISSUER_PORT": str(port),
            "ISSUER_STATE_DIR": str(settings.root / "issuer"),
            "ISSUER_CLIENT_URL": settings.page_url,
        },
    )


def simulator_process(settings: StackSettings, day: LiveDay) -> Process:
    """Return the process that sends ``day`` once."""
    options = {
        "--patients": day.patients,
        "--duration": day.duration_s,
        "--speed": day.speed,
        "--seed": day.seed,
        "--within": settings.ready_timeout_s,  # it is started while ingest still starts
    }
    return Process(
        name="simulator",
        command=(
            *(sys.executable, "-m", "cli.main", "simulate", "--live"),
            *(str(part) for option in options.items() for part in option),
        ),
        ports=(),
        ready=lambda: True,
        stop_rank=STOP_RANK["simulator"],
        environment=_marked(settings) | {"AUSCULT_PORT_OFFSET": str(settings.port_offset)},
        once=True,
    )


def _ingest(settings: StackSettings) -> Process:
    http = settings.at(settings.ingest_port)
    mllp = settings.at(settings.mllp_port)
    return _service(
        settings,
        "ingest",
        http,
        (Port(mllp, "AUSCULT_MLLP_PORT"), Port(http, "AUSCULT_INGEST_PORT")),
        # A stack to try things on: real files are as often of training as of production.
        {
            "MLLP_PORT": str(mllp),
            "HTTP_PORT": str(http),
            "PROCESSING_IDS": '["P","T","D"]',
        },
    )


def _privacy(settings: StackSettings) -> Process:
    port = settings.at(settings.privacy_port)
    return _service(
        settings,
        "privacy",
        port,
        (Port(port, "AUSCULT_PRIVACY_PORT"),),
        {
            "HTTP_PORT": str(port),
            "REDIS_URL": settings.redis_url,
            "TAGGER_DIR": str(programs.TAGGER_DIR),
        },
    )


def _inference(settings: StackSettings) -> Process:
    port = settings.at(settings.inference_port)
    return _service(
        settings,
        "inference",
        port,
        (Port(port, "AUSCULT_INFERENCE_PORT"),),
        {
            "HEALTH_PORT": str(port),
            "REDIS_URL": settings.redis_url,
            "MODELS_DIR": str(programs.MODELS_DIR),
        },
    )


def _gateway(settings: StackSettings, *, demo: bool) -> Process:
    page = settings.at(settings.gateway_port)
    health = settings.at(settings.gateway_metrics_port)
    return _service(
        settings,
        "gateway",
        health,
        (Port(page, "AUSCULT_GATEWAY_PORT"), Port(health, "AUSCULT_GATEWAY_METRICS_PORT")),
        {
            "PORT": str(page),
            "METRICS_PORT": str(health),
            "REDIS_URL": settings.redis_url,
            "PRIVACY_URL": f"http://{LOOPBACK}:{settings.at(settings.privacy_port)}",
            "PUBLIC_URL": settings.page_url,
            **({"OIDC_ISSUER": settings.issuer_url, "DEMO": "true"} if demo else {}),
        },
    )


def _service(
    settings: StackSettings,
    name: str,
    health_port: int,
    ports: tuple[Port, ...],
    told: Mapping[str, str],
) -> Process:
    prefix = name.upper()
    told = {
        "KAFKA_BOOTSTRAP": settings.bootstrap,
        "KEYS_DIR": str(settings.keys_dir),
        "STATE_DIR": str(settings.root / "state" / name),
        "INSTANCE_ID": f"{name}-1",
        **told,
    }
    return Process(
        name=name,
        command=(sys.executable, "-m", f"services.{name}"),
        ports=ports,
        ready=lambda: is_ready(health_port),
        stop_rank=STOP_RANK[name],
        environment=_marked(settings) | {f"{prefix}_{key}": told[key] for key in told},
        health_port=health_port,
    )


def _marked(settings: StackSettings) -> dict[str, str]:
    return {MARK: str(settings.root)}
