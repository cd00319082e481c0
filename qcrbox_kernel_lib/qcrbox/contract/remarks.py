"""What a program says of its result beside its warnings.

A *warning* asks for a look before the result is used: it makes the calculation amber. A *note* informs. *Not applied* is
something of the input that the result does without; it is shown, and is no warning.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from qcrbox.contract.remark_kinds import RemarkKind


class Remark(BaseModel):
    """One remark of a calculation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: RemarkKind
    text: str
