"""Kinds of remarks beside warnings; without pydantic, for the start of a notebook."""

from __future__ import annotations

from enum import StrEnum


class RemarkKind(StrEnum):
    """Kinds of remarks that are no warnings."""

    NOTE = "note"
    NOT_APPLIED = "not_applied"
