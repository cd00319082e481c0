"""Displacement parameters of the atoms of a CIF, whichever of its items gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.cif.values import parse_number
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.columns import as_loop, in_memory, numbers_of, texts_of
from qcrbox.language import listed

Array = NDArray[np.float64]
_COMPONENTS = ("11", "22", "33", "12", "13", "23")
_ANISO_TAGS = [
    f"_atom_site_aniso_{name}{su}"
    for name in ("label", *(stem + component for stem in ("U_", "B_", "beta_") for component in _COMPONENTS))
    for su in ("", "_su")
] + [f"_atom_site_aniso_matrix_{form}" for form in ("U", "B", "beta")]
# Forms of a tensor and how each becomes U(ij) in Å².
_FORMS: tuple[tuple[str, Callable[[Array, UnitCell], Array]], ...] = (
    ("U", lambda values, cell: values),
    ("B", lambda values, cell: adps.b_to_u(values)),
    ("beta", adps.beta_to_u),
)


def isotropic(loop: Loop, labels: list[str], notes: list[str]) -> tuple[Array, Array]:
    """U(iso) or U(eq) and s.u., both (n,) in Å², from the first item that has a value: U, B, then their geometric means."""
    u, u_su = np.full(len(labels), np.nan), np.zeros(len(labels))
    for name in ("iso_or_equiv", "equiv_geom_mean"):
        for letter in "UB":
            found, su = numbers_of(loop, f"_atom_site_{letter}_{name}", len(labels), notes, labels)
            if letter == "B":
                found, su = adps.b_to_u(found), adps.b_to_u(su)
            use = np.isnan(u)
            u, u_su = np.where(use, found, u), np.where(use, su, u_su)
    return u, u_su


def anisotropic(
    block: Block, sites: Loop, labels: list[str], cell: UnitCell, notes: list[str]
) -> tuple[Array, Array]:
    """U(ij) and s.u., both (n, 3, 3) in Å², NaN for atoms without tensor.

    They stand in a loop of their own, or in `sites`, the loop of the atoms; as U, B or β, by elements or as matrices
    (`_atom_site_aniso.matrix_U` of CIF 2).
    """
    tensors, su = np.full((len(labels), 3, 3), np.nan), np.zeros((len(labels), 3, 3))
    begun: set[int] = set()
    own = as_loop(block, "_atom_site_aniso_label")
    if own is not None:
        own = in_memory(own, _ANISO_TAGS)
        named = texts_of(own, "_atom_site_aniso_label", len(own))
        rows = _rows_of(named, labels, notes)
        begun |= {row for row in rows if row is not None}
        _take(own, named, rows, cell, (tensors, su), notes)
    beside = in_memory(sites, _ANISO_TAGS)
    if beside.tags and "_atom_site_aniso_label" not in beside:
        begun |= _take(beside, labels, list(range(len(labels))), cell, (tensors, su), notes)
    lost = [labels[row] for row in sorted(begun) if np.isnan(tensors[row]).any()]
    if lost:
        notes.append(f"Displacement tensors that are not complete are not used: {listed(lost)}.")
    return tensors, su


def _take(
    loop: Loop,
    names: list[str],
    rows: Sequence[int | None],
    cell: UnitCell,
    into: tuple[Array, Array],
    notes: list[str],
) -> set[int]:
    """Put the tensors and s.u. of a loop into arrays (n, 3, 3), where they have none yet; the rows that give a number."""
    tensors, su = into
    begun: NDArray[np.bool_] = np.zeros(len(loop), dtype=bool)
    for form, convert in _FORMS:
        values, errors = _tensors(loop, form, names, notes)
        begun |= np.isfinite(values).any(axis=(1, 2))
        values, errors = convert(values, cell), convert(errors, cell)
        for position, row in enumerate(rows):
            if row is not None and np.isnan(tensors[row]).any() and np.isfinite(values[position]).all():
                tensors[row], su[row] = values[position], errors[position]
    return {row for row, known in zip(rows, begun, strict=True) if row is not None and known}


def _tensors(loop: Loop, form: str, labels: list[str], notes: list[str]) -> tuple[Array, Array]:
    """Tensors and s.u. (m, 3, 3) of one form as they are written, NaN where an element is not given."""
    columns = [
        numbers_of(loop, f"_atom_site_aniso_{form}_{name}", len(loop), notes, labels) for name in _COMPONENTS
    ]
    values = adps.symmetric(np.column_stack([column for column, _ in columns]))
    errors = adps.symmetric(np.column_stack([column for _, column in columns]))
    tag = f"_atom_site_aniso_matrix_{form}"
    for row, raw in enumerate(loop.column(tag) if tag in loop else []):
        numbers = [parse_number(word) for word in re.findall(r"[^\[\]\s,]+", raw)]
        if len(numbers) == 9 and all(numbers):
            known = [number for number in numbers if number is not None]
            values[row] = np.reshape([number.value for number in known], (3, 3))
            errors[row] = np.reshape([number.su or 0.0 for number in known], (3, 3))
    return values, errors


def _rows_of(own: list[str], labels: list[str], notes: list[str]) -> list[int | None]:
    exact = {label: row for row, label in reversed(list(enumerate(labels)))}
    folded = {label.lower(): row for row, label in reversed(list(enumerate(labels)))}
    rows: list[int | None] = []
    seen: set[int] = set()
    for label in own:
        row = exact.get(label)
        if row is None and (row := folded.get(label.lower())) is not None:
            notes.append(
                f"Displacement parameters of {label} are taken for atom {labels[row]}, which differs in case."
            )
        if row is None:
            notes.append(f"Displacement parameters are given for {label}, but there is no such atom.")
        elif row in seen:
            notes.append(
                f"Displacement parameters of {label} are given more than once; the first ones count."
            )
        else:
            seen.add(row)
        rows.append(row)
    return rows
