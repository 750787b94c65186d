"""Pure: dates as people write them, in English and in Chinese, most with something left out."""

import random
from datetime import date, timedelta

# ruff: noqa: E501  (lists are read more easily unbroken)
# fmt: off

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
HAN = "〇一二三四五六七八九"
LUNAR_MONTHS = ("正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊")
LUNAR_DAYS = (
    *(f"初{one}" for one in "一二三四五六七八九十"),
    *(f"十{one}" for one in "一二三四五六七八九"),
    "二十", "廿一", "廿二", "廿三", "廿五", "廿七", "廿八", "廿九", "三十",
)  # fmt: skip
FEASTS_ZH = ("除夕", "大年初一", "春节", "清明节", "中秋节", "国庆节", "元宵节", "端午", "立冬", "冬至", "小年", "元旦", "腊八", "重阳节", "圣诞节")
FEASTS_EN = ("Christmas Day", "Boxing Day", "Easter Sunday", "New Year's Eve", "Thanksgiving", "Good Friday", "Diwali", "Bonfire Night", "Bank Holiday Monday", "4th of July")


def date_zh(rng: random.Random) -> str:
    """Return a date as it stands in a Chinese note."""
    day = _day(rng)
    year, month, number = day.year, day.month, day.day
    sign = rng.choice("-./-./／．")
    full = (
        f"{year}年{month}月{number}日", f"{year}年{month:02}月{number:02}日", f"{year}-{month:02}-{number:02}",
        f"{year}.{month}.{number}", f"{year}/{month}/{number}", f"{year % 100:02}{sign}{month}{sign}{number}",
        f"{year}{month:02}{number:02}", _han_date(day), f"{year} 年 {month} 月 {number} 日", f"民国{year - 1911}年{month}月{number}日",
    )  # fmt: skip
    part = (
        f"{month}月{number}日", f"{month}月{number}", f"{month}{sign}{number}", f"{month:02}{sign}{number:02}", f"{number}/{month}",
        f"{month}月{number}号", f"{year}年{month}月", f"{year}.{month}", f"{year}-{month:02}", f"{_han_number(month)}月{_han_number(number)}日",
        f"{_han_number(month)}月{_han_number(number)}号", f"{month}月", f"{year}年{rng.choice('春夏秋冬')}", f"{month}月{rng.choice(('初', '底', '上旬', '中旬'))}",
    )  # fmt: skip
    lunar = rng.choice(LUNAR_MONTHS) + "月" + rng.choice(LUNAR_DAYS)
    draw = rng.random()
    if draw < 0.5:
        return rng.choice(full)
    if draw < 0.9:
        return rng.choice(part)
    return rng.choice((lunar, f"农历{lunar}", f"{rng.choice('甲乙丙丁')}{rng.choice('子丑寅卯辰')}年{lunar}", rng.choice(FEASTS_ZH)))


def date_en(rng: random.Random) -> str:
    """Return a date as it stands in an English note."""
    day = _day(rng)
    year, month, number = day.year, day.month, day.day
    name = MONTHS[month - 1]
    short = name[:3]
    th = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}.get(number, "th")
    sign = rng.choice("/-.")
    full = (
        f"{number} {name} {year}", f"{name} {number}, {year}", f"{name} {number}{th}, {year}", f"{short} {number}, {year}", f"{short} {number}{th}, {year}",
        f"{number:02}{sign}{month:02}{sign}{year}", f"{month}/{number}/{year}", f"{month:02}/{number:02}/{year % 100:02}", f"{year}-{month:02}-{number:02}",
        f"{number}-{short}-{year}", f"{number} {short} {year % 100:02}", f"{number}{th} {name} {year}", f"{number}{th} of {name}, {year}", f"{short} {number} {year}", f"{number}{short.upper()}{year}", f"{year}{month:02}{number:02}",
    )  # fmt: skip
    part = (
        f"{number} {name}", f"{number}{th} {short}", f"{month}/{number}", f"{number}/{month}", f"{name} {number}", f"{short} {number}{th}",
        f"{name} {year}", f"{month:02}/{year}", f"{short} {year % 100:02}", f"the {number}{th}", f"{short}-{year}", f"early {name}", f"{name}", f"{number}.{month}", f"{short} '{year % 100:02}",
    )  # fmt: skip
    draw = rng.random()
    if draw < 0.65:
        return rng.choice(full)
    return rng.choice(part) if draw < 0.95 else rng.choice(FEASTS_EN)


def _day(rng: random.Random) -> date:
    return date(1935, 1, 1) + timedelta(days=rng.randrange(33_500) if rng.random() < 0.4 else 30_000 + rng.randrange(3_500))


def _han_date(day: date) -> str:
    year = "".join(HAN[int(digit)] for digit in str(day.year))
    return f"{year}年{_han_number(day.month)}月{_han_number(day.day)}日"


def _han_number(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{HAN[tens]}十"
    return head + (HAN[ones] if ones else "")
