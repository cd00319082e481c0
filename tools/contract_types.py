"""Writes extension/src/registry/contract.ts from the OpenAPI page: `python -m tools.contract_types [--check]`.

The TypeScript types of the front end are those of the REST contract, so that a change of a model in
`qcrbox.contract.models` is seen by the compiler of the front end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from qcrbox_registry.app import create_app
from qcrbox_registry.settings import Settings

EXTENSION = Path(__file__).resolve().parents[1] / "extension"
TYPES = EXTENSION / "src" / "registry" / "contract.ts"
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


def main() -> int:
    """With --check, exit code 1 when the types are not up to date; else write them."""
    types = contract_types()
    if "--check" not in sys.argv:
        TYPES.write_text(types)
        return 0
    if not TYPES.exists() or TYPES.read_text() != types:
        sys.stderr.write(f"{TYPES.name} is not up to date: run make types\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
