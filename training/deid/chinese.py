"""What fills the slots of Chinese templates."""

from training.deid.chinese_names import ChineseNames
from training.deid.dates import date_zh
from training.deid.english import People
from training.deid.filler import Filler
from training.deid.grammar import Slot, from_list, marked
from training.deid.names import Locale
from training.deid.numbers import account, common_slots, phone_zh, record_number, resident_id

# ruff: noqa: E501  (lists are read more easily unbroken)
# fmt: off

def chinese_slots(
    words: dict[str, list[str]], locales: list[Locale], filler: Filler
) -> dict[str, Slot]:
    """Return the slots of Chinese templates."""
    people = People(lambda rng: rng.choice(locales))
    names = ChineseNames(words, lambda rng: rng.choice((people.full, people.first))(rng))
    slots: dict[str, Slot] = {
        "name": marked("NAME", names.full),
        "pt": marked("NAME", names.full),
        "kname": marked("NAME", names.full),
        "dr": marked("NAME", lambda r: names.full(r) if r.random() < 0.6 else names.surname(r)),
        "sn": marked("NAME", names.surname),
        "nick": marked("NAME", names.nickname),
        "place": marked("LOC", names.place),
        "addr": marked("LOC", names.address),
        "hosp": marked("LOC", names.hospital),
        "nation": marked("LOC", lambda r: r.choice(words["zh_place_foreign"])),
        "zip": marked("LOC", lambda r: str(r.randrange(100_000, 860_000))),
        "d": marked("DATE", date_zh),
        "id": marked("ID", record_number),
        "cid": marked("ID", resident_id),
        "tel": marked("PHONE", phone_zh),
        "wx": marked("ID", account),
        "mail": marked("EMAIL", lambda r: f"{account(r)}@{r.choice(('qq.com', '163.com', 'hosp.cn'))}"),
        "org": marked("ORG", lambda r: r.choice(words["zh_org"])),
        "rel": lambda r: r.choice(words["zh_relative"]),
        "w": filler.chinese,
        "rxzh": lambda r: filler.chinese(r)[:1] + r.choice(words["zh_fchars"][0]) + r.choice(("替尼", "单抗", "沙坦", "西林", "他汀", "洛尔", "地平", "霉素", "沙星", "唑", "肽", "胶囊", "颗粒", "丸", "片", "酸钠", "韦", "普利")),
        "age": lambda r: (
            f"{r.randrange(1, 90)}{r.choice(('岁', '岁', 'y', ''))}"
            if r.random() < 0.95
            else f"⟦AGE:{r.randrange(90, 104)}⟧岁"
        ),
        "dur": lambda r: f"{r.choice(('半', '1', '2', '3', '5', '10', '余'))}{r.choice(('天', '周', '月', '年', '小时', '日'))}",
    }
    for slot, group in (
        ("sym", "sym"), ("dx", "dx"), ("drug", "drug"), ("exam", "exam"), ("op", "op"), ("lab", "lab"),
        ("img_find", "img"), ("eponym", "eponym"), ("job", "job"), ("nat", "nat"),
    ):  # fmt: skip
        slots[slot] = from_list(words[f"zh_{group}"])
    return slots | common_slots("zh")
