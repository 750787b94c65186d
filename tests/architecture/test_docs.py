"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from cli.documentation import DOCS, SERVICES, metrics_page, settings_page
from contracts.pipeline import PIPELINE

ROOT = Path(__file__).parents[2]
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "services").rglob("README.md")])
READ_BY_PEOPLE = [
    *PAGES,
    *(ROOT / "contracts").rglob("*.md"),
    *(path for path in (ROOT / "deploy").rglob("*") if path.suffix in {".yaml", ".yml", ".sh"}),
    ROOT / "docker-compose.yml",
    ROOT / "Makefile",
    ROOT / "deploy" / "docker" / "Dockerfile",
]
SETTING = re.compile(r"\b(?:INGEST|PRIVACY|INFERENCE|GATEWAY|AUSCULT)_[A-Z0-9_]*[A-Z0-9]\b")
# Read by the command line and the process runner, not by a settings class.
SET_ELSEWHERE = {"AUSCULT_KEYS_DIR", "AUSCULT_STACK"}
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_settings_are_all_documented() -> None:
    written = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run: python -m cli.documentation"


def test_every_setting_has_a_sentence() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert rows
    assert [row for row in rows if len(row.rsplit(" | ", 1)[-1].strip(" |")) < 10] == []


@pytest.mark.parametrize("page", READ_BY_PEOPLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(page: Path) -> None:
    """An unknown variable is ignored: following such a page would leave a default in force."""
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    known = {row.split("`")[1] for row in rows} | SET_ELSEWHERE
    assert set(SETTING.findall(page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_names_unknown_variables_at_its_start(service: str) -> None:
    main = (ROOT / "services" / service / "__main__.py").read_text(encoding="utf-8")
    if f'run_service("{service}", settings,' in main:
        main = (ROOT / "plumbing" / "service.py").read_text(encoding="utf-8")
    assert re.search(r"log\.configure\(.*\)\n    settings\.warn_unknown\(\)\n", main)


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
