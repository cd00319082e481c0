"""What sdist and wheel hold besides Python: the built front ends, and in a wheel the applications and the notebooks.

An editable install takes none of it: a checkout is linked by `python -m qcrbox_extension.develop` and finds
the rest where it lies. An sdist holds the front ends built, so that a wheel made from it needs no node.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LAB = "extension/qcrbox_extension/labextension"
# Folder of a built front end -> a file that is there when it was built whole.
FRONT_ENDS = {
    LAB: "package.json",
    "qcrbox_kernel_lib/qcrbox/widgets/static": ".built",
    "hub/qcrbox_hub/bridge/static": "vnc.js",
}
LAB_TARGET = "share/jupyter/labextensions/@qcrbox/lab"
NOT_APPLICATIONS = {"agent", "base", "gui_base", "person"}


class FrontEndsAndApplications(BuildHookInterface):
    """Adds to sdist and wheel what git ignores, and to a wheel what lies outside the packages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        self._check_front_ends(root)
        build_data["artifacts"] += [f"/{folder}" for folder in FRONT_ENDS]
        if self.target_name == "wheel":
            build_data["shared_data"].update(self._shared(root))

    def _check_front_ends(self, root: Path) -> None:
        """Raises RuntimeError when a front end is not built, or the panel was built for another version."""
        for folder, mark in FRONT_ENDS.items():
            if not (root / folder / mark).is_file():
                raise RuntimeError(f"The front end in {folder} is not built. `make wheel` builds everything.")
        built_for = json.loads((root / LAB / "package.json").read_text(encoding="utf-8"))["version"]
        if built_for != self.metadata.version:
            raise RuntimeError(
                f"The JupyterLab panel has version {built_for}, the product {self.metadata.version}. Run `make wheel`."
            )

    def _shared(self, root: Path) -> dict[str, str]:
        """Files of an installed product outside its packages: source -> place below the environment."""
        shared = {
            LAB: LAB_TARGET,
            "extension/install.json": f"{LAB_TARGET}/install.json",
            "extension/jupyter-config/qcrbox_extension.json": (
                "etc/jupyter/jupyter_server_config.d/qcrbox_extension.json"
            ),
        }
        for spec in sorted(root.glob("app_images/*/application.yaml")):
            folder = spec.parent
            if folder.name not in NOT_APPLICATIONS:
                shared |= self._files(folder, root, f"share/qcrbox/applications/{folder.name}")
        for base in ("base", "gui_base", "person"):
            shared |= self._files(root / "app_images" / base, root, f"share/qcrbox/applications/{base}")
        for pins in ("agent.txt", "person.txt"):
            shared[f"constraints/{pins}"] = f"share/qcrbox/{pins}"
        return shared | self._files(root / "notebooks", root, "share/qcrbox/notebooks")

    def _files(self, folder: Path, root: Path, target: str) -> dict[str, str]:
        """Every file of a folder that belongs to the product: no caches, no tests, no hidden files."""
        return {
            str(file.relative_to(root)): f"{target}/{file.relative_to(folder)}"
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not _left_out(file.relative_to(folder))
        }


def _left_out(file: Path) -> bool:
    return any(
        part.startswith(".") or part in ("__pycache__", "tests", "node_modules") for part in file.parts
    )
