"""What a program says of its result beside its warnings.

A *warning* asks for a look before the result is used: it makes the calculation amber. A *note* informs. *Not applied* is
something of the input that the result does without; it is shown, and is no warning.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class RemarkKind(StrEnum):
    """Kinds of remarks that are no warnings."""

    NOTE = "note"
    NOT_APPLIED = "not_applied"


class Remark(BaseModel):
    """One remark of a calculation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: RemarkKind
    text: str
