"""The page's words, tables and shells, checked without a browser."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from services.gateway import pages
from services.gateway.access import ROLES
from services.gateway.reviews import REASONS
from services.gateway.views import BANDS

HERE = pages.HERE
REPOSITORY = HERE.parent.parent
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
SCRIPTS = sorted((HERE / "static" / "js").glob("*.js"))
KEY = re.compile(r"""["'`]([a-z0-9_-]+\.[A-Za-z0-9_.-]+)["'`]""")
GROUP = re.compile(r"""word\(\s*["']([a-z_]+)["']|["'`]([a-z_0-9]+\.[a-z_]*)(?:\$\{|["']\s*~)""")
COUNTED = re.compile(r"""count\(\s*["']([a-z_.]+)["']""")


def source(paths: list[Path]) -> str:
    return "\n".join(path.read_text("utf-8") for path in paths)


def keys_of_group(prefix: str) -> set[str]:
    head = f"{prefix}."
    return {key.removeprefix(head) for key in pages.strings("en") if key.startswith(head)}


def test_both_languages_say_the_same_things() -> None:
    english, chinese = pages.strings("en"), pages.strings("zh")
    assert set(english) == set(chinese)
    holes = re.compile(r"\{(\w+)\}")
    differing = {
        key
        for key in english
        if set(holes.findall(english[key])) != set(holes.findall(chinese[key]))
    }
    assert differing == set()
    assert all(text.strip() for text in (*english.values(), *chinese.values()))


def test_every_word_is_used_and_every_used_word_exists() -> None:
    words = set(pages.strings("en"))
    text = source(TEMPLATES + SCRIPTS)
    literal = {
        key for key in KEY.findall(text) if not key.endswith((".js", ".css", ".svg", ".html"))
    }
    counted = {f"{key}{end}" for key in COUNTED.findall(text) for end in ("", "_one")}
    groups = {first + "." if first else second for first, second in GROUP.findall(text)}
    assert {key for key in counted if key not in words} == set()
    assert {prefix for prefix in groups if not any(w.startswith(prefix) for w in words)} == set()
    known_groups = {word.split(".")[0] for word in words}
    missing = {key for key in literal - groups if key.split(".")[0] in known_groups} - words
    assert missing == set()
    used = literal | counted
    unused = {w for w in words if w not in used and not any(w.startswith(g) for g in groups)}
    assert unused == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_words_of_its_own(path: Path) -> None:
    html = re.sub(r"\{% block body_class %\}\w+", "", path.read_text("utf-8"))
    html = re.sub(r"\{[{%#].*?[}%#]\}", "", html, flags=re.DOTALL)
    text = re.sub(r"<kbd>.*?</kbd>|<[^>]*>", " ", html, flags=re.DOTALL)
    assert re.findall(r"[^\W\d_]{2,}", text) == []
    assert not re.search(r"(aria-label|title|placeholder|alt)=\"[^\"{]", html)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(path: Path) -> None:
    html = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


def test_nothing_is_fetched_from_elsewhere() -> None:
    styles = sorted((HERE / "static" / "css").glob("*.css"))
    assert not re.search(r"@import|url\(|https?://", source(styles))
    scripts = source(SCRIPTS).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacentHTML|\beval\(", scripts)


def test_codes_of_closed_sets_have_words() -> None:
    flags = json.loads((REPOSITORY / "data/knowledge/scores/red_flags.json").read_text("utf-8"))
    assert keys_of_group("band") == set(BANDS)
    assert keys_of_group("interval") == set(BANDS)
    assert keys_of_group("role") == ROLES
    assert keys_of_group("accept") == set(REASONS["accepted"])
    assert keys_of_group("override") == set(REASONS["overridden"])
    assert keys_of_group("flag") == {flag["code"] for flag in flags["flags"]}


def test_the_scripts_offer_the_reasons_of_the_api() -> None:
    script = (HERE / "static/js/decision.js").read_text("utf-8")
    listed = re.search(r"const REASONS = \{(.*?)\};", script, re.DOTALL)
    assert listed is not None
    accepted, overridden = re.findall(r"\[(.*?)\]", listed[1], re.DOTALL)
    assert tuple(re.findall(r'"(\w+)"', accepted)) == REASONS["accepted"]
    assert tuple(re.findall(r'"(\w+)"', overridden)) == REASONS["overridden"]


def test_the_shaded_ranges_are_those_that_score_zero_points() -> None:
    table = json.loads((REPOSITORY / "data/knowledge/scores/news2.json").read_text("utf-8"))
    script = (HERE / "static/js/strips.js").read_text("utf-8")
    found = re.search(r"export const USUAL = \{(.*?)\};", script, re.DOTALL)
    assert found is not None
    drawn = {
        name: (float(low), float(high))
        for name, low, high in re.findall(r"(\w+): \[([\d.]+), ([\d.]+)\]", found[1])
    }
    named = {"heart_rate": "pulse", "temperature": "temp_c"}
    assert set(drawn) == {"heart_rate", "resp_rate", "sbp", "spo2", "temperature"}
    for name, (low, high) in drawn.items():
        part = named.get(name, name)
        steps = table["points"][part]
        zero = next(i for i, (_, points) in enumerate(steps) if points == 0)
        below, above = steps[zero - 1][0], steps[zero][0]
        assert low == pytest.approx(below + table["steps"][part])
        assert high == (above if above is not None else 100)


@dataclass(frozen=True)
class Someone:
    name: str = "Dr Lin"
    roles: frozenset[str] = frozenset({"clinician"})
    units: frozenset[str] = frozenset({"MICU", "W1"})


@dataclass
class Browser:
    """A client of the pages alone; the viewer and the language stand in the state, as the door
    of the gateway puts them there.
    """

    viewer: Someone | None
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, address: str, params: dict[str, str] | None = None) -> httpx.Response:
        app = FastAPI()
        pages.add_pages(app)

        @app.middleware("http")
        async def state(request: Request, call_next: RequestResponseEndpoint) -> Response:
            request.state.viewer = self.viewer
            return await call_next(request)

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://page", cookies=self.cookies
            ) as client:
                return await client.get(address, params=params)

        return asyncio.run(ask())


