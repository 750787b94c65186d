"""What a lexical analyser says of each Chinese character: where words end, and what kind they are.

`lists/lexical_zh.safetensors` is LAC of Baidu (Apache-2.0), two small recurrent layers over
characters that were trained on much annotated Chinese, cut to the characters that texts have
(`training/deid/lexical_model.py`). The tagger reads its probabilities; nothing is removed for them.
Each clause is read by itself, so what is said does not depend on where a window begins.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

LEXICAL = Path(__file__).parents[1] / "lists" / "lexical_zh.safetensors"
EMBEDDED, HIDDEN, TAGS = 128, 128, 59
KINDS = 20  # sums of the probabilities of like tags
# To the comma: the time is that of the longest clause, and the tagger finds the same.
CLAUSE = re.compile(r"[^。;!?\n,、]{1,32}[。;!?\n,、]?|[。;!?\n,、]")
HAN = re.compile("[\u4e00-\u9fff]")
BATCH = 64

Features = npt.NDArray[np.float32]


class LexicalReader(nn.Module):
    """Characters in, probabilities of kinds of words out; frozen."""

    def __init__(self, stored: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take the stored weights; see ``training/deid/lexical_model.py`` for their names."""
        super().__init__()
        points = stored["points"].astype(np.int64).tolist()
        self._number_of = {chr(point): at for at, point in enumerate(points, start=1)}
        self.embedding = nn.Embedding(len(points) + 1, EMBEDDED)  # 0: any other character
        self.layers = nn.GRU(EMBEDDED, HIDDEN, num_layers=2, bidirectional=True, batch_first=True)
        self.exit = nn.Linear(2 * HIDDEN, TAGS)
        self.kinds: Tensor
        self.register_buffer("kinds", torch.zeros(TAGS, KINDS))
        self.load_state_dict(
            {
                name: torch.from_numpy(one.astype(np.float32))
                for name, one in stored.items()
                if name != "points"
            }
        )
        self.requires_grad_(requires_grad=False)
        self.eval()

    def read(self, folded: str) -> Features:
        """Return the probabilities for each character, ``(len(folded), KINDS)``.

        All 0 in a clause without Chinese.
        """
        return self.read_all([folded])[0]

    def read_all(self, texts: Sequence[str]) -> list[Features]:
        """Return what ``read`` says of each text; many at once take less time."""
        found = [np.zeros((len(text), KINDS), dtype=np.float32) for text in texts]
        places: dict[str, list[Features]] = {}
        for text, features in zip(texts, found, strict=True):
            for match in CLAUSE.finditer(text) if HAN.search(text) else ():
                if HAN.search(match[0]):
                    places.setdefault(match[0], []).append(features[slice(*match.span())])
        clauses = sorted(places, key=len, reverse=True)
        for at in range(0, len(clauses), BATCH):
            group = clauses[at : at + BATCH]
            for clause, told in zip(group, self._told(group), strict=True):
                for place in places[clause]:
                    place[:] = told[: len(clause)]
        return found

    def _told(self, clauses: list[str]) -> Features:
        numbers = np.zeros((len(clauses), len(clauses[0])), dtype=np.int64)
        for row, clause in enumerate(clauses):
            numbers[row, : len(clause)] = [self._number_of.get(char, 0) for char in clause]
        with torch.inference_mode():
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embedding(torch.from_numpy(numbers)),
                torch.tensor([len(clause) for clause in clauses]),
                batch_first=True,
            )
            hidden, _ = nn.utils.rnn.pad_packed_sequence(self.layers(packed)[0], batch_first=True)
            told: Features = (torch.softmax(self.exit(hidden), dim=-1) @ self.kinds).numpy()
        return told


@lru_cache(maxsize=1)
def lexical_reader() -> LexicalReader:
    """Return the analyser of the release; raise ``OSError``."""
    return LexicalReader(load_file(LEXICAL))
