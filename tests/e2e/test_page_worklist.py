"""What a clinician reads on the worklist, in a real browser on the real gateway."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Route, expect

from services.gateway import pages
from tests.support.page_browser import (
    NARROW,
    Visit,
    access_findings,
    lines,
    visiting,
)
from tests.support.page_people import (
    DOUBTED,
    SEPSIS,
    WARD,
    WELL,
    history,
    lab_only,
    links,
    relation,
    report,
)
from tests.support.page_server import PageServer

pytestmark = pytest.mark.browser

ZHANG, OCONNOR, WANG, ABDULLAH, MUELLER, CHEN, LI, SMITH, LIU, HADDAD, ROSSI, KIM = WARD
LATIN = re.compile(r"[A-Za-z]{3,}")
# A row flashes for 2.6 s, which a busy machine looks past: whose row did is written down.
REMEMBER_FLASHES = """() => {
  window.flashed = new Set();
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.matches(".flash")) flashed.add(target.dataset.id);
  }).observe(document.querySelector("#worklist"), { subtree: true, attributeFilter: ["class"] });
}"""


@pytest.fixture
def pushed(live: Visit) -> Visit:
    """A window on a ward in which something happens, that never asks: what it shows was pushed."""
    live.pushed_only()
    return live


def row(page: Page, token: str) -> str:
    """The row as a person reads it, in one line."""
    return " ".join(page.locator(f'tr[data-id="{token}"]').inner_text().split())


def links_to(page: Page) -> Locator:
    """The links of the rows that are shown; all of a list are drawn at once."""
    return page.locator("tr.row:not([hidden]) .row-link")


def test_the_sickest_stand_first_in_bands_of_shape_colour_and_words(visit: Visit) -> None:
    page = visit.open()
    bands = ["High", "Medium", "Low–medium", "Low", "Not scored"]
    expect(page.locator("tbody:not([hidden]) .band-name")).to_have_text(bands)
    shown = lines(links_to(page))
    assert shown[:2] == [ZHANG.name, OCONNOR.name]
    assert set(shown) == {one.name for one in WARD}
    shapes = page.locator("tbody:not([hidden]) .band-line use").evaluate_all(
        "uses => uses.map((use) => use.getAttribute('href').split('#')[1])"
    )
    assert len(set(shapes)) == 5
    colours = page.locator("tbody:not([hidden]) .band-line .tile").evaluate_all(
        "tiles => tiles.map((tile) => getComputedStyle(tile).color)"
    )
    assert len(set(colours)) == 5
    assert lines(page.locator("#bands a"))[:2] == ["High 2", "Medium 4"]


def test_a_row_says_who_where_how_ill_since_when_and_why(visit: Visit) -> None:
    page = visit.open()
    said = row(page, ZHANG.token)
    for part in ("74 y · M · 20183345", "MICU", "03", "3 of 3", "positive", "62%", "in 6 h"):
        assert part in said
    assert "Urine output" not in said  # never measured: nothing to look at
    for reason in ("qSOFA positive", "3 in one parameter", "Lactate ≥ 4 mmol/L", "Lactate 6.4"):
        assert reason in said
    age = re.search(r"(\d+) min ago", said)
    assert age is not None
    assert ZHANG.minutes_ago <= int(age[1]) <= visit.server.age_min(ZHANG)
    expect(page.locator(f'tr[data-id="{ZHANG.token}"] .c-score')).to_contain_text("rising")
    spark = page.locator(f'tr[data-id="{ZHANG.token}"] .spark')
    course = re.compile(r"^NEWS2 from \d+ to 18, \d+ scores$")
    expect(spark).to_have_attribute("aria-label", course)


def test_an_incomplete_score_shows_its_range_what_is_missing_and_how_high_it_may_be(
    visit: Visit,
) -> None:
    page = visit.open()
    said = row(page, ABDULLAH.token)
    assert "(5–13)" in said
    assert "may be High" in said
    assert "missing: Oxygen, Level of consciousness, Temperature" in said
    assert "(" not in page.locator(f'tr[data-id="{CHEN.token}"] .c-score').inner_text()


def test_what_was_sent_for_a_missing_input_and_does_not_count_is_said_with_why(live: Visit) -> None:
    now_ms = live.server.clock.now_ms()
    live.server.feed(lab_only(replace(ABDULLAH, doubted=DOUBTED), now_ms, "sodium", 140))
    odd = (("spo2", 930.0, "930 %", "implausible"),)
    live.server.feed(report(replace(ROSSI, vitals={}, doubted=odd), now_ms, 100))
    page = live.open()
    said = row(page, ABDULLAH.token)
    assert (
        "missing: Oxygen, Level of consciousness, Temperature (370 °C, not used: implausible value)"
        in said
    )
    assert "Heart rate 900 /min, not used: implausible value" in said  # an older value counts
    assert "Creatinine" not in said  # no input of the score
    marked = page.locator(f'tr[data-id="{ABDULLAH.token}"] .chip.doubted')
    expect(marked).to_have_count(2)
    expect(marked.locator(".i-unused")).to_have_count(2)
    nothing_usable = row(page, ROSSI.token)
    assert "Not scored: no usable input" in nothing_usable
    assert "SpO2 930 %, not used: implausible value" in nothing_usable
    assert access_findings(page) == []


def test_who_is_not_scored_says_why_in_words(visit: Visit) -> None:
    page = visit.open()
    assert "Not scored: no observations yet" in row(page, ROSSI.token)
    assert "Not scored: outside the scope of the scores" in row(page, KIM.token)
    assert "Admitted" in row(page, ROSSI.token)
    assert "Transferred" in row(page, WANG.token)


def test_old_data_is_marked_by_the_interval_of_its_band(visit: Visit) -> None:
    page = visit.open()
    assert "overdue" in row(page, MUELLER.token)  # 75 minutes in the medium band
    assert "overdue" not in row(page, HADDAD.token)  # 7 hours with 0 points
    assert "overdue" not in row(page, SMITH.token)  # 3 hours in the low band


def long_unseen(server: PageServer) -> None:
    """Rossi scored high 13 hours ago; since then only a sodium has come."""
    now_ms = server.clock.now_ms()
    sick = replace(ROSSI, vitals=SEPSIS, events=4, minutes_ago=13 * 60 + 5, admitted_hours_ago=30)
    server.feed(history(sick, now_ms))
    server.feed(lab_only(sick, now_ms, "sodium", 140))


def test_who_scored_high_and_was_not_measured_since_stays_up_and_says_so(pushed: Visit) -> None:
    long_unseen(pushed.server)
    page = pushed.open()
    element = page.locator(f'tbody[data-band="high"] tr[data-id="{ROSSI.token}"]')
    expect(element).to_contain_text("Last scored High 13 h ago, observations overdue")
    said = row(page, ROSSI.token)
    assert said.startswith("18 High, NEWS2 18, no trend yet 13 h ago")
    assert "Not scored" not in said
    assert "falling" not in said
    assert "missing: Respiratory rate" in said
    expect(element.locator(".c-age .overdue")).to_have_count(1)
    expect(element.locator(".tile")).to_have_css("outline-style", "dashed")
    assert access_findings(page) == []
    # What is measured again takes its place at once.
    well = replace(ROSSI, vitals=WELL, minutes_ago=0)
    pushed.server.feed(report(well, pushed.server.clock.now_ms(), 200))
    low = page.locator(f'tbody[data-band="low"] tr[data-id="{ROSSI.token}"]')
    expect(low).to_be_visible()
    expect(low).not_to_contain_text("Last scored")


def test_a_chinese_row_says_when_it_was_last_scored(browser: Browser, server: PageServer) -> None:
    long_unseen(server)
    with visiting(browser, server) as one:
        page = one.open("/?lang=zh")
        assert "上次评分高危（13 小时前），观察超时" in row(page, ROSSI.token)


def test_a_score_that_stands_has_its_age_while_real_times_are_hidden(
    browser: Browser, server: PageServer
) -> None:
    long_unseen(server)
    server.privacy.away = True
    with visiting(browser, server) as one:
        page = one.open()
        assert "Last scored High just now, observations overdue" in row(page, ROSSI.token)


def test_a_new_report_moves_its_row_at_once_and_keeps_focus_and_place(pushed: Visit) -> None:
    page = pushed.open()
    page.evaluate(REMEMBER_FLASHES)
    page.locator(f'tr[data-id="{HADDAD.token}"] .row-link').focus()
    before = page.evaluate("document.activeElement.getBoundingClientRect().top")
    worse = replace(LIU, vitals=SEPSIS)
    pushed.server.feed(report(worse, pushed.server.clock.now_ms(), 100))
    moved = page.locator(f'tbody[data-band="high"] tr[data-id="{LIU.token}"]')
    expect(moved).to_be_visible()
    assert page.evaluate("[...flashed]") == [LIU.token]
    expect(page.locator("#announcer")).to_have_text(f"{LIU.name} is now High, NEWS2 18")
    focused = page.evaluate("document.activeElement.closest('tr')?.dataset.id")
    assert focused == HADDAD.token
    assert abs(page.evaluate("document.activeElement.getBoundingClientRect().top") - before) < 3


def test_a_row_in_focus_keeps_it_while_it_moves(live: Visit) -> None:
    page = live.open()
    page.locator(f'tr[data-id="{HADDAD.token}"] .row-link').focus()
    worse = replace(HADDAD, vitals=SEPSIS, minutes_ago=1)
    live.server.feed(report(worse, live.server.clock.now_ms(), 100))
    expect(page.locator(f'tbody[data-band="high"] tr[data-id="{HADDAD.token}"]')).to_be_visible()
    assert page.evaluate("document.activeElement.closest('tr')?.dataset.id") == HADDAD.token


def test_a_band_in_focus_keeps_it_while_the_counts_change(pushed: Visit) -> None:
    page = pushed.open()
    medium = page.locator("#bands a").nth(1)
    medium.focus()
    worse = replace(LIU, vitals=SEPSIS)
    pushed.server.feed(report(worse, pushed.server.clock.now_ms(), 100))
    expect(page.locator("#bands a").first).to_have_text("High3")
    expect(medium).to_be_focused()


def test_who_is_discharged_leaves_at_once(pushed: Visit) -> None:
    page = pushed.open()
    now_ms = pushed.server.clock.now_ms()
    pushed.server.feed([relation(CHEN, now_ms + 1000, "closed")])
    expect(page.locator(f'tr[data-id="{CHEN.token}"]')).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text(f"{CHEN.name} has left the list")
    expect(page.locator("#total")).to_contain_text("11 patients")


def test_two_records_of_one_person_become_one_row_under_review(pushed: Visit) -> None:
    page = pushed.open()
    pushed.server.feed(links(SMITH, HADDAD, 1))
    expect(page.locator("tr.row")).to_have_count(11)
    expect(page.locator("#worklist")).to_contain_text("Under review")


def test_typing_narrows_the_list_and_enter_asks_for_the_whole_name(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.press("/")
    page.keyboard.type("2020")
    expect(links_to(page).get_by_text(ZHANG.name)).to_have_count(0)
    assert set(lines(links_to(page))) >= {WANG.name, ABDULLAH.name, CHEN.name}
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#q").fill("20190021")
    page.keyboard.press("Enter")
    expect(page.locator("#found a")).to_have_text([OCONNOR.name])
    page.locator("#q").fill("no such person")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_contain_text("No patient of yours")
    assert any("/v1/search" in url for url in asked)
    assert not [url for url in [*asked, page.url] if "20190021" in url or "person" in url]
    page.keyboard.press("Escape")
    expect(page.locator("tr.row:visible")).to_have_count(len(WARD))


def test_one_unit_is_chosen_and_kept(visit: Visit) -> None:
    page = visit.open()
    expect(page.locator("#unit option")).to_have_count(6)
    page.locator("#unit").select_option("MICU")
    expect(page.locator("tr.row")).to_have_count(2)
    expect(page).to_have_url(re.compile("unit=MICU"))
    page.locator("#unit").select_option("")
    expect(page.locator("tr.row")).to_have_count(len(WARD))


def test_a_viewer_sees_only_their_units(browser: Browser, ward: PageServer) -> None:
    with visiting(browser, ward, units=("CCU",)) as one:
        assert set(lines(links_to(one.open()))) == {OCONNOR.name, LIU.name}


def test_the_whole_way_by_keyboard(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(page.locator(".row-link:focus")).to_have_text(OCONNOR.name)
    outline = page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(OCONNOR.name)
    page.keyboard.press("Escape")
    expect(page.locator(".row-link:focus")).to_have_text(OCONNOR.name)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_without_a_connection_the_list_stays_grey_with_its_age(
    browser: Browser, ward: PageServer
) -> None:
    one = Visit(browser, ward)
    page = one.open()
    one.context.set_offline(True)
    expect(page.locator("[data-banner=offline]")).to_contain_text(
        "No connection. This is the list as of"
    )
    expect(page.locator("#live-word")).to_have_text("Offline")
    expect(page.locator("tr.row")).to_have_count(len(WARD))
    expect(page.locator("body")).to_have_class(re.compile(r"\boff\b"))
    one.context.set_offline(False)
    expect(page.locator("[data-banner=offline]")).to_have_count(0)
    one.context.close()


def test_without_privacy_names_and_times_are_hidden_and_the_page_says_so(
    browser: Browser, server: PageServer
) -> None:
    server.privacy.away = True
    with visiting(browser, server) as one:
        page = one.open()
        expect(page.locator("[data-banner=identity]")).to_contain_text("Identity unavailable")
        text = page.locator("#worklist").inner_text()
        for person in WARD:
            assert person.name not in text
            assert person.record_number not in text
        assert "MICU" in row(page, ZHANG.token)


def altering(page: Page, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change every list that the page is given."""

    def alter(route: Route) -> None:
        with suppress(Error):  # the window may close while an answer is on its way
            answer = route.fetch()
            if answer.status == 200:
                route.fulfill(response=answer, json=change(answer.json()))
            else:
                route.fulfill(response=answer)

    page.route("**/v1/worklist*", alter)


