"""What a layer took for somebody or somewhere and is none by what stands around it stays."""

import pytest

from services.privacy.refusing import kept
from services.privacy.spans import Span

NONE = [
    ("ADI-R and Boston Naming fine", "Boston", "LOC"),
    ("gallstones, Tokyo II today", "Tokyo", "LOC"),
    ("speaks Welsh at home", "Welsh", "LOC"),
    ("Polish interpreter booked", "Polish", "NAME"),
    ("cultures grew E. coli in two", "E", "NAME"),
    ("yeast was Candida glabrata", "Candida", "NAME"),
    ("Kerley B lines on film", "Kerley", "NAME"),
    ("rang Mum today", "Mum", "NAME"),
    ("arrived on 5 West walking", "5 West", "LOC"),
    ("seen in theatre 1305 again", "1305", "ID"),
    ("night report 2000-0730 quiet", "2000-0730", "PHONE"),
    ("recruited to NCT05388669 today", "NCT05388669", "ID"),
    ("on the 9th centile", "9th", "DATE"),
    ("Twin B was smaller", "B", "NAME"),
    ("film: rouleaux, Howell-Jolly seen", "Howell-Jolly", "NAME"),
    ("CTA主动脉夹层Stanford A型。", "Stanford", "NAME"),
    ("予司库奇尤单抗150mg", "司库奇尤", "NAME"),
    ("接诊时神清", "接诊", "NAME"),
    ("由当地卫生院转来", "当地卫生院", "LOC"),
    ("Nil else. Hypokalaemia again", "Hypokalaemia", "NAME"),
    ("moved to Rm 208 today", "Rm 208", "LOC"),
    ("from ED to 4 North rm 412-B now", "4 North rm 412-B", "LOC"),
    ("seen 0317h by reg", "0317h", "PHONE"),
    ("She came in a taxi with towels", "towels", "NAME"),
    ("Gordon sign present on the left", "Gordon", "NAME"),
    ("P: McKenzie ext, walk to N", "McKenzie", "NAME"),
    ("thyromental 5, Cormack 3 w Mac 3", "Cormack", "NAME"),
    ("Norton 14, low risk", "Norton", "NAME"),
    ("Salter 2, plaster on", "Salter", "NAME"),
    ("Fitzpatrick type IV skin", "Fitzpatrick", "NAME"),
    ("马凡综合征家族史", "马凡", "NAME"),
    ("腹软,余查体无殊", "余查体", "NAME"),
]
STAYS = [
    ("moved to Boston, works there", "Boston", "LOC"),
    ("flew in from Tokyo 3 days ago", "Tokyo", "LOC"),
    ("Mr Welsh came late", "Welsh", "NAME"),
    ("signed E. Quillfeather", "E", "NAME"),
    ("bleep 1305 for help", "1305", "PHONE"),
    ("Dr Kerley agrees with it", "Kerley", "NAME"),
    ("due on the 9th at noon", "9th", "DATE"),
    ("seen by Okafor-Jolly today", "Okafor-Jolly", "NAME"),
    ("came with nadia at noon, Tuesday", "nadia", "NAME"),
    ("came with peaches at noon", "peaches", "NAME"),
    ("予张建国单间", "张建国", "NAME"),
    ("Pt Wright 45 y/o with pain", "Wright", "NAME"),
    ("Miss Marshall 72 yrs, fall", "Marshall", "NAME"),
    ("Bed 4 Richards 67 COPD", "Richards", "NAME"),
    ("Jackson 5/12 review booked", "Jackson", "NAME"),
    ("Harris 45 yrs old", "Harris", "NAME"),
    ("Bed 3: Anderson 54 NSTEMI", "Anderson", "NAME"),
    ("bed 12 Murphy 78, CCF", "Murphy", "NAME"),
    ("Hunter line manager aware", "Hunter", "NAME"),
    ("genius engineer Keith 24.6. Pt's son", "Keith", "NAME"),
    ("candy too. baby Robin 11 d, 3620 g", "Robin", "NAME"),
    ("Hughes ext 4455", "Hughes", "NAME"),
    ("Gordon test results pending", "Gordon", "NAME"),
    ("Mrs Hill's disease progressed", "Hill", "NAME"),
    ("Sr Ferguson grade 7 nurse", "Ferguson", "NAME"),
    ("with Taylor-Young, who agrees", "Taylor-Young", "NAME"),
    ("Ms Fraser-Ward attended", "Fraser-Ward", "NAME"),
    ("BP ok, seen by dr plumber", "plumber", "NAME"),
    ("Lives w/ partner peaches, BP 120/70", "peaches", "NAME"),
    ("遵嘱给妞妞颗粒冲服", "妞妞", "NAME"),
    ("给李秀兰胰岛素治疗", "李秀兰", "NAME"),
    ("嘱予王芳胰岛素治疗", "予王芳", "NAME"),
    ("给小宇口服液一支", "小宇", "NAME"),
    ("给陈国强降压片", "陈国强", "NAME"),
    ("患者马凡,男", "马凡", "NAME"),
    ("家住马尾,捕鱼", "马尾", "LOC"),
    ("在中环上班", "中环", "LOC"),
    ("患者姓名:平车", "平车", "NAME"),
    ("上级医师余查体后同意", "余", "NAME"),
    ("上级医师余查体后同意", "余查体", "NAME"),
]


def _kept(text: str, found: str, label: str) -> bool:
    start = text.index(found)
    return bool(list(kept(text, [Span(start, start + len(found), label)])))


@pytest.mark.parametrize(("text", "found", "label"), NONE)
def test_what_identifies_nobody_is_refused(text: str, found: str, label: str) -> None:
    assert not _kept(text, found, label)


@pytest.mark.parametrize(("text", "found", "label"), STAYS)
def test_what_may_be_somebody_is_kept(text: str, found: str, label: str) -> None:
    assert _kept(text, found, label)
