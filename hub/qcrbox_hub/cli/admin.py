"""`qcrbox admin`: what the administration pages do, from a terminal or a script."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from qcrbox.client import loopback
from qcrbox.contract.errors import QcError, Unreachable, UserInputError

PAGES = "overview, people, groups, calculations, applications, launchers, storage, quotas, audit, logs, site"


def admin(  # noqa: PLR0913 - options of the command line
    page: Annotated[str, typer.Argument(help=f"One of: {PAGES}; or one object of it: people/ada.")],
    action: Annotated[
        str, typer.Argument(help="What to do, as the forms of the page name it: lock.", show_default=False)
    ] = "",
    fields: Annotated[
        list[str] | None,
        typer.Argument(help="Fields of the form: reason=left typed_name=ada. A comma-free list repeats."),
    ] = None,
    query: Annotated[
        list[str] | None,
        typer.Option("--query", "-q", help="Filter of a table: q=ada, state=locked, sort=-name, page=2."),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="The whole table as CSV.")] = False,
    url: Annotated[
        str, typer.Option("--url", envvar="QCRBOX_URL", help="Address of the hub.")
    ] = "http://127.0.0.1:8000",
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            envvar="QCRBOX_TOKEN_FILE",
            help="File with a token of the hub (page Token in its menu), readable by you alone.",
        ),
    ] = None,
) -> None:
    """Show a page of the administration as JSON, or carry out one of its actions, with the rights of your token."""
    path = "" if page == "overview" else "/" + "/".join(quote(part, safe="") for part in page.split("/"))
    headers = {"Authorization": f"Bearer {read_token(token_file)}"}
    address = url.rstrip("/").removesuffix("/hub")
    try:
        with httpx.Client(
            base_url=address, headers=headers, timeout=60, trust_env=False, mounts=loopback.mounts(address)
        ) as http:
            where = f"/hub/api/administration{path}"
            if action:
                answer = http.post(where, json={"action": action, **_pairs(fields or [])})
            else:
                asked = _pairs(query or []) | ({"format": "csv"} if csv else {})
                answer = http.get(where, params=asked)
    except httpx.HTTPError as error:
        raise Unreachable("The hub does not answer.", where=address, why=str(error)) from None
    if answer.is_error:
        raise _error(answer)
    if csv and not action:
        print(answer.text, end="")
        return
    said = answer.json()
    print(said["message"] if set(said) == {"message"} else json.dumps(said, indent=1, ensure_ascii=False))


def _error(answer: httpx.Response) -> QcError:
    try:
        return QcError.from_envelope(answer.json(), answer.status_code)
    except ValueError:
        return QcError(f"The hub answered {answer.status_code}.", next="Look at its log: qcrbox logs hub")


def _pairs(texts: list[str]) -> dict[str, Any]:
    """name=value of each; a name that comes twice gives a list. Raises UserInputError."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserInputError(f"{text!r} is not of the form name=value.")
        if name in found:
            earlier = found[name]
            found[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            found[name] = value
    return found


def read_token(file: Path | None) -> str:
    """The token in a file that its owner alone may read. Raises UserInputError."""
    if file is None:
        raise UserInputError(
            "A token is needed.",
            next="Make one on the page Token of the hub, and give its file with --token-file.",
        )
    try:
        mode, text = file.stat().st_mode, file.read_text().strip()
    except OSError as error:
        raise UserInputError(f"The token cannot be read: {error.strerror}.", where=str(file)) from None
    if os.name == "posix" and mode & 0o077:
        raise UserInputError("Others can read this token.", where=str(file), next=f"Run: chmod 600 {file}")
    return text