@pytest.mark.parametrize(
    ("changes", "banner", "said"),
    [
        ({"catching_up": {"behind_minutes": 7}}, "catching_up", "Catching up, 7 minutes behind."),
        ({"catching_up": {"behind_minutes": 0}}, "catching_up", "less than a minute behind"),
        ({"total": 450}, "cut", "choose a unit to see the rest"),
    ],
)
def test_what_is_not_as_it_should_be_stands_above_the_list(
    visit: Visit, changes: dict[str, object], banner: str, said: str
) -> None:
    altering(visit.page, lambda listed: listed | changes)
    page = visit.open()
    expect(page.locator(f"[data-banner={banner}]")).to_contain_text(said)


def test_a_reduced_model_service_is_said_on_the_row_and_above(visit: Visit) -> None:
    def reduced(listed: dict[str, Any]) -> dict[str, Any]:
        return listed | {"patients": [one | {"degraded": "cpu"} for one in listed["patients"]]}

    altering(visit.page, reduced)
    page = visit.open()
    expect(page.locator("[data-banner=degraded]")).to_contain_text("reduced service")
    assert "Reduced model service" in row(page, ZHANG.token)


def test_chinese_has_no_english_left(browser: Browser, ward: PageServer) -> None:
    with visiting(browser, ward) as one:
        page = one.open("/?lang=zh")
        bands = ["高危", "中危", "中低危", "低危", "未评分"]
        expect(page.locator("tbody:not([hidden]) .band-name")).to_have_text(bands)
        text = page.locator("body").inner_text()
        for person in WARD:
            text = text.replace(person.name, "")
        known = {"Auscult", "English", "NEWS", "qSOFA", "ICU", "MICU", "CCU", "mmol", "min", "Lin"}
        assert set(LATIN.findall(text)) - known == set()
        assert "未评分：尚无检查结果" in row(page, ROSSI.token)
        assert "乳酸 6.4 mmol/L" in row(page, ZHANG.token)
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_every_word_of_the_list_comes_from_the_strings(visit: Visit) -> None:
    marked = {key: f"⟦{text}⟧" for key, text in pages.strings("en").items()}
    visit.page.route("**/strings/en.json", lambda route: route.fulfill(json=marked))
    page = visit.open()
    texts = lines(page.locator("#worklist tbody, #bands, #total, #live-word, #live-age"))
    assert len(texts) == 5 + 4
    left = "\n".join(texts)
    while "⟦" in left:
        left, before = re.sub(r"⟦[^⟦⟧]*⟧", "", left), left
        assert left != before
    for person in WARD:
        left = left.replace(person.name, "")
    known = {"MICU", "CCU", "mmol", "min", "Lactate", "Glasgow", "coma", "score", "Urea"}
    known |= {"nitrogen", "Age", "Heart", "rate"}  # parameter names come with the data
    assert set(LATIN.findall(left)) - known == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_everybody_can_read_it(browser: Browser, ward: PageServer, theme: str, size: str) -> None:
    options = {"viewport": NARROW} if size == "narrow" else {}
    with visiting(browser, ward, color_scheme=theme, **options) as one:
        page = one.open()
        assert access_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_text_at_twice_the_size_still_fits(browser: Browser, ward: PageServer) -> None:
    half = {"width": 640, "height": 450}  # what a window of 1280 has left at 200 %
    with visiting(browser, ward, viewport=half, device_scale_factor=2) as one:
        page = one.open()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert "missing: Oxygen" in row(page, ABDULLAH.token)


