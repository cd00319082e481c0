"""What a Hirshfeld atom refinement has reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.form_factors import Table
from qcrbox_har.method import Method
from qcrbox_har.molecules import Plan


@dataclass
class Round:
    """One round: its summary, how far atoms moved, and what it cost."""

    number: int
    summary: dict[str, Any]
    moved: dict[str, Any]
    scf_iterations: int
    seconds: dict[str, float]


@dataclass
class Progress:
    """The crystal, its molecules, and the rounds done."""

    structure: Structure
    plan: Plan
    method: Method
    iam: dict[str, Any]
    rounds: list[Round] = field(default_factory=list)
    table: Table | None = None
    converged: bool = False
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def scf_iterations(self) -> int:
        """SCF iterations of all rounds together."""
        return sum(each.scf_iterations for each in self.rounds)
