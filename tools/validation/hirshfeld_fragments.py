"""Do fragments of a large molecule put hydrogen where the whole molecule does, and how much sooner?

    python -m tools.validation.hirshfeld_fragments [NAME]

Extended chains H-(NH-CHR-CO)n-H in P 1. Their reflections are computed from the form factors of the whole molecule and refined against
those and against the form factors of fragments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
HAR = ROOT / "app_images" / "har"
KEPT = Path(__file__).with_name("fragments.json")


@dataclass(frozen=True)
class Chain:
    """sequence: residues of the chain, G glycine, A alanine, S serine; functional and basis of the wavefunctions."""

    sequence: str
    functional: str = "hf"
    basis: str = "sto-3g"


CHAINS = {
    "glycine, 100 atoms": Chain("G" * 14),
    "alanine, serine, glycine, 103 atoms": Chain("ASG" * 3 + "AG"),
    "alanine, serine, glycine, 103 atoms, split valence": Chain("ASG" * 3 + "AG", basis="6-31g"),
}
DEPTHS = (2, 3)  # bonds around a core; two are taken for molecules
_D_MIN, _NOISE = 1.0, 0.002
_WIDTH = 7.0  # Å that the cell has beyond the chain across it, and 4 along it
# Lengths in Å and angles in degrees of an extended chain.
_N_CA, _CA_C, _C_N, _C_O, _N_H, _C_H = 1.455, 1.525, 1.335, 1.23, 1.03, 1.09
_AT_CA, _AT_C, _AT_N = 110.0, 116.5, 122.0
# Of side groups; bonds at them make tetrahedra.
_C_C, _C_OH, _O_H = 1.525, 1.42, 0.97

Array = NDArray[np.float64]


def chain(sequence: str) -> tuple[list[str], Array]:
    """Elements and positions in Å: 7 atoms for G, 10 for A, 11 for S, and 2; the backbone is flat, in the plane y = 0."""
    backbone, names = _backbone(len(sequence))
    elements, places = list(names), list(backbone)
    for i, name in enumerate(names):
        before, after = backbone[i - 1] if i else None, backbone[i + 1] if i + 1 < len(names) else None
        around = [_unit(other - backbone[i]) for other in (before, after) if other is not None]
        missing = [_turned(around[0], sign * 2 * np.pi / 3) for sign in (1, -1)]
        outward = -_unit(sum(around)) if len(around) == 2 else missing[0]
        if name == "CA":
            half = np.deg2rad(54.0)
            above, below = (
                np.cos(half) * outward + side * np.sin(half) * np.array([0, 1, 0]) for side in (1, -1)
            )
            added = [("H", _C_H * below), *_side_group(sequence[i // 3], above, below)]
        else:
            bond, element = (_N_H, "H") if name == "N" else (_C_O, "O")
            added = [(element, bond * outward)]
            if len(around) == 1:
                added.append(("H", (_N_H if name == "N" else _C_H) * missing[1]))
        elements += [element for element, _ in added]
        places += [backbone[i] + step for _, step in added]
    return ["C" if element == "CA" else element for element in elements], np.array(places)


def _side_group(residue: str, along: Array, other: Array) -> list[tuple[str, Array]]:
    """Elements and positions (3,) Å from CA. along: direction (3,) of the group; other: of another bond of CA, to stagger it."""
    if residue == "G":
        return [("H", _C_H * along)]
    carbon = _C_C * along
    trans, *gauche = _tetrahedron(along, other)
    made = [("C", carbon), *(("H", carbon + _C_H * direction) for direction in gauche)]
    if residue == "A":
        return [*made, ("H", carbon + _C_H * trans)]
    oxygen = carbon + _C_OH * trans
    return [*made, ("O", oxygen), ("H", oxygen + _O_H * _tetrahedron(trans, along)[0])]


def _tetrahedron(along: Array, other: Array) -> list[Array]:
    """Directions (3,) of three bonds at the end of a bond `along`, the first opposite to `other`, a bond at its beginning."""
    across = -_unit(other - (other @ along) * along)
    third = np.cross(along, across)
    turns = np.deg2rad([0, 120, 240])
    return [(along + np.sqrt(8) * (np.cos(a) * across + np.sin(a) * third)) / 3 for a in turns]


def _backbone(residues: int) -> tuple[Array, list[str]]:
    names = ["N", "CA", "C"] * residues
    lengths = {"N": _C_N, "CA": _N_CA, "C": _CA_C}  # of the bond that ends at the atom
    bend = {"N": _AT_N, "CA": _AT_CA, "C": _AT_C}
    places, direction, side = [np.zeros(3)], 0.0, 1
    for name in names[1:]:
        places.append(places[-1] + lengths[name] * np.array([np.sin(direction), 0, np.cos(direction)]))
        direction += side * np.deg2rad(180 - bend[name])
        side = -side
    return np.array(places), names


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _turned(vector: Array, angle: float) -> Array:
    """In the plane of the chain, about y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ vector