def test_who_asks_for_less_motion_gets_none(browser: Browser, server: PageServer) -> None:
    with visiting(browser, server, reduced_motion="reduce") as one:
        page = one.open()
        one.server.feed(report(replace(LIU, vitals=SEPSIS), one.server.clock.now_ms(), 100))
        moved = page.locator(f'tbody[data-band="high"] tr[data-id="{LIU.token}"] td').first
        expect(moved).to_be_visible()
        assert moved.evaluate("(e) => parseFloat(getComputedStyle(e).animationDuration)") < 0.001


def test_the_ended_session_hides_the_patients(browser: Browser, server: PageServer) -> None:
    one = Visit(browser, server)
    page = one.open()
    one.context.clear_cookies()
    server.feed(report(replace(SMITH, vitals=WELL), server.clock.now_ms(), 100))
    expect(page.locator("[data-banner=session]")).to_contain_text("You are signed out")
    expect(page.locator("tr.row")).to_have_count(0)
    assert ZHANG.name not in page.locator("body").inner_text()
    one.context.close()


def test_the_ward_is_invented_and_has_every_band() -> None:
    tokens = {one.token for one in WARD}
    assert len(tokens) == len(WARD)
    assert all(re.fullmatch("[a-z]{26}", token) for token in tokens)
    assert msgspec.json.encode([one.identity() for one in WARD])
