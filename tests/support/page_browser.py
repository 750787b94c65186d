"""Driving the page in headless Chromium, and the checks that hold for every page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.support.brokers import RedisServer
from tests.support.page_server import COOKIE, PageServer

NAMES = ("chromium", "chromium-browser", "google-chrome")
ACCESS = Path(__file__).with_name("page_access.js")
WIDE = {"width": 1280, "height": 900}
# A busy test machine is slow; what has to be fast says its own limit.
expect.set_options(timeout=20_000)
NARROW = {"width": 390, "height": 844}
# The page asks by itself every 5 to 12 s: with these timers gone only what is pushed moves it.
NO_POLLING = """
  const later = window.setTimeout;
  window.setTimeout = (call, ms, ...more) => later(call, ms < 5000 ? ms : 2 ** 31 - 1, ...more);
"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def chromium() -> str:
    """Return the path of a Chromium, or skip the test."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"needs Chromium to look at the page: none of {', '.join(NAMES)} is here")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser, closed at the end."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def ward_on_its_own_redis(directory: Path) -> Iterator[PageServer]:
    """The filled ward on a Redis that no other test empties."""
    redis = RedisServer(directory).start()
    try:
        with PageServer(redis.url, directory).running() as server:
            server.fill()
            yield server
    finally:
        redis.stop()


class Visit:
    """One signed-in browser window; remembers what a page must never do."""

    def __init__(self, browser: Browser, server: PageServer, **options: Any) -> None:
        self.server = server
        units = options.pop("units", ("*",))
        roles = options.pop("roles", ("clinician",))
        signed_in = options.pop("signed_in", True)
        self.context: BrowserContext = browser.new_context(**{"viewport": WIDE, **options})
        if signed_in:
            cookie = server.cookie(units=units, roles=roles)
            self.context.add_cookies([{"name": COOKIE, "value": cookie, "url": server.url}])
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", self._requested)

    def open(self, path: str = "/") -> Page:
        """Go to the worklist or to a patient; wait until its script runs and its data is there.

        When a load has ended the script may still wait for its words: what is typed or clicked
        then is not the script's. A view says ``live`` or ``poll`` once it has drawn its data.
        """
        self.page.goto(self.server.url + path)
        self.page.wait_for_selector("#live:is([data-state=live], [data-state=poll])")
        return self.page

    def pushed_only(self) -> None:
        """From the next page on, show only what the server pushes: the page never asks."""
        self.page.add_init_script(NO_POLLING)

    def close(self) -> None:
        """Close the window; nothing may have gone wrong in it."""
        self.context.close()
        assert self.errors == []
        assert self.elsewhere == []

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, "data:")):
            self.elsewhere.append(request.url)


@contextmanager
def visiting(browser: Browser, server: PageServer, **options: Any) -> Iterator[Visit]:
    """A window for one test. A failing test is not hidden by what the window then finds."""
    visit = Visit(browser, server, **options)
    try:
        yield visit
    except BaseException:
        visit.context.close()
        raise
    visit.page.unroute_all(behavior="ignoreErrors")  # an answer on its way is no next test's error
    visit.close()


def lines(locator: Locator) -> list[str]:
    """Return the texts of all that is there just now, each as a person reads it, in one line."""
    return [" ".join(text.split()) for text in locator.all_inner_texts()]


def at_rest(page: Page) -> None:
    """Wait until what is drawn anew when its place gets its size has been."""
    page.evaluate(TWO_FRAMES)


def access_findings(page: Page) -> list[str]:
    """Return what a person with a screen reader, a keyboard or weak eyes would stumble on."""
    found: list[str] = page.evaluate(ACCESS.read_text("utf-8"))
    return found
