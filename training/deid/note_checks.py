"""Pure: what is probably wrong with the marks of a note, in words without its text's identifiers.

python -m training.deid.note_checks data/training_notes
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from services.privacy.tagger.network import LABELS
from services.privacy.words import NEVER_NAMES, NOT_NAMES, WORD_NAMES, words
from training.deid.texts import Marked, is_han, read_notes

KINDS = frozenset(LABELS[1:]) | {"IP"}
TITLES = re.compile(
    r"^(?:Dr|Mr|Mrs|Ms|Miss|Prof|Sister|Nurse)\b|(?:主任|医生|医师|护士|大夫|教授)$"
)
# Words and drugs, in notes where somebody is called so.
ALSO_WORDS = words(
    "安定 杜仲 安宁 高兴 文化 何时 周围 常春 高度 高原 黄芩 田七 时间",
    "方便 希望 宝宝 桂枝 苏醒 明天 连翘 石膏 应予 高峰 平安 成功 冷静 舒服 梅雨 任意 宁静",
    "高明 夏天 何必 安康 向前 万一 安静 苗条 高山 金银花 钟声 温馨 平凡 游泳 钱多 徐徐 江南",
    "桂花 何时归 时归 丁香 白术 曾经 水仙 温泉 郑重 文静 时光 黎明 方寸 Bright",
    "欢乐 天天 辛苦 刚刚 Sunny Dawes Precious Glad Patience Stamp Hardy Bland Lord TRAUMA",
    "高速 陈皮 解放 申时 Trauma Duke FRANK Penny Brooke Jesus Bishop Teddy PATIENCE",
)
BOTH_WAYS = "both_ways.txt"  # words that stand in a note as a name and as a word: so it was meant
LATIN_PARTS = re.compile(r"[A-Z][^\W\d_]{3,}")


def read_both_ways(folder: Path) -> frozenset[tuple[str, str]]:
    """Return each note and word in which the word is rightly marked at some of its places only."""
    path = folder / BOTH_WAYS
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return frozenset((note, word) for note, _, word in (line.partition(" ") for line in lines))


def flaws(note: Marked, both_ways: frozenset[tuple[str, str]] = frozenset()) -> Iterator[str]:
    """Yield what is probably wrong with a note's marks."""
    for start, end, label in note.spans:
        value = note.text[start:end]
        if label not in KINDS:
            yield f"{note.id}: no such kind: {label}"
        if value != value.strip():
            yield f"{note.id}: a mark with blanks at its edge"
        if label == "NAME" and TITLES.search(value):
            yield f"{note.id}: a title within a name: {value}"
        if label == "AGE" and not _is_old(value):
            yield f"{note.id}: an age under 90: {value}"
    for value in sorted(_names(note)):
        if (note.id, value) in both_ways:
            continue
        yield from (f"{note.id}: unmarked: {value}" for _ in _unmarked(note, value))


def _is_old(value: str) -> bool:
    is_told = any(90 <= int(number) < 130 for number in re.findall(r"\d+", value))
    return is_told or re.search("九十|百|nin", value.lower()) is not None


def _names(note: Marked) -> set[str]:
    found: set[str] = set()
    for start, end, label in note.spans:
        value = note.text[start:end]
        if label in {"PHONE", "ID", "EMAIL"} and len(value) > 4:
            found.add(value)
        if label != "NAME":
            continue
        if is_han(value):
            found |= {value} - ALSO_WORDS if len(value) > 1 else set()
            continue
        for part in LATIN_PARTS.findall(value):
            word = part.casefold()
            is_word = word in NOT_NAMES or word in NEVER_NAMES or word in WORD_NAMES
            if not is_word and part not in ALSO_WORDS:
                found.add(part)
    return found


def _unmarked(note: Marked, value: str) -> Iterator[int]:
    edge = "" if is_han(value) else r"\b"
    for match in re.finditer(edge + re.escape(value) + edge, note.text):
        if not any(start < match.end() and match.start() < end for start, end, _ in note.spans):
            yield match.start()


if __name__ == "__main__":
    notes = Path(sys.argv[1])
    meant = read_both_ways(notes)
    for language in ("en", "zh"):
        for one in read_notes(notes, language):
            for flaw in flaws(one, meant):
                sys.stdout.write(f"{flaw}\n")
