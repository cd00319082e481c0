"""The level of theory, and one molecule as a wavefunction program needs it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# What a field keeps in memory at most, in bytes: its three-centre integrals unpacked, and the values of its basis functions
# on the coarse grid. The estimate counts with the same limits.
UNPACKED_BYTES = 1_500_000_000
COARSE_GRID_BYTES = 600_000_000


@dataclass(frozen=True)
class Method:
    """functional: `hf` or the name of a density functional in libxc's or pyscf's words.

    basis: a basis set's name; grid_level: of the exchange-correlation grid (0-9); relativistic: scalar X2C;
    dispersion: `off`, `d3bj` or `d4`: an energy only, the density does not depend on it; conv_tol: change of
    the energy in hartree at which the iterations end; cutoff_ev: of plane waves, where the density is that of a whole crystal
    and the basis set that of free atoms only.
    """

    functional: str = "b3lyp"
    basis: str = "def2-svp"
    grid_level: int = 1
    relativistic: bool = False
    dispersion: str = "off"
    conv_tol: float = 1e-6
    cutoff_ev: float | None = None

    @property
    def is_periodic(self) -> bool:
        """Whether the density is that of a whole crystal, in plane waves."""
        return self.cutoff_ev is not None

    @property
    def is_hf(self) -> bool:
        """Whether the level is Hartree-Fock and needs no exchange-correlation grid."""
        return self.functional.lower() == "hf"

    @property
    def has_exact_exchange(self) -> bool:
        """Whether an iteration builds the exchange matrix. Unknown names count as hybrids: the dearer case."""
        return self.functional.lower() not in (
            "pbe",
            "blyp",
            "bp86",
            "lda",
            "svwn",
            "tpss",
            "scan",
            "r2scan",
            "revpbe",
        )

    @property
    def level(self) -> str:
        """As chemists write it: `B3LYP/def2-SVP`, or `PBE, periodic` for the density of a crystal."""
        names = {
            "hf": "HF",
            "pbe": "PBE",
            "pbe0": "PBE0",
            "b3lyp": "B3LYP",
            "blyp": "BLYP",
            "r2scan": "r2SCAN",
            "lda": "LDA",
            "rpbe": "RPBE",
            "revpbe": "revPBE",
        }
        functional = names.get(self.functional.lower(), self.functional)
        return f"{functional}/{self.basis}" if not self.is_periodic else f"{functional}, periodic"

    @property
    def in_words(self) -> str:
        """The level with what is said of it in logs."""
        if self.is_periodic:
            return f"{self.level}, plane waves to {self.cutoff_ev:g} eV, scalar relativistic atomic data"
        return f"{self.level}{', scalar relativistic (X2C)' if self.relativistic else ''}"


@dataclass(frozen=True)
class Accuracy:
    """How exact the form factors of one round are; what is None is as the method and the settings have it.

    conv_tol: change of the energy in hartree at which the iterations end; scf_grid, grid: levels of the grids of
    exchange-correlation and of the partition, never finer ones than asked for; transform: of the Fourier transforms,
    relative to the electrons of the atom.
    """

    conv_tol: float | None = None
    scf_grid: int | None = None
    grid: int | None = None
    transform: float | None = None

    def method(self, asked: Method) -> Method:
        """The level of theory at this accuracy."""
        tolerance = asked.conv_tol if self.conv_tol is None else max(self.conv_tol, asked.conv_tol)
        level = asked.grid_level if self.scf_grid is None else min(self.scf_grid, asked.grid_level)
        return replace(asked, conv_tol=tolerance, grid_level=level)

    def settings(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The settings of the partition at this accuracy."""
        made = dict(asked)
        if self.grid is not None:
            made["grid_level"] = min(self.grid, asked["grid_level"])
        if self.transform is not None:
            made["transform"] = self.transform
        return made


@dataclass
class Charges:
    """Point charges and dipoles around a molecule: positions (m, 3) Å, charges (m,) e, dipoles (m, 3) e Å."""

    positions: Array
    charges: Array
    dipoles: Array


@dataclass
class MoleculeInput:
    """symbols: n elements (`H`, `C`, ...); positions (n, 3) Å, Cartesian; multiplicity 2S + 1.

    ghosts: atoms that only lend their basis functions; none by default.
    """

    symbols: list[str]
    positions: Array
    charge: int = 0
    multiplicity: int = 1
    surroundings: Charges | None = None

    @property
    def formula(self) -> str:
        """Formula with C and H first, the other elements by alphabet."""
        order = sorted(set(self.symbols), key=lambda e: (e != "C", e != "H", e))
        counts = {e: self.symbols.count(e) for e in order}
        return "".join(e + (str(n) if n > 1 else "") for e, n in counts.items())


@dataclass
class FormFactorRequest:
    """What is wanted of a molecule's density.

    wanted: (atom, rotation (3, 3) of its image); fractional (3, 3): Cartesian Å to fractional coordinates; hkl (k, 3);
    settings: partition, basis of the free atoms and level of the grid; is_fragment: whether nothing is wanted of the atoms
    that are not among `wanted`, nor of the molecule.
    """

    settings: dict[str, Any]
    wanted: list[tuple[int, Indices]]
    fractional: Array
    hkl: Indices
    is_fragment: bool = False


@dataclass
class AtomicDensity:
    """What one molecule gives: form factors and moments of its atoms.

    electrons (n,): integral of each atomic density; dipoles (n, 3): its first moment about the nucleus in
    e Å, sign of the charge; charges (n,): nuclear charge less electrons; spin (n,): unpaired electrons. Of a fragment these are
    NaN for atoms that are not wanted, and so are total_electrons and dipole (3,) in e Å. apart: r.m.s. distance in Å of the atoms of
    a wavefunction file from those of the crystal; kpoints: mesh of a periodic density along the reciprocal axes.
    """

    electrons: Array
    charges: Array
    dipoles: Array
    spin: Array
    total_electrons: float
    energy: float
    iterations: int
    converged: bool
    dipole: Array
    seconds: dict[str, float] = field(default_factory=dict)
    n_basis: int = 0
    n_points: int = 0
    apart: float = 0.0
    kpoints: tuple[int, int, int] | None = None
