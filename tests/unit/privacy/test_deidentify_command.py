import gzip
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import jsonschema
import msgspec
import pytest
from typer.testing import CliRunner

from cli.commands.deidentify import _given_ahead, answer
from cli.main import build
from services.privacy.ahead import TEXTS, ReadAhead
from services.privacy.spans import Span
from services.privacy.tagger.manifest import load_tagger
from services.privacy.tagger.shipped import SHIPPED_DIGEST, SHIPPED_DIR

CONTRACT = Path(__file__).parents[3] / "contracts" / "cli"
GOLDEN_IN = CONTRACT / "deidentify.input.jsonl"
GOLDEN_OUT = CONTRACT / "deidentify.output.jsonl"
APP = build("deidentify")


def test_the_golden_pair_fits_the_command_and_the_schema(tmp_path: Path) -> None:
    schema = json.loads((CONTRACT / "deidentify.schema.json").read_text(encoding="utf-8"))
    out = tmp_path / "out.jsonl"
    done = CliRunner().invoke(APP, ["deidentify", "--input", str(GOLDEN_IN), "--output", str(out)])
    assert done.exit_code == 0
    assert out.read_text(encoding="utf-8") == GOLDEN_OUT.read_text(encoding="utf-8")
    for line in out.read_text(encoding="utf-8").splitlines():
        jsonschema.validate(json.loads(line), schema)


def test_pipes_and_gzip_give_the_same(tmp_path: Path) -> None:
    golden = GOLDEN_OUT.read_bytes()
    piped = CliRunner().invoke(APP, ["deidentify"], input=GOLDEN_IN.read_bytes())
    assert piped.stdout_bytes == golden
    packed, out = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl.gz"
    packed.write_bytes(gzip.compress(GOLDEN_IN.read_bytes()))
    CliRunner().invoke(APP, ["deidentify", "--input", str(packed), "--output", str(out)])
    assert gzip.decompress(out.read_bytes()) == golden


def test_lines_are_read_together_and_without_the_tagger_come_at_once() -> None:
    given: list[list[str]] = []

    class Tagger:
        def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
            given.append(list(texts))
            return [[] for _ in texts]

        def find(self, folded: str) -> list[Span]:
            return self.find_all([folded])[0]

    def endless() -> Iterator[bytes]:
        yield b'{"id": 1, "text": "one"}'
        yield b'{"id": 2, "text": "two"}'
        raise EOFError  # as a file that is cut

    reader = ReadAhead(Tagger())
    lines = _given_ahead(endless(), reader)
    seen = [next(lines), next(lines)]
    with pytest.raises(EOFError):
        next(lines)
    assert given == [["one", "two"]]
    assert next(_given_ahead(endless(), None)) == seen[0]


def test_lines_that_are_read_together_come_back_in_order_as_each_alone() -> None:
    tagger = load_tagger(SHIPPED_DIR, SHIPPED_DIGEST)
    texts = [f"Seen by Dr Okafor of Leeds, day {n}." for n in range(2 * TEXTS)]
    texts[3] = "患者赵云飞诉腹痛，予奥美拉唑。" * 90  # long
    lines = [json.dumps({"id": n, "text": text}).encode() for n, text in enumerate(texts)]
    lines[5:5] = [b"", b"not json", b'{"id": 1, "text": "a\\ud800"}', b"[1]"]
    done = CliRunner().invoke(APP, ["deidentify"], input=b"\n".join(lines))
    alone = [answer(line, tagger) for line in lines if line]
    assert [json.loads(line) for line in done.stdout_bytes.splitlines()] == alone
    assert sum(found["text"] is None for found in alone) == 3


def test_spans_say_what_the_text_lost() -> None:
    line = GOLDEN_IN.read_bytes().splitlines()[0]
    said, found = json.loads(line), answer(line)
    rebuilt, position = "", 0
    for span in found["spans"]:
        rebuilt += said["text"][position : span["start"]] + "#"
        position = span["end"]
    rebuilt += said["text"][position:]
    assert rebuilt == "Ms # (MRN #) seen # by Dr. #. BP 120/80, HR 88."


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json", "not_json"),
        (b"[1]", "no_text"),
        (b'{"id": "a", "text": 3}', "no_text"),
        (b'{"text": "x"}', "no_id"),
        (b'{"id": "a", "text": "x", "known": {"NICKNAME": ["y"]}}', "known_unreadable"),
        (b'{"id": "a", "text": "x", "known": {"STAFF": ["y"]}}', "known_unreadable"),
        (b'{"id": "a", "text": "x", "known": []}', "known_unreadable"),
        (b'{"id": "a", "text": "\\ud800"}', "undecodable"),
        (b'{"id": "a", "text": "caf\xff"}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"id": "\\ud800", "text": "x"}', "no_id"),
        (b'{"id": {"a": "\\ud800"}, "text": "x"}', "no_id"),
        (b'{"id": "\\ud800", "text": 3}', "no_text"),
        (b'{"id": "a", "text": "x", "known": {"ID": ["\\ud800"]}}', "known_unreadable"),
    ],
)
def test_a_line_that_cannot_be_cleaned_is_an_answer(line: bytes, code: str) -> None:
    found = answer(line)
    assert found["text"] is None
    assert found["quarantined"] == code
    assert msgspec.json.decode(msgspec.json.encode(found))["quarantined"] == code


