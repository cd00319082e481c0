"""QCrBox in a notebook: `import qcrbox as qc`.

Everything else is loaded, and the registry first called, when something is asked for:

    qc.apps                         what there is
    qc.add("a.cif", "a.hkl")        store files            qc["a"]   find them again
    qc.refine.refine_iam(qc["a"])   start a calculation    qc.calculations["3f2a"]
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from qcrbox import old_paths

__version__ = "0.1.0"

if TYPE_CHECKING:
    # The applications of one registry, as `qc.stubs("qcrbox_applications.pyi")` wrote them beside a script.
    from qcrbox_applications import *  # type: ignore[import-not-found,unused-ignore] # noqa: F403

    from qcrbox.api.applications import Applications
    from qcrbox.api.batch import as_completed as as_completed
    from qcrbox.api.box import Box as Box
    from qcrbox.api.calculations import Calculation as Calculation
    from qcrbox.api.calculations import Calculations
    from qcrbox.api.connection import connect as connect
    from qcrbox.api.courses import Courses
    from qcrbox.api.datasets import Dataset as Dataset
    from qcrbox.api.datasets import Datasets
    from qcrbox.api.examples import Examples
    from qcrbox.api.exercises import Exercise
    from qcrbox.api.projects import Projects
    from qcrbox.contract.errors import *  # noqa: F403

    apps: Applications
    calculations: Calculations
    courses: Courses
    datasets: Datasets
    examples: Examples
    projects: Projects

    def exercise(name: str = "") -> Exercise: ...
    def __getattr__(name: str) -> Any: ...


# Folders of this package that `dir` lists and completion offers.
_ROOMS = frozenset(
    {
        "analysis",
        "api",
        "cif",
        "client",
        "contract",
        "crystallography",
        "display",
        "lifeline",
        "markup",
        "spec",
        "widgets",
    }
)

# Names that need no registry: name -> (module, attribute).
_NAMES = {
    "connect": ("qcrbox.api.connection", "connect"),
    "as_completed": ("qcrbox.api.batch", "as_completed"),
    "Box": ("qcrbox.api.box", "Box"),
    "Calculation": ("qcrbox.api.calculations", "Calculation"),
    "CifInput": ("qcrbox.client.parameters", "CifInput"),
    "FileInput": ("qcrbox.client.parameters", "FileInput"),
    "Dataset": ("qcrbox.api.datasets", "Dataset"),
    "UNKNOWN": ("qcrbox.cif.values", "UNKNOWN"),
    "NA": ("qcrbox.cif.values", "NOT_APPLICABLE"),
    "StructureView": ("qcrbox.widgets.structure_view", "StructureView"),
    "read_cube": ("qcrbox.analysis.density.cube", "read_cube"),
    "hirshfeld": ("qcrbox.api.densities", "hirshfeld"),
}
_ERRORS = frozenset(
    {
        "QcError",
        "UserInputError",
        "CifError",
        "MissingItemsError",
        "SpecError",
        "NotSignedIn",
        "NotAllowed",
        "NotFound",
        "Conflict",
        "TooLarge",
        "QuotaExceeded",
        "QueueFull",
        "Unreachable",
        "StorageFull",
        "CalculationFailed",
        "CalculationCancelled",
    }
)


def _box() -> Box:
    # Start-up time: `import qcrbox` loads nothing; the API comes with its first use.
    from qcrbox.api.connection import current

    return current()


class _Module(ModuleType):
    """The package itself can be asked for a dataset: `qc["azu"]`."""

    def __repr__(self) -> str:
        # Start-up time: `import qcrbox` loads nothing; the API comes with its first use.
        from qcrbox.api.connection import place

        return f'<QCrBox {place()}: qc.apps, qc.add("a.cif", "a.hkl"), qc["name"], qc.calculations>'

    def __getitem__(self, name: str) -> Any:
        return _box()[name]

    def __contains__(self, name: object) -> bool:
        return name in _box()

    def __getattr__(self, name: str) -> Any:
        if name in _NAMES:
            module, attribute = _NAMES[name]
            return getattr(importlib.import_module(module), attribute)
        if name in _ERRORS:
            return getattr(importlib.import_module("qcrbox.contract.errors"), name)
        # Python and IPython look for such names on every object; that must never reach the network.
        if name.startswith("_") and not name[1:2].isdigit():
            raise AttributeError(name)
        # Start-up time: `import qcrbox` loads nothing.
        from qcrbox.contract.python_names import MODULES

        # `from qcrbox import waiting` looks here first, and a registry has no modules.
        if name in MODULES:
            return importlib.import_module(f"qcrbox.{name}")
        return getattr(_box(), name)

    def _ipython_key_completions_(self) -> list[str]:
        # Start-up time: `import qcrbox` loads nothing; the API comes with its first use.
        from qcrbox.api.names import offered

        return offered(lambda: _box().datasets.names())

    def __dir__(self) -> list[str]:
        names = {*_NAMES, *_ERRORS, *_ROOMS, "__version__"}
        # Start-up time: `import qcrbox` loads nothing; the API comes with its first use.
        from qcrbox.api.connection import is_configured

        return sorted(names | set(dir(_box())) if is_configured() else names)


sys.modules[__name__].__class__ = _Module
old_paths.install()

if "IPython" in sys.modules:
    from qcrbox.api import completion

    completion.install()
