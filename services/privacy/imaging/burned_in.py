"""Pure: whether letters stand in the pixels of an image. No model; leans to yes.

What is looked for is what tells print from anatomy: several marks of one height in a row, close
together, each with a sharp edge and as bright (or as dark) as the others. The image is looked at
in its own size, at a half and at a quarter, as it is and turned by 90 degrees, for light letters
and for dark ones. Recall and false alarms are measured by ``bench/burned_in.py``. Not found are
handwriting, letters on a slant, letters that touch one another throughout, and one or two letters
alone (the side marker of a radiograph, which identifies nobody).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]
Marks = NDArray[np.float64]  # (marks, 6): top, left, bottom, right (exclusive), level, letters

LEVELS = 3  # of the pyramid, each half as large as the one before
EDGE_PIXELS_MIN = 24  # a smaller image has no room for three letters
STROKE_PIXELS_MAX = 9  # a stroke is narrower: what is broader is taken away as background
HEIGHT_MIN, HEIGHT_MAX = 4, 44  # of a letter, in pixels of a level
WIDTH_MAX = 240  # of letters that touch
LETTER_WIDTH_MAX = 2.2  # of one, in its heights
STROKES_PER_LETTER = 1.4  # that a line through a word crosses
CONTRAST_MIN = 6.0  # grey levels of 255, where there is no noise
NOISE_FACTOR = 6.0  # and so many times the noise around, where there is
NOISE_STEPS = 2.0  # a step of less than so many times the noise is none
SHARPNESS_MIN = 0.4  # of its height above the background, what a letter's edge gains in a pixel
MARKS_MAX = 6_000  # of a level; more is texture, and the strongest are looked at
LETTERS_MIN = 3  # in a row
LETTERS_MIN_WARY = 2  # where letters are to be expected
TILE = 32  # pixels: the area whose noise counts as one


def shows_text(grey: Grey, letters_min: int = LETTERS_MIN) -> bool:
    """Return whether a row of at least ``letters_min`` letters is found.

    ``grey``: (height, width), 0 to 255.
    """
    return any(row >= letters_min for row in rows_of_letters(grey))


def rows_of_letters(grey: Grey) -> Iterator[int]:
    """Yield how many letters each row has that could be print."""
    level, steps = grey, _steps(grey)
    for _ in range(LEVELS):
        if min(level.shape) < EDGE_PIXELS_MIN:
            return
        for turned, sharp in ((level, steps), (_turned(level), _turned(steps))):
            for signed in (turned, 255.0 - turned):
                yield from _rows(_marks(signed, sharp))
        # A large letter keeps the edge it has in full size; a rib or a vertebra never had one.
        level, steps = _fours(level).mean(axis=(1, 3)), _fours(steps).max(axis=(1, 3))


def _turned(grey: Grey) -> Grey:
    return np.ascontiguousarray(grey.T)


def _fours(grey: Grey) -> Grey:
    """Return the pixels by blocks of 2 x 2: (height / 2, 2, width / 2, 2)."""
    height, width = (edge // 2 * 2 for edge in grey.shape)
    return grey[:height, :width].reshape(height // 2, 2, width // 2, 2)


def _marks(grey: Grey, steps: Grey) -> Marks:
    """Return the light marks of an image that could be letters."""
    raised = grey - ndimage.grey_opening(grey, size=(STROKE_PIXELS_MAX, STROKE_PIXELS_MAX))
    mask = raised > np.maximum(CONTRAST_MIN, NOISE_FACTOR * _noise(grey))
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if count == 0:
        return np.empty((0, 6))
    every = np.arange(1, count + 1)
    boxes = np.array(
        [(y.start, x.start, y.stop, x.stop) for y, x in ndimage.find_objects(labels)], dtype=float
    )
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    level = ndimage.mean(raised, labels, every)
    edge = np.where(mask & ~ndimage.binary_erosion(mask), labels, 0)
    sharpness = ndimage.mean(steps, edge, every) / level
    height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    strokes = _strokes(mask, labels, count) / height
    letters = np.where(width > 1.3 * height, np.maximum(1, strokes // STROKES_PER_LETTER), 1)
    marks = np.column_stack([boxes, level, letters])
    filled = pixels / (height * width)
    fits = (
        (height >= HEIGHT_MIN)
        & (height <= HEIGHT_MAX)
        & (width <= WIDTH_MAX)
        & ((width <= LETTER_WIDTH_MAX * height) | (letters > 1))
        & (filled >= 0.15)
        & (sharpness >= SHARPNESS_MIN)
    )
    kept = marks[fits]
    if len(kept) > MARKS_MAX:
        kept = kept[np.argsort(-kept[:, 4], kind="stable")[:MARKS_MAX]]
    return np.asarray(kept[np.lexsort((kept[:, 0], kept[:, 1]))])


def _strokes(mask: Mask, labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Return how many strokes the rows of each mark cross, all rows together."""
    begins = mask.copy()
    begins[:, 1:] &= ~mask[:, :-1]
    return np.bincount(labels[begins], minlength=count + 1)[1:]


