"""What is written in numbers: record numbers, telephones, accounts, values."""

import random
from datetime import date, timedelta

from training.deid.grammar import Slot
from training.deid.names import Locale

# ruff: noqa: E501  (lists are read more easily unbroken)
# fmt: off

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def common_slots(lang: str) -> dict[str, Slot]:
    """Return the slots of numbers that identify nobody."""
    times = ("qd", "bid", "tid", "q12h", "每日1次", "每晚1次", "st") if lang == "zh" else ("od", "bd")
    return {
        "n": lambda r: str(r.randrange(1, 99)),
        "abbr": _abbreviation,
        "val": _value,
        "bed": lambda r: f"{r.randrange(1, 60):02}" if r.random() < 0.7 else f"+{r.randrange(1, 9)}",
        "temp": lambda r: f"{r.uniform(35.5, 40.5):.1f}",
        "bp": lambda r: f"{r.randrange(80, 210)}/{r.randrange(40, 120)}",
        "dose": lambda r: f"{r.choice(('0.5', '1', '2.5', '5', '10', '20', '40', '75', '100', '500'))}{r.choice(('mg', 'g', ' mg', 'ml', 'mcg', 'IU', 'U'))}",
        "freq": lambda r: r.choice(times),
        "clock": lambda r: f"{r.randrange(24):02}:{r.randrange(60):02}",
    }


def record_number(rng: random.Random) -> str:
    """Return a number of a record, sample, device or card."""
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randrange(4, 12)))
    cut = rng.randrange(2, len(digits) - 1)
    letters = "".join(rng.choice(CAPITALS) for _ in range(rng.randrange(1, 4)))
    return rng.choice(
        (digits, digits, f"{letters}{digits}", f"{letters}-{digits}", f"{digits[:cut]}-{digits[cut:]}",
         f"{letters}{digits[:cut]}-{digits[cut:]}", f"{digits}{letters[:1]}", f"{letters}{digits[:4]}-{digits[-4:]}-{digits[:2]}",
         f"{letters} {digits}", f"{letters[:1].lower()}{letters}{digits[:2]}-{digits}", f"{digits[:4]}/{digits[-4:]}")
    )  # fmt: skip


def number_en(rng: random.Random) -> str:
    """Return a number as English-speaking countries write them: social security, NHS, IBAN."""
    def run(count: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(count))

    return rng.choice(
        (f"{run(3)}-{run(2)}-{run(4)}", f"{run(3)} {run(3)} {run(4)}", run(16), f"{run(4)} {run(4)} {run(4)} {run(4)}",
         f"GB{run(2)}ABCD{run(14)}", f"{rng.choice(CAPITALS)}{run(8)}", run(9), f"{run(2)}-{run(7)}", f"{rng.choice(CAPITALS)}{rng.choice(CAPITALS)}{run(2)} {rng.choice(CAPITALS)}{rng.choice(CAPITALS)}{rng.choice(CAPITALS)}")
    )  # fmt: skip


def resident_id(rng: random.Random) -> str:
    """Return a number with the form of a resident identity card."""
    born = date(1930, 1, 1) + timedelta(days=rng.randrange(33_000))
    number = f"{rng.randrange(110_000, 660_000)}{born:%Y%m%d}{rng.randrange(1000):03}{rng.choice('0123456789Xx')}"
    return number if rng.random() < 0.85 else f"{number[:6]} {number[6:14]} {number[14:]}"


def phone_zh(rng: random.Random) -> str:
    """Return a Chinese telephone number."""
    mobile = f"1{rng.randrange(3, 10)}{rng.randrange(10**9):09}"
    line = f"{rng.choice(('010', '021', '0512', '0991', '0471', '0877'))}{rng.choice(('-', '', ' '))}{rng.randrange(2_000_000, 89_999_999)}"
    return rng.choice((mobile, mobile, f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}", f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", line, line + f"转{rng.randrange(100, 9999)}", f"+86 {mobile}"))


def phone_en(rng: random.Random, locale: Locale) -> str:
    """Return a telephone number of some country, or an extension."""
    a, b, c = rng.randrange(201, 990), rng.randrange(200, 999), rng.randrange(10_000)
    return rng.choice(
        (rng.choice(locale.phone), rng.choice(locale.phone), f"({a}) {b}-{c:04}", f"{a}-{b}-{c:04}", f"{a}.{b}.{c:04}",
         f"0{rng.randrange(1000, 8000)} {rng.randrange(100_000, 999_999)}", f"07{rng.randrange(100, 999)} {rng.randrange(100_000, 999_999)}", f"ext {c:04}", f"+44 20 {rng.randrange(7000, 8999)} {c:04}")
    )  # fmt: skip


def account(rng: random.Random) -> str:
    """Return the name of an account."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    word = "".join(rng.choice(letters) for _ in range(rng.randrange(3, 9)))
    return rng.choice((word, f"{word}{rng.randrange(1000)}", f"{word}_{rng.choice(letters)}{rng.randrange(99)}", f"{word}-{word[::-1]}"))


def _abbreviation(rng: random.Random) -> str:
    letters = "".join(rng.choice(CAPITALS) for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5))))
    if rng.random() < 0.25:
        letters = letters[0] + letters[1:].lower()
    return letters + rng.choice(("", "", "", "", str(rng.randrange(1, 20)), f"-{rng.randrange(1, 90)}", f"{rng.randrange(100, 999)}{rng.choice(CAPITALS)}", "s", "/" + rng.choice(CAPITALS) * 2, f"-{rng.randrange(1, 9)}{rng.choice(CAPITALS)}"))


def _value(rng: random.Random) -> str:
    return rng.choice(
        (str(rng.randrange(1, 400)), f"{rng.uniform(0, 60):.1f}", f"{rng.uniform(0, 9):.2f}", f"{rng.randrange(5, 99)}%", f"{rng.randrange(1, 6)}/{rng.randrange(2, 7)}", f"{rng.randrange(2, 15)}-{rng.randrange(15, 40)}", f"{rng.randrange(1, 7)}/7", f"{rng.randrange(1, 300)} {rng.choice(('mg', 'mm', 'ml', 'U/L', 'mmol/L', 'cm', 'h', 'd', 'wk', 'min'))}", f"<{rng.randrange(1, 10)}", f"{rng.randrange(1, 9)}.{rng.randrange(1, 9)}x{rng.randrange(1, 9)}.{rng.randrange(1, 9)}cm", f"{rng.randrange(1900, 2500)}")
    )  # fmt: skip
