"""What a calculation has to say of its result: warnings, what was not applied, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcrbox.language import tr
from qcrbox.markup import escape
from qcrbox.markup.colours import WARN


@dataclass(frozen=True)
class Said:
    """What a calculation has to say: warnings ask for a look, what was not applied and notes inform."""

    warnings: Sequence[str] = ()
    not_applied: Sequence[str] = ()
    notes: Sequence[str] = ()


def said_html(said: Said) -> str:
    """Warnings with their sign, what was not applied as a list, notes folded."""
    parts = [f"<div style='color:{WARN}'>⚠ {escape(warning)}</div>" for warning in said.warnings]
    if said.not_applied:
        items = "".join(f"<li>{escape(text)}</li>" for text in said.not_applied)
        parts.append(f"<div>{escape(tr('Not applied:'))}<ul style='margin:0'>{items}</ul></div>")
    if said.notes:
        items = "".join(f"<li>{escape(text)}</li>" for text in said.notes)
        title = escape(tr("Notes ({n})", n=len(said.notes)))
        parts.append(f"<details><summary>{title}</summary><ul style='margin:0'>{items}</ul></details>")
    return "".join(parts)


def said_text(said: Said) -> list[str]:
    """The same as lines; of notes only their number."""
    lines = [f"⚠ {warning}" for warning in said.warnings]
    if said.not_applied:
        lines += [tr("Not applied:"), *(f"  {text}" for text in said.not_applied)]
    return [*lines, tr("Notes ({n})", n=len(said.notes))] if said.notes else lines
