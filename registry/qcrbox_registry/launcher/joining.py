"""A launcher that joins with a code: exchanges it once, and keeps what it got in its data folder."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
from qcrbox.contract.errors import QcError, Unreachable, UserInputError

FILE = "launcher_token.json"
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Joined:
    """What a launcher got for its code."""

    launcher: str
    nats_url: str
    token: str = field(repr=False)


def join(data: Path, registry: str, code: str) -> Joined:
    """Exchange the code at the registry and keep the answer, readable by this account alone.

    Raises UserInputError without an address, Unreachable, and what the registry answers.
    """
    if not registry:
        raise UserInputError(
            "A code needs the address of the registry.", next="Add --registry https://…/services/qcrbox"
        )
    try:
        answer = httpx.post(
            f"{registry.rstrip('/')}/api/launchers/join",
            json={"code": code},
            timeout=TIMEOUT_S,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise Unreachable("The registry does not answer.", where=registry, why=str(error)) from None
    try:
        body = answer.json()
        if answer.is_error:
            raise QcError.from_envelope(body, answer.status_code)
        given = body["payload"]
        joined = Joined(given["launcher"], given["nats_url"], given["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unreachable("This is not the address of a registry.", where=registry) from error
    _write(data, joined)
    return joined


def read(data: Path) -> Joined | None:
    """What an earlier join left in this data folder; None when there was none."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Joined(**json.loads(_path(data).read_text()))
    return None


def _path(data: Path) -> Path:
    return data / "secrets" / FILE


def _write(data: Path, joined: Joined) -> None:
    path = _path(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(joined), file)
    draft.replace(path)
