import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from cli.main import build
from services.privacy import app
from services.privacy.settings import PrivacySettings
from services.privacy.tagger.manifest import load_tagger
from services.privacy.tagger.shipped import SHIPPED_DIGEST, SHIPPED_DIR, STRICTEST
from services.privacy.tagger.tagger import Tagger

FOLDER = Path(__file__).parents[3] / SHIPPED_DIR
STRICT = 0.03
DOUBTED = "Swims with the Otters on Sundays, fell by the weir, drove home in the Defender.\n"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger(FOLDER, SHIPPED_DIGEST)


def removed(tagger: Tagger, text: str) -> int:
    return sum(one.end - one.start for one in tagger.find(text))


def test_a_lower_limit_removes_more(tagger: Tagger) -> None:
    assert removed(tagger.stricter(STRICT), DOUBTED) > removed(tagger, DOUBTED)


def test_a_limit_is_never_raised(tagger: Tagger) -> None:
    assert tagger.stricter(None) is tagger
    higher = tagger.stricter(0.5)
    assert (higher.threshold, higher.threshold_han) == (tagger.threshold, tagger.threshold_han)
    lower = tagger.stricter(STRICT)
    assert (lower.threshold, lower.threshold_han) == (STRICT, STRICT)


def test_a_site_may_ask_for_a_lower_limit() -> None:
    settings = PrivacySettings(tagger_dir=FOLDER, tagger_limit=STRICT)
    found = app._tagger(settings)
    assert isinstance(found, Tagger)
    assert (found.threshold, found.threshold_han) == (STRICT, STRICT)


@pytest.mark.parametrize("limit", [0, STRICTEST / 2, -1, 0.4, 1, float("nan")])
def test_a_limit_under_which_all_of_a_text_goes_is_refused(limit: float) -> None:
    with pytest.raises(ValidationError, match="tagger_limit"):
        PrivacySettings(tagger_dir=FOLDER, tagger_limit=limit)


def cleaned(*options: str) -> list[dict[str, int]]:
    line = json.dumps({"id": 1, "text": DOUBTED}).encode()
    done = CliRunner().invoke(build("deidentify"), ["deidentify", *options], input=line)
    spans: list[dict[str, int]] = json.loads(done.stdout)["spans"]
    return spans


def test_the_command_removes_what_a_site_with_that_limit_would() -> None:
    usual, strict = (
        sum(span["end"] - span["start"] for span in cleaned(*options))
        for options in ([], ["--limit", str(STRICT)])
    )
    assert strict > usual


@pytest.mark.parametrize("limit", ["0.001", "0.4"])
def test_the_command_refuses_such_a_limit(limit: str) -> None:
    done = CliRunner().invoke(build("deidentify"), ["deidentify", "--limit", limit], input=b"")
    assert done.exit_code == 2


def test_rules_alone_have_no_limit() -> None:
    options = ["deidentify", "--rules-only", "--limit", "0.04"]
    done = CliRunner().invoke(build("deidentify"), options, input=b"")
    assert done.exit_code == 2
