"""Small signed tokens: enrolment of an agent, files of a calculation.

`purpose.payload.signature`, URL-safe base64 and HMAC-SHA-256 with the key in DATA/secrets. The purpose is part
of what is signed, so a file token never opens NATS and the other way round.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from qcrbox.contract.errors import NotSignedIn

Purpose = Literal["enrol", "files"]


class Enrolment(BaseModel):
    """What an agent is: it may be this agent only, until its token ends or the agent is gone."""

    model_config = ConfigDict(frozen=True)

    agent: str
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


def sign(key: bytes, purpose: Purpose, claims: BaseModel) -> str:
    payload = _encode(json.dumps(claims.model_dump(), separators=(",", ":"), sort_keys=True).encode())
    return f"{purpose}.{payload}.{_signature(key, purpose, payload)}"


def read_enrolment(key: bytes, token: str, now: float | None = None) -> Enrolment:
    """The claims of an enrolment token. Raises NotSignedIn when it is forged, damaged or too old."""
    return Enrolment.model_validate(_read(key, "enrol", token, now))


def read_files(key: bytes, token: str, now: float | None = None) -> FilesToken:
    """The claims of a file token. Raises NotSignedIn when it is forged, damaged or too old."""
    return FilesToken.model_validate(_read(key, "files", token, now))


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
