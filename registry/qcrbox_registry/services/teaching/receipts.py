"""Receipts of submissions, and what a notebook says of itself. A notebook is read as data only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

LARGEST_NOTEBOOK_BYTES = 10 * 1024 * 1024


def receipt(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of what was submitted: hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def notebook_problem(content: bytes, given: bytes | None = None) -> str:
    """Why a person should look at a notebook; "" when nothing is wrong with it. Raises nothing.

    given: the notebook that was handed out, to name one that was left unchanged.
    """
    if not content.strip():
        return "The notebook is empty."
    if len(content) > LARGEST_NOTEBOOK_BYTES:
        return f"The notebook is larger than {LARGEST_NOTEBOOK_BYTES // 1024**2} MiB."
    try:
        read = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        return "The notebook is not UTF-8 text."
    except RecursionError:
        return "The notebook is nested too deeply to be read."
    except ValueError:
        return "The notebook is not valid JSON."
    return _structure_problem(read) or ("The notebook is unchanged." if given == content else "")


def _structure_problem(read: Any) -> str:
    if not isinstance(read, dict) or not isinstance(read.get("cells"), list):
        return "The file is not a notebook: it has no list of cells."
    if not isinstance(read.get("nbformat"), int) or read["nbformat"] != 4:
        return "The notebook is not of format 4."
    if not read["cells"]:
        return "All cells were deleted."
    for place, cell in enumerate(read["cells"]):
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            return f"Cell {place + 1} is damaged: it has no known type."
        if not _is_text(cell.get("source")):
            return f"Cell {place + 1} is damaged: its source is not text."
    return ""


def _is_text(source: Any) -> bool:
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(s, str) for s in source))
