"""Write docs/settings.md and docs/metrics.md from the declarations in the code.

``python -m cli.documentation`` writes both; a test fails when a page and the code differ.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from plumbing.metrics import DECLARED

DOCS = Path(__file__).parents[1] / "docs"
SERVICES = ("ingest", "privacy", "inference", "gateway")
METRIC_MODULES = (
    "plumbing.audit_metrics",
    "plumbing.kafka_metrics",
    "plumbing.stream_metrics",
    *(f"services.{service}.metrics" for service in SERVICES),
)


def settings_page() -> str:
    """Return docs/settings.md: every environment variable of every service and of the command."""
    parts = [
        "# Settings",
        "",
        "Read once at start from the environment, by pydantic-settings. This page is written by",
        "`python -m cli.documentation` from the code; a test holds the two together.",
    ]
    for title, settings in _settings_classes():
        prefix = settings.model_config.get("env_prefix", "")
        parts += ["", f"## {title}", "", "| variable | default | what it is |", "|---|---|---|"]
        for name, field in settings.model_fields.items():
            shown = str(field.default).removeprefix(f"{DOCS.parent}/")  # the same in every clone
            default = "required" if field.default is PydanticUndefined else f"`{shown}`"
            if field.default_factory is not None:
                default = "made at start"
            sentence = (field.description or "").replace("|", "\\|").replace("\n", " ")
            parts.append(f"| `{prefix}{name}`".upper() + f" | {default} | {sentence} |")
    return "\n".join(parts) + "\n"


def metrics_page() -> str:
    """Return docs/metrics.md: every metric with its kind, labels and sentence."""
    for module in METRIC_MODULES:
        importlib.import_module(module)
    parts = [
        "# Metrics",
        "",
        "Every service serves `/metrics` for Prometheus. No label ever holds a patient, an event",
        "or a text. This page is written by `python -m cli.documentation` from the code.",
        "",
        "| metric | kind | labels | what it says |",
        "|---|---|---|---|",
    ]
    for name, (kind, sentence, labels) in sorted(DECLARED.items()):
        parts.append(f"| `{name}` | {kind} | {', '.join(labels)} | {sentence} |")
    return "\n".join(parts) + "\n"


def _settings_classes() -> Iterator[tuple[str, type[BaseSettings]]]:
    modules = [(service, f"services.{service}.settings") for service in SERVICES]
    for title, module in [*modules, ("the local stack", "cli.stack.settings")]:
        for value in vars(importlib.import_module(module)).values():
            mine = isinstance(value, type) and issubclass(value, BaseSettings)
            if mine and value.__module__ == module:
                yield title, value


def main() -> None:
    """Write both pages."""
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
    (DOCS / "metrics.md").write_text(metrics_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
