"""Breaking the glass on the page: by keyboard, in both languages, until its time is over."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from contracts.audited import AUDIT
from services.gateway import pages
from tests.support.page_browser import NARROW, Visit, access_findings, visiting
from tests.support.page_people import WARD
from tests.support.page_server import PageServer, wait_until

pytestmark = pytest.mark.browser

ZHANG = WARD[0]


@pytest.fixture
def stranger(browser: Browser, ward: PageServer) -> Iterator[Visit]:
    """A clinician of a unit without patients, to whom each patient is a 404 (on the console)."""
    with visiting(browser, ward, units=("W99",)) as one:
        yield one
        refused = [said for said in one.errors if "status of 404" not in said]
        one.errors[:] = refused


def foreign(visit: Visit, query: str = "") -> Page:
    page = visit.open(f"/patients/{ZHANG.token}{query}")
    expect(page.locator("#glass")).to_be_visible()
    return page


def broken(server: PageServer) -> list[tuple[str, str, str]]:
    entries = [AUDIT.decode(record.value or b"") for record in server.records(AUDIT.name)]
    return [
        (one.token, one.purpose, one.detail["reason"])
        for one in entries
        if one.action == "break_glass"
    ]


def test_by_keyboard_from_the_search_to_the_patient_and_its_end(
    stranger: Visit, ward: PageServer
) -> None:
    page = stranger.open()
    page.fill("#q", ZHANG.name)
    page.press("#q", "Enter")
    link = page.get_by_role("link", name="A patient without a care relation to you")
    expect(link).to_be_visible()
    assert ZHANG.record_number not in page.locator("#found").inner_text()
    assert access_findings(page) == []
    link.press("Enter")

    expect(page.get_by_role("heading", name="You have no care relation")).to_be_visible()
    expect(page.locator("#patient")).to_be_hidden()
    assert ZHANG.name not in page.locator("main").inner_text()
    opener = page.get_by_role("button", name="Break the glass")
    opener.press("Enter")
    expect(page.get_by_label("An emergency")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.press("Enter")
    page.keyboard.press("Enter")  # no reason is chosen: the browser asks for one
    expect(page.get_by_role("heading", name="You have no care relation")).to_be_visible()
    before = len(broken(ward))
    page.get_by_label("I am taking them over").press("Space")
    assert access_findings(page) == []
    page.keyboard.press("Enter")

    expect(page.locator("#who h1")).to_have_text(ZHANG.name)
    banner = page.locator("[data-banner=glass]")
    expect(banner).to_contain_text("you broke the glass (I am taking them over). Open until")
    expect(page.locator("#glass")).to_be_hidden()
    expect(page.locator("#decision")).to_contain_text("Decisions need a care relation.")
    expect(page.get_by_role("button", name="Accept")).to_be_disabled()
    assert broken(ward)[before:] == [(ZHANG.token, "ETREAT", "handover")]
    assert access_findings(page) == []

    (glass,) = [one for one in stranger.context.cookies() if "glass" in str(one.get("name"))]
    assert (glass.get("httpOnly"), glass.get("sameSite")) == (True, "Strict")
    stranger.context.clear_cookies(name=str(glass.get("name")))  # what its time does
    page.evaluate("dispatchEvent(new Event('online'))")  # look again, now
    expect(page.get_by_role("heading", name="You have no care relation")).to_be_visible()
    expect(page.locator("#patient")).to_be_hidden()
    expect(banner).to_have_count(0)


def test_what_does_not_open_says_why_and_keeps_the_form(stranger: Visit) -> None:
    page = foreign(stranger)
    page.get_by_role("button", name="Break the glass").click()
    page.get_by_label("An emergency").check()
    for status, said in ((503, "glass.away"), (429, "glass.too_many"), (500, "glass.failed")):
        page.route("**/glass?*", partial(Route.fulfill, status=status, body="{}"))
        page.get_by_role("button", name="Look at the patient").click()
        expect(page.locator("#glass [role=alert]")).to_have_text(pages.strings("en")[said])
        page.unroute_all()
    expect(page.get_by_label("An emergency")).to_be_checked()
    stranger.errors.clear()  # the answers that were made up


def test_in_chinese_on_a_phone_at_night(browser: Browser, ward: PageServer, tmp_path: Path) -> None:
    options = {"units": ("W99",), "viewport": NARROW, "color_scheme": "dark"}
    with visiting(browser, ward, **options) as one:
        page = foreign(one, "?lang=zh")
        page.get_by_role("button", name="紧急查看").click()
        page.get_by_label("受邀会诊").check()
        assert access_findings(page) == []
        page.screenshot(path=tmp_path / "glass.png")
        page.get_by_role("button", name="查看患者").click()
        expect(page.locator("[data-banner=glass]")).to_contain_text("无诊疗关系")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        wait_until("it is on the log", lambda: broken(ward)[-1][2] == "consultation")
        one.errors.clear()
