"""What is kept of texts: each in its dialect, and never more than the bound."""

from services.ingest.dialect import dialect_of
from services.ingest.kept import Kept

USUAL = dialect_of("|", "^~\\&", "utf-8")
OTHER = dialect_of("|", "~^\\&", "utf-8")


def test_a_text_is_kept_for_its_dialect_alone() -> None:
    kept = Kept[str](8)
    assert kept.put(USUAL, "a^b", "a") == "a"
    assert kept.get(OTHER, "a^b") is None
    kept.put(OTHER, "a^b", "a^b")
    kept.put(USUAL.plain, "a^b", "plain")
    found = [kept.get(one, "a^b") for one in (USUAL, OTHER, USUAL.plain, USUAL, USUAL)]
    assert found == ["a", "a^b", "plain", "a", "a"]
    assert kept.get(USUAL, "c") is None


def test_more_than_its_bound_begins_anew() -> None:
    kept = Kept[int](4)
    for number in range(4):
        kept.put(USUAL if number % 2 else OTHER, str(number), number)
    assert [kept.get(USUAL, "1"), kept.get(OTHER, "2")] == [1, 2]
    kept.put(OTHER, "4", 4)
    assert [kept.get(USUAL, "1"), kept.get(OTHER, "2"), kept.get(OTHER, "4")] == [None, None, 4]