def _steps(grey: Grey) -> Grey:
    """Return by how much each pixel differs most from a neighbour, beyond what noise does."""
    down = np.abs(np.diff(grey, axis=0, prepend=grey[:1]))
    across = np.abs(np.diff(grey, axis=1, prepend=grey[:, :1]))
    steps = np.maximum(down, across)
    steps[:-1] = np.maximum(steps[:-1], down[1:])
    steps[:, :-1] = np.maximum(steps[:, :-1], across[:, 1:])
    return np.asarray(np.maximum(steps - NOISE_STEPS * _noise(grey), 0), dtype=np.float32)


def _noise(grey: Grey) -> Grey:
    """Return the noise around each pixel: of differences of neighbours, the middle one.

    The loudest of a tile and those beside it: half of a tile may be a black margin without any.
    """
    step = np.abs(np.diff(grey, axis=1, prepend=grey[:, :1]))
    height, width = (-(-edge // TILE) * TILE for edge in grey.shape)
    padded = np.pad(step, ((0, height - grey.shape[0]), (0, width - grey.shape[1])), mode="edge")
    tiles = padded.reshape(height // TILE, TILE, width // TILE, TILE)
    middle = np.median(tiles, axis=(1, 3)).astype(np.float32)
    loudest = ndimage.maximum_filter(middle, size=3)
    spread = loudest.repeat(TILE, axis=0).repeat(TILE, axis=1)
    return np.asarray(spread[: grey.shape[0], : grey.shape[1]])


def _rows(marks: Marks) -> Iterator[int]:
    """Yield the lengths of the rows that marks form, each mark with the next to its right."""
    count = len(marks)
    if count == 0:
        return
    top, left, bottom, right, level, letters = (marks[:, at] for at in range(6))
    height = bottom - top
    longest = letters.astype(int)
    reach = left.searchsorted(right + 1.6 * height + 1, side="right")
    for at in range(count - 1):
        near = slice(at + 1, reach[at])
        gap = left[near] - right[at]
        overlap = np.minimum(bottom[near], bottom[at]) - np.maximum(top[near], top[at])
        smaller = np.minimum(height[near], height[at])
        larger = np.maximum(height[near], height[at])
        beside = (
            (gap > -0.35 * smaller)
            & (gap <= np.maximum(1.0 * larger, 3))
            & (overlap >= 0.6 * smaller)
            & (smaller >= 0.55 * larger)
            & (np.abs(bottom[near] - bottom[at]) <= 0.3 * larger + 1)
            & (np.minimum(level[near], level[at]) >= 0.6 * np.maximum(level[near], level[at]))
        )
        found = np.flatnonzero(beside)
        if len(found):
            index = found + at + 1
            longest[index] = np.maximum(longest[index], longest[at] + letters[index].astype(int))
    yield int(longest.max())
