"""`python -m qcrbox_extension.develop`: makes a checkout's extension known to Jupyter.

An installed wheel brings both files; a checkout links them into the environment, so that a new build is
seen without another step.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import qcrbox

from qcrbox_extension import LAB_NAME, LABEXTENSION

EXTENSION = Path(__file__).resolve().parents[1]


def links(prefix: Path) -> dict[Path, Path]:
    """Where Jupyter looks -> what lies in the checkout."""
    return {
        prefix / "share" / "jupyter" / "labextensions" / LAB_NAME: LABEXTENSION,
        prefix / "etc" / "jupyter" / "jupyter_server_config.d" / "qcrbox_extension.json": EXTENSION
        / "jupyter-config"
        / "qcrbox_extension.json",
    }


def link(prefix: Path) -> None:
    """Make or renew the links; what a wheel installed in their place is replaced."""
    for place, source in links(prefix).items():
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        place.symlink_to(source, target_is_directory=source.is_dir())


def write_version(built: Path = LABEXTENSION) -> None:
    """Give the built panel the version of the product: package.json of the sources has none."""
    file = built / "package.json"
    package = json.loads(file.read_text(encoding="utf-8"))
    if package["version"] != qcrbox.__version__:
        package["version"] = qcrbox.__version__
        file.write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Link a checkout's extension into this Python environment; returns the exit code."""
    if not (EXTENSION / "package.json").is_file():
        sys.stderr.write("This is an installed package, not a checkout: there is nothing to link.\n")
        return 0
    link(Path(sys.prefix))
    if not (LABEXTENSION / "package.json").is_file():
        sys.stderr.write(
            "The JupyterLab panel is not built yet: in extension/ run npm ci && npm run build.\n"
        )
        return 1
    write_version()
    return 0


if __name__ == "__main__":
    sys.exit(main())
