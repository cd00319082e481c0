"""What every answer and every error is wrapped in."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import Field

from qcrbox.contract.models.base import Model

P = TypeVar("P")


class Success(Model, Generic[P]):
    """Every answer but downloads, 204 and /api/healthz."""

    status: Literal["success"] = "success"
    message: str = ""
    timestamp: str = ""
    payload: P


class ErrorBody(Model):
    """An error: code and message of the contract, then the parts of the text and further fields."""

    code: int
    message: str
    details: str | list[str]
    # additions to the contract
    kind: str = "error"
    what: str = ""
    where: str = ""
    why: str = ""
    next: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)


class Failure(Model):
    """The envelope of every error."""

    status: Literal["error"] = "error"
    error: ErrorBody


class Health(Model):
    """The answer of /api/healthz."""

    status: Literal["ok"] = "ok"
