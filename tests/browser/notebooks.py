"""Small notebooks for the browser tests, and pictures looked at as pixels."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Locator, Page


def write_notebook(file: Path, *cells: str | nbformat.NotebookNode) -> None:
    """Into a person's home, as that person's file: in a sandbox homes have owners of their own. Text is a cell of code."""
    made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=made)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, file)
    owner = file.parent.stat()
    if owner.st_uid != os.geteuid():
        shutil.chown(file, owner.st_uid, owner.st_gid)


def outside_pid(inside: int, owner: int) -> int:
    """Number that this machine gives a process of `owner` that knows itself as `inside` (sandboxes count their own)."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        except (OSError, ValueError):
            continue
        if int(status["NSpid"].split()[-1]) == inside and int(status["Uid"].split()[0]) == owner:
            return int(folder.name)
    raise ProcessLookupError(f"no process {inside} of user {owner}")


def colours(element: Locator) -> int:
    """How many different colours an element shows: an empty canvas has one or two."""
    picture = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    return len(picture.getcolors(maxcolors=picture.width * picture.height) or [])


def wait_for(page: Page, happened: Callable[[], object], seconds: float = 90) -> None:
    """Until something holds that no element of the page tells."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        page.wait_for_timeout(200)


def wait_for_drawing(element: Locator, more_than: int = 50) -> None:
    """Until a picture shows more than so many colours: the first frames come after the element."""
    element.scroll_into_view_if_needed()
    wait_for(element.page, lambda: colours(element) > more_than)
