"""Fixtures for the tests of the pages: a browser, and wards of a real gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.page_browser import Visit, launched, visiting, ward_on_its_own_redis
from tests.support.page_server import PageServer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser. It ends with its module: its event loop is in the way of other tests'."""
    with launched() as one:
        yield one


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """The ward for tests that only look at it."""
    with ward_on_its_own_redis(tmp_path_factory.mktemp("ward")) as one:
        yield one


@pytest.fixture
def visit(browser: Browser, ward: PageServer) -> Iterator[Visit]:
    """A window on that ward."""
    with visiting(browser, ward) as one:
        yield one


@pytest.fixture
def server(redis_url: str, tmp_path: Path) -> Iterator[PageServer]:
    """A ward in which something happens."""
    with PageServer(redis_url, tmp_path).running() as one:
        one.fill()
        yield one


@pytest.fixture
def live(browser: Browser, server: PageServer) -> Iterator[Visit]:
    """A window on that ward."""
    with visiting(browser, server) as one:
        yield one
