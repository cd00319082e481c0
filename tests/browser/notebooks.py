"""Small notebooks for the browser tests, and pictures looked at as pixels."""

from __future__ import annotations

import io
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Locator


def write_notebook(file: Path, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, file)


def colours(element: Locator) -> int:
    """How many different colours an element shows: an empty canvas has one or two."""
    picture = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    return len(picture.getcolors(maxcolors=picture.width * picture.height) or [])