def cif(sequence: str) -> str:
    """The chain in its own cell; isotropic displacements differ by element."""
    elements, places = chain(sequence)
    low, high = places.min(axis=0), places.max(axis=0)
    cell = high - low + np.array([_WIDTH, _WIDTH, 4.0])
    fractional = (places - low + 1.5) / cell
    u = {"C": 0.012, "N": 0.013, "O": 0.016, "H": 0.03}
    head = "data_chain\n" + "".join(f"_cell_length_{n} {x:.4f}\n" for n, x in zip("abc", cell, strict=True))
    head += "".join(f"_cell_angle_{n} 90\n" for n in ("alpha", "beta", "gamma"))
    head += "_space_group_name_H-M_alt 'P 1'\n_diffrn_radiation_wavelength 0.71073\n"
    tags = (
        "label",
        "type_symbol",
        "fract_x",
        "fract_y",
        "fract_z",
        "U_iso_or_equiv",
        "adp_type",
        "occupancy",
    )
    head += "loop_\n" + "".join(f"_atom_site_{tag}\n" for tag in tags)
    return head + "".join(
        f"{e}{i} {e} {x:.6f} {y:.6f} {z:.6f} {u[e]} Uiso 1\n"
        for i, (e, (x, y, z)) in enumerate(zip(elements, fractional, strict=True), start=1)
    )


def measure(given: Chain) -> dict[str, Any]:
    """The whole molecule, and fragments of each depth beside it: seconds of processors for one set of form factors, largest and
    mean difference of X-H distances in Å, of form factors in electrons.
    """
    with tempfile.TemporaryDirectory() as folder, chdir(folder), _Engine(given) as engine:
        # Fragments first: they take minutes and the whole molecule hours, so that errors appear early.
        plans = {depth: engine.fragments(depth) for depth in DEPTHS}
        cut = {depth: engine.table(plan) for depth, plan in plans.items()}
        exact, exact_s = engine.table(engine.whole)
        engine.simulate(exact)
        lengths, _ = engine.lengths(exact)
        rows = {}
        for depth, (made, seconds) in cut.items():
            off, r1 = engine.lengths(made)
            cost = {
                "fragments": len(plans[depth].molecules),
                "largest_fragment": max(len(m.symbols) for m in plans[depth].molecules),
                "processor_s": seconds,
            }
            rows[str(depth)] = cost | difference(exact, made, np.abs(off - lengths), r1)
    return {
        "level": engine.method.level,
        "atoms": len(engine.structure.sites),
        "whole_processor_s": exact_s,
        "depths": rows,
        "day": date.today().isoformat(),
    }


def difference(exact: Any, cut: Any, off: Array, r1: float) -> dict[str, Any]:
    """Figures of fragments against the whole. exact, cut: tables of form factors; off (n,): of X-H distances, Å."""
    return {
        "bonds": len(off),
        "largest_off": float(off.max()),
        "mean_off": float(off.mean()),
        "factor_off": float(np.abs(exact.values - cut.values).max()),
        "R1_fragments": r1,
    }


