"""A student's notebook as text for a lecturer: nothing of it is run, and no HTML of it is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

MOST_CELLS = 500
LONGEST_TEXT = 20_000
LARGEST_BYTES = 12 * 1024 * 1024


@dataclass(frozen=True)
class CellText:
    """A cell: its kind, source and the plain text of its outputs."""

    kind: str
    source: str
    outputs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NotebookText:
    """The cells, or why there are none."""

    cells: list[CellText]
    problem: str = ""


def read(content: bytes) -> NotebookText:
    """Raises nothing: whatever a student handed in is shown or named."""
    if len(content) > LARGEST_BYTES:
        return NotebookText([], "The notebook is too large to be shown here; download it.")
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return NotebookText([], "The notebook cannot be read; download it to look at its bytes.")
    cells = found.get("cells") if isinstance(found, dict) else None
    if not isinstance(cells, list):
        return NotebookText([], "The file is not a notebook; download it to look at its bytes.")
    problem = f"The first {MOST_CELLS} of {len(cells)} cells are shown." if len(cells) > MOST_CELLS else ""
    return NotebookText([_cell(cell) for cell in cells[:MOST_CELLS]], problem)


def _cell(cell: Any) -> CellText:
    if not isinstance(cell, dict):
        return CellText("damaged", "This cell is damaged.")
    outputs = cell.get("outputs")
    shown = [_output(output) for output in outputs[:50]] if isinstance(outputs, list) else []
    return CellText(
        _text(cell.get("cell_type")) or "unknown", _text(cell.get("source")), [t for t in shown if t]
    )


def _output(output: Any) -> str:
    if not isinstance(output, dict):
        return ""
    data = output.get("data")
    if isinstance(data, dict):
        return _text(data.get("text/plain"))
    if output.get("output_type") == "error":
        return f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    return _text(output.get("text"))


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""
