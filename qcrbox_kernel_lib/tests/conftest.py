"""Invented crystals, the real structures of the cctbx distribution, and a small HTTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from qcrbox.crystallography.structure import Structure

from .small_server import SmallServer, small_server

CifMaker = Callable[..., str]
EXAMPLES = Path(__file__).parents[2] / "app_images" / "qcrboxtools" / "examples"


def distributed(package: str, path: str) -> Path:
    spec = find_spec(package)
    assert spec is not None, f"{package} belongs to the test requirements"
    roots = [Path(root) for root in spec.submodule_search_locations or ()]
    return next(root / path for root in roots if (root / path).exists())


@pytest.fixture(scope="session")
def thpp_path() -> Path:
    return distributed("smtbx", "regression/test_data/thpp.cif")


@pytest.fixture(scope="session")
def cu_path() -> Path:
    return distributed("iotbx", "regression/data/cu3182sup1.cif")


@pytest.fixture(scope="session")
def thpp(thpp_path: Path) -> Structure:
    return Structure.from_cif(thpp_path)


@pytest.fixture(scope="session")
def deoxyribonucleoside(cu_path: Path) -> Structure:
    return Structure.from_cif(cu_path)


@pytest.fixture(scope="session")
def urea() -> Structure:
    return Structure.from_cif(EXAMPLES / "urea.cif")


@pytest.fixture
def cif() -> CifMaker:
    return write_cif


def write_cif(
    cell: Sequence[object] = (10, 11, 12, 90, 90, 90),
    sites: Sequence[Sequence[object]] = (("C1", "C", 0.1, 0.2, 0.3),),
    columns: str = "label type_symbol fract_x fract_y fract_z",
    *,
    group: str = "_space_group_name_H-M_alt 'P 1'",
    more: str = "",
) -> str:
    """A small CIF; `columns` without `_atom_site_`."""
    lengths = "\n".join(f"_cell_length_{name} {value}" for name, value in zip("abc", cell, strict=False))
    names = ("alpha", "beta", "gamma")
    angles = "\n".join(f"_cell_angle_{name} {value}" for name, value in zip(names, cell[3:], strict=True))
    header = "\n".join(f"_atom_site_{name}" for name in columns.split())
    rows = "\n".join(" ".join(str(value) for value in row) for row in sites)
    return f"data_made\n{lengths}\n{angles}\n{group}\nloop_\n{header}\n{rows}\n{more}\n"


def aniso(rows: Sequence[Sequence[object]], stem: str = "U_") -> str:
    names = "\n".join(f"_atom_site_aniso_{stem}{name}" for name in ("11", "22", "33", "12", "13", "23"))
    body = "\n".join(" ".join(str(value) for value in row) for row in rows)
    return f"loop_\n_atom_site_aniso_label\n{names}\n{body}\n"


def symops(*operations: str, tag: str = "_space_group_symop_operation_xyz") -> str:
    return f"loop_\n{tag}\n" + "\n".join(f"'{operation}'" for operation in operations)


@pytest.fixture
def server() -> Iterator[SmallServer]:
    """A small HTTP server on loopback; tests say what it answers."""
    with small_server() as made:
        yield made
