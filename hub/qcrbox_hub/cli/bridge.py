"""`qcrbox bridge`: programs on one's own machine work with a hub elsewhere."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Annotated

import typer
from qcrbox.api import connection
from qcrbox.client import saved_tokens, signing_in
from qcrbox.contract.errors import NotSignedIn, Unreachable, UserInputError
from qcrbox.display.sign_in_prompt import show_code

from qcrbox_hub.bridge import callers
from qcrbox_hub.bridge.server import Bridge, Ports
from qcrbox_hub.bridge.upstream import Upstream
from qcrbox_hub.bridge.windows import Window
from qcrbox_hub.cli.console import say
from qcrbox_hub.platform.whole_numbers import whole_number


def bridge(  # noqa: PLR0913 - options of the command line
    url: Annotated[
        str | None,
        typer.Argument(
            help="Address of the hub, as in the browser. Default: QCRBOX_URL, or your running platform.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the REST interface; 0: any free one.")] = 11000,
    window_port: Annotated[int, typer.Option(help="Port whose page shows your newest session.")] = 12004,
    vnc_port: Annotated[int, typer.Option(help="Port for VNC viewers: your newest session.")] = 5904,
    session_port: Annotated[
        list[str] | None,
        typer.Option(help="SLUG=PORT: a fixed port for an application's window.", show_default=False),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with a token, readable by you alone; else you sign in.", show_default=False),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow http:// to another machine, in a network you trust.")
    ] = False,
) -> None:
    """Let programs on this machine use a hub: a loopback address that adds your token. Ends with Ctrl-C."""
    ports = Ports(port, window_port, vnc_port, _session_ports(session_port or []))
    address, token = _registry_and_token(url, token_file, insecure)
    asyncio.run(_run(address, token, ports))


async def _run(address: str, token: str | None, ports: Ports) -> None:
    upstream = Upstream(address, token)

    def ready(rest: str, newest: Window) -> None:
        say(f"Signed in as {upstream.person} at {address}")
        say(f"Your newest session: {newest.address()}")
        say(f"VNC viewers: 127.0.0.1:{newest.vnc_port}")
        if not callers.knows_accounts():
            say(
                "Other accounts of this machine can use these ports too: this system does not tell who connects."
            )
        print(f"qcrbox bridge ready at {rest}", flush=True)

    await Bridge(upstream, ports).run(ready)


def _registry_and_token(url: str | None, token_file: Path | None, insecure: bool) -> tuple[str, str | None]:
    """(address of the registry, token). Signs in where that is needed and a terminal is attached."""
    found = connection.discover()
    if url is None:
        if found is None:
            raise Unreachable(
                "No hub was named, and none of yours runs here.",
                next="For example: qcrbox bridge https://box.example.org",
                part="hub",
            )
        url = found.url
    if not insecure:
        signing_in.require_safe(url)
    address = signing_in.registry_address(url)
    if token_file is not None:
        return address, _token_in(token_file)
    token = (
        found.token if found is not None and found.url.rstrip("/") == address else saved_tokens.get(address)
    )
    if _is_let_in(address, token):
        return address, token
    if not signing_in.has_hub(address) or not signing_in.can_ask():
        raise NotSignedIn(
            f"{address} wants to know who you are.",
            next="Start the bridge in a terminal, where you can sign in, or give --token-file.",
        )
    token = signing_in.sign_in(address, tell=show_code)
    saved_tokens.put(address, token)
    return address, token


def _is_let_in(address: str, token: str | None) -> bool:
    async def ask() -> bool:
        upstream = Upstream(address, token)
        try:
            await upstream.sign_in()
        except NotSignedIn:
            return False
        finally:
            await upstream.close()
        return True

    return asyncio.run(ask())


def _token_in(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise UserInputError(f"The token cannot be read: {error.strerror}.", where=str(path)) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UserInputError(
            "Others can read this token.", where=str(path), next=f"Take it away from them: chmod 600 {path}"
        )
    if not text or not text.isprintable() or " " in text:
        raise UserInputError("There is no token in this file.", where=str(path), why="It must be one word.")
    return text


def _session_ports(given: list[str]) -> dict[str, int]:
    made = {}
    for text in given:
        slug, _, number = text.rpartition("=")
        port = whole_number(number, 1, 65535)
        if not slug or port is None:
            raise UserInputError(
                f"{text!r} names no port of an application.",
                where="--session-port",
                next="For example: --session-port shelxle=12005",
            )
        made[slug] = port
    return made
