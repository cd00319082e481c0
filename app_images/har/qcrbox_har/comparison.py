"""Spherical and aspherical atoms side by side: agreement, X-H distances against neutron means, displacements."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.cif import read
from qcrbox.cif.document import Block
from qcrbox.cif.values import Number
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.molecules import Plan
from qcrbox_har.neutron import kind

Array = NDArray[np.float64]


@dataclass
class HydrogenBondLength:
    """One X-H distance in Å with s.u.; `neutron` is the mean of its class (Allen & Bruno, 2010)."""

    x: str
    hydrogen: str
    bond_class: str
    iam: float | None
    iam_su: float | None
    har: float | None
    har_su: float | None
    neutron: float


def compare(
    iam_cif: Path, har_cif: Path, iam: dict[str, Any], har: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """A table for people and programs: `agreement`, `hydrogen` (rows), `mean_deviation` of X-H in Å, `displacements`."""
    before, after = read(iam_cif).sole_block(), read(har_cif).sole_block()
    rows = _distances(before, after, plan)
    agreement = {
        name: {"iam": iam[name], "har": har[name]}
        for name in ("R1", "R1_all", "wR2", "S", "parameters", "reflections", "max", "min", "rms")
    }
    return {
        "agreement": agreement,
        "hydrogen": [asdict(row) for row in rows],
        "mean_deviation": {
            which: _mean(
                [abs(value - row.neutron) for row in rows if (value := getattr(row, which)) is not None]
            )
            for which in ("iam", "har")
        },
        "displacements": _displacements(before, after),
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _distances(before: Block, after: Block, plan: Plan) -> list[HydrogenBondLength]:
    old, new = _bond_lengths(before), _bond_lengths(after)
    rows = []
    seen: set[tuple[str, str]] = set()
    for molecule in plan.molecules:
        neighbours: dict[int, list[int]] = {}
        for i, j in molecule.bonds.tolist():
            neighbours.setdefault(i, []).append(j)
            neighbours.setdefault(j, []).append(i)
        for atom, around in neighbours.items():
            if molecule.symbols[atom] == "H":
                continue
            # Caps of a fragment come last and have no labels; each stands for a neighbour that is no hydrogen.
            hydrogen = [j for j in around if j < len(molecule.labels) and molecule.symbols[j] == "H"]
            for j in hydrogen:
                pair = (molecule.labels[atom], molecule.labels[j])
                if pair in seen:
                    continue
                seen.add(pair)
                name, mean = kind(molecule.symbols[atom], len(hydrogen), len(around))
                iam, har = old.get(frozenset(pair)), new.get(frozenset(pair))
                rows.append(
                    HydrogenBondLength(*pair, name, *(iam or (None, None)), *(har or (None, None)), mean)
                )
    return rows


def _bond_lengths(block: Block) -> dict[frozenset[str], tuple[float, float | None]]:
    loop = block.loop("_geom_bond_distance")
    if loop is None:
        return {}
    lengths, su = loop.numbers_and_su("_geom_bond_distance")
    first, second = loop.texts("_geom_bond_atom_site_label_1"), loop.texts("_geom_bond_atom_site_label_2")
    found: dict[frozenset[str], tuple[float, float | None]] = {}
    for a, b, length, error in zip(first, second, lengths.tolist(), su.tolist(), strict=True):
        found.setdefault(frozenset((a, b)), (length, error if error and error == error else None))
    return found


def _displacements(before: Block, after: Block) -> dict[str, Any]:
    """How much the tensors of the heavier atoms changed: in s.u. of the aspherical model, and by the similarity index."""
    first, second = Structure.from_block(before), Structure.from_block(after)
    old, new = first.sites, second.sites
    ratios = {}
    for row, label in enumerate(new.label):
        other = old.index.get(label)
        if other is None or new.is_hydrogen[row] or not np.isfinite(new.u_cif[row]).all():
            continue
        su = adps.six_components(new.u_cif_su[row])
        with np.errstate(divide="ignore", invalid="ignore"):
            change = adps.six_components(new.u_cif[row] - old.u_cif[other]) / su
        known = np.isfinite(change)
        if known.any():
            ratios[label] = float(np.sqrt(np.mean(change[known] ** 2)))
    worst = max(ratios, key=ratios.__getitem__, default="")
    return {
        "rms_change_su": float(np.sqrt(np.mean([r * r for r in ratios.values()]))) if ratios else None,
        "largest_atom": worst,
        "largest_su": ratios.get(worst),
        "similarity_index": _mean(list(similarities(first, second, hydrogen=False).values())),
    }


def similarities(first: Structure, second: Structure, *, hydrogen: bool = True) -> dict[str, float]:
    """Similarity index, in per cent, of the anisotropic displacements of each site that both structures have, by label.

    0 where the tensors are equal; tensors that are not positive definite have none. hydrogen: those of hydrogen too.
    """
    found = {}
    one, two = (adps.u_to_cartesian(model.sites.u_cif, model.cell) for model in (first, second))
    for row, label in enumerate(second.sites.label):
        other = first.sites.index.get(label)
        if other is None or (second.sites.is_hydrogen[row] and not hydrogen):
            continue
        index = similarity_index(one[other], two[row])
        if index is not None:
            found[label] = index
    return found


def similarity_index(first: Array, second: Array) -> float | None:
    """100 (1 - R) of two displacement tensors (3, 3) in Å², Cartesian: Whitten & Spackman, Acta Cryst. B62 (2006) 875.

    R, the overlap of the two probability densities, is 2^(3/2) (det U₁⁻¹U₂⁻¹)^(1/4) / (det(U₁⁻¹ + U₂⁻¹))^(1/2). None
    where a tensor is unknown or not positive definite.
    """
    if not all(np.isfinite(u).all() and (np.linalg.eigvalsh(u) > 0).all() for u in (first, second)):
        return None
    one, two = np.linalg.inv(first), np.linalg.inv(second)
    overlap = 2**1.5 * (np.linalg.det(one) * np.linalg.det(two)) ** 0.25 / np.linalg.det(one + two) ** 0.5
    return float(100 * (1 - overlap))


def as_text(table: dict[str, Any]) -> str:
    """The table in plain text, for the log."""
    names = {"R1": "R1 (I > 2σ)", "R1_all": "R1 (all)", "wR2": "wR2", "S": "S", "parameters": "parameters", "max": "residual max, e/Å³", "min": "residual min, e/Å³", "rms": "residual rms, e/Å³"}  # fmt: skip
    lines = [f"{'':22}{'IAM':>12}{'HAR':>12}{'neutron':>12}"]
    for name, shown in names.items():
        pair = table["agreement"][name]
        digits = 0 if name == "parameters" else 3 if name in ("S", "max", "min", "rms") else 4
        lines.append(f"{shown:22}{pair['iam']:12.{digits}f}{pair['har']:12.{digits}f}")
    for row in table["hydrogen"]:
        values = [_number(row[which], row[which + "_su"]) for which in ("iam", "har")]
        lines.append(
            f"{row['x'] + '-' + row['hydrogen']:22}{values[0]:>12}{values[1]:>12}{row['neutron']:12.3f}  {row['bond_class']}"
        )
    mean = table["mean_deviation"]
    if mean["har"] is not None and mean["iam"] is not None:
        lines.append(f"{'mean |X-H - neutron|':22}{mean['iam']:12.3f}{mean['har']:12.3f}")
    return "\n".join(lines)


def _number(value: float | None, su: float | None) -> str:
    if value is None:
        return "-"
    return str(Number.of(f"{value:.7f}", f"{su:.7f}")) if su else f"{value:.3f}"
