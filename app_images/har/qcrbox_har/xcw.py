"""X-ray constrained wavefunction fitting: a scan over the strength λ of the constraint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.analysis.density.cube import BOHR
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox.contract.progress import report, say
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har import charges, estimate, maps, molecules
from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.molecules import Molecule
from qcrbox_har.options import Options, choose_method
from qcrbox_har.processes import Child

Array = NDArray[np.float64]
_QUANTUM = "qcrbox_har.quantum.xcw"


@dataclass(frozen=True)
class Scan:
    """λ from 0 to `largest` in equal `steps`; least: reflections with F/σ(F) below it are left out."""

    largest: float = 1.0
    steps: int = 10
    least: float = 3.0


@dataclass
class Fitted:
    """Rows of the scan as plain data, the level of theory, the molecule, and why the scan ended early, if it did."""

    rows: list[dict[str, Any]]
    method: Method
    molecule: Molecule
    reflections: int
    ended: str = ""


def sole_molecule(structure: Structure) -> Molecule:
    """The one molecule of the crystal. Raises UserInputError for crystals that have more, disorder, or none."""
    plan = molecules.plan(structure)
    if len(plan.molecules) != 1 or plan.spherical:
        names = ", ".join(molecule.formula for molecule in plan.molecules)
        raise UserInputError(
            f"the crystal has {len(plan.molecules)} wavefunctions ({names}), and one is fitted.",
            why="Structure factors belong to all molecules together.",
            next="Choose a crystal of one kind of molecule without disorder, with one of them in the asymmetric unit.",
        )
    return plan.molecules[0]


def displacements(structure: Structure, molecule: Molecule) -> Array:
    """U* (n, 3, 3) of the molecule's atoms on a*, b*, c*; isotropic ones as a sphere."""
    cell, sites, group = structure.cell, structure.sites, structure.space_group
    inverse = cell.fractionalisation  # its rows are a*, b*, c* in Cartesian axes
    lengths = np.linalg.norm(inverse, axis=1)
    made = []
    for site, operation in zip(molecule.site, molecule.operation, strict=True):
        u = sites.u_cif[site]
        if np.isfinite(u).all():
            star = u * np.outer(lengths, lengths)
        else:
            star = float(np.nan_to_num(sites.u_iso[site])) * (inverse @ inverse.T)
        rotation = group.rotations[operation].astype(float)
        made.append(rotation @ star @ rotation.T)
    return np.array(made)


def dispersion(
    structure: Structure, hkl: NDArray[np.int64], factors: dict[str, complex]
) -> NDArray[np.complex128]:
    """F'(h) (k,) of f' + i f'' of all atoms of the unit cell. factors: by element."""
    group, sites, cell = structure.space_group, structure.sites, structure.cell
    lengths = np.linalg.norm(cell.fractionalisation, axis=1)
    total = np.zeros(len(hkl), dtype=np.complex128)
    count = len(group.rotations)
    for row in np.flatnonzero(sites.is_atom).tolist():
        factor = factors.get(sites.element[row], 0j)
        if not factor:
            continue
        u = sites.u_cif[row]
        isotropic = cell.fractionalisation @ cell.fractionalisation.T * float(np.nan_to_num(sites.u_iso[row]))
        star = u * np.outer(lengths, lengths) if np.isfinite(u).all() else isotropic
        share = float(structure.images.symmetry.multiplicity[row]) / count * float(sites.occupancy[row])
        for rotation, translation in zip(group.rotations, group.translations, strict=True):
            image = hkl @ rotation
            phase = 2j * np.pi * (image @ sites.fract[row] + hkl @ translation)
            damping = -2 * np.pi**2 * np.einsum("ki,ij,kj->k", image, star, image)
            total += share * factor * np.exp(phase + damping)
    return total


def amplitudes(squares: Array, sigma: Array, least: float) -> tuple[NDArray[np.bool_], Array, Array]:
    """Which reflections have F/σ(F) of at least `least`, and F and σ(F) = σ(F²)/2F of these."""
    f = np.sqrt(np.maximum(squares, 1e-12))
    sigma_f = sigma / (2 * f)
    kept = (squares > 0) & (sigma > 0) & (f >= least * sigma_f)
    return kept, f[kept], sigma_f[kept]


