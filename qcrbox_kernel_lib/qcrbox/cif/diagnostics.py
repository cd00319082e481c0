"""Diagnostics of readers, checks and conversions, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from qcrbox.contract.errors import CifError


class Severity(StrEnum):
    """Severity of a diagnostic; an error makes the document unreadable."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark: where (file, block, line, column, item), what, and what to do.

    Lines and columns count from 1; 0 means that the place is not known. `code` is a short stable
    stable code for programs, e.g. `duplicate-item`.
    """

    severity: Severity
    code: str
    what: str
    next: str = ""
    file: str = ""
    block: str = ""
    line: int = 0
    column: int = 0
    tag: str = ""

    @property
    def where(self) -> str:
        """File, line, column, block and item, as far as they are known."""
        place = [self.file] if self.file else []
        if self.line:
            place.append(f"line {self.line}" + (f", column {self.column}" if self.column else ""))
        if self.block:
            place.append(f"block {self.block}")
        if self.tag:
            place.append(self.tag)
        return ", ".join(place)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{self.severity}: {head}" + (f" {self.next}" if self.next else "")

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain data for JSON."""
        return asdict(self)

    def as_error(self, others: Iterable[Diagnostic] = ()) -> CifError:
        """The same remark as an exception; `others` become its details."""
        listed = [str(other) for other in others]
        return CifError(
            self.what,
            where=self.where,
            next=self.next,
            details=[str(self), *listed] if listed else "",
            file=self.file or None,
            block=self.block or None,
            line=self.line or None,
            column=self.column or None,
            tag=self.tag or None,
            code=self.code,
        )