class _Engine:
    """A chain in the working directory, a process with cctbx, and tables of form factors each by a process of its own."""

    def __init__(self, given: Chain) -> None:
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(HAR / "tests"), os.environ.get("PYTHONPATH")])
        )
        sys.path[:0] = [str(HAR)]
        from qcrbox.crystallography.structure.structure import Structure
        from qcrbox_har import molecules
        from qcrbox_har.loop import LEAST_SQUARES
        from qcrbox_har.method import Method
        from qcrbox_har.processes import Child

        self.method = Method(given.functional, given.basis)
        Path("chain.cif").write_text(cif(given.sequence))
        self.structure = Structure.from_cif(Path("chain.cif"))
        self.whole = molecules.plan(self.structure)
        self._least_squares = Child(LEAST_SQUARES)

    def __enter__(self) -> _Engine:
        self.unique, self.hkl = self._least_squares.call("simulated:indices", "chain.cif", _D_MIN)
        return self

    def __exit__(self, *_: object) -> None:
        self._least_squares.close()

    def fragments(self, depth: int) -> Any:
        """The plan of the fragments."""
        from qcrbox_har import fragments

        return fragments.plan(self.structure, depth=depth)

    def table(self, plan: Any) -> tuple[Any, float]:
        """Form factors, and the seconds of processors that they took."""
        from qcrbox_har import charges
        from qcrbox_har.form_factors import Computer
        from qcrbox_har.loop import QUANTUM
        from qcrbox_har.processes import Child

        charges.assign(plan.molecules)
        with Child(QUANTUM) as quantum:
            quantum.call("qcrbox_har.quantum.task:speed")  # libraries are loaded
            before = quantum.call("qcrbox_har.child:processor_seconds")
            made = Computer(self.structure, plan, self.method, quantum).table(
                self.structure.sites.fract, self.hkl
            )
            seconds = quantum.call("qcrbox_har.child:processor_seconds") - before
        sys.stderr.write(f"{len(plan.molecules)} molecules or fragments: {seconds:.0f} s of processors\n")
        return made, seconds

    def simulate(self, exact: Any) -> None:
        """Write the reflections that these form factors give."""
        labels = exact.labels(self.structure)
        self._least_squares.call(
            "simulated:write_hkl",
            *("chain.cif", self.unique, labels, self.hkl, exact.values, "chain.hkl", _NOISE, 1),
        )

    def lengths(self, used: Any) -> tuple[Array, float]:
        """X-H distances (n,) in Å refined with these form factors, and R1."""
        self._least_squares.call(
            "qcrbox_har.refine_side:resume", "chain.cif", "chain.hkl", {"weighting": "0, 0"}
        )
        labels = used.labels(self.structure)
        found = self._least_squares.call(
            "qcrbox_har.refine_side:round_", labels, self.hkl, used.values, 8, False
        )
        return _bonds_to_hydrogen(self.structure, found["sites"]), found["summary"]["R1"]


def _bonds_to_hydrogen(structure: Any, sites: dict[str, tuple[float, float, float]]) -> Array:
    fract = np.array([sites[label] for label in structure.sites.label])
    places = structure.cell.to_cartesian(fract)
    hydrogen = structure.sites.is_hydrogen
    distance = np.linalg.norm(places[hydrogen][:, None] - places[~hydrogen], axis=2)
    return distance.min(axis=1)


_COLUMNS = (
    "chain", "level", "depth", "fragments, largest", "X-H bonds", "mean, largest difference / Å", "processors whole / fragments", "day",
)  # fmt: skip


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: what the figures are, and a row for each chain and depth; empty without rows."""
    if not rows:
        return ""
    lines = [
        "\nFragments against the whole molecule: extended chains, reflections simulated from the form factors of the whole molecule "
        f"to {_D_MIN} Å and refined with those of the fragments. Depth: bonds around a core; two are taken for molecules of 100 atoms and more. "
        "Seconds of processors for one set of form factors.\n\n",
        f"| {' | '.join(_COLUMNS)} |\n",
        "|---" * len(_COLUMNS) + "|\n",
    ]
    for name, row in rows.items():
        whole = row["whole_processor_s"]
        for depth, cut in sorted(row["depths"].items()):
            mean = cut["mean_off"]
            cells = (
                *(name, row["level"], depth, f"{cut['fragments']}, {cut['largest_fragment']} atoms"),
                *(str(cut["bonds"]), f"{'-' if mean is None else f'{mean:.4f}'}, {cut['largest_off']:.4f}"),
                f"{whole:.0f} s / {cut['processor_s']:.0f} s = {whole / cut['processor_s']:.1f}",
                row["day"],
            )
            lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def load() -> dict[str, dict[str, Any]]:
    """Kept figures by the name of the chain."""
    return json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}


def refresh(context: Any) -> str:
    """Measure the chains that the context wants anew, each in a process of its own, and return the table of all."""
    for name in CHAINS:
        if context.wants(f"fragments {name}"):
            command = [sys.executable, "-m", "tools.validation.hirshfeld_fragments", name]
            try:
                subprocess.run(
                    command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=context.seconds, check=True
                )
            except subprocess.SubprocessError as error:
                sys.stderr.write(f"fragments {name}: {error}\n")
    return table(load())


def main(arguments: list[str]) -> int:
    for name in arguments or CHAINS:
        row = measure(CHAINS[name])
        KEPT.write_text(json.dumps(load() | {name: row}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        sys.stdout.write(table({name: row}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
