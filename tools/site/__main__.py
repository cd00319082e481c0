"""Build the documentation: `python -m tools.site [--output FOLDER]`, or `make docs`.

The pages are laid out as in the repository, so that their links hold in both places. Warnings are errors. The result
works from the file system and loads nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
from pathlib import Path

from qcrbox.quick_imports import quick_imports
from sphinx.cmd.build import build_main

from tools.site import links, reference
from tools.site.api import api_pages

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "docs" / "_build"
_START = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html"><title>QCrBox</title>'


def assemble(source: Path) -> None:
    """Write the pages of the site to `source`: those of the repository and the generated ones."""
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for page in ROOT.glob("*.md"):
        shutil.copy2(page, source)
    shutil.copytree(ROOT / "docs", source / "docs", ignore=shutil.ignore_patterns("_build"))
    for page in source.rglob("*.md"):
        page.write_text(links.outside_as_code(page, source, ROOT), encoding="utf-8")
    target = source / "docs" / "reference"
    for name, text in {**reference.pages(), **api_pages()}.items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def build(output: Path) -> int:
    """Assemble and build with warnings as errors; exit code of Sphinx."""
    source, html = output / "source", output / "html"
    with quick_imports():  # the reference imports all rooms
        assemble(source)
    shutil.rmtree(html, ignore_errors=True)
    # Document trees are large and long-lived, so frequent garbage collection finds little.
    gc.set_threshold(100_000, 20)
    # English words in signatures and help texts, whatever the machine's language.
    os.environ["QCRBOX_LANGUAGE"] = "en"
    configuration = str(Path(__file__).parent)
    arguments = ["-b", "html", "-W", "--keep-going", "-q", "-c", configuration]
    code = build_main([*arguments, "-d", str(output / "doctrees"), str(source), str(html)])
    (html / "index.html").write_text(_START, encoding="utf-8")
    return code


def main() -> int:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output = parser.parse_args().output.resolve()
    code = build(output) or links.report(output / "html")
    if code == 0:
        print(f"The documentation is at file://{output}/html/index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
