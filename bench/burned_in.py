"""How often letters in an image are found, and how often they are seen where there are none.

``python -m bench.burned_in [images]``: synthetic radiographs (``simulator.radiographs``), the
letters in the fonts of matplotlib and, where the system has one, in a Chinese one. Not a patient's
image is in it: on real radiographs false alarms may be more.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.privacy.imaging.burned_in import LETTERS_MIN, rows_of_letters
from simulator.radiographs import Print, radiograph, with_print

EDGES = (256, 512, 1024)
HEIGHTS = (8, 10, 14, 20, 32, 48)
CONTRASTS = (None, 40.0)
TEXTS = ("VICKERS ANNA", "MRN 10045678", "1950-03-07", "ID: 9443 12:30", "Smith^John", "DOB 7/3/50")
TEXTS_ZH = ("张晓明 男 61岁", "住院号 0098231")
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf")
FONTS_ZH = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)


def run(images: int) -> Iterator[str]:
    """Yield the lines of a table; ``images`` of each kind."""
    rng = np.random.default_rng(20260101)
    lines = [*_latin(), *_chinese()]
    yield f"{'edge':>5} {'letters':>8} {'contrast':>9} {'images':>7} {'found':>6}"
    for edge in EDGES:
        began = time.perf_counter()
        found = sum(_longest(radiograph(rng, edge)) >= LETTERS_MIN for _ in range(images * 2))
        yield f"{edge:>5} {'none':>8} {'':>9} {images * 2:>7} {found / images / 2:>6.2f}"
        for height in (height for height in HEIGHTS if height * 12 < edge):
            for contrast in CONTRASTS:
                hits = 0
                for at in range(images):
                    text, font = lines[int(rng.integers(len(lines)))]
                    what = Print(text, height, contrast, is_turned=at % 4 == 3, font=font)
                    hits += _longest(with_print(rng, radiograph(rng, edge), what)) >= LETTERS_MIN
                name = "full" if contrast is None else f"{contrast:.0f}"
                yield f"{edge:>5} {height:>8} {name:>9} {images:>7} {hits / images:>6.2f}"
        yield f"{edge:>5} took {time.perf_counter() - began:.0f} s, making the images included"


def _longest(grey: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> int:
    return max(rows_of_letters(grey), default=0)


def _latin() -> list[tuple[str, Path | None]]:
    import matplotlib as mpl

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return [(text, folder / font) for text in TEXTS for font in FONTS]


def _chinese() -> list[tuple[str, Path | None]]:
    fonts = [Path(font) for font in FONTS_ZH if Path(font).exists()]
    return [(text, font) for text in TEXTS_ZH for font in fonts for _ in FONTS]


if __name__ == "__main__":
    for line in run(int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        print(line, flush=True)
