"""A page that shows what was removed from texts: each span marked by its kind. For the eyes of who
may see the texts: it holds them as they were.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

COLOURS = {
    "NAME": "#ffd6d6", "DATE": "#d6e8ff", "AGE": "#e6d6ff", "PHONE": "#d6ffe0", "EMAIL": "#d6fff9",
    "URL": "#d6fff9", "IP": "#d6fff9", "ID": "#fff3c4", "LOC": "#ffe3c4", "ORG": "#eeeeee",
    "OTHER": "#eeeeee",
}  # fmt: skip
HEAD = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>De-identification report</title>
<style>body{font:15px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre{white-space:pre-wrap;font:inherit;border:1px solid #ccc;border-radius:4px;padding:.6rem}
mark{border-radius:3px;padding:0 .15em}mark::after{content:attr(data-kind);font-size:.65em;
margin-left:.25em;color:#333}h2{font-size:1rem;margin:1.5rem 0 .3rem}.held{border-color:#b00}
table{border-collapse:collapse}td,th{padding:.1rem .8rem .1rem 0;text-align:left}</style>
"""


def page(told: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Return the page of texts, each with what was answered for it."""
    counts: Counter[str] = Counter()
    held: Counter[str] = Counter()
    notes = []
    for text, answer in told:
        counts.update(span["label"] for span in answer["spans"] if answer["text"] is not None)
        if answer["text"] is None:
            held[answer["quarantined"]] += 1
        notes.append(_note(text, answer))
    return "".join(
        [HEAD, "<h1>De-identification report</h1>", _summary(len(notes), counts, held)]
    ) + ("".join(notes))


def _summary(texts: int, counts: Mapping[str, int], held: Mapping[str, int]) -> str:
    rows = [f"<tr><th>{_sample(kind)}<td>{counts[kind]}" for kind in COLOURS if kind in counts]
    rows += [f"<tr><th>held back: {escape(why)}<td>{number}" for why, number in held.items()]
    return f"<p>{texts} texts. Removed, by kind:</p><table>{''.join(rows)}</table>"


def _note(text: str, answer: Mapping[str, Any]) -> str:
    title = escape(str(answer["id"]))
    if answer["text"] is None:
        why = escape(answer["quarantined"])
        return f'<h2>{title}: held back ({why})</h2><pre class="held">{escape(text)}</pre>'
    return f"<h2>{title}</h2><pre>{_marked(text, answer['spans'])}</pre>"


def _marked(text: str, spans: Sequence[Mapping[str, Any]]) -> str:
    pieces, position = [], 0
    for span in spans:
        pieces.append(escape(text[position : span["start"]]))
        pieces.append(_mark(span["label"], text[span["start"] : span["end"]]))
        position = span["end"]
    return "".join([*pieces, escape(text[position:])])


def _sample(kind: str) -> str:
    return _mark(kind, "\N{NO-BREAK SPACE}" * 3)


def _mark(kind: str, text: str) -> str:
    return f'<mark data-kind="{kind}" style="background:{COLOURS[kind]}">{escape(text)}</mark>'
