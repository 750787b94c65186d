"""From templates and marked texts to a tagger's folder: train, round, write, describe."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import msgspec
import torch
from safetensors.numpy import save
from torch import Tensor

from services.privacy.tagger.manifest import (
    MANIFEST,
    WEIGHTS,
    Golden,
    TaggerManifest,
    alphabet_sha256,
    encode_manifest,
    golden_spans,
    read_manifest,
    tagger_of,
)
from services.privacy.tagger.network import ARCHITECTURE, LABELS, CharacterTagger, Shape
from services.privacy.tagger.packing import packed
from training.deid.corpus import TEMPLATES, Learnt, Writer
from training.deid.feeding import Corpus, Source
from training.deid.fit import TOLD_SHARE, Progress, Recipe, fit, new_network
from training.deid.language_model import Weights, model_folder, model_weights
from training.deid.plain_texts import Plain, read_plain
from training.deid.teachers import FIRST_PART, first_part, go_on_from, teacher
from training.deid.texts import Half, Marked, read_gold, read_lines, read_notes
from training.deid.variants import Variants

NAME = "deid"
CUT_SEED = 77  # of the batch by which a larger network is cut
# Reads English nearly twice as fast where a processor has no tiles for 16 bits (decision 0087).
NARROW = Shape(context_heads=6, context_inner=384, width=96)
LANGUAGES = ("en", "zh")
DEV_FILES = ("dev_en.jsonl", "dev_zh.jsonl")
CARD = Path(__file__).with_name("card_template.md")
GOLDEN = (
    "患者赵云飞，男，45岁，因发热3天于2024年3月5日入院，联系人：妻李桂芳 13812345678。医师：钱",
    "古丽巴哈尔 女 住院号ZY0098231，喀什市人，予头孢曲松2g qd，帕金森病史5年。",
    "Mr Tadeusz Kowalczyk (MRN 1004567), of 12 Elm Road, Leeds, seen on 5 March by Dr Okafor.",
    "Babinski sign absent, metformin 500 mg BID, BP 120/80, reviewed 3 days ago in clinic.",
)
GOLDEN_MIN = 3  # that give the same in 16 bits; one that lies near a limit is left out
LICENCE = (
    "MIT (asq-phi, presidio-research, case vignettes, zh_department), Apache-2.0 (openmed, our"
    " notes, LAC, all-MiniLM-L6-v2), CC BY-SA 3.0 (medical_abstracts)"
)


class GoldenDiffers(Exception):
    """Most golden texts give other spans in 16 bits than in 32: they lie too near a limit."""


@dataclass(frozen=True)
class Plan:
    """What to train. ``written`` learns from templates and training notes,
    ``marked`` then from the development texts as well.
    """

    version: str
    created: str
    threshold: float
    threshold_han: float
    seed: int = 1
    shape: Shape = field(default_factory=Shape)
    written: Recipe = field(
        default_factory=lambda: Recipe(
            steps=2_000, chars=16_000, rate=3e-3, context_rate=3e-4, more_share=0.8
        )
    )
    marked: Recipe = field(
        default_factory=lambda: Recipe(
            steps=1_600, chars=16_000, rate=1.5e-3, context_rate=3e-4, more_share=0.8
        )
    )
    notes_share: float = 0.8  # of the marked texts; the others are the lines
    plain_share: float = 0.12  # of what is not from templates
    figures: dict[str, float] = field(default_factory=dict)
    device: str = "cpu"
    # Folders of trained ones. Their first parts teach, which have seen no test, where kept.
    teachers: tuple[Path, ...] = ()
    begin: Path | None = None  # the one to go on from, or to be cut from; None: the first teacher


@dataclass(frozen=True)
class Texts:
    """Marked texts: the training notes, from which both parts learn, and what the second adds.

    Both ``training_notes`` and ``notes`` (with the gold notes' half) are by language.
    """

    training_notes: dict[str, list[Marked]]
    notes: dict[str, list[Marked]]
    lines: Sequence[Marked]
    plain: Plain
    model: Weights | None  # of the language model, to begin with
    sha256: str
    files: tuple[str, ...]


def read_texts(data: Path, notes: Path, gold: Path | None) -> Texts:
    """Return the development texts in ``data``, the training notes, the gold notes' development
    half, and the medical texts beside ``data``.
    """
    lines = [text for name in DEV_FILES for text in read_lines(data / name)]
    training_notes = {lang: read_notes(notes, lang) for lang in LANGUAGES}
    by_language = dict(training_notes)
    if gold is not None:
        for lang in LANGUAGES:
            by_language[lang] = training_notes[lang] + read_gold(gold, lang, Half.DEVELOPMENT)
    plain = read_plain(data.parent)
    digest = hashlib.sha256(repr(sorted(plain.texts.items())).encode())
    for text in (*lines, *by_language["en"], *by_language["zh"]):
        digest.update(repr((text.text, text.spans)).encode())
    halves = ("gold notes, development half",) if gold else ()
    return Texts(
        training_notes,
        by_language,
        lines,
        plain,
        model_weights(model_folder()),
        digest.hexdigest(),
        (*DEV_FILES, "training notes", *halves, "medical texts without identifiers"),
    )


def train(texts: Texts, plan: Plan, folder: Path, progress: Progress) -> TaggerManifest:
    """Train both parts and write the folder; return the manifest.

    The weights of the first part are kept in ``FIRST_PART`` of it to be measured with, not shipped.
    It saw no gold note and no development text, unless who teaches it, or was before it, had.
    """
    writer = Writer(plan.seed)
    teachers = [teacher(first_part(one), plan.device) for one in plan.teachers]
    corpus = written(writer, texts, plan)
    network = begun(corpus, texts, plan, teachers)
    fit(network, corpus, replace(plan.written, seed=plan.seed), progress, teachers)
    write(network, texts, plan, folder / FIRST_PART)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    writer.begin_again(plan.seed + 1)  # whatever was written before
    recipe = replace(plan.marked, seed=plan.seed + 1)
    fit(network, marked(writer, texts, plan), recipe, progress, teachers)
    return write(between(before, network), texts, plan, folder)


def begun(
    corpus: Corpus, texts: Texts, plan: Plan, teachers: Sequence[CharacterTagger]
) -> CharacterTagger:
    """Return the network that learns: a new one, or one that goes on from another."""
    first = teacher(first_part(plan.begin), plan.device) if plan.begin else None
    if first is None and teachers:
        first = teachers[0]
    model = texts.model if first is None else None
    network = new_network(plan.shape, plan.seed, model).to(plan.device)
    if first is not None:
        source = Source(corpus, plan.written.more_share, CUT_SEED, plan.written.chars)
        go_on_from(first, network, plan.shape, source)
        corpus.writer.begin_again(plan.seed)
    return network


def written(writer: Writer, texts: Texts, plan: Plan) -> Corpus:
    """Return templates and training notes alone."""
    variants = Variants(texts.training_notes, writer.people, writer.names)
    return Corpus(writer, Learnt(variants, (), 1.0, texts.plain, plan.plain_share))


def marked(writer: Writer, texts: Texts, plan: Plan) -> Corpus:
    """Return the same with the gold notes' development half and the development texts."""
    variants = Variants(texts.notes, writer.people, writer.names)
    learnt = Learnt(variants, texts.lines, plan.notes_share, texts.plain, plan.plain_share)
    return Corpus(writer, learnt)


def between(before: Mapping[str, Tensor], network: CharacterTagger) -> CharacterTagger:
    """Return the network with the mean of its weights and those ``before``.

    What the second part learns by heart is halved; on notes that neither saw, the mean finds more.
    """
    after = network.state_dict()
    network.load_state_dict({name: (before[name] + after[name]) / 2 for name in after})
    return network


def write(network: CharacterTagger, texts: Texts, plan: Plan, folder: Path) -> TaggerManifest:
    """Write weights (half precision), manifest and card."""
    weights = save(packed({name: part.cpu() for name, part in network.state_dict().items()}))
    manifest = TaggerManifest(
        name=NAME,
        version=plan.version,
        created=plan.created,
        architecture=ARCHITECTURE,
        labels=LABELS,
        shape=asdict(plan.shape),
        threshold=plan.threshold,
        threshold_han=plan.threshold_han,
        alphabet_sha256=alphabet_sha256(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        golden=tuple(Golden(text=text, spans=()) for text in GOLDEN),
        training={
            "files": ", ".join(texts.files),
            "sha256": texts.sha256,
            "templates_sha256": templates_sha256(),
            "notes": str(sum(map(len, texts.training_notes.values()))),
            "teachers": ", ".join(read_manifest(first_part(one)).digest for one in plan.teachers),
            **({"begun": read_manifest(first_part(plan.begin)).digest} if plan.begin else {}),
            "licence": LICENCE,
        },
        recipe={
            "seed": plan.seed,
            **{f"written_{name}": value for name, value in asdict(plan.written).items()},
            **{f"marked_{name}": value for name, value in asdict(plan.marked).items()},
        },
        figures=plan.figures,
    )
    return put(manifest, weights, folder)


def put(manifest: TaggerManifest, weights: bytes, folder: Path) -> TaggerManifest:
    """Write a folder, with what is found in the golden texts that give the same in 16 bits as in
    32; return the manifest, or raise ``GoldenDiffers``.
    """
    in_32_bits, in_16_bits = (
        golden_spans(tagger_of(manifest, weights, precision), manifest.golden)
        for precision in (torch.float32, torch.bfloat16)
    )
    pairs = zip(in_32_bits, in_16_bits, strict=True)
    golden = tuple(one for one, other in pairs if one == other)
    if len(golden) < GOLDEN_MIN:
        raise GoldenDiffers(manifest.version)
    manifest = msgspec.structs.replace(manifest, golden=golden)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MANIFEST).write_bytes(encode_manifest(manifest))
    (folder / "card.md").write_text(card(manifest, len(weights)), encoding="utf-8")
    return manifest


def card(manifest: TaggerManifest, size: int) -> str:
    """Return the card as Markdown."""
    shape = msgspec.convert(manifest.shape, Shape)
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in manifest.figures.items())
    return CARD.read_text(encoding="utf-8").format(
        version=manifest.version,
        created=manifest.created,
        digest=manifest.digest,
        megabytes=size / 1e6,
        threshold=manifest.threshold,
        threshold_han=manifest.threshold_han,
        files=manifest.training["files"],
        sha256=manifest.training["sha256"],
        templates=manifest.training["templates_sha256"],
        licence=manifest.training["licence"],
        notes=manifest.training["notes"],
        teachers=manifest.training["teachers"] or "none",
        width=shape.width,
        layers=shape.context_layers,
        heads=shape.context_heads,
        inner=shape.context_inner,
        told=f"{TOLD_SHARE:.0%}",
        written=int(manifest.recipe["written_steps"]),
        marked=int(manifest.recipe["marked_steps"]),
        looked=manifest.training.get("second_look", "none"),
        figures=figures,
    )


def templates_sha256() -> str:
    """Return the digest of the templates and word lists."""
    digest = hashlib.sha256()
    for path in sorted(TEMPLATES.glob("*.txt")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
