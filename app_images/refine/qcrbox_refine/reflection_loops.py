"""Reflections in the loops of a CIF: F² or F, with what their status says."""

from __future__ import annotations

import numpy as np
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.reflections import EXCLUDED, mixed_measurements, satellites, su_of_square

from qcrbox_refine.cif_block import CifBlock, value_and_su
from qcrbox_refine.hkl_file import HklRows
from qcrbox_refine.model import Model

# Status codes: not to be used, absent by symmetry.
_UNUSED = (*EXCLUDED, "-")


def rows_of_loops(block: CifBlock, model: Model) -> tuple[HklRows, str] | None:
    """F² of the first loop that has them with s.u., and the name of its column; None without one."""
    for prefix, value, sigma, power in (
        ("_diffrn_refln", "intensity_net", "intensity_u", 2),
        ("_refln", "F_squared_meas", "F_squared_sigma", 2),
        ("_refln", "intensity_meas", "intensity_sigma", 2),
        ("_refln", "F_meas", "F_sigma", 1),
    ):
        rows = _from_loop(block, model, prefix, value, sigma, power)
        if rows is not None:
            return rows, f"loop {prefix}_{value}"
    return None


def _from_loop(
    block: CifBlock, model: Model, prefix: str, value: str, sigma: str, power: int
) -> HklRows | None:
    columns = [block.column(f"{prefix}_index_{axis}") for axis in "hkl"]
    values = block.column(f"{prefix}_{value}")
    sigmas = block.column(f"{prefix}_{sigma}", f"{prefix}_{value}_sigma")
    if None in columns or values is None:
        return None
    states = block.column(f"{prefix}_observed_status", f"{prefix}_include_status")
    loop = block.block.loop(f"{prefix}_index_h")
    if loop is not None and satellites(loop, f"{prefix}_index_").any():
        raise UserInputError(
            f"the reflections of loop {prefix} have satellites: they are of a modulated structure.",
            why="The least squares here know three dimensions only.",
            next="Refine it with a program for superspace groups, or give the main reflections alone.",
        )
    table, unused, empty, free = [], 0, 0, 0
    for row, hkl in enumerate(zip(*columns, strict=True)):
        if states and states[row].strip().lower() in _UNUSED:
            unused += 1
            continue
        free += bool(states) and states[row].strip() == "f"
        number = value_and_su(values[row])
        index = [value_and_su(text) for text in hkl]
        if number is None or None in index:
            empty += 1
            continue
        error = (value_and_su(sigmas[row]) or (0.0,))[0] if sigmas else number[1]
        amount = number[0]
        table.append((*(x[0] for x in index), amount, error))
    if not table or max(row[4] for row in table) <= 0:
        return None
    if unused:
        model.note(
            f"{unused} reflections of loop {prefix} are marked as not used (status {', '.join(_UNUSED)}) and left out."
        )
    for text in mixed_measurements(loop, f"{prefix}_index_") if loop is not None else []:
        model.not_applied(text)
    if empty:
        model.note(f"{empty} rows of loop {prefix} have no {value} and are left out.")
    if free:
        model.not_applied(
            f"The free R set of loop {prefix} ({free} reflections of status f) is not left out: all data are refined against."
        )
    array = np.array(table, float)
    if power == 1:
        array[:, 4] = su_of_square(array[:, 3], array[:, 4])
        array[:, 3] *= np.abs(array[:, 3])
    none = np.zeros(len(array))
    return HklRows(array[:, :3], array[:, 3], array[:, 4], none.astype(int), none)
