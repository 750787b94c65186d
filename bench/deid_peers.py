"""Presidio, scrubadub and Philter, where they are installed: text to spans, as they come."""

import importlib
import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.deid.scoring import Spans

Finds = Callable[[str], Spans]


def peers() -> dict[str, Finds | str]:
    """Return each peer, or the sentence why it does not take part."""
    found: dict[str, Finds | str] = {}
    for name, module, build in _PEERS:
        if importlib.util.find_spec(module) is None:
            found[name] = "not installed"
            continue
        try:
            found[name] = build()
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way; that is its result
            found[name] = f"does not start: {type(error).__name__}"
    return found


def _presidio() -> Finds:
    """Its pattern recognisers on a blank model: nothing is downloaded."""
    analyzer: Any = importlib.import_module("presidio_analyzer")
    nlp: Any = importlib.import_module("presidio_analyzer.nlp_engine")
    spacy: Any = importlib.import_module("spacy")
    engine = nlp.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": spacy.blank("en")}
    analyze = analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]).analyze
    return lambda text: [(r.start, r.end, r.entity_type) for r in analyze(text, language="en")]


def _scrubadub() -> Finds:
    scrubber: Any = importlib.import_module("scrubadub").Scrubber()
    return lambda text: [(f.beg, f.end, f.type) for f in scrubber.iter_filth(text)]


def _philter() -> Finds:
    """Its own configuration; it reads and writes folders, so each text is a file."""
    module: Any = importlib.import_module("philter_ucsf.philter")
    config = Path(module.__file__).parent / "configs" / "philter_delta.json"

    def finds(text: str) -> Spans:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "in"), Path(folder, "out")
            source.mkdir()
            target.mkdir()
            (source / "note.txt").write_text(text, encoding="utf-8")
            engine = module.Philter(
                {"filters": str(config), "finpath": f"{source}/", "foutpath": f"{target}/",
                 "verbose": False, "run_eval": False, "outformat": "asterisk"}
            )  # fmt: skip
            engine.map_coordinates()
            engine.transform()
            written = (target / "note.txt").read_text(encoding="utf-8")
        return [
            (index, index + 1, "OTHER")
            for index, (was, now) in enumerate(zip(text, written, strict=False))
            if now == "*" != was
        ]

    return finds


_PEERS: tuple[tuple[str, str, Callable[[], Finds]], ...] = (
    ("Presidio, patterns", "presidio_analyzer", _presidio),
    ("scrubadub", "scrubadub", _scrubadub),
    ("Philter", "philter_ucsf", _philter),
)
