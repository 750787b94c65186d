"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from cli.documentation import DOCS, metrics_page, settings_page
from contracts.pipeline import PIPELINE

ROOT = Path(__file__).parents[2]
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "services").rglob("README.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_settings_are_all_documented() -> None:
    written = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run: python -m cli.documentation"


def test_every_setting_has_a_sentence() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if len(row.rsplit(" | ", 1)[-1].strip(" |")) < 10] == []


def test_metrics_are_all_documented() -> None:
    written = (DOCS / "metrics.md").read_text(encoding="utf-8")
    assert written == metrics_page(), "run: python -m cli.documentation"


def test_the_data_path_names_every_topic() -> None:
    page = (DOCS / "data-path.md").read_text(encoding="utf-8")
    assert [topic.name for topic in PIPELINE if f"`{topic.name}`" not in page] == []


@pytest.mark.parametrize("service", ["ingest", "privacy", "inference", "gateway"])
def test_every_service_has_its_page(service: str) -> None:
    page = (ROOT / "services" / service / "README.md").read_text(encoding="utf-8").lower()
    for heading in ("reads", "writes", "settings", "metrics", "fail"):
        assert heading in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (DOCS / "decisions").glob("[0-9]*.md")]
    assert len(set(numbers)) == len(numbers)


def test_every_alert_has_its_place_in_the_runbook() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text(encoding="utf-8")
    runbook = (DOCS / "runbook.md").read_text(encoding="utf-8")
    alerts = re.findall(r"alert: (\w+)", rules)
    assert alerts
    assert [name for name in alerts if f"## {name}" not in runbook] == []
