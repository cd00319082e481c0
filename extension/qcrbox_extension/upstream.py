"""Which registry this server belongs to, and with whose token it is asked."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import unquote

import httpx
from qcrbox.contract.errors import NotFound, NotSignedIn, QcError, Unreachable

CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Upstream:
    """One registry; every address made here stays under its `/api/`."""

    url: str
    token: str
    token_file: str = ""

    @staticmethod
    def from_environment() -> Upstream:
        """As the platform set it for this server, the same way a kernel finds it."""
        return Upstream(
            url=os.environ.get("QCRBOX_URL", "").rstrip("/"),
            token=os.environ.get("JUPYTERHUB_API_TOKEN", ""),
            token_file=os.environ.get("QCRBOX_TOKEN_FILE", ""),
        )

    @property
    def configured(self) -> bool:
        """Whether this server knows a registry."""
        return bool(self.url)

    def address(self, raw_path: str, query: str = "") -> httpx.URL:
        """The registry's address for what follows `/qcrbox/api/`, still percent-encoded.

        Raises NotFound for a path that could lead out of `/api/`, Unreachable without a registry.
        """
        if not self.configured:
            raise Unreachable(
                "This Jupyter server belongs to no QCrBox platform.",
                why="QCRBOX_URL is not set.",
                next="Start it with `qcrbox up` or `qcrbox up --solo`.",
                part="registry",
            )
        segments = [unquote(segment) for segment in raw_path.split("/")]
        for segment in segments:
            if segment in (".", "..") or any(sign in segment for sign in "/\\\0\r\n"):
                raise NotFound("There is no such address.")
        if "" in segments[:-1]:
            raise NotFound("There is no such address.")
        base = httpx.URL(self.url)
        target = f"{base.path.rstrip('/')}/api/{raw_path}" + (f"?{query}" if query else "")
        return base.copy_with(raw_path=target.encode("ascii"))

    def authorization(self) -> dict[str, str]:
        """The header that says who is asking. Read from the file each time: a token may be renewed."""
        token = self.token
        if self.token_file:
            try:
                token = Path(self.token_file).read_text().strip()
            except OSError as error:
                raise NotSignedIn(
                    "The registry's token cannot be read.",
                    where=self.token_file,
                    why=f"{error.strerror}.",
                    next="Restart this server.",
                ) from error
        return {"Authorization": f"Bearer {token}"} if token else {}


def refusal(status: int, content: bytes) -> QcError:
    """Why the registry refuses: its own words, or what the status means where it has none (a proxy's page)."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("error"), dict):
        return QcError.from_envelope(said, status)
    return Unreachable(
        "The registry does not answer.", why=f"Status {status}.", next="Try again.", part="registry"
    )


def new_client() -> httpx.AsyncClient:
    """Loopback or a chosen address: no environment proxy in between, no redirects to elsewhere."""
    return httpx.AsyncClient(
        trust_env=False,
        # A jar that takes nothing: what the registry sets for one call must not go out with the next.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
    )
