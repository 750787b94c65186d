import pytest

from services.privacy.spans import Span
from services.privacy.trimming import parted, trimmed, with_initials


@pytest.mark.parametrize(
    ("found", "label", "left"),
    [
        ("Dr Okafor", "NAME", "Okafor"),
        ("RN Dr. Okafor", "NAME", "Okafor"),
        ("Drew", "NAME", "Drew"),
        ("PCP Okafor, APRN", "NAME", "Okafor"),
        ("R Okafor ST2", "NAME", "R Okafor"),
        ("Okafor's", "NAME", "Okafor"),
        ("patel r", "NAME", "patel r"),
        ("Okafor r", "NAME", "Okafor"),
        ("niamh Okafor", "NAME", "niamh Okafor"),
        ("reviewing Okafor", "NAME", "Okafor"),
        ("seen by niamh Okafor", "NAME", "niamh Okafor"),
        ("Okafor niamh reviewed", "NAME", "Okafor niamh"),
        ("te Water", "NAME", "te Water"),
        ("Reg Hartnell", "NAME", "Reg Hartnell"),
        ("侄乌云其其格", "NAME", "乌云其其格"),
        ("母何采薇", "NAME", "何采薇"),
        ("司徒主任", "NAME", "司徒"),
        ("其表弟仁青", "NAME", "仁青"),
        ("白雪之女", "NAME", "白雪"),
        ("彩超 Priya", "NAME", "Priya"),
        ("lot DX7-4002", "ID", "DX7-4002"),
        ("the Friarage", "LOC", "Friarage"),
        ("Letterkenny Hospital AMAU", "LOC", "Letterkenny Hospital"),
        ("AMU Tullamore", "LOC", "Tullamore"),
        ("Belgaum KLE", "LOC", "Belgaum KLE"),
        ("岑总", "NAME", "岑"),
        ("ext 4747", "PHONE", "4747"),
        ("SN DX7-4002", "ID", "DX7-4002"),
        ("SN8812047", "ID", "SN8812047"),
        ("11/05/24 0212", "DATE", "11/05/24"),
        ("Sept 5 2024", "DATE", "Sept 5 2024"),
        ("除夕晚", "DATE", "除夕"),
        ("平安夜", "DATE", "平安夜"),
        ("现居平遥县", "LOC", "平遥县"),
        ("自贡市", "LOC", "自贡市"),
        ("平遥襄垣人", "LOC", "平遥襄垣"),
        ("室友李桂芳", "NAME", "李桂芳"),
        ("李桂芳", "NAME", "李桂芳"),
        ("MRN 0098231", "ID", "0098231"),
        ("NPI1033126885", "ID", "1033126885"),
        ("3 May 2024 02:10", "DATE", "3 May 2024"),
        ("14/08 1530h", "DATE", "14/08"),
        ("2024-03-05 02:10:33", "DATE", "2024-03-05 02:10:33"),
        ("March 2024", "DATE", "March 2024"),
        ("Dr Gray Road", "LOC", "Dr Gray Road"),
        ("Deacon Okafor", "NAME", "Okafor"),
        ("Fiancée Ngozi Okafor", "NAME", "Ngozi Okafor"),
        ("Marlene Okafor ARNP", "NAME", "Marlene Okafor"),
        ("Owen Okafor contactable", "NAME", "Owen Okafor"),
        ("chase Okafor", "NAME", "Okafor"),
        ("de la Cruz", "NAME", "de la Cruz"),
        ("Ngozi van der Merwe", "NAME", "Ngozi van der Merwe"),
        ("KIM OKAFOR", "NAME", "KIM OKAFOR"),
        ("GRID 7740 2241", "ID", "7740 2241"),
        ("1602 Nov 14", "DATE", "Nov 14"),
        ("week of 8 April", "DATE", "8 April"),
        ("Ballard center", "LOC", "Ballard"),
        ("St. Joe's", "LOC", "St. Joe's"),
        ("96yo", "AGE", "96"),
        ("已发snake_hn@126.example", "EMAIL", "snake_hn@126.example"),
        ("(share bea.holl@post.example", "EMAIL", "bea.holl@post.example"),
        ("j.smith @ ward.example", "EMAIL", "j.smith @ ward.example"),
        ("王伟@mail.example", "EMAIL", "王伟@mail.example"),
        ("Houston TX", "LOC", "Houston TX"),
        ("https://pan.example/s/8fK2q,密码略", "URL", "https://pan.example/s/8fK2q,"),
    ],
)
def test_titles_cues_and_times_stay(found: str, label: str, left: str) -> None:
    text = f"x {found} y"
    span = trimmed(text, Span(2, 2 + len(found), label))
    assert text[span.start : span.end] == left
    assert span.label == label


def test_a_name_ends_where_the_sentence_goes_on() -> None:
    text = "主治邬查房,蓝天。O'Hara, J"

    def parts(start: int, end: int, label: str = "NAME") -> list[str]:
        return [text[p.start : p.end] for p in parted(text, Span(start, end, label))]

    assert parts(2, 9) == ["邬查房", "蓝天"]
    assert parts(9, len(text)) == ["O'Hara, J"]
    assert parts(2, 9, "LOC") == ["邬查房,蓝天。"]


@pytest.mark.parametrize(
    ("text", "name", "whole"),
    [
        ("Crew M Tuck, para", "Tuck", "M Tuck"),
        ("bed 6: CHURCH W, 96", "CHURCH", "CHURCH W"),
        ("path J-L. Gagnon (PA)", "Gagnon", "J-L. Gagnon"),
        ('labelled "Hart, S"', "Hart", "Hart, S"),
        ("Olivia Pruitt, MD\n", "Pruitt", "Pruitt"),
        ("S/N Bisi took over", "Bisi", "Bisi"),
        ("Mrs Weber R knee", "Weber", "Weber"),
        ("saw R Weber type", "Weber", "Weber"),
    ],
)
def test_an_initial_beside_a_name_goes_with_it(text: str, name: str, whole: str) -> None:
    start = text.index(name)
    span = with_initials(text, Span(start, start + len(name), "NAME"))
    assert text[span.start : span.end] == whole