def refuse_beyond_memory(basis: int, reflections: int, limit: int) -> None:
    """Raises UserInputError when the transforms of all products of basis functions would not fit."""
    needed = 3 * 16 * reflections * basis * (basis + 1) // 2
    if needed > 0.7 * limit:
        raise UserInputError(
            f"the fit needs about {needed / 1e9:.1f} GB of memory, and there are {limit / 1e9:.1f} GB.",
            why=f"{basis} basis functions and {reflections} reflections.",
            next="Choose a smaller basis set, or a lower resolution.",
        )


def fit(
    structure: Structure, observed: dict[str, Any], options: Options, scan: Scan, quantum: Child
) -> Fitted:
    """Fit the molecule of a structure. observed: what `refine_side.observed` returns.

    The scan ends at the last λ whose field converges, and says so.
    """
    molecule = sole_molecule(structure)
    charges.assign([molecule], structure.formula_moiety, options.charges, options.multiplicities)
    if molecule.multiplicity != 1:
        raise UserInputError(
            f"molecule {molecule.name} has unpaired electrons.",
            where="multiplicities",
            next="Only closed shells are fitted.",
        )
    method = choose_method(options, set(molecule.symbols), len(molecule.symbols))
    kept, f, sigma = amplitudes(observed["squares"], observed["sigma"], scan.least)
    hkl = observed["hkl"][kept]
    positions = structure.cell.to_cartesian(molecule.fract(structure))
    given = MoleculeInput(molecule.symbols, positions, molecule.charge, 1)
    size = quantum.call("qcrbox_har.quantum.task:size", given, method)
    refuse_beyond_memory(size["basis"], len(hkl), estimate.memory_limit())
    say(f"{method.level}, {size['basis']} basis functions, {len(hkl)} of {len(kept)} reflections")
    extra = dispersion(structure, hkl, observed["dispersion"])
    first = quantum.call(
        f"{_QUANTUM}:begin_from",
        given,
        method,
        {
            "rotations": structure.space_group.rotations,
            "translations": structure.space_group.translations,
            "share": molecule.copies / len(structure.space_group.rotations),
            "fractional": structure.cell.fractionalisation,
            "u_star": displacements(structure, molecule),
        },
        {"hkl": hkl, "f": f, "sigma": sigma, "extra": extra},
    )
    result = Fitted([asdict(first)], method, molecule, len(hkl))
    _tell(result.rows[-1], 0.1)
    for number in range(1, scan.steps + 1):
        try:
            found = quantum.call(f"{_QUANTUM}:step", scan.largest * number / scan.steps)
        except CalculationFailed as end:
            result.ended = f"The scan ended: {end.message}"
            say(result.ended)
            break
        result.rows.append(asdict(found))
        _tell(result.rows[-1], 0.1 + 0.8 * number / scan.steps)
    return result


def _tell(row: dict[str, Any], fraction: float) -> None:
    text = (
        f"lambda {row['strength']:.4g}: chi2 {row['chi_squared']:.4f}  R(F) {row['r']:.4f}  E {row['energy']:.6f} hartree  "
        f"{row['cycles']} cycles"
    )
    say(text)
    report(fraction=fraction, text=text, chi_squared=round(row["chi_squared"], 5), strength=row["strength"])


def content(fitted: Fitted) -> dict[str, Any]:
    """The scan for people and programs: rows, and properties of each atom before and after."""
    before, after = fitted.rows[0], fitted.rows[-1]
    return {
        "level": fitted.method.level,
        "molecule": fitted.molecule.formula,
        "reflections": fitted.reflections,
        "scan": [
            {name: row[name] for name in ("strength", "chi_squared", "r", "energy", "scale", "cycles")}
            for row in fitted.rows
        ],
        "dipole_debye": {"before": before["dipole"], "after": after["dipole"]},
        "charges": [
            {"atom": label, "before": old, "after": new}
            for label, old, new in zip(
                fitted.molecule.labels, before["charges"], after["charges"], strict=True
            )
        ],
        "energy_penalty_hartree": after["energy"] - before["energy"],
        "ended": fitted.ended,
    }


def cube_of(quantum: Child, structure: Structure, molecule: Molecule, path: Path) -> None:
    """The change of the density by the fit, e/bohr³, as a cube file."""
    places = structure.cell.to_cartesian(molecule.fract(structure))
    box = maps.Box.around(list(zip(molecule.symbols, places, strict=True)), 0.15)
    values = quantum.call(f"{_QUANTUM}:difference_density", box.points)
    maps.write_cube(path, "Fitted less unconstrained density, e/bohr^3", box, values * BOHR**3)
