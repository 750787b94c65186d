"""Two bare numbers are a day where the note writes its days so, and a score where one stands."""

import pytest

from services.privacy.free_text import TextCleaner

GOES = [
    ("Seen 10/30/24. BCx 10/24 neg", "10/24"),
    ("Seen 11/05/24. BCx 11/4 NGTD", "11/4"),
    ("Seen 5 Nov 2024. ORIF ?12/11, obs ok", "12/11"),
    ("2022年3月7日入院。\n3.12全麻下手术", "3.12"),
    ("Seen 2/12/24. Restaging CT 2/10: smaller", "2/10"),
    ("Seen 3-14-24. drew CBC 3-11: blasts", "3-11"),
    ("last BM 3/10, scan tonight", "3/10"),
    ("WR 4/11/24. Duplex 3/11 neg", "3/11"),
]
STAYS = [
    ("Seen 10/30/24. Pain 3/10, better", "3/10"),
    ("Seen 11/05/24. VA 6/12 unaided", "6/12"),
    ("Seen 04/05/24. Power 4/5 throughout", "4/5"),
    ("Seen 5 Nov 2024. Linezolid 600 bd 10/7", "10/7"),
    ("2022年3月7日入院。血钾3.5，伴乏力", "3.5"),
    ("Seen 3-14-24. ferritin 3-11 before", "3-11"),
    ("Seen 2/12/24. Mini-Cog 2/5, no delirium", "2/5"),
    ("No days here. Drain 11/4 sites", "11/4"),
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_a_pair_of_the_notes_months_goes(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert goes in {text[span.start : span.end] for span in cleaned.spans}


@pytest.mark.parametrize(("text", "stays"), STAYS)
def test_a_score_dose_or_duration_stays(text: str, stays: str) -> None:
    assert stays in (TextCleaner().clean(text).text or "")
