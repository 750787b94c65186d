"""From templates and marked texts to a tagger's folder: train, round, write, describe."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec
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
    read_weights,
    tagger_of,
)
from services.privacy.tagger.network import ARCHITECTURE, LABELS, CharacterTagger, Shape
from services.privacy.tagger.packing import packed
from services.privacy.tagger.products import in_32_bits, quickest
from training.deid.card import LIGHTENED, card
from training.deid.corpus import TEMPLATES, Learnt, Writer
from training.deid.feeding import Corpus
from training.deid.fit import Progress, fit, new_network
from training.deid.language_model import model_folder, model_weights
from training.deid.measuring import measured
from training.deid.plain_texts import Plain, read_plain
from training.deid.planning import Plan
from training.deid.teachers import FIRST_PART, first_part, network_in, teacher
from training.deid.texts import Half, Marked, read_gold, read_lines, read_notes
from training.deid.told import Told, read_told
from training.deid.variants import Variants

NAME = "deid"
LANGUAGES = ("en", "zh")
DEV_FILES = ("dev_en.jsonl", "dev_zh.jsonl")
GOLDEN = (
    "患者赵云飞，男，45岁，因发热3天于2024年3月5日入院，联系人：妻李桂芳 13812345678。医师：钱",
    "古丽巴哈尔 女 住院号ZY0098231，喀什市人，予头孢曲松2g qd，帕金森病史5年。",
    "Mr Tadeusz Kowalczyk (MRN 1004567), of 12 Elm Road, Leeds, seen on 5 March by Dr Okafor.",
    "Babinski sign absent, metformin 500 mg BID, BP 120/80, reviewed 3 days ago in clinic.",
)
GOLDEN_MIN = 3  # that give the same in 8 bits; one that lies near a limit is left out
LICENCE = (
    "MIT (asq-phi, presidio-research, case vignettes, zh_department), Apache-2.0 (openmed, our"
    " notes, LAC, all-MiniLM-L6-v2; bert-base-cased, where a large teacher told), CC BY-SA 3.0"
    " (medical_abstracts)"
)


class GoldenDiffers(Exception):
    """Most golden texts give other spans in 8 bits than in 32: they lie too near a limit."""


@dataclass(frozen=True)
class Texts:
    """Marked texts: the training notes, from which both parts learn, and what the second adds.

    Both ``training_notes`` and ``notes`` (with the gold notes' half) are by language.
    """

    training_notes: dict[str, list[Marked]]
    notes: dict[str, list[Marked]]
    lines: Sequence[Marked]
    plain: Plain
    told: Sequence[Told]
    sha256: str
    files: tuple[str, ...]


def read_texts(
    data: Path, notes: Path, gold: Path | None, left_out: str = "", told: Path | None = None
) -> Texts:
    """Return the development texts in ``data``, the training notes but those in files named like
    ``left_out``, the gold notes' development half, the medical texts beside ``data``, and what a
    large teacher ``told``.
    """
    lines = [text for name in DEV_FILES for text in read_lines(data / name)]
    training_notes = {lang: read_notes(notes, lang, left_out) for lang in LANGUAGES}
    by_language = dict(training_notes)
    if gold is not None:
        for lang in LANGUAGES:
            by_language[lang] = training_notes[lang] + read_gold(gold, lang, Half.DEVELOPMENT)
    plain = read_plain(data.parent)
    digest = hashlib.sha256(repr(sorted(plain.texts.items())).encode())
    for text in (*lines, *by_language["en"], *by_language["zh"]):
        digest.update(repr((text.text, text.spans)).encode())
    heard = read_told(told) if told else []
    for one in heard:
        digest.update(repr((one.marked.text, one.marked.spans, one.pieces)).encode())
    halves = ("gold notes, development half",) if gold else ()
    from_teacher = ("texts told by a large teacher",) if heard else ()
    return Texts(
        training_notes,
        by_language,
        lines,
        plain,
        heard,
        digest.hexdigest(),
        (*DEV_FILES, "training notes", *halves, *from_teacher, "medical texts without identifiers"),
    )


def train(texts: Texts, plan: Plan, folder: Path, progress: Progress) -> TaggerManifest:
    """Train both parts and write the folder; return the manifest.

    The weights of the first part are kept in ``FIRST_PART`` of it to be measured with, not shipped.
    It saw no gold note and no development text, unless who teaches it, or was before it, had.
    """
    writer = Writer(plan.seed)
    teachers = [teacher(first_part(one), plan.device) for one in plan.teachers]
    corpus = written(writer, texts, plan)
    network, shape = begun(plan)
    plan = replace(plan, shape=shape)
    steps = fit(network, corpus, replace(plan.written, seed=plan.seed), progress, teachers)
    plan = replace(plan, written=replace(plan.written, steps=steps))
    write(network, texts, plan, folder / FIRST_PART)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    writer.begin_again(plan.seed + 1)  # whatever was written before
    recipe = replace(plan.marked, seed=plan.seed + 1)
    steps = fit(network, marked(writer, texts, plan), recipe, progress, teachers)
    plan = replace(plan, marked=replace(plan.marked, steps=steps))
    return write(between(before, network), texts, plan, folder)


def begun(plan: Plan) -> tuple[CharacterTagger, Shape]:
    """Return the network that learns, a new one or one to go on from, and its shape; raise
    ``TaggerRefused``.
    """
    if plan.goes_on_from is None:
        network = new_network(plan.shape, plan.seed, model_weights(model_folder()))
        return network.to(plan.device), plan.shape
    network, shape = network_in(first_part(plan.goes_on_from))
    return network.to(plan.device), shape


def written(writer: Writer, texts: Texts, plan: Plan) -> Corpus:
    """Return templates and training notes alone."""
    variants = Variants(texts.training_notes, writer.people, writer.names)
    return Corpus(writer, learnt(variants, (), 1.0, texts, plan))


def marked(writer: Writer, texts: Texts, plan: Plan) -> Corpus:
    """Return the same with the gold notes' development half and the development texts."""
    variants = Variants(texts.notes, writer.people, writer.names)
    return Corpus(writer, learnt(variants, texts.lines, plan.notes_share, texts, plan))


def learnt(
    variants: Variants, lines: Sequence[Marked], notes_share: float, texts: Texts, plan: Plan
) -> Learnt:
    """Return what is learnt from beside templates."""
    return Learnt(
        variants,
        lines,
        notes_share,
        plain=texts.plain,
        plain_share=plan.plain_share,
        told=texts.told,
        told_share=plan.told_share,
    )


def between(before: Mapping[str, Tensor], network: CharacterTagger) -> CharacterTagger:
    """Return the network with the mean of its weights and those ``before``.

    What the second part learns by heart is halved; on notes that neither saw, the mean finds more.
    """
    after = network.state_dict()
    network.load_state_dict({name: (before[name] + after[name]) / 2 for name in after})
    return network


def write(network: CharacterTagger, texts: Texts, plan: Plan, folder: Path) -> TaggerManifest:
    """Write weights (half precision), manifest and card; notes tell the ranges."""
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
        golden=(),
        training={
            "files": ", ".join(texts.files),
            "sha256": texts.sha256,
            "templates_sha256": templates_sha256(),
            "notes": str(sum(map(len, texts.training_notes.values()))),
            "teachers": ", ".join(read_manifest(first_part(one)).digest for one in plan.teachers),
            **_said_of_begun(plan),
            "licence": LICENCE,
        },
        recipe={
            "seed": plan.seed,
            **{f"written_{name}": value for name, value in asdict(plan.written).items()},
            **{f"marked_{name}": value for name, value in asdict(plan.marked).items()},
        },
        figures=plan.figures,
    )
    return put(measured(manifest, weights, texts.training_notes), weights, folder)


