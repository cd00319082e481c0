"""Address of the registry and token of the person: found automatically, or given by `connect`.

Order: `qc.connect(...)` in this kernel; QCRBOX_URL with QCRBOX_TOKEN_FILE (solo) or
JUPYTERHUB_API_TOKEN (hub); this person's running platform (`run/platform.json` of its data folder).
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api import short_traceback
from qcrbox.client import saved_tokens
from qcrbox.contract.errors import NotSignedIn, Unreachable
from qcrbox.display.busy import busy
from qcrbox.display.sign_in_prompt import show_code

if TYPE_CHECKING:
    from qcrbox.api.box import Box

_current: Box | None = None


@dataclass(frozen=True)
class Found:
    """A registry address, its token, and the source of both (for `qc.doctor()`)."""

    url: str
    token: str | None
    source: str

    def __repr__(self) -> str:
        return f"Found({self.url!r}, source={self.source!r})"


def current() -> Box:
    """The box of this kernel; found on first use. Raises Unreachable when there is none."""
    global _current
    if _current is None:
        found = discover()
        if found is None:
            raise Unreachable(
                "No QCrBox registry was found from here.",
                why="Neither QCRBOX_URL nor a running platform of yours names one.",
                next='Start one with `qcrbox up`, or give its address: qc.connect("https://box.example.org").',
                part="registry",
            )
        _current = _make_box(found)
    return _current


def box_at(url: str) -> Box:
    """The box of this process, for a pickle from the registry at `url`. Raises Unreachable when it is another one's."""
    box = current()
    if box.url != url:
        raise Unreachable(
            f"This object is from the registry at {url}, and you are connected to {box.url}.",
            next=f'Connect to it first: qc.connect("{url}").',
            part="registry",
        )
    return box


def is_configured() -> bool:
    """True when `current()` would not fail; no network call."""
    try:
        return _current is not None or discover() is not None
    except NotSignedIn:
        return False


def place() -> str:
    """Where the registry is, as far as known without a network call."""
    if _current is not None:
        return f"at {_current.url}"
    try:
        found = discover()
    except NotSignedIn as error:
        return f"(not connected: {error.message})"
    return f"at {found.url}" if found else "(not connected: qc.connect(…))"


def forget() -> None:
    """Drop the connection of this kernel; the next use looks for the registry again."""
    global _current
    if _current is not None:
        _current.close()
    _current = None


def connect(
    url: str | None = None,
    token: str | None = None,
    *,
    remember: bool = True,
    insecure: bool = False,
    timeout: float = 600.0,
) -> Box:
    """Use the registry at `url` from now on, and return it.

    On the hub no argument is needed. Elsewhere `url` is the address at which you sign in with the browser; the
    first call shows a code to type there. The token it gets is kept in a file only you can read, unless
    `remember=False`. `token=` takes one from the hub's token page instead; `insecure=True` allows http:// to
    another machine; `timeout` (s) is how long to wait for the sign-in.
    Raises NotSignedIn when the sign-in is not completed or the token is refused, Unreachable when there is no answer.
    """
    # Start-up time: httpx is loaded when a registry is asked for the first time.
    from qcrbox.client import signing_in

    global _current
    if url is None:
        forget()
        return current()
    if not insecure:
        signing_in.require_safe(url)
    address = signing_in.registry_address(url)
    known = discover()
    # A given token is tried alone: after a refusal the saved token of another person must not be used.
    tried = token or saved_tokens.get(address) or (known.token if known and known.url == address else None)
    box = _make_box(Found(address, tried, "qc.connect"))
    try:
        box.apps.refresh()
    except NotSignedIn as refused:
        box.close()
        if token is not None or not signing_in.has_hub(address) or not signing_in.can_ask():
            raise _say_how(address, refused, signing_in.has_hub(address)) from None
        tried = signing_in.sign_in(address, timeout_s=timeout, tell=show_code)
        box = _make_box(Found(address, tried, "qc.connect"))
        box.apps.refresh()
    if tried and remember:
        saved_tokens.put(address, tried)
    if _current is not None:
        _current.close()
    _current = box
    return box


def discover(environ: dict[str, str] | None = None) -> Found | None:
    """The registry that environment or running platform names; None when neither does. No network."""
    env = os.environ if environ is None else environ
    # Tokens are kept under addresses without a slash at the end.
    url = (env.get("QCRBOX_URL") or "").rstrip("/")
    if url:
        return Found(url, _environment_token(env, url), "QCRBOX_URL")
    for data_folder in data_folders(env):
        found = _from_platform_file(data_folder / "run" / "platform.json")
        if found:
            return found
    return None


def data_folders(env: Any = os.environ) -> list[Path]:
    """Possible data folders of a platform of this person, in order of preference."""
    # Never the current folder: a file that came with a notebook could name its own registry.
    home = Path(env.get("HOME") or Path.home())
    share = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")
    named = [Path(env["QCRBOX_DATA"])] if env.get("QCRBOX_DATA") else []
    return [*named, share / "qcrbox"]


def _environment_token(env: Any, url: str) -> str | None:
    token_file = env.get("QCRBOX_TOKEN_FILE")
    if token_file:
        try:
            return Path(token_file).read_text().strip()
        except OSError as error:
            raise NotSignedIn(
                "The token of this registry cannot be read.",
                where=token_file,
                why=str(error.strerror),
                next="Start the platform again, or unset QCRBOX_TOKEN_FILE.",
            ) from None
    return env.get("JUPYTERHUB_API_TOKEN") or saved_tokens.get(url)


def _from_platform_file(path: Path) -> Found | None:
    try:
        # A file of another user could name their registry, which would then receive our token.
        if path.stat().st_uid != os.getuid():
            return None
        payload = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    url = payload.get("registry_url") if isinstance(payload, dict) else None
    if not url:
        return None
    token = None
    if payload.get("solo_token_file"):
        with contextlib.suppress(OSError):
            token = Path(payload["solo_token_file"]).read_text().strip()
    return Found(url, token, str(path))


def _say_how(address: str, refused: NotSignedIn, has_hub: bool) -> NotSignedIn:
    page = f"{address.split('/services/')[0]}/hub/token"
    get = f"Make a token at {page}" if has_hub else "Get its token from the person who started it"
    return NotSignedIn(
        f"{address} requires you to sign in.",
        why=refused.why or refused.what,
        next=f'{get}, then qc.connect("{address}", token="…").',
    )


def _make_box(found: Found) -> Box:
    # Start-up time: httpx and the API are loaded when a registry is asked for the first time.
    from qcrbox.api.box import Box
    from qcrbox.client.http import RegistryClient

    short_traceback.install()
    Box.found_at = box_at
    return Box(RegistryClient(found.url, found.token, announce=busy), source=found.source)
