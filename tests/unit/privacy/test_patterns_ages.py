"""Ages of 90 and over in words, years of birth, last digits of numbers, places in degrees."""

import pytest

from services.privacy.free_text import TextCleaner

CLEANER = TextCleaner()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aged ninety-four", "aged [AGE-1]"),
        ("Aged Ninety Four, frail", "Aged [AGE-1], frail"),
        ("age: ninety two", "age: [AGE-1]"),
        ("a man of ninety-one", "a man of [AGE-1]"),
        ("She is ninety seven", "She is [AGE-1]"),
        ("she’s now ninety-one and frail", "she’s now [AGE-1] and frail"),
        ("Over ninety, lives alone", "Over [AGE-1], lives alone"),
        ("a lady well over ninety", "a lady well over [AGE-1]"),
        ("now in her early nineties", "now in her [AGE-1]"),
        ("in her 90s", "in her [AGE-1]"),
        ("a hundred and two years old", "[AGE-1] years old"),
        ("she is one hundred and three", "she is [AGE-1]"),
        ("on her ninety-fifth birthday", "on her [AGE-1] birthday"),
        ("on her 95th birthday", "on her [AGE-1] birthday"),
        ("ninety-three y/o lady", "[AGE-1] y/o lady"),
        ("93-year-old", "[AGE-1]-year-old"),
        ("Age/Sex: 94/M", "Age/Sex: [AGE-1]/M"),
        ("九十三岁", "[AGE-1]岁"),
        ("年逾九旬", "[AGE-1]"),
        ("九十余岁", "[AGE-1]岁"),
        ("年过九十,独居", "年过[AGE-1],独居"),
        ("患者老母九十四了", "患者老母[AGE-1]了"),
    ],
)
def test_an_age_of_90_and_over_in_words_goes(text: str, expected: str) -> None:
    assert CLEANER.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "aged eighty-nine, a man of seventy, in her eighties, on her 89th birthday",
        "ninety mg twice a day; over ninety percent of it; wait ninety minutes",
        "She is ninety percent better, he was ninety kilos, pt is ninety minutes post op",
        "she is ninety-two kilos and was ninety-two percent on room air",
        "BP one forty over ninety, sats over ninety, pulse ninety-two",
        "he was ninety-four on two litres; turned ninety degrees; ninety-fifth centile",
        "she is one hundred percent sure; he is a hundred and eighty pounds",
        "in the nineties; sats in the 90s; a man of few words",
        "血压九十/六十,心率九十,九十毫克,九十分钟,血红蛋白九十六,百分之九十",
        "老人九十斤,八十九岁,年近七十",
    ],
)
def test_other_ages_and_quantities_stay(text: str) -> None:
    assert CLEANER.clean(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SSN xxx-xx-6582", "SSN [ID-1]"),
        ("***-**-6582 on file", "[ID-1] on file"),
        ("XXXX-XXXX-XXXX-6582", "[ID-1]"),
        ("**** **** **** 6582", "[ID-1]"),
        ("SSN, last four 6582", "SSN, last four [ID-1]"),
        ("(last 4 6582) veteran", "(last 4 [ID-1]) veteran"),
        ("last four digits of her social are 6582", "last four digits of her social are [ID-1]"),
        ("SSN ending in 6582", "SSN ending in [ID-1]"),
        ("paid by card ending 2024", "paid by card ending [ID-1]"),
        ("acct ending in 6582.", "acct ending in [ID-1]."),
        ("身份证后四位6582", "身份证后四位[ID-1]"),
    ],
)
def test_the_last_digits_of_a_number_go(text: str, expected: str) -> None:
    assert CLEANER.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "last four 1200 ml bags; last 4 3210, 3180, 3150; last four: 120/80; last 5 2019",
        "op ending 1450; course ending in 2019; insurance ending 2024; attending 1234",
        "**2019** review; **** 2019 ****; karyotype 47,XXX 2019",
    ],
)
def test_other_ends_stay(text: str) -> None:
    assert CLEANER.clean(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("born 1931", "born [DATE-1]"),
        ("Born: 1931", "Born: [DATE-1]"),
        ("born in 1931, stent 2019", "born in [DATE-1], stent 2019"),
        ("born in nineteen thirty-one", "born in [DATE-1]"),
        ("b. 1931", "b. [DATE-1]"),
        ("YOB 1931", "YOB [DATE-1]"),
        ("year of birth: 1931", "year of birth: [DATE-1]"),
        ("1931年生", "[DATE-1]生"),
        ("1931年出生", "[DATE-1]出生"),
        ("生于一九三一年", "生于[DATE-1]"),
        ("出生年份:1931", "出生年份:[DATE-1]"),
    ],
)
def test_a_year_of_birth_goes(text: str, expected: str) -> None:
    assert CLEANER.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "since 1931; retired in 1962; stent 2019; hepatitis b. 2019 vaccine",
        "newborn 2019 g; born 2010 g; born 2013h; born at 1945",
        "2020年生化检查,2019年生育一子,发生于2019年,出生2010g,1931年建院",
    ],
)
def test_other_years_stay(text: str) -> None:
    assert CLEANER.clean(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at 39°54'N 116°24'E", "at [LOC-1]"),
        ("39°54′20″N, 116°24′12″E by crew", "[LOC-1] by crew"),
        ("39.9042° N, 116.4074° E", "[LOC-1]"),
        ("N39°54' E116°24'", "[LOC-1]"),
        ("GPS 39.9042, -116.4074", "GPS [LOC-1]"),
        ("北纬39度54分,东经116度24分", "[LOC-1]"),
    ],
)
def test_a_place_in_degrees_goes(text: str, expected: str) -> None:
    assert CLEANER.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "dorsal tilt 20°, axis 58°, 34.5°C pool, Bohler L 4° R 15°, 40° S1, rotated 180° N",
        "38.5° C, 20°30' flexion",
    ],
)
def test_angles_and_temperatures_stay(text: str) -> None:
    assert CLEANER.clean(text).text == text