@pytest.mark.parametrize("style", ["marks", "surrogates"])
def test_half_a_surrogate_pair_harms_its_own_line_alone(tmp_path: Path, style: str) -> None:
    lines, report = tmp_path / "in.jsonl", tmp_path / "report.html"
    lines.write_bytes(
        b'{"id": "\\ud800", "text": "first"}\n'
        b'{"id": "b", "text": "\\ud83d second"}\n'
        b'{"id": "c", "text": "third", "known": {"ID": ["\\udfff"]}}\n'
        b'{"id": "d", "text": "Dr. Anna Vickers came."}\n'
    )
    told = ["deidentify", "--input", str(lines), "--report", str(report), "--style", style]
    done = CliRunner().invoke(APP, told)
    assert done.exit_code == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    codes = [one.get("quarantined") for one in answers]
    assert codes == ["no_id", "undecodable", "known_unreadable", None]
    assert [one["id"] for one in answers] == [None, "b", "c", "d"]
    html = report.read_text(encoding="utf-8")
    assert "\\ud83d second" in html
    assert "Anna Vickers</mark>" in html


def test_a_missing_file_and_another_style_are_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.jsonl")
    done = CliRunner().invoke(APP, ["deidentify", "--input", missing])
    assert isinstance(done.exception, FileNotFoundError)  # `main` makes one line of it
    done = CliRunner().invoke(APP, ["deidentify", "--style", "stars"])
    assert done.exit_code == 2


def test_nothing_is_written_over_what_is_read_or_was_written(tmp_path: Path) -> None:
    lines, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    line = '{"id": "a", "text": "ok"}\n'
    lines.write_text(line, encoding="utf-8")
    again = tmp_path / "again.jsonl"
    again.symlink_to(lines)
    for target, report in ((lines, None), (again, None), (out, lines), (out, out)):
        told = ["deidentify", "--rules-only", "--input", str(lines), "--output", str(target)]
        told += ["--report", str(report)] if report else []
        assert CliRunner().invoke(APP, told).exit_code == 2
        assert lines.read_text(encoding="utf-8") == line
    assert not out.exists()


def test_the_report_marks_what_was_removed_and_escapes_the_rest(tmp_path: Path) -> None:
    lines = tmp_path / "in.jsonl"
    lines.write_text(
        '{"id": "<a>", "text": "Dr. Anna Vickers: K < 3.5 & falling"}\n'
        '{"id": "b", "text": "caf\\ufffd"}\n',
        encoding="utf-8",
    )
    report, out = tmp_path / "report.html", tmp_path / "out.jsonl"
    report.touch(mode=0o644)
    told = ["deidentify", "--input", str(lines), "--output", str(out), "--report", str(report)]
    assert CliRunner().invoke(APP, told).exit_code == 0
    html = report.read_text(encoding="utf-8")
    assert 'data-kind="NAME" style="background:#ffd6d6">Anna Vickers</mark>' in html
    assert "K &lt; 3.5 &amp; falling" in html
    assert "&lt;a&gt;" in html
    assert "held back (undecodable)" in html
    assert report.stat().st_mode & 0o077 == 0


def test_surrogates_by_one_key_are_the_same_and_show_nothing(tmp_path: Path) -> None:
    key = tmp_path / "export.key"
    key.write_text(sha256(b"an export").hexdigest())
    key.chmod(0o600)
    told = ["deidentify", "--style", "surrogates", "--key", str(key), "--input", str(GOLDEN_IN)]
    one, two = (CliRunner().invoke(APP, told).stdout for _ in range(2))
    assert one == two
    texts = [json.loads(line)["text"] or "" for line in one.splitlines()]
    assert not any(
        word in text for text in texts for word in ("Vickers", "欧阳", "13812345678", "NAME-")
    )
    assert "BP 120/80" in texts[0]
    key.write_text("short")
    assert CliRunner().invoke(APP, told).exit_code == 2
