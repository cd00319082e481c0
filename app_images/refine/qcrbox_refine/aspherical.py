"""Least squares with a table of aspherical form factors: .tsc, .tscb, or `_aspheric_ff` items of a CIF."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cctbx import miller, xray
from qcrbox.cif import read
from qcrbox.cif.document import Block
from qcrbox.contract.errors import CifError, MissingItemsError, UserInputError
from qcrbox.crystallography.aspheric import has_form_factors, read_form_factors
from qcrbox.crystallography.tsc import FormFactorTable, read_tsc, write_tsc
from smtbx.structure_factors import direct

from qcrbox_refine.indices import to_array, to_flex
from qcrbox_refine.model import Model
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.scattering import set_factors
from qcrbox_refine.twinning import distinct_reflections

_SHOWN = 8
# Mean difference from the free atom, relative: neighbours in the periodic table differ by a seventh (C, N) and less.
_FAR = 0.3
_COMPARED = 200  # indices, about
_SAME = 0.02  # electrons that two form factors of one atom and reflection may differ by


@dataclass
class AsphericalAtoms:
    """Makes the calculator of structure factors for a structure: what `least_squares.refine` takes.

    path: of a table that has every atom and every index the refinement needs; spherical: labels that keep the form
    factor of a free atom; doubtful: labels whose form factor is far from that of a free atom of their element.
    """

    path: str
    spherical: list[str]
    doubtful: list[str] = field(default_factory=list)

    def __call__(self, structure: xray.structure) -> Any:
        # f' and f'' are added to the table by the engine.
        return direct.f_calc_modulus_squared(structure, table_file_name=self.path)


def read_table(path: str | Path) -> FormFactorTable:
    """Raises CifError for a file without form factors."""
    path = Path(path)
    data = path.read_bytes()
    # Of a CIF whatever stands first in it: NoSpherA2 writes one without a data_ line.
    if data.lstrip().startswith((b"data_", b"#", b"loop_", b"_")) and b"_aspheric_ff" in data:
        has_header = re.search(rb"(?m)^\s*data_", data)
        for block in read(data if has_header else b"data_table\n" + data, on_error="keep").blocks:
            if has_form_factors(block):
                return _named_form_factors(block, path.name)
        raise CifError("the CIF has no aspherical form factors (_aspheric_ff).", where=path.name)
    return read_tsc(data, path.name)


def _named_form_factors(block: Block, name: str) -> FormFactorTable:
    try:
        return read_form_factors(block).table
    except MissingItemsError as problem:
        raise MissingItemsError(
            problem.what,
            where=name,
            why=problem.why,
            next="Give the table that the program wrote beside it: the columns of a .tsc or .tscb have names.",
            items=problem.items,
        ) from problem


def needed_indices(data: Reflections, centric: bool, rotations: Sequence[np.ndarray]) -> np.ndarray:
    """Rows (k, 3) of an expanded table: h R for each reflection that is calculated, of every domain of a twin, and for
    each rotation. Friedel mates as well in acentric groups: the Flack parameter needs them.
    """
    parts = [data, data.weak] if data.weak else [data]
    distinct: list[miller.set] = [distinct_reflections(p.components, p.unique.set())[0] for p in parts]
    indices = np.concatenate([to_array(found.indices()) for found in distinct])
    if not centric:
        indices = np.concatenate([indices, -indices])
    return np.unique(np.concatenate([indices @ rotation for rotation in rotations]), axis=0)


def rotations_of(model: Model) -> list[np.ndarray]:
    """Rotation parts (3, 3) of the operations without inversion and centring, in the order that the engine expects."""
    operations = model.symmetry.space_group().smx()
    return [np.array(operation.r().num(), dtype=np.int64).reshape(3, 3) for operation in operations]


def aspherical_atoms(table: FormFactorTable, model: Model, data: Reflections) -> AsphericalAtoms:
    """Bring a table into the form the engine reads: every atom of the model, every index it will ask for.

    Atoms the table lacks stay spherical. Raises UserInputError when it has none of the atoms or one of them twice, lacks
    reflections, or holds values that are not numbers.
    """
    rotations = rotations_of(model)
    wanted = needed_indices(data, model.symmetry.space_group().is_centric(), rotations)
    column = {label.upper(): i for i, label in enumerate(table.scatterers)}
    labels = [atom.label for atom in model.atoms]
    _refuse_ambiguous(labels)
    _refuse_scatterers(table.scatterers, labels)
    values = _values_at(table, wanted)
    structure = model.structure()
    set_factors(structure, model)
    full = np.empty((len(wanted), len(labels)), dtype=np.complex128)
    made = AsphericalAtoms("", [label for label in labels if label.upper() not in column])
    some = slice(None, None, max(len(wanted) // _COMPARED, 1))
    for i, label in enumerate(labels):
        place = column.get(label.upper())
        if place is None:
            full[:, i] = spherical(structure, i, wanted)
            continue
        full[:, i] = values[:, place]
        _refuse_no_numbers(label, wanted, full[:, i])
        is_heavy = structure.scatterers()[i].element_symbol() not in ("H", "D")
        if is_heavy and _is_far(full[some, i], spherical(structure, i, wanted[some])):
            made.doubtful.append(label)
    made.path = write_table(labels, wanted, full)
    return made


def write_table(
    labels: list[str], hkl: np.ndarray, values: np.ndarray, path: str | Path | None = None
) -> str:
    """Write an expanded text table (to a temporary file without `path`); the path."""
    if path is None:
        with tempfile.NamedTemporaryFile(suffix=".tsc", dir=".", delete=False) as file:
            path = file.name
    header = {"TITLE": "form factors", "SYMM": "expanded", "AD": "FALSE"}
    Path(path).write_bytes(write_tsc(FormFactorTable(labels, hkl.astype(np.int32), values, header)))
    return str(path)


def _refuse_ambiguous(labels: list[str]) -> None:
    if len({label.upper() for label in labels}) < len(labels):
        raise UserInputError(
            "two atoms have the same label but for capitals.",
            why="A table of form factors knows atoms by their labels, without case.",
            next="Rename one: edits='rename H1a H1X'.",
        )


def _refuse_scatterers(scatterers: list[str], labels: list[str]) -> None:
    """A table without the atoms of the structure, or that does not say which column is meant."""
    counts, wanted = Counter(name.upper() for name in scatterers), {label.upper() for label in labels}
    if scatterers and not wanted & counts.keys():
        raise UserInputError(
            "the table of form factors has none of the atoms of the structure.",
            where="table",
            why=f"It has {', '.join(scatterers[:_SHOWN])}; the structure has {', '.join(labels[:_SHOWN])}.",
            next="Give the table that was made for this structure.",
        )
    repeated = [name for name in scatterers if counts[name.upper()] > 1 and name.upper() in wanted]
    if repeated:
        raise UserInputError(
            f"the table of form factors has {repeated[0]} twice.",
            where="table",
            why="Two columns for one atom: residues or parts of a disorder may have been made with the same labels.",
            next="Make it again from a structure whose labels differ.",
        )


def _refuse_no_numbers(label: str, hkl: np.ndarray, values: np.ndarray) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise UserInputError(
            f"the table of form factors has no number for {label} at {' '.join(map(str, hkl[bad[0]]))}.",
            where="table",
            why=f"{len(bad)} of its {len(values)} values are NaN or infinite: the wavefunction may not have converged.",
            next="Make it again, or keep the atom spherical by leaving it out of the table.",
        )


def _is_far(values: np.ndarray, free: np.ndarray) -> bool:
    """Whether form factors are those of another element. An atom in a molecule differs from a free one by some per cent."""
    return bool(np.abs(values - free).mean() > _FAR * np.abs(free).mean())


def _values_at(table: FormFactorTable, wanted: np.ndarray) -> np.ndarray:
    """Form factors (k, n) at the wanted indices; f(-h) is the conjugate of f(h)."""
    if table.header.get("SYMM", "expanded").strip().lower() not in ("expanded", ""):
        raise UserInputError(
            "the table of form factors lists operations instead of every symmetry equivalent.",
            where="table",
            next="Make it with SYMM: expanded.",
        )
    if table.header.get("AD", "").strip().lower() in ("true", "yes", "1"):
        raise UserInputError(
            "the form factors of the table contain the anomalous dispersion.",
            where="table",
            why="Its header says AD: TRUE. f' and f'' are added in the refinement, and would count twice.",
            next="Make it with AD: FALSE.",
        )
    row = {tuple(h): i for i, h in enumerate(table.hkl.tolist())}
    _refuse_contradictions(table, row)
    place, conjugate, missing = np.empty(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool), []
    for i, h in enumerate(map(tuple, wanted.tolist())):
        found = row.get(h)
        if found is None:
            found = row.get((-h[0], -h[1], -h[2]))
            conjugate[i] = True
        if found is None:
            missing.append(h)
            continue
        place[i] = found
    if missing:
        shown = "; ".join(" ".join(map(str, h)) for h in missing[:3])
        raise UserInputError(
            f"the table of form factors lacks {len(missing)} of the {len(wanted)} reflections that are needed, such as "
            f"{shown}.",
            where="table",
            why="It was made for other reflections, or for a lower resolution.",
            next="Make it again with the same reflections, or refine with a resolution limit: resolution=0.8.",
        )
    values = table.values[place]
    return np.where(conjugate[:, None], values.conj(), values)


def _refuse_contradictions(table: FormFactorTable, row: dict[tuple[int, ...], int]) -> None:
    """Raises UserInputError for two form factors of one atom and reflection, and for Friedel mates that are not conjugate.

    row: of each reflection; the last one where the table has it more than once.
    """
    indices = [tuple(h) for h in table.hkl.tolist()]
    last = np.array([row[h] for h in indices], dtype=np.int64)
    mate = np.array([row.get((-h[0], -h[1], -h[2]), i) for i, h in enumerate(indices)], dtype=np.int64)
    own = np.arange(len(indices))
    repeated, paired = np.flatnonzero(last != own), np.flatnonzero(mate != own)
    _require_equal(
        table, repeated, table.values[last[repeated]], "has two different form factors",
        "Tables of several molecules or settings may have been put together.",
    )  # fmt: skip
    _require_equal(
        table, paired, table.values[mate[paired]].conj(), "has no conjugate form factors at h and -h",
        "It may contain the anomalous dispersion, or phases of a place in the cell.",
    )  # fmt: skip


def _require_equal(
    table: FormFactorTable, rows: np.ndarray, others: np.ndarray, problem: str, why: str
) -> None:
    """others (k, n): what the form factors in `rows` (k,) should be."""
    if not len(rows):
        return
    off = np.abs(table.values[rows] - others).max(axis=1, initial=0.0)
    worst = int(off.argmax())
    if off[worst] > _SAME:
        raise UserInputError(
            f"the table of form factors {problem}, as for {' '.join(map(str, table.hkl[rows[worst]].tolist()))}.",
            where="table",
            why=why,
            next="Make it again for this structure, with AD: FALSE.",
        )


def spherical(structure: xray.structure, index: int, hkl: np.ndarray) -> np.ndarray:
    """Form factors (k,) of the free atom, those the independent-atom model uses."""
    registry = structure.scattering_type_registry()
    gaussian = registry.gaussian_not_optional(structure.scatterers()[index].scattering_type)
    stol_sq = structure.unit_cell().d_star_sq(to_flex(hkl)) / 4
    return np.array([gaussian.at_stol_sq(s) for s in stol_sq])
