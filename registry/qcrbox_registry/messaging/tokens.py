"""Small signed tokens: enrolment of an agent, files of a calculation, the connection of a launcher.

`purpose.payload.signature`, URL-safe base64 and HMAC-SHA-256 with the key in DATA/secrets. The purpose is part
of what is signed, so a file token never opens NATS and the other way round.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qcrbox.contract.errors import NotSignedIn

Purpose = Literal["enrol", "files", "launcher"]
_Claims = TypeVar("_Claims", bound=BaseModel)


class Enrolment(BaseModel):
    """What an agent is: it may be this agent only, until its token ends or the agent is gone."""

    model_config = ConfigDict(frozen=True)

    # It becomes a subject token and a consumer name: no dot, no wildcard.
    agent: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    application_slug: str
    application_version: str
    launcher: str
    expires: float  # Unix time, s


class FilesToken(BaseModel):
    """Opens the file routes of one attempt of one calculation."""

    model_config = ConfigDict(frozen=True)

    calculation_id: str
    attempt: int
    expires: float  # Unix time, s


class LauncherToken(BaseModel):
    """Lets a launcher connect that joined with a code, until its pass is revoked."""

    model_config = ConfigDict(frozen=True)

    pass_id: str
    # It becomes a subject token: no dot, no wildcard.
    launcher: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    expires: float  # Unix time, s


def sign(key: bytes, purpose: Purpose, claims: BaseModel) -> str:
    """A token `purpose.payload.signature`: the claims as base64 JSON with their keyed hash."""
    payload = _encode(json.dumps(claims.model_dump(), separators=(",", ":"), sort_keys=True).encode())
    return f"{purpose}.{payload}.{_signature(key, purpose, payload)}"


def read_enrolment(key: bytes, token: str, now: float | None = None) -> Enrolment:
    """The claims of an enrolment token. Raises NotSignedIn when it is forged, damaged or too old."""
    return _as(Enrolment, _read(key, "enrol", token, now))


def read_files(key: bytes, token: str, now: float | None = None) -> FilesToken:
    """The claims of a file token. Raises NotSignedIn when it is forged, damaged or too old."""
    return _as(FilesToken, _read(key, "files", token, now))


def read_launcher(key: bytes, token: str, now: float | None = None) -> LauncherToken:
    """The claims of a launcher's token. Raises NotSignedIn when it is forged, damaged or too old."""
    return _as(LauncherToken, _read(key, "launcher", token, now))


def _as(model: type[_Claims], claims: dict[str, Any]) -> _Claims:
    try:
        return model.model_validate(claims)
    except ValidationError as error:
        raise NotSignedIn("This token says nothing that this registry understands.") from error


def _read(key: bytes, purpose: Purpose, token: str, now: float | None) -> dict[str, Any]:
    try:
        said, payload, signature = token.split(".")
        genuine = hmac.compare_digest(signature.encode(), _signature(key, purpose, payload).encode())
        if said != purpose or not genuine:
            raise ValueError("signature")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expires = float(claims["expires"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotSignedIn("This token was not made by this registry.", where=purpose) from error
    if expires < (time.time() if now is None else now):
        raise NotSignedIn("This token has expired.", where=purpose)
    return claims


def _signature(key: bytes, purpose: str, payload: str) -> str:
    return _encode(hmac.new(key, f"{purpose}.{payload}".encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
