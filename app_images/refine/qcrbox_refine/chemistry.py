"""What a CIF says of the chemistry of the crystal: formula, density, F(000), absorption coefficient, size."""

from __future__ import annotations

from cctbx.eltbx import tiny_pse

from qcrbox_refine.absorption import absorption_coefficient
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.elements import atomic_mass, hill_formula
from qcrbox_refine.model import Model
from qcrbox_refine.scattering import Radiation, factors_of, radiation_of

MU = "_exptl_absorpt_coefficient_mu"


def add_chemistry(block: CifBlock, model: Model) -> None:
    """Formula, Z, weight, density, F(000), absorption coefficient and size; what the file states stays where it is still true."""
    content = model.cell_content()
    z = model.formula_units()
    if not block.number("_cell_formula_units_Z"):
        block.set("_cell_formula_units_Z", f"{z:g}")
    by_model = {element: count / z for element, count in content.items()}
    formula = model.formula or by_model
    if model.formula and not block.text("_chemical_formula_sum"):
        block.set("_chemical_formula_sum", hill_formula(formula))
    if not model.formula:
        _take_formula_of_atoms(block, model, hill_formula(formula))
    differing = {
        e
        for e in {*formula, *by_model}
        if abs(formula.get(e, 0) - by_model.get(e, 0)) > 0.02 * formula.get(e, 1) + 0.01
    }
    if model.formula and differing:
        model.warn(
            f"The model holds {hill_formula(by_model)}; the formula of the file was kept: {hill_formula(formula)}."
        )
    weight = sum(count * atomic_mass(e) for e, count in formula.items())
    if not block.number("_chemical_formula_weight"):
        block.set("_chemical_formula_weight", f"{weight:.2f}")
    volume = model.symmetry.unit_cell().volume()
    block.set("_exptl_crystal_density_diffrn", f"{weight * z * 1.66053907 / volume:.3f}")
    block.set("_exptl_crystal_F_000", f"{_f_000(model, formula) * z:.6g}")
    if radiation_of(model) is Radiation.XRAY and not block.number(MU):
        mu = absorption_coefficient(model, {element: count * z for element, count in formula.items()})
        block.set(MU, None if mu is None else f"{mu:.3f}")
    _add_size(block, model)


def _f_000(model: Model, formula: dict[str, float]) -> float:
    """F(000) of a formula unit: electrons; for neutrons the sum of scattering lengths in fm, for electrons of f(0) in Å."""
    if radiation_of(model) is Radiation.XRAY:
        return sum(n * tiny_pse.table("H" if e == "D" else e).atomic_number() for e, n in formula.items())
    factors = factors_of(model, set(formula))
    return sum(n * factors[e].form.at_stol(0) for e, n in formula.items())


def _take_formula_of_atoms(block: CifBlock, model: Model, formula: str) -> None:
    """The formula of a file that has none follows the atoms, and what was computed from an earlier one goes."""
    before = block.text("_chemical_formula_sum")
    if before and before != formula and block.number(MU):
        model.note(f"The absorption coefficient of the file is left out: it is that of {before}.")
        block.set(MU, None)
    block.set("_chemical_formula_sum", formula)
    block.set("_chemical_formula_weight", None)
    block.set("_qcrbox_formula_from_atoms", "yes")


def _add_size(block: CifBlock, model: Model) -> None:
    """The three sizes of SIZE in mm, the largest first, where the CIF states none."""
    tags = [f"_exptl_crystal_size_{name}" for name in ("max", "mid", "min")]
    cards = [placed.instruction for placed in model.placed if placed.instruction.name == "SIZE"]
    if not cards or any(block.number(tag) for tag in tags):
        return
    numbers = sorted(cards[-1].numbers[:3], reverse=True)
    if len(numbers) < 3:
        model.leave_out(cards[-1].text, "SIZE has three numbers.")
        return
    for tag, size in zip(tags, numbers, strict=True):
        block.set(tag, f"{size:.3f}")
