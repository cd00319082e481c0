"""The documentation site: pages of `docs/`, tutorials with their outputs, and a reference made from the code."""

from __future__ import annotations

from pathlib import Path


def tutorials_of(root: Path) -> list[str]:
    """Names of the tutorials: of `notebooks/` in the repository, of `tutorials/` in its documentation."""
    return sorted(
        file.stem for folder in ("notebooks", "tutorials") for file in (root / folder).glob("*.ipynb")
    )
