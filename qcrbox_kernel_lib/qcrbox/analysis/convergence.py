"""Whether two states of one structure agree within limits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.reflections.hklf_card import instruction_cards
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.reading import read_cell, read_sites
from qcrbox.crystallography.structure.sites import Sites

Array = NDArray[np.float64]
LIMITS = (
    "max abs position",
    "mean abs position",
    "max position/su",
    "mean position/su",
    "max abs uij",
    "mean abs uij",
    "max uij/su",
    "mean uij/su",
)


@dataclass(frozen=True)
class Convergence:
    """The answer: whether every limit holds, the values compared, and atoms found in one file only."""

    converged: bool
    values: dict[str, float]
    only_in_first: list[str] = field(default_factory=list)
    only_in_second: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """As JSON; JSON has no infinity, so it is written as the text `Infinity`."""
        values = {name: value if math.isfinite(value) else "Infinity" for name, value in self.values.items()}
        return json.dumps(
            {
                "converged": self.converged,
                "values": values,
                "only_in_first": self.only_in_first,
                "only_in_second": self.only_in_second,
                "reasons": self.reasons,
            },
            indent=2,
            ensure_ascii=False,
        )


def without_cycles(block: Block) -> bool:
    """Whether the figures of a block are those of a model that no cycle moved: `L.S. 0`, `cycles=0`.

    Its largest shift/s.u. is then the one that a cycle would make.
    """
    if "Not refined (0 cycles)" in (block.text("_refine_special_details") or ""):
        return True
    cards = instruction_cards(block, "L.S.", "CGLS")
    try:
        return bool(cards) and float((cards[-1].split()[1:] or ["0"])[0]) == 0
    except ValueError:
        return False


def check_convergence(first: Block, second: Block, limits: Mapping[str, float | None]) -> Convergence:
    """Compare two structures atom by atom, paired by label.

    limits: by the names in `LIMITS`; None skips one. Positions in Å (on the cell of `first`) or per
    coordinate in units of sqrt(su1² + su2²); uij alike, in Å², with U(iso) of atoms that are isotropic in both. A shift
    without any s.u. counts as infinite; U(iso) without s.u. follows another atom, and counts in Å² alone.
    Atoms in one file only are named and mean not converged. Raises UserInputError for an unknown limit and one that is no
    number.
    """
    wanted = _checked(limits)
    if not wanted:
        return Convergence(True, {})
    cell = read_cell(first)
    one, two = read_sites(first, cell, []), read_sites(second, read_cell(second), [])
    shared = [label for label in one.index if label in two.index]
    rows_1, rows_2 = [one.index[label] for label in shared], [two.index[label] for label in shared]
    only_1 = [label for label in one.label if label not in two.index]
    only_2 = [label for label in two.label if label not in one.index]
    reasons = [
        f"{', '.join(labels)} only in the {which} file."
        for labels, which in ((only_1, "first"), (only_2, "second"))
        if labels
    ]
    if not shared:
        return Convergence(False, {}, only_1, only_2, [*reasons, "No atom is in both files."])
    pairs = _Pairs(cell, one, two, shared, rows_1, rows_2)
    values: dict[str, float] = {}
    for word, compared in (("position", _positions), ("uij", _displacements)):
        if any(word in name for name in wanted):
            found, remarks = compared(pairs)
            values |= found
            reasons += remarks
    values = {name: values[name] for name in LIMITS if name in wanted}
    reasons += [
        f"{name} is {values[name]:.6g}, above the limit {limit:g}."
        for name, limit in wanted.items()
        if not values[name] <= limit
    ]
    return Convergence(not reasons, values, only_1, only_2, reasons)


@dataclass(frozen=True)
class _Pairs:
    """Atoms of two structures with one label; the cell is that of the first."""

    cell: UnitCell
    one: Sites
    two: Sites
    labels: list[str]
    rows_1: list[int]
    rows_2: list[int]


def _positions(pairs: _Pairs) -> tuple[dict[str, float], list[str]]:
    """Values of positions, and why atoms could not be compared; what no file knows is no reason."""
    shift = pairs.two.fract[pairs.rows_2] - pairs.one.fract[pairs.rows_1]
    known_1 = np.isfinite(pairs.one.fract[pairs.rows_1]).all(axis=1)
    known_2 = np.isfinite(pairs.two.fract[pairs.rows_2]).all(axis=1)
    both = known_1 & known_2
    distances = np.linalg.norm(pairs.cell.to_cartesian(shift[both]), axis=1)
    ratios = _in_su(shift, pairs.one.fract_su[pairs.rows_1], pairs.two.fract_su[pairs.rows_2])[both]
    odd = [pairs.labels[place] for place in np.flatnonzero(known_1 != known_2)]
    reasons = [f"{', '.join(odd)} without coordinates in one file."] if odd else []
    return _summary("abs position", distances) | _summary("position/su", ratios), reasons


def _displacements(pairs: _Pairs) -> tuple[dict[str, float], list[str]]:
    one, two, rows_1, rows_2 = pairs.one, pairs.two, pairs.rows_1, pairs.rows_2
    difference, su_1, su_2, odd = _tensors(one, two, rows_1, rows_2)
    labels = [pairs.labels[place] for place in odd]
    reasons = [f"{', '.join(labels)} anisotropic in one file only."] if labels else []
    change, change_in_su = _isotropic(one, two, rows_1, rows_2)
    in_su = _in_su(difference, su_1, su_2)
    values = _summary("abs uij", np.concatenate([np.abs(difference).ravel(), change]))
    values |= _summary("uij/su", np.concatenate([in_su.ravel(), change_in_su]))
    return values, reasons


def _checked(limits: Mapping[str, float | None]) -> dict[str, float]:
    unknown = [name for name in limits if name not in LIMITS]
    if unknown:
        raise UserInputError(
            f"There is no limit '{unknown[0]}'.", next=f"Limits: {', '.join(LIMITS)}.", details=unknown
        )
    given = {name: limit for name, limit in limits.items() if limit is not None}
    for name, limit in given.items():
        try:
            usable = float(limit) >= 0  # not of nan
        except (TypeError, ValueError):
            usable = False
        if not usable:
            raise UserInputError(f"The limit '{name}' must be a number of 0 or more; you gave {limit!r}.")
    return {name: float(limit) for name, limit in given.items()}


def _in_su(difference: Array, su_1: Array, su_2: Array) -> Array:
    su = np.sqrt(np.nan_to_num(su_1) ** 2 + np.nan_to_num(su_2) ** 2)
    size = np.abs(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = size / su
    return np.where(size == 0, 0.0, ratio)


def _tensors(
    one: Sites, two: Sites, rows_1: list[int], rows_2: list[int]
) -> tuple[Array, Array, Array, list[int]]:
    first, second = adps.six_components(one.u_cif[rows_1]), adps.six_components(two.u_cif[rows_2])
    known_1, known_2 = np.isfinite(first).all(axis=1), np.isfinite(second).all(axis=1)
    both = known_1 & known_2
    su_1, su_2 = adps.six_components(one.u_cif_su[rows_1]), adps.six_components(two.u_cif_su[rows_2])
    return second[both] - first[both], su_1[both], su_2[both], np.flatnonzero(known_1 != known_2).tolist()


def _isotropic(one: Sites, two: Sites, rows_1: list[int], rows_2: list[int]) -> tuple[Array, Array]:
    """|ΔU(iso)| of atoms that are isotropic in both files, (n,) in Å², and in s.u., (m,), of those that have one."""
    tensors = np.isfinite(one.u_cif[rows_1]).all(axis=(1, 2)) | np.isfinite(two.u_cif[rows_2]).all(
        axis=(1, 2)
    )
    difference = two.u_iso[rows_2] - one.u_iso[rows_1]
    both = np.isfinite(difference) & ~tensors
    su_1, su_2 = np.nan_to_num(one.u_iso_su[rows_1][both]), np.nan_to_num(two.u_iso_su[rows_2][both])
    given = (su_1 > 0) | (su_2 > 0)
    difference = difference[both]
    return np.abs(difference), _in_su(difference[given], su_1[given], su_2[given])


def _summary(name: str, values: Array) -> dict[str, float]:
    if not values.size:
        return {f"max {name}": 0.0, f"mean {name}": 0.0}
    return {f"max {name}": float(values.max()), f"mean {name}": float(values.mean())}
