"""Signing in, from the page through a real OpenID Connect issuer and back, in a real browser."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import expect

from plumbing.clock import SystemClock
from simulator.issuer import IssuerSettings, build
from tests.support.page_browser import Visit, launched
from tests.support.page_people import WARD
from tests.support.page_server import WAIT_S, PageServer, wait_until

pytestmark = pytest.mark.browser


@contextmanager
def issuer_for(page_url: str, listening: socket.socket, state: Path) -> Iterator[None]:
    port = listening.getsockname()[1]
    settings = IssuerSettings(port=port, state_dir=state, client_url=page_url)
    app = build(settings, SystemClock()).app
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        wait_until("the issuer serves", lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join(WAIT_S)


def test_a_clinician_signs_in_and_comes_back_to_what_they_wanted(
    redis_url: str, tmp_path: Path
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    server = PageServer(redis_url, tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}")
    with (
        listening,
        server.running(),
        issuer_for(server.url, listening, tmp_path / "issuer"),
        launched() as browser,
    ):
        server.fill()
        visit = Visit(browser, server, signed_in=False)
        page = visit.page
        page.goto(f"{server.url}/patients/{WARD[0].token}")
        assert WARD[0].name not in page.content()
        page.get_by_role("link", name="Sign in with your hospital account").click()
        users = json.loads((tmp_path / "issuer" / "users.json").read_text("utf-8"))
        password = next(user["password"] for user in users if user["login"] == "dr.lin")
        page.get_by_label("Who").select_option("dr.lin")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("h1")).to_have_text(WARD[0].name)
        expect(page).to_have_url(f"{server.url}/patients/{WARD[0].token}")
        expect(page.locator("#account summary")).to_contain_text("Dr. Lin")
        cookies = {cookie["name"]: cookie for cookie in visit.context.cookies()}
        session = cookies["auscult_session"]
        assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
        visit.context.close()
