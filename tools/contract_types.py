"""Writes what the front end shares with Python: `python -m tools.contract_types [--check]`.

extension/src/registry/contract.ts: the TypeScript types of the REST contract, so that a change of a model in
`qcrbox.contract.models` is seen by the compiler of the front end. extension/src/command/figure_words.ts: labels and digits
of reported figures, so that card, panel, result tab and report show the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from qcrbox.client.metrics import FIGURES, figure_label
from qcrbox_registry.app import create_app
from qcrbox_registry.settings import Settings

EXTENSION = Path(__file__).resolve().parents[1] / "extension"
TYPES = EXTENSION / "src" / "registry" / "contract.ts"
WORDS = EXTENSION / "src" / "command" / "figure_words.ts"
_WORDS_HEAD = "// Made by `make types` from qcrbox.client.metrics. Do not edit.\n"
_HEAD = "// Made by `make types` from the registry's OpenAPI page. Do not edit.\n"


def contract_types() -> str:
    """TypeScript types of every body and answer of the registry. Needs node and the packages of the extension."""
    page = create_app(Settings(data=Path("unused"), auth="none")).openapi()
    schemas = {
        name: schema
        for name, schema in page["components"]["schemas"].items()
        if not name.startswith("Success_")  # the envelope: the client opens it
    }
    bare = {"openapi": page["openapi"], "info": page["info"], "paths": {}, "components": {"schemas": schemas}}
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "openapi.json"), Path(folder, "contract.ts")
        source.write_text(json.dumps(bare))
        tool = EXTENSION / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
        command = ["node", str(tool), str(source), "--output", str(made), "--root-types=false"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"openapi-typescript failed: {done.stderr}")
        _, _, types = made.read_text().partition("*/\n")
    return _HEAD + types


def figure_words() -> str:
    """TypeScript table of reported figures: name -> label and number of decimals."""
    lines = [
        f"  {name}: [{_quoted(figure_label(name))}, {figure.decimals}]," for name, figure in FIGURES.items()
    ]
    rows = "\n".join(lines).removesuffix(",")
    head = "/** Name of a reported figure: its label and its number of decimals. */\n"
    return f"{_WORDS_HEAD}{head}export const FIGURE_WORDS: Record<string, [label: string, digits: number]> = {{\n{rows}\n}};\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main() -> int:
    """With --check, exit code 1 when a file is not up to date; else write them."""
    made = {TYPES: contract_types(), WORDS: figure_words()}
    if "--check" not in sys.argv:
        for path, text in made.items():
            path.write_text(text)
        return 0
    stale = [path.name for path, text in made.items() if not path.exists() or path.read_text() != text]
    if stale:
        sys.stderr.write(f"{', '.join(stale)}: not up to date, run make types\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
