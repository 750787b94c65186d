"""What a clinician reads and does on a patient's page, the help and the sign-in."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from contracts.reviewed import REVIEWED
from services.gateway import pages
from tests.support.page_browser import (
    NARROW,
    Visit,
    access_findings,
    at_rest,
    lines,
    visiting,
)
from tests.support.page_people import (
    DOUBTED,
    MINUTE_MS,
    SEPSIS,
    WARD,
    WELL,
    history,
    lab_only,
    report,
)
from tests.support.page_screenshots import SHOTS, take
from tests.support.page_server import PageServer, wait_until

pytestmark = pytest.mark.browser

ZHANG, OCONNOR, WANG, ABDULLAH, MUELLER, CHEN, LI, SMITH, LIU, HADDAD, ROSSI, KIM = WARD
LATIN = re.compile(r"[A-Za-z]{3,}")
CLOCK = r"(?:\d+ \w+,? )?\d\d:\d\d"  # with the day where that is not today


def patient(visit: Visit, token: str, query: str = "") -> Page:
    page = visit.open(f"/patients/{token}{query}")
    page.wait_for_selector("#charts .strip")
    at_rest(page)
    return page


def look_again(page: Page) -> None:
    """Have the page ask for the patient now."""
    with page.expect_response("**/v1/patients/*"):
        page.evaluate("dispatchEvent(new Event('online'))")


def text(page: Page, selector: str) -> str:
    return " ".join(page.locator(selector).inner_text().split())


def test_who_where_and_since_when(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    said = text(page, "#who")
    for part in ("Zhang Wei", "74 y · male · Record 20183345", "MICU 03", "Admitted"):
        assert part in said
    newest = re.search(r"Newest data (\d+) min ago", said)
    assert newest is not None
    assert ZHANG.minutes_ago <= int(newest[1]) <= visit.server.age_min(ZHANG)
    expect(page).to_have_title("Patient · Auscult")  # no name in the browser's history


def test_the_score_shows_each_part_with_its_value_and_points(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    rows = [
        "Respiratory rate 27 /min 3",
        "SpO2 91% 3",
        "Oxygen 8 L/min 2",
        "Systolic pressure 88 mmHg 3",
        "Heart rate 128 /min 2",
        "Consciousness V 3",
        "Temperature 39.2 °C 2",
    ]
    # A redraw may come between finding the rows and reading them: they are read until they fit.
    expect(page.locator("#news2 tbody tr")).to_have_text(rows, use_inner_text=True)
    assert "High 18" in text(page, "#news2")
    assert "3 of 3 positive" in text(page, "#qsofa")


def test_what_is_missing_is_said_and_not_guessed(visit: Visit) -> None:
    page = patient(visit, ABDULLAH.token)
    said = text(page, "#news2")
    assert "5 (5–13)" in said
    assert "may be High" in said
    assert "Temperature not measured" in said
    assert "No ICU risk: not in intensive care" in text(page, "#risk")
    expect(page.locator("#why")).to_be_hidden()


def test_a_score_that_stands_is_told_with_its_age_and_each_part_with_its_own(live: Visit) -> None:
    now_ms = live.server.clock.now_ms()
    sick = replace(ROSSI, vitals=SEPSIS, events=4, minutes_ago=13 * 60 + 5, admitted_hours_ago=30)
    live.server.feed(history(sick, now_ms))
    live.server.feed(lab_only(sick, now_ms, "sodium", 140))
    page = patient(live, ROSSI.token)
    said = text(page, "#news2")
    assert "High 18" in said
    assert "Last scored High 13 h ago, observations overdue" in said
    assert "falling" not in said
    assert "Heart rate last 13 h ago" in said
    assert "missing: Respiratory rate" in said
    assert "overdue" in text(page, "#who")
    assert access_findings(page) == []


def test_what_is_doubted_is_shown_as_sent_with_its_reason_and_age(live: Visit) -> None:
    odd = replace(ABDULLAH, doubted=DOUBTED)
    at_ms = live.server.clock.now_ms() - 5 * MINUTE_MS
    live.server.feed(lab_only(odd, at_ms, "sodium", 140))
    page = patient(live, ABDULLAH.token)
    expect(page.locator("#doubted tbody tr")).to_have_count(3)
    rows = lines(page.locator("#doubted tbody tr"))
    time = f" {CLOCK} · 5 min ago"
    for said, expected in zip(
        rows,
        (
            r"Heart rate 900 /min, not used: implausible value",
            r"Temperature 370 °C, not used: implausible value",
            r"Creatinine 88 furlong, not used: unit unknown",
        ),
        strict=True,
    ):
        assert re.search(expected + time, said), said
    parts = text(page, "#news2 .parts")
    assert "Temperature 370 °C, not used: implausible value" in parts  # not: "not measured"
    assert re.search(r"Heart rate 114 /min 900 /min, not used: implausible value 2", parts)
    expect(page.locator("#doubted .doubt .icon")).to_have_count(3)  # told by a shape too
    assert "900" not in text(page, "#charts")
    assert access_findings(page) == []
    live.server.feed(lab_only(ABDULLAH, at_ms, "sodium", 140, order=300))
    expect(page.locator("#doubted")).to_be_hidden()


def test_what_is_of_a_month_alone_is_shown_with_that_and_no_day(live: Visit) -> None:
    old = replace(ABDULLAH, doubted=(("albumin", 4.0, "4 g/dL", "time_coarse"),))
    live.server.feed(lab_only(old, live.server.clock.now_ms(), "sodium", 140))
    page = patient(live, ABDULLAH.token)
    (said,) = lines(page.locator("#doubted tbody tr"))
    assert said == "Albumin 4 g/dL, not used: dated by a year or month alone 2019-03"
    assert access_findings(page) == []


def test_what_is_doubted_is_told_in_chinese_and_fits_a_phone(
    browser: Browser, redis_url: str, tmp_path: Path
) -> None:
    with PageServer(redis_url, tmp_path).running() as server:
        server.fill()
        odd = replace(ABDULLAH, doubted=DOUBTED)
        server.feed(lab_only(odd, server.clock.now_ms(), "sodium", 140))
        with visiting(browser, server, viewport=NARROW, color_scheme="dark") as one:
            page = patient(one, ABDULLAH.token, "?lang=zh")
            expect(page.locator("#doubted tbody tr")).to_have_count(len(DOUBTED))
            said = text(page, "#doubted")
            assert "心率 900 /min，未采用：数值不合理" in said
            assert "肌酐 88 furlong，未采用：单位未知" in said
            assert set(LATIN.findall(said)) == {"min", "furlong"}
            assert access_findings(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_risk_stands_beside_the_average_with_its_reasons(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    said = text(page, "#risk")
    for part in ("62%", "Average patient of the model 14%", "up", "points in 6 h", "1.0.0"):
        assert part in said
    first = " ".join(page.locator("#why tbody tr").first.inner_text().split())
    assert re.fullmatch(rf"Lactate 6\.4 mmol/L at {CLOCK} odds ×2\.27 raises the risk", first)
    lowers = page.locator("#why tr.lowers")
    assert "Potassium" in lowers.first.inner_text()
    expect(page.locator("#why .bar-rect")).not_to_have_count(0)
    boxes = page.locator("#why .bar-rect").evaluate_all("es => es.map((e) => e.getBBox().width)")
    assert boxes[0] == max(boxes)
    foot = text(page, "#why .footnote")
    assert "0.003 of the log-odds unexplained" in foot
    assert "27% of the inputs were not measured; the model reads each as not measured" in foot
    second = " ".join(page.locator("#why tbody tr").nth(1).inner_text().split())
    assert second == "Urine output not measured odds ×2.01 raises the risk"


def test_the_course_is_read_at_one_time_by_keyboard(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    strips = lines(page.locator(".strip-name"))  # all are drawn at once, and patient() saw one
    assert strips[:2] == ["NEWS2", "ICU risk"]
    assert {"Heart rate", "Blood pressure", "SpO2", "Temperature"} <= set(strips)
    slider = page.locator("#scrub input")
    slider.focus()
    page.keyboard.press("Home")
    first = re.compile(r"\d\d:\d\d, NEWS2 \d+, ICU risk [\d.]+%, Heart rate \d+ /min")
    expect(slider).to_have_attribute("aria-valuetext", first)
    heart_rate = page.locator(".strip-heart_rate .reading")
    expect(heart_rate).not_to_have_text("128")
    page.keyboard.press("End")
    expect(heart_rate).to_have_text("128")
    expect(page.locator(".cursor").first).to_have_attribute("visibility", "visible")


def test_the_course_is_read_with_the_mouse_on_all_strips_at_once(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    box = page.locator(".strip-bp svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    strips = page.locator(".strip-name").count()
    expect(page.locator(".cursor[visibility=visible]")).to_have_count(strips)
    expect(page.locator(".cursor")).to_have_count(strips)
    heart_rate = page.locator(".strip-heart_rate .reading")
    expect(heart_rate).not_to_have_text("128")
    page.mouse.move(5, 5)
    expect(heart_rate).to_have_text("128")


def test_the_same_stands_in_a_table(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    page.locator("#table summary").click()
    heads = page.locator("#table thead th")
    expect(heads.first).to_have_text("Time")  # the table comes a moment after the click
    wanted = {"NEWS2", "ICU risk", "Heart rate /min", "Systolic pressure mmHg"}
    assert wanted <= set(lines(heads))
    newest = page.locator("#table tbody tr").first.locator("td")
    expect(newest.nth(0)).to_have_text("18")
    expect(newest.nth(1)).to_have_text("62%")
    page.locator('input[name="window"][value="6"]').check()
    rows = page.locator("#table tbody tr")
    wait_until("the table has the last 6 h alone", lambda: 0 < rows.count() <= 9)


def test_an_open_table_takes_what_comes_and_stays_open(live: Visit) -> None:
    page = patient(live, CHEN.token)
    summary = page.locator("#table summary")
    summary.press("Enter")
    newest = page.locator("#table tbody tr").first.locator("td").first
    expect(newest).to_have_text("5")
    live.server.feed(report(replace(CHEN, vitals=WELL), live.server.clock.now_ms(), 100))
    expect(newest).to_have_text("0")
    expect(page.locator("#table")).to_have_attribute("open", "")
    expect(summary).to_be_focused()


def test_an_override_needs_a_reason_and_is_sent_once(live: Visit) -> None:
    page = patient(live, ZHANG.token)
    page.get_by_role("button", name="Override").click()
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#decision input:invalid")).not_to_have_count(0)
    assert live.server.records(REVIEWED.name) == []  # no reason, nothing sent
    page.get_by_label("A measurement is wrong").check()
    page.get_by_role("button", name="Record").click()
    expect(page.locator(".done")).to_contain_text("A measurement is wrong")
    (record,) = live.server.records(REVIEWED.name)
    assert record.value is not None
    review = REVIEWED.decode(record.value)
    assert (review.decision, review.reason) == ("overridden", "measurement_wrong")
    assert review.token == ZHANG.token


def test_sending_again_records_once_and_another_reason_is_another_try(
    browser: Browser, redis_url: str, tmp_path: Path
) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    with PageServer(redis_url, tmp_path).running() as server:
        server.fill()
        one = Visit(browser, server)
        page = patient(one, ZHANG.token)
        page.route("**/review*", lose_the_answer, times=2)
        page.get_by_role("button", name="Override").click()
        page.get_by_label("A measurement is wrong").check()
        for _ in range(2):  # recorded, but the page cannot know
            with page.expect_event("requestfailed", lambda failed: "/review" in failed.url):
                page.get_by_role("button", name="Record").click()
            expect(page.locator("#decision")).to_contain_text("Not recorded")
        assert len(server.records(REVIEWED.name)) == 1
        page.get_by_label("Already being treated").check()
        page.get_by_role("button", name="Record").click()
        expect(page.locator(".done")).to_contain_text("Already being treated")
        reviews = [REVIEWED.decode(r.value or b"") for r in server.records(REVIEWED.name)]
        assert [one.reason for one in reviews] == ["measurement_wrong", "already_treated"]
        assert len({one.review_id for one in reviews}) == 2
        one.context.close()


def test_a_newer_report_closes_an_open_decision(live: Visit) -> None:
    page = patient(live, CHEN.token)
    page.get_by_role("button", name="Accept").click()
    chosen = page.locator("#decision input:checked")
    expect(chosen).to_have_attribute("value", "agrees_with_assessment")
    expect(chosen).to_be_focused()
    live.server.feed(report(replace(CHEN, vitals=WELL), live.server.clock.now_ms(), 100))
    expect(page.locator("#decision")).to_contain_text("A newer report has come in")
    expect(page.locator("#decision form")).to_have_count(0)
    expect(
        page.locator("#decision")
    ).to_be_focused()  # and no button: a key pressed now does nothing
    assert live.server.records(REVIEWED.name) == []
    expect(page.locator("#news2 .band-word")).to_contain_text("Low")


def test_an_open_decision_keeps_the_reason_and_focus_while_decisions_close_and_open(
    visit: Visit,
) -> None:
    closed = [True]

    def close(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"decisions_open": not closed[0]})

    page = patient(visit, ZHANG.token)
    page.get_by_role("button", name="Accept").click()
    chosen = page.get_by_label("I have acted already")
    chosen.check()
    page.route("**/v1/patients/*", close)
    for state in (True, False):
        closed[0] = state
        look_again(page)
        expect(page.locator("#decision").get_by_text("Decisions are off")).to_have_count(int(state))
        expect(chosen).to_be_checked()
        expect(chosen).to_be_focused()


def test_without_privacy_no_name_and_no_decision(
    browser: Browser, redis_url: str, tmp_path: Path
) -> None:
    with PageServer(redis_url, tmp_path).running() as server:
        server.fill()
        server.privacy.away = True
        with visiting(browser, server) as one:
            page = patient(one, ZHANG.token)
            expect(page.locator("#banners")).to_contain_text("Identity unavailable")
            assert ZHANG.name not in page.locator("body").inner_text()
            expect(page.get_by_role("button", name="Accept")).to_be_disabled()
            assert "−" in text(page, ".axis-row")  # times count back from the newest value


@pytest.mark.parametrize("units", [("CCU",), ("W1",)])
def test_a_foreign_and_an_unknown_patient_look_the_same(
    browser: Browser, ward: PageServer, units: tuple[str, ...]
) -> None:
    seen = []
    for token in (ZHANG.token, "z" * 26):
        one = Visit(browser, ward, units=units)
        one.page.goto(f"{ward.url}/patients/{token}")
        expect(one.page.locator("#glass")).to_contain_text("no such patient")
        seen.append(one.page.locator("main").inner_text())
        one.context.close()
    assert seen[0] == seen[1]


def test_who_is_not_scored_is_told_why(visit: Visit) -> None:
    page = visit.open(f"/patients/{KIM.token}")
    assert "Not scored: outside the scope of the scores" in text(page, "#news2")
    page = visit.open(f"/patients/{ROSSI.token}")
    assert "Not scored: no observations yet" in text(page, "#news2")


def test_chinese_has_no_english_left(browser: Browser, ward: PageServer) -> None:
    with visiting(browser, ward) as one:
        page = patient(one, ZHANG.token, "?lang=zh")
        left = page.locator("body").inner_text().replace(ZHANG.name, "")
        known = {"Auscult", "English", "NEWS", "qSOFA", "ICU", "MICU", "mmol", "mmHg", "min", "Lin"}
        known |= {"GCS"}
        assert set(LATIN.findall(left)) - known == set()
        assert "院内死亡风险" in left


def test_every_word_of_the_patient_comes_from_the_strings(visit: Visit) -> None:
    marked = {key: f"⟦{said}⟧" for key, said in pages.strings("en").items()}
    visit.page.route("**/strings/en.json", lambda route: route.fulfill(json=marked))
    page = patient(visit, ABDULLAH.token)
    parts = lines(page.locator("#who, #news2, #qsofa, #risk, #decision, #charts"))
    assert len(parts) == 6
    left = "\n".join(parts)
    while "⟦" in left:
        left, before = re.sub(r"⟦[^⟦⟧]*⟧", "", left), left
        assert left != before
    # Names of people, parameters, units and months come with the data and from the browser.
    known = {"Abdullah", "Nur", "mmHg", "min", "Heart", "Respiratory", "rate", "SpO"}
    months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov"}
    assert set(LATIN.findall(left)) - known - months - {"Dec"} == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_everybody_can_read_it(browser: Browser, ward: PageServer, theme: str, size: str) -> None:
    options = {"viewport": NARROW} if size == "narrow" else {}
    with visiting(browser, ward, color_scheme=theme, **options) as one:
        page = patient(one, ZHANG.token)
        page.get_by_role("button", name="Override").click()
        page.locator("#table summary").click()
        expect(page.locator("#table thead")).to_be_visible()
        expect(page.locator("#decision form")).to_be_visible()
        assert access_findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("address", ["/help", "/login", "/logout"])
def test_the_other_pages_can_be_read_too(browser: Browser, ward: PageServer, address: str) -> None:
    with visiting(browser, ward, signed_in=address == "/help") as one:
        one.page.goto(ward.url + address)
        one.errors[:] = [error for error in one.errors if "401" not in error]
        assert access_findings(one.page) == []


def test_signing_out_ends_the_session(live: Visit) -> None:
    page = live.open()
    page.locator("#account summary").click()
    expect(page.locator(".menu-sheet")).to_contain_text("Clinician")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/logout")
    expect(page.locator("main")).to_contain_text("You are signed out")
    page.goto(live.server.url + "/")
    sign_in = page.get_by_role("link", name="Sign in")
    expect(sign_in).to_have_attribute("href", "/auth/login?next=/")
    live.errors[:] = [error for error in live.errors if "401" not in error]


def test_the_display_can_be_chosen_and_is_remembered(visit: Visit) -> None:
    page = visit.open()
    page.locator("#account summary").click()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator('input[name="theme"][value="dark"]').check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_css("background-color", dark)


def test_it_prints_without_its_controls(visit: Visit) -> None:
    page = patient(visit, ZHANG.token)
    page.emulate_media(media="print")
    expect(page.locator("nav")).to_be_hidden()
    expect(page.locator("#decision")).to_be_hidden()
    expect(page.locator("#who")).to_be_visible()
    expect(page.locator(".foot")).to_be_visible()


def test_the_pictures_of_the_documents_can_be_taken(browser: Browser, tmp_path: Path) -> None:
    taken = take(browser, tmp_path)
    assert {path.stem for path in taken} == set(SHOTS)
    assert all(path.stat().st_size > 20_000 for path in taken)