def client(viewer: Someone | None) -> Browser:
    return Browser(viewer)


def attributes(html: str, name: str) -> Iterator[str]:
    yield from re.findall(rf'{name}="([^"]*)"', html)


def test_who_is_not_signed_in_sees_only_the_sign_in() -> None:
    answer = client(None).get("/patients/abc?x=1")
    assert answer.status_code == 401
    assert "/auth/login?next=/patients/abc%3Fx%3D1" in answer.text
    assert "abc" not in re.sub(r"/auth/login[^\"]*", "", answer.text)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", ""]
)
def test_the_sign_in_never_leads_elsewhere(wanted: str) -> None:
    signed_in = client(Someone()).get("/login", params={"next": wanted})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    assert '/auth/login?next=/"' in client(None).get("/login", params={"next": wanted}).text


def test_a_role_without_patients_gets_no_patient_page() -> None:
    engineer = Someone(roles=frozenset({"sre"}))
    assert client(engineer).get("/").status_code == 403
    assert client(engineer).get("/help").status_code == 200


def test_the_shell_holds_no_patient_and_is_never_stored() -> None:
    answer = client(Someone()).get("/patients/token-of-a-patient")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert list(attributes(answer.text, "data-id")) == ["token-of-a-patient"]


def test_a_language_that_is_asked_for_is_remembered() -> None:
    answer = client(Someone()).get("/?lang=zh")
    assert '<html lang="zh-CN"' in answer.text
    assert pages.strings("zh")["worklist.title"] in answer.text
    assert answer.cookies["lang"] == "zh"
    assert "lang" not in client(Someone()).get("/").cookies


def test_the_theme_stands_in_the_first_byte_that_is_drawn() -> None:
    browser = client(Someone())
    browser.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in browser.get("/").text
    browser.cookies["theme"] = "><script>"
    assert 'data-theme="auto"' in browser.get("/").text


def test_every_asset_that_a_page_names_is_there_and_kept_for_ever() -> None:
    browser = client(Someone())
    for address in ("/", "/patients/x", "/help"):
        html = browser.get(address).text
        found = [a for n in ("src", "href", "data-strings") for a in attributes(html, n)]
        assets = {a.partition("#")[0] for a in found if a.startswith("/assets/")}
        assert len(assets) >= 4
        for asset in assets:
            answer = browser.get(asset)
            assert answer.status_code == 200, asset
            assert "immutable" in answer.headers["cache-control"]


def test_every_icon_that_is_used_is_drawn() -> None:
    sprite = (HERE / "static/img/icons.svg").read_text("utf-8")
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    used = set(re.findall(r"icons\.svg#([\w-]+)\"", source(TEMPLATES)))
    used |= set(re.findall(r'icon\("([\w-]+)"', source(SCRIPTS)))
    used |= {f"tile-{band}" for band in BANDS} | {"up", "down", "flat", "raise", "lower"}
    assert used - drawn == set()
    assert drawn - used - {"info", "offline", "warn", "clock", "mark"} == set()


def test_modules_import_only_what_is_there() -> None:
    exported: dict[str, set[str]] = {}
    for path in SCRIPTS:
        exported[path.name] = set(
            re.findall(
                r"^export (?:async )?(?:function|const|class) (\w+)",
                path.read_text("utf-8"),
                re.MULTILINE,
            )
        )
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        for names, module in re.findall(r'import \{([^}]*)\} from "\./(\w+\.js)"', text):
            wanted: Any = {name.strip() for name in names.replace("$,", "$,").split(",")} - {
                "",
                "$",
            }
            assert wanted <= exported[module] | {"$"}, (path.name, module)
            for name in wanted:
                assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{path.name}: {name} is unused"
        assert len(text.splitlines()) <= 300, path.name
