"""Run the tutorial notebooks and keep their outputs for the documentation: `python -m tools.tutorials [NAME…]`.

    make tutorials        runs every notebook against a separate registry and writes docs/tutorials/*.ipynb

The notebooks that people get (`notebooks/`) hold no outputs. These copies do, so that building the documentation runs
no program. `--check` only compares the cells: exit code 1 when a notebook has changed since it was run.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks"
TARGET = ROOT / "docs" / "tutorials"
# What a page without a kernel can show; widgets carry an HTML twin.
SHOWN = ("text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain")
WIDGET = "application/vnd.jupyter.widget-view+json"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def stale(source: Path) -> bool:
    """True when the copy with outputs was made from other cells, or is missing."""
    copy = TARGET / source.name
    return not copy.is_file() or _cells(copy) != _cells(source)


def run(source: Path, url: str, limit_s: int) -> nbformat.NotebookNode:
    """The notebook with its outputs. Raises CellExecutionError for a cell that fails."""
    notebook = nbformat.read(source, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        # Kernels inherit the environment.
        os.environ |= {"QCRBOX_URL": url, "QCRBOX_LANGUAGE": "en", "IPYTHONDIR": folder}
        NotebookClient(
            notebook,
            timeout=limit_s,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        ).execute()
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [_static(output) for output in cell.outputs if not _live(output)]
    notebook.metadata.pop("widgets", None)
    return notebook


def _live(output: Any) -> bool:
    """A widget; the output before it is its static twin."""
    return WIDGET in output.get("data", {}) and "text/html" not in output["data"]


def _static(output: Any) -> Any:
    """An output without what needs a kernel; the address of the registry is that of an installed one."""
    output.get("metadata", {}).clear()
    if "data" in output:
        kind = next((kind for kind in SHOWN if kind in output["data"]), "text/plain")
        output["data"] = {kind: _plain_address(output["data"].get(kind, ""))}
    if "text" in output:
        output["text"] = _plain_address(output["text"])
    return output


def _plain_address(text: str) -> str:
    return _ADDRESS.sub("http://127.0.0.1:11000", text)


def _cells(file: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in nbformat.read(file, as_version=4).cells]


@contextmanager
def _registry() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "qcrbox_hub", "registry", "--no-auth", "--port", "0", "--data", data]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            if not found:
                raise RuntimeError(f"The registry did not start: {line!r}")
            yield found.group(0)
        finally:
            process.terminate()
            process.wait(60)


def main() -> int:
    """Parse the command line, run or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="beginnings of file names; all by default")
    parser.add_argument("--check", action="store_true", help="run nothing, compare")
    parser.add_argument("--cell-limit", type=int, default=1800, help="seconds a cell may take")
    arguments = parser.parse_args()
    sources = [
        file
        for file in sorted(SOURCES.glob("*.ipynb"))
        if not arguments.names or file.name.startswith(tuple(arguments.names))
    ]
    if arguments.check:
        old = [file.name for file in sources if stale(file)]
        sys.stderr.writelines(
            f"docs/tutorials/{name} is not up to date: run `make tutorials`\n" for name in old
        )
        return 1 if old else 0
    TARGET.mkdir(exist_ok=True)
    with _registry() as url:
        for file in sources:
            print(f"running {file.name}", flush=True)
            nbformat.write(run(file, url, arguments.cell_limit), TARGET / file.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