def _said_of_begun(plan: Plan) -> dict[str, str]:
    """Return what there is to say of the tagger that was gone on from."""
    if plan.goes_on_from is None:
        return {}
    before = read_manifest(first_part(plan.goes_on_from))
    cut = {LIGHTENED: before.training[LIGHTENED]} if LIGHTENED in before.training else {}
    return cut | ({"begun": before.digest} if plan.begin else {})


def put(manifest: TaggerManifest, weights: bytes, folder: Path) -> TaggerManifest:
    """Write a folder, with what is found in the golden texts that give the same in 8 bits as in
    32 (all do where there are no ranges); return the manifest, or raise ``GoldenDiffers``.
    """
    asked = tuple(Golden(text=text, spans=()) for text in GOLDEN)
    whole, quick = (
        golden_spans(tagger_of(manifest, weights, make), asked)
        for make in (in_32_bits, quickest(manifest.ranges))
    )
    golden = tuple(one for one, other in zip(whole, quick, strict=True) if one == other)
    if len(golden) < GOLDEN_MIN:
        raise GoldenDiffers(f"{manifest.version}: most golden texts give other spans in 8 bits")
    manifest = msgspec.structs.replace(manifest, golden=golden)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MANIFEST).write_bytes(encode_manifest(manifest))
    (folder / "card.md").write_text(card(manifest, len(weights)), encoding="utf-8")
    return manifest


def measure(
    before: Path, notes: Mapping[str, Sequence[Marked]], version: str, created: str, folder: Path
) -> TaggerManifest:
    """Write a tagger once more, with the ranges of what its products read in notes by language;
    raise ``TaggerRefused`` or ``GoldenDiffers``.
    """
    manifest = read_manifest(before)
    weights = read_weights(before, manifest)
    again = msgspec.structs.replace(manifest, version=version, created=created)
    return put(measured(again, weights, notes), weights, folder)


def templates_sha256() -> str:
    """Return the digest of the templates and word lists."""
    digest = hashlib.sha256()
    for path in sorted(TEMPLATES.glob("*.txt")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
