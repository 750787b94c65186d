"""The pages: server-rendered shells, their words in two languages, and the assets they load.

The shell holds no patient data. The browser fetches that from ``/v1`` with the viewer's session,
so what a person may see is decided in one place. Assets live under a path that contains a digest
of all of them: they are cached for ever, and a new release never mixes with an old one.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HERE = Path(__file__).parent
LANGUAGES = {"en": "English", "zh": "中文"}
THEMES = ("auto", "light", "dark")
COOKIE_AGE_S = 365 * 24 * 3600
PATIENT_READERS = frozenset({"clinician", "charge"})


def add_pages(app: FastAPI) -> None:
    """Mount the assets and add the pages.

    Who is signed in is ``request.state.viewer`` (None: nobody), the language
    ``request.state.lang``; both are set by the gateway's middleware.
    """
    version = _digest(HERE / "static", HERE / "strings")
    base = f"/assets/{version}"
    app.mount(f"{base}/strings", _Assets(directory=HERE / "strings"), name="strings")
    app.mount(base, _Assets(directory=HERE / "static"), name="static")
    shell = _Shell(base)

    @app.get("/", include_in_schema=False)
    async def worklist(request: Request) -> Response:
        return shell.guarded(request, "worklist.html")

    @app.get("/patients/{patient_id}", include_in_schema=False)
    async def patient(request: Request, patient_id: str) -> Response:
        return shell.guarded(request, "patient.html", patient_id=patient_id)

    @app.get("/help", include_in_schema=False)
    async def help_page(request: Request) -> Response:
        return shell.page(request, "help.html")

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> Response:
        return RedirectResponse(f"{base}/img/icon.svg", status_code=308)

    _add_coming_and_going(app, shell)


def _add_coming_and_going(app: FastAPI, shell: "_Shell") -> None:
    @app.get("/login", include_in_schema=False)
    async def login(request: Request) -> Response:
        wanted = _local(request.query_params.get("next"))
        if _viewer(request) is not None:
            return RedirectResponse(wanted, status_code=303)
        return shell.sign_in(request, wanted)

    @app.get("/logout", include_in_schema=False)
    async def logout(request: Request) -> Response:
        if _viewer(request) is not None:
            return shell.page(request, "leave.html")
        return shell.sign_in(request, "/", signed_out=True)


class _Shell:
    """Renders templates with the words, the theme and the viewer that every page needs."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def guarded(self, request: Request, template: str, **values: Any) -> Response:
        """Return the page for who may read patients, else the sign-in or a refusal."""
        viewer = _viewer(request)
        if viewer is None:
            return self.sign_in(request, _here(request))
        if PATIENT_READERS.isdisjoint(viewer.roles):
            return self.page(request, "refused.html", status=403)
        return self.page(request, template, **values)

    def sign_in(
        self, request: Request, wanted: str | None, *, signed_out: bool = False
    ) -> Response:
        """Return the sign-in page; after it the browser comes back to ``wanted``."""
        failed = "error" in request.query_params
        return self.page(
            request,
            "signin.html",
            status=200 if signed_out else 401,
            next=wanted,
            failed=failed,
            signed_out=signed_out,
        )

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """Return a rendered template; a language asked for in the address is remembered."""
        lang = _lang(request)
        theme = request.cookies.get("theme", "auto")
        words = strings(lang)
        html = self._templates.get_template(template).render(
            t=lambda key: words[key],
            lang=lang,
            languages=LANGUAGES,
            theme=theme if theme in THEMES else "auto",
            themes=THEMES,
            base=self._base,
            viewer=_viewer(request),
            path=request.url.path,
            **values,
        )
        response = HTMLResponse(html, status_code=status)
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["Vary"] = "Cookie, Accept-Language"
        if request.query_params.get("lang") == lang:
            response.set_cookie("lang", lang, max_age=COOKIE_AGE_S, samesite="lax")
        return response


class _Assets(StaticFiles):
    """Static files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, cacheable for ever."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@cache
def strings(lang: str) -> dict[str, str]:
    """Return the words of the page in one language."""
    words: dict[str, str] = json.loads((HERE / "strings" / f"{lang}.json").read_text("utf-8"))
    return words


def _viewer(request: Request) -> Any:
    return getattr(request.state, "viewer", None)


def _lang(request: Request) -> str:
    """The language asked for, else the one remembered, else what the browser prefers."""
    known = getattr(request.state, "lang", None)
    asked = request.query_params.get("lang") or known or request.cookies.get("lang", "")
    if asked in LANGUAGES:
        return str(asked)
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _local(wanted: str | None) -> str:
    """A path on this site or ``/``: an address elsewhere would make an open redirect."""
    if wanted and wanted.startswith("/") and wanted[1:2] not in ("/", "\\"):
        return wanted
    return "/"


def _digest(*folders: Path) -> str:
    """A short digest of every file's name and content."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
