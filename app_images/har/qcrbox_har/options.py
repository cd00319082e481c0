"""What the user may choose; application.yaml has the words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.elements import atomic_number
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.method import Method


@dataclass
class Options:
    """functional, basis: `auto` chooses by the size of the largest molecule. rounds: at most."""

    functional: str = "auto"
    basis: str = "auto"
    partition: str = "hirshfeld"
    relativistic: str = "auto"
    dispersion: str = "off"
    charges: str = ""
    multiplicities: str = ""
    crystal_field: str = "isolated"
    field_radius: float = 8.0
    hydrogens: str = "anisotropic"
    spherical: str = ""
    rounds: int = 12
    tolerance: float = 0.02
    grid: int = 2
    scf_grid: int = 1
    most_hours: float = 24.0
    wavefunction: str | None = None
    fragments: str = "auto"
    density: str = "molecules"

    @property
    def is_periodic(self) -> bool:
        """Whether the density is that of the whole crystal."""
        return self.density == "periodic"


def choose_method(options: Options, symbols: set[str], largest: int) -> Method:
    """The level of theory. symbols: elements of all molecules; largest: atoms of the biggest one.

    Beyond krypton the basis sets of the def2 family have core potentials, so the all-electron x2c sets are
    taken, with scalar relativity.
    """
    heavy = any(atomic_number(s) > 36 for s in symbols)
    basis = options.basis
    if basis.lower() == "auto":
        triple = largest <= 12
        basis = (
            ("x2c-TZVPall" if triple else "x2c-SVPall") if heavy else ("def2-TZVP" if triple else "def2-SVP")
        )
    functional = "b3lyp" if options.functional.lower() == "auto" else options.functional
    relativistic = options.relativistic == "yes" or (
        options.relativistic == "auto" and any(atomic_number(s) > 30 for s in symbols)
    )
    return Method(
        functional, basis, options.scf_grid, relativistic, options.dispersion, _conv_tol(options.tolerance)
    )


def _conv_tol(tolerance: float) -> float:
    """Change of the energy, hartree, at which the iterations end. tolerance: of the refinement, in s.u.

    The error of an energy is quadratic in that of its density, and so in that of the sites. With a fixed value, rounds that
    start from the last orbitals stop after one iteration and do not reach a small tolerance. 1e-6 for 0.02 s.u. was
    measured (decision 0261).
    """
    usual = Options.tolerance
    return max(Method.conv_tol * min(tolerance / usual, 1.0) ** 2, 1e-10)


def spherical_sites(structure: Structure, text: str) -> set[int]:
    """Sites by label, with * for any ending, or by element: `Fe1 Cl* I`. Raises UserInputError for names that fit nothing."""
    chosen: set[int] = set()
    for word in re.split(r"[\s,;]+", text or ""):
        if not word:
            continue
        pattern = re.compile(re.escape(word).replace(r"\*", ".*"), re.IGNORECASE)
        rows = {i for i, label in enumerate(structure.sites.label) if pattern.fullmatch(label)}
        rows = rows or {i for i, e in enumerate(structure.sites.element) if e.lower() == word.lower()}
        if not rows:
            raise UserInputError(
                f"no atom and no element is called {word}.",
                where="spherical",
                next=f"Atoms: {', '.join(structure.sites.label[:20])}.",
            )
        chosen |= rows
    return chosen
