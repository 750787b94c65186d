"""Asking privacy's HTTP API on behalf of one person."""

import getpass
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from cli.stack.process import StackError
from cli.stack.settings import StackSettings

TIMEOUT_S = 60.0
RESOLVE = "resolve.token"
Answer = TypeVar("Answer", bound=msgspec.Struct)


class _Said(msgspec.Struct):
    """What privacy says when it refuses."""

    status: str = ""
    tokens: tuple[str, ...] = ()


class PrivacyRefuses(StackError):
    """Privacy refuses what was asked, in a ``word``, and may name ``tokens``."""

    def __init__(self, status: int, body: bytes) -> None:
        """Keep both; a body that is none of privacy's is told as it is."""
        super().__init__(f"privacy answers {status}: {body[:200].decode(errors='replace')}")
        try:
            said = msgspec.json.decode(body, type=_Said)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = _Said()
        self.word, self.tokens = said.status, said.tokens


class PrivacyApi:
    """Asks privacy on behalf of one viewer. ``secret`` is a file below the keys folder."""

    def __init__(
        self,
        viewer: str,
        privacy: str,
        token: Path | None,
        secret: str = RESOLVE,
        under: str = "",
    ) -> None:
        """Read the token; raise ``OSError`` where there is none. ``under`` begins every path."""
        settings = StackSettings()
        self._under = under
        self.viewer = viewer or getpass.getuser()
        port = settings.at(settings.privacy_port)
        self._url = (privacy or f"http://127.0.0.1:{port}").rstrip("/")
        self._token = (token or settings.keys_dir / secret).read_text().strip()

    def ask(
        self, path: str, said: msgspec.Struct, kind: type[Answer], timeout_s: float = TIMEOUT_S
    ) -> Answer:
        """Return the answer; raise ``StackError`` with privacy's word when there is none."""
        try:
            answer = httpx.post(
                f"{self._url}/v1/{self._under}{path}",
                content=msgspec.json.encode(said),
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=timeout_s,
            )
        except httpx.HTTPError as error:
            raise StackError(f"privacy does not answer at {self._url}") from error
        if answer.status_code != 200:
            raise PrivacyRefuses(answer.status_code, answer.content)
        return msgspec.json.decode(answer.content, type=kind)
