"""What the wheel holds besides Python: the built front ends, the applications, the notebooks.

An editable install takes none of it: a checkout is linked by `python -m qcrbox_extension.develop` and finds
the rest where it lies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LAB = "extension/qcrbox_extension/labextension"
LAB_TARGET = "share/jupyter/labextensions/@qcrbox/lab"
NOT_APPLICATIONS = {"agent", "base", "gui_base", "person"}


class FrontEndsAndApplications(BuildHookInterface):
    """Adds to a wheel what lies outside the packages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        if not (root / LAB / "package.json").is_file():
            raise RuntimeError("The JupyterLab extension is not built. Run `make frontend` first.")
        build_data["artifacts"] += [
            "qcrbox_kernel_lib/qcrbox/widgets/static",
            "hub/qcrbox_hub/bridge/static",
        ]
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
        shared |= self._files(root / "notebooks", root, "share/qcrbox/notebooks")
        build_data["shared_data"].update(shared)

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
