"""Modules under the paths they had before the package was divided into layers.

Glue code of applications imports `qcrbox.cif.structure` and its neighbours. These imports still work, give the very
same module objects, and warn with the path to write instead.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    **{
        f"qcrbox.cif.{name}": f"qcrbox.crystallography.{name}"
        for name in (
            "anisotropic",
            "cell",
            "hermann_mauguin",
            "reflections",
            "replacement",
            "shelx",
            "space_group",
            "structure",
            "symmetry",
            "tsc",
        )
    },
    **{
        f"qcrbox.cif.{name}": f"qcrbox.analysis.{name}"
        for name in ("convergence", "difference", "index", "quality", "validation")
    },
    "qcrbox.cif.structure.glb": "qcrbox.display.glb",
}


class _SameModule:
    """A loader that gives the module at its present path; that module keeps its own name and spec."""

    def __init__(self, path: str) -> None:
        self._path = path

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._path)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the spec of the old path into the module.
        module.__spec__ = self._own_spec


class _OldPaths:
    """A finder of modules by their old paths."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        present = present_path(fullname) if fullname.startswith("qcrbox.cif.") else None
        if present is None:
            return None
        warnings.warn(f"{fullname} has moved: import {present} instead.", DeprecationWarning, stacklevel=2)
        return ModuleSpec(fullname, _SameModule(present))  # type: ignore[arg-type]


def present_path(name: str) -> str | None:
    """Where the module of an old path is now; None for a path that has not changed."""
    if name in MOVED:
        return MOVED[name]
    package, _, rest = name.rpartition(".")
    above = present_path(package) if package else None
    return f"{above}.{rest}" if above else None


def install() -> None:
    """Make the old paths importable; a second call changes nothing. The classes are plain: `importlib.abc` costs 10 ms.

    Before all other finders: the path finder would load a submodule of a moved package a second time.
    """
    if not any(isinstance(finder, _OldPaths) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OldPaths())
