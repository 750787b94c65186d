"""A tagger's folder: ``manifest.json``, ``weights.safetensors``, ``card.md``; verified, then used.

Verified are the manifest's digest against the one this release (or this site) pins, the weights'
SHA-256, architecture and alphabet against this code, and what it finds in the golden texts.
"""

import hashlib
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from services.privacy.folding import fold
from services.privacy.tagger.alphabet import encode
from services.privacy.tagger.hints import lists_bytes
from services.privacy.tagger.network import ARCHITECTURE, LABELS, CharacterTagger, Shape
from services.privacy.tagger.packing import Stored, unpacked
from services.privacy.tagger.products import Make, quickest
from services.privacy.tagger.reading import Reader
from services.privacy.tagger.second_look import FEATURES, SecondLook
from services.privacy.tagger.seen import READ, Seen, seen_in
from services.privacy.tagger.tagger import Tagger

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
SECOND = "second."  # before the names of what the second look has among the weights
SEEN = "seen."  # and before those of what it reads of words that were seen
LOOKING_AGAIN = (SECOND, SEEN)  # all others are the network's
PROBE = "Ward 3, Dr. Ångström: 患者王·五，BP 120/80; 二〇二四年3月\n🙂 ﾊﾛｰ"


class TaggerRefused(Exception):
    """The tagger is not used; the message is the reason code."""


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up text and the spans that the tagger finds in it."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


class TaggerManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a tagger but its weights."""

    schema_version: str = "1.0"
    name: str
    version: str
    created: str
    architecture: str
    labels: tuple[str, ...]
    shape: dict[str, int | tuple[int, ...]]
    ranges: dict[str, tuple[float, float]] = {}  # in what each product reads lies; none: 32 bits
    threshold: float
    threshold_han: float
    alphabet_sha256: str
    weights_sha256: str
    golden: tuple[Golden, ...]
    training: dict[str, str]
    recipe: dict[str, float]
    figures: dict[str, float]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, in hex."""
        return hashlib.sha256(_canonical(self)).hexdigest()


def load_tagger(folder: Path, digest: str) -> Tagger:
    """Return the verified tagger of a folder; raise ``TaggerRefused``."""
    manifest = read_manifest(folder)
    if manifest.digest != digest:
        raise TaggerRefused("digest")
    weights = read_weights(folder, manifest)
    if manifest.architecture != ARCHITECTURE or manifest.labels != LABELS:
        raise TaggerRefused("architecture")
    if manifest.alphabet_sha256 != alphabet_sha256():
        raise TaggerRefused("alphabet")
    tagger = tagger_of(manifest, weights)
    if not manifest.golden or golden_spans(tagger, manifest.golden) != manifest.golden:
        raise TaggerRefused("golden")
    return tagger


def read_manifest(folder: Path) -> TaggerManifest:
    """Return the manifest of a folder, not verified; raise ``TaggerRefused``."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=TaggerManifest)
    except (OSError, msgspec.DecodeError) as error:
        raise TaggerRefused("manifest") from error


def read_weights(folder: Path, manifest: TaggerManifest) -> bytes:
    """Return the weights of a folder, which are those of its manifest; raise ``TaggerRefused``."""
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise TaggerRefused("missing") from error
    if hashlib.sha256(weights).hexdigest() != manifest.weights_sha256:
        raise TaggerRefused("weights")
    return weights


def tagger_of(manifest: TaggerManifest, weights: bytes, make: Make | None = None) -> Tagger:
    """Return the tagger in a safetensors file's bytes, which ``make`` makes the products of (None:
    the quickest here); raise ``TaggerRefused``.
    """
    torch.set_num_threads(1)  # the others belong to the other parts of the host
    network, shape = network_of(manifest, weights)
    try:
        reader = Reader(network, make or quickest(manifest.ranges))
    except (KeyError, ValueError) as error:
        raise TaggerRefused("ranges") from error
    second, seen = second_look_of(weights, shape)
    return Tagger(reader, shape, manifest.threshold, manifest.threshold_han, second, seen)


def network_of(manifest: TaggerManifest, weights: bytes) -> tuple[CharacterTagger, Shape]:
    """Return the network in a safetensors file's bytes, in 32 bits, and its shape; raise
    ``TaggerRefused``.
    """
    shape = msgspec.convert(manifest.shape, Shape)
    network = CharacterTagger(shape)
    try:
        stored = load_tensors(weights)
        own = {n: part for n, part in stored.items() if not n.startswith(LOOKING_AGAIN)}
        network.load_state_dict(unpacked(own))
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise TaggerRefused("weights") from error
    return network, shape


def second_look_of(weights: bytes, shape: Shape) -> tuple[SecondLook | None, Seen | None]:
    """Return the second look in a safetensors file's bytes, and the words that it has seen, None
    without them; raise ``TaggerRefused``.
    """
    try:
        stored = load_tensors(weights)
        seen = seen_in(_named(stored, SEEN))
        own = unpacked(_named(stored, SECOND))
        if not own and seen is None:
            return None, None
        features = FEATURES + shape.width + (0 if seen is None else READ)
        second = SecondLook(features, len(own["inner.bias"]))
        second.load_state_dict(own)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise TaggerRefused("weights") from error
    return second.eval().requires_grad_(requires_grad=False), seen


def _named(stored: Stored, prefix: str) -> Stored:
    return {n.removeprefix(prefix): part for n, part in stored.items() if n.startswith(prefix)}


def golden_spans(tagger: Tagger, golden: tuple[Golden, ...]) -> tuple[Golden, ...]:
    """Return the golden texts with what this tagger finds."""
    return tuple(
        Golden(
            text=one.text,
            spans=tuple((s.start, s.end, s.label) for s in tagger.find(fold(one.text).folded)),
        )
        for one in golden
    )


def alphabet_sha256() -> str:
    """Return the digest of how this code reads text, its word lists included."""
    digest = hashlib.sha256(lists_bytes())
    for numbers in encode(fold(PROBE).folded)[:4]:  # the analyser's sums differ between machines
        digest.update(numbers.astype("<i4").tobytes())
    return digest.hexdigest()


def encode_manifest(manifest: TaggerManifest) -> bytes:
    """Return the manifest as a file's bytes, for people to read."""
    return msgspec.json.format(_canonical(manifest), indent=1) + b"\n"


def _canonical(manifest: TaggerManifest) -> bytes:
    read_back = msgspec.json.decode(msgspec.json.encode(manifest), type=TaggerManifest)
    content = msgspec.to_builtins(read_back)
    if not manifest.ranges:  # as before there were any: a site's own tagger keeps its digest
        del content["ranges"]
    return msgspec.json.encode(content, order="sorted")
