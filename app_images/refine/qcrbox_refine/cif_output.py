"""The refined structure as a complete CIF with canonical core names."""

from __future__ import annotations

import math
from datetime import date
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from cctbx import sgtbx, uctbx
from cctbx.array_family import flex
from qcrbox.cif.convert.journal_cif import ascii_text
from qcrbox.crystallography.measurement import stated_wavelength
from qcrbox.crystallography.model_items import RESTRAINTS
from qcrbox.crystallography.shelx import refinement_texts

from qcrbox_refine import weighting
from qcrbox_refine.absolute_structure import flack
from qcrbox_refine.atom_loops import AtomSu, add_atom_loops
from qcrbox_refine.chemistry import MU, add_chemistry
from qcrbox_refine.cif_block import CifBlock, with_su
from qcrbox_refine.constraint_loop import add_constraint_loop
from qcrbox_refine.data_settings import adopt_data_settings
from qcrbox_refine.density import DifferenceMap
from qcrbox_refine.elements import element_symbol, hill_formula
from qcrbox_refine.extinction import EXPRESSION
from qcrbox_refine.fit import Fit, equivalent_u_su, u_cif_su
from qcrbox_refine.geometry import cell_covariances, geometry
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.res_output import model_text
from qcrbox_refine.restraint_loops import add_restraint_loops
from qcrbox_refine.scattering import Radiation, described, factors_of, radiation_of
from qcrbox_refine.unstated_constraints import complete_constraints

# What a new refinement makes untrue in the file it started from.
OUTDATED = (
    r"_atom_site(?!s_solution)|_atom_type|_geom_|_refine_(?!ls_abs_structure_details)|_refln_|_reflns_"
    r"|_shelx_(res|hkl|fcf)|_iucr_refine_|_computing_structure_refinement|_space_group_symop|_hydrogen_bond"
    rf"|_diffrn_refln_|_diffrn_reflns_(laue|point_group|pt_group)_|{RESTRAINTS}"
)
OUTDATED_BY_EDITS = (
    r"_atom_site(?!s_solution)|_geom_|_refine_(?!ls_weighting|ls_extinction|ls_abs)|_space_group_symop"
    r"|_shelx_(res|fcf)|_iucr_refine_instr|_computing_structure_refinement|_reflns_number_gt"
    rf"|{RESTRAINTS}"
)
# sin θ/λ (Å⁻¹) up to which data must be complete by the rules of IUCr journals: θ 25.242° for Mo Kα, 67.684° for Cu Kα.
FULL = 0.6
_PROGRAM = "QCrBox refine with smtbx/cctbx (Bourhis et al., Acta Cryst. A71 (2015) 59)"


def cif_block(fit: Fit, residual: DifferenceMap, res_text: str) -> CifBlock:
    """One data block: what was there and is still true, then everything this refinement says."""
    source = fit.model.source
    block = source.copy(without=OUTDATED) if source else CifBlock(fit.model.title)
    block.set("_audit_creation_method", _PROGRAM)
    block.set("_audit_creation_date", date.today().isoformat())
    add_chemistry(block, fit.model)
    cell_and_symmetry(block, fit.model)
    _data(block, fit)
    _refinement(block, fit, residual)
    _atom_types(block, fit)
    _atoms(block, fit)
    _geometry(block, fit)
    add_restraint_loops(block, fit)
    add_constraint_loop(block, fit)
    block.set("_qcrbox_refine_restraints", None)
    block.set("_shelx_res_file", res_text)
    block.set("_shelx_hkl_file", fit.reflections.hkl_text)
    if fit.corrections.mask is not None:
        block.set("_shelx_fab_file", fit.corrections.mask.text)
    return block


def model_block(model: Model) -> CifBlock:
    """The model alone, for commands that change it without refining: no s.u., reflections kept."""
    source = model.source
    block = source.copy(without=OUTDATED_BY_EDITS) if source else CifBlock(model.title)
    block.set("_audit_creation_method", "QCrBox refine, model edited")
    if model.formula and not block.text("_chemical_formula_sum"):
        block.set("_chemical_formula_sum", hill_formula(model.formula))
    if model.z and not block.number("_cell_formula_units_Z"):
        block.set("_cell_formula_units_Z", f"{model.z:g}")
    cell_and_symmetry(block, model)
    if model.weights:
        block.set("_refine_ls_weighting_details", refinement_texts.details(model.weights))
    # Twin laws and the like stand nowhere else; the reflections keep their meaning by them.
    if source is not None:
        adopt_data_settings(model, source, block.name)
    block.set("_qcrbox_refine_restraints", None)
    complete_constraints(model)
    block.set("_shelx_res_file", model_text(model))
    add_atom_loops(block, model, model.structure(), None)
    return block


def cell_and_symmetry(block: CifBlock, model: Model) -> None:
    """Cell and temperature as the file gave them, one set of space-group names, the operations."""
    cell = model.symmetry.unit_cell()
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    for name, value, su in zip(names, cell.parameters(), model.cell_su, strict=True):
        if not block.number(f"_cell_{name}"):
            block.set(f"_cell_{name}", with_su(value, su, 4 if "length" in name else 3).rstrip())
    if not block.number("_cell_volume"):
        block.set("_cell_volume", with_su(cell.volume(), volume_su(model), 2))
    group = model.symmetry.space_group()
    kind = group.type()
    info = sgtbx.space_group_info(group=group)
    block.set("_space_group_crystal_system", group.crystal_system().lower())
    block.set("_space_group_IT_number", str(kind.number()))
    older = "_symmetry_space_group_name_H-M"
    name = block.text("_space_group_name_H-M_alt", older) or kind.lookup_symbol()
    block.set("_space_group_name_H-M_alt", name)
    # Another item by its definition, but the same symbol: kept, it would state an outdated value.
    block.set(older, None)
    block.set("_space_group_name_Hall", block.text("_space_group_name_Hall") or kind.hall_symbol().strip())
    # Symmetry codes of the geometry count in this order.
    operations = [operation.as_xyz() for operation in info.group()]
    block.add_loop(
        ["_space_group_symop_id", "_space_group_symop_operation_xyz"],
        [[str(i), xyz] for i, xyz in enumerate(operations, start=1)],
    )
    if model.temperature_k is not None and not block.number("_diffrn_ambient_temperature"):
        block.set("_diffrn_ambient_temperature", f"{model.temperature_k:g}")
    _wavelength(block, model)


_WAVELENGTH = "_diffrn_radiation_wavelength"
# What a file says of another wavelength than the one of the refinement.
_OF_THE_WAVELENGTH = (
    "_diffrn_radiation_type",
    "_diffrn_radiation_xray_symbol",
    MU,
)


def _wavelength(block: CifBlock, model: Model) -> None:
    """The wavelength of the refinement; items that belong to another one of the file are left out and named."""
    if model.wavelength is None:
        return
    stated, _ = stated_wavelength(block.block)
    is_own = stated is not None and abs(stated - model.wavelength) < 1e-5
    if is_own and block.number(_WAVELENGTH):
        return
    if stated and not is_own:
        gone = [tag for tag in _OF_THE_WAVELENGTH if block.text(tag)]
        model.note(
            f"The wavelength is {model.wavelength:g} Å, as asked; the file has {stated:g} Å."
            + (f" Left out, because they belong to it: {', '.join(gone)}." if gone else "")
        )
        for tag in gone:
            block.set(tag, None)
    # A loop of several wavelengths: tables and checks read the one of the refinement.
    if (loop := block.block.loop(_WAVELENGTH)) is not None:
        block.block.remove_entry(loop)
    block.set(_WAVELENGTH, f"{model.wavelength:.7g}")


def volume_su(model: Model) -> float:
    """s.u. of the cell volume from the s.u. of the cell, by numerical derivatives; what symmetry makes equal moves together."""
    parameters = list(model.symmetry.unit_cell().parameters())
    volume = uctbx.unit_cell(parameters).volume()
    covariances = cell_covariances(model)
    changes = np.zeros(6)
    for i in range(6):
        step = math.sqrt(covariances[i, i])
        moved = [*parameters[:i], parameters[i] + step, *parameters[i + 1 :]]
        changes[i] = (uctbx.unit_cell(moved).volume() - volume) / step if step else 0.0
    return math.sqrt(max(changes @ covariances @ changes, 0.0))


def _data(block: CifBlock, fit: Fit) -> None:
    data, unique = fit.reflections, fit.reflections.unique
    _measurement(block, data)
    radiation = radiation_of(fit.model)
    if radiation is not Radiation.XRAY or not block.text("_diffrn_radiation_probe"):
        block.set("_diffrn_radiation_probe", str(radiation))
    wavelength = fit.model.wavelength
    if wavelength:
        theta = unique.two_theta(wavelength=wavelength, deg=True).data() / 2
        high = flex.max(theta)
        full = min(high, math.degrees(math.asin(min(FULL * wavelength, 1.0))))
        block.set("_diffrn_reflns_theta_min", f"{flex.min(theta):.3f}")
        block.set("_diffrn_reflns_theta_max", f"{high:.3f}")
        block.set("_diffrn_reflns_theta_full", f"{full:.3f}")
        d_full = wavelength / (2 * math.sin(math.radians(full)))
        block.set("_diffrn_measured_fraction_theta_max", f"{_completeness(unique):.3f}")
        block.set("_diffrn_measured_fraction_theta_full", f"{_completeness(unique, d_full - 1e-4):.3f}")
        for reach, d_min in (("max", None), ("full", d_full - 1e-4)):
            for kind, apart in (("Laue", False), ("point_group", True)):
                fraction = _completeness(unique, d_min, mates_apart=apart)
                block.set(f"_diffrn_reflns_{kind}_measured_fraction_{reach}", f"{fraction:.3f}")
    block.set("_reflns_number_total", str(unique.size() + data.suppressed))
    if unique.anomalous_flag() and not data.grouped:
        # Of the merged list, whatever MERG says: equivalents that stay apart are no mates.
        apart, together = (_without_equivalents(unique, mates_apart=apart).size() for apart in (True, False))
        block.set("_reflns_Friedel_coverage", f"{apart / max(together, 1) - 1:.3f}")
    block.set("_reflns_number_gt", str(fit.n_gt))
    block.set("_reflns_threshold_expression", r"I > 2\s(I)")


def _measurement(block: CifBlock, data: Reflections) -> None:
    """Number, indices and agreement of the measured reflections. What the file says of them stays where the refinement had
    their merged list alone.
    """
    # Those of R(int) and of the index limits, as SHELXL counts them (decision 0292).
    number = data.measured.size()
    stated = block.number("_diffrn_reflns_number")
    if data.r_int is None and stated is not None and stated[0] > number:
        return
    block.set("_diffrn_reflns_number", str(number))
    block.set("_diffrn_reflns_av_R_equivalents", "?" if data.r_int is None else f"{data.r_int:.4f}")
    block.set("_diffrn_reflns_av_unetI/netI", f"{data.r_sigma:.4f}")
    lowest, highest = data.measured.min_max_indices()
    for axis, low, high in zip("hkl", lowest, highest, strict=True):
        block.set(f"_diffrn_reflns_limit_{axis}_min", str(low))
        block.set(f"_diffrn_reflns_limit_{axis}_max", str(high))


def _completeness(unique, d_min: float | None = None, *, mates_apart: bool = False) -> float:
    merged = _without_equivalents(unique, mates_apart=mates_apart)
    return float(
        merged.completeness(d_max=None)
        if d_min is None
        else merged.resolution_filter(d_min=d_min).completeness()
    )


def _without_equivalents(unique, *, mates_apart: bool):
    """Each reflection of the list once: MERG 0, batches and overlaps keep equivalents apart."""
    counted = unique.set()
    if not mates_apart:
        counted = counted.as_non_anomalous_set()
    return counted.unique_under_symmetry()


def _refinement(block: CifBlock, fit: Fit, residual: DifferenceMap) -> None:
    last = fit.cycles[-1]
    values = {
        "_computing_structure_refinement": f"smtbx of cctbx {_cctbx_version()}, run by QCrBox refine",
        "_refine_ls_structure_factor_coef": "Fsqd",
        "_refine_ls_matrix_type": "full",
        "_refine_ls_weighting_scheme": weighting.scheme(fit.weights),
        "_refine_ls_weighting_details": refinement_texts.details(fit.weights),
        "_refine_ls_hydrogen_treatment": _hydrogen_treatment(fit.model),
        "_refine_ls_extinction_method": _extinction_method(fit),
        "_refine_ls_extinction_expression": EXPRESSION if fit.extinction else None,
        "_refine_ls_extinction_coef": with_su(*fit.extinction, 4) if fit.extinction else ".",
        "_refine_ls_number_reflns": str(fit.reflections.unique.size()),
        "_refine_ls_number_parameters": str(fit.n_parameters),
        "_refine_ls_number_restraints": str(fit.n_restraints),
        "_refine_ls_number_constraints": str(fit.parametrisation.n_constraints),
        "_refine_ls_R_factor_gt": f"{fit.r1_gt:.4f}",
        "_refine_ls_R_factor_all": f"{fit.r1_all:.4f}",
        "_refine_ls_wR_factor_gt": f"{fit.wr2_gt:.4f}",
        "_refine_ls_wR_factor_ref": f"{fit.wr2:.4f}",
        "_refine_ls_goodness_of_fit_ref": f"{fit.goof:.3f}",
        "_refine_ls_restrained_S_all": f"{fit.restrained_goof:.3f}",
        "_refine_ls_shift/su_max": f"{last.max_shift_su:.3f}",
        "_refine_ls_shift/su_mean": f"{last.mean_shift_su:.3f}",
        "_refine_diff_density_max": f"{residual.maximum:.3f}",
        "_refine_diff_density_min": f"{residual.minimum:.3f}",
        "_refine_diff_density_rms": f"{residual.rms:.3f}",
    }
    for name, value in values.items():
        block.set(name, value)
    _absolute_structure(block, fit)
    block.set("_refine_special_details", ascii_text("\n".join([*_statements(fit), *fit.model.remarks()])))


def _hydrogen_treatment(model: Model) -> str:
    """Value of `_refine_ls_hydrogen_treatment`: that of all hydrogen atoms, `mixed` where they differ."""
    found = {_treatment(atom) for atom in model.atoms if atom.is_hydrogen}
    return found.pop() if len(found) == 1 else "mixed" if found else "undef"


def _treatment(atom: Atom) -> str:
    if atom.riding:
        return "constr"
    n = atom.group.n if atom.group else 0
    moves = n != 1 and not all(coding.is_fixed for coding in atom.site_coding)
    codings = atom.u_coding[:1] if atom.u_aniso is None else atom.u_coding
    has_u = n not in (1, 2) and atom.u_factor is None and not all(coding.is_fixed for coding in codings)
    return {(True, True): "refall", (True, False): "refxyz", (False, True): "refU"}.get(
        (moves, has_u), "noref"
    )


def _extinction_method(fit: Fit) -> str:
    return "SHELXL formula, see _refine_ls_extinction_expression" if fit.extinction else "none"


def _statements(fit: Fit) -> list[str]:
    """What a reader must know of the numbers: counting of reflections, radiation, twins, solvent."""
    data, corrections = fit.reflections, fit.corrections
    lines = []
    if data.n_independent < data.unique.size():
        lines.append(
            f"s.u. are scaled by the sum of w(delta)^2 over (n - p) with n = {data.n_independent} reflections unique in the "
            f"Laue group: Friedel mates share their errors and count once. The goodness of fit counts all {data.unique.size()}."
        )
    lines.append(described(fit.model))
    for name, value in zip(corrections.names(), corrections.values(), strict=True):
        if name != "extinction":
            lines.append(f"{name} = {with_su(value, fit.correction_su.get(name), 4)}")
    if fit.model.settings.twin is not None:
        matrix = fit.model.settings.twin.matrix
        rows = "; ".join(" ".join(f"{x:g}" for x in matrix[i : i + 3]) for i in (0, 3, 6))
        lines.append(f"Twin law ({rows}), {abs(fit.model.settings.twin.n)} domains.")
    elif data.grouped:
        lines.append("Intensities are sums over overlapping reflections (HKLF 5 or 6); none were merged.")
    if data.raised:
        lines.append(f"{data.raised} intensities below the threshold of OMIT were set to it.")
    if data.suppressed:
        lines.append(
            f"{data.suppressed} intensities below the threshold of OMIT were not refined against; R1 of all data counts them."
        )
    return lines


def _absolute_structure(block: CifBlock, fit: Fit) -> None:
    found = flack(fit)
    block.set("_refine_ls_abs_structure_Flack", with_su(found.x, found.su, 2) if found else None)
    block.set("_refine_ls_abs_structure_details", found.how if found else None)


def _cctbx_version() -> str:
    try:
        return version("cctbx-base")
    except PackageNotFoundError:
        return "(version unknown)"


def _atom_types(block: CifBlock, fit: Fit) -> None:
    scatterers = {s.scattering_type: s for s in fit.parametrisation.structure.scatterers()}
    factors = factors_of(fit.model, set(scatterers))
    neutrons = radiation_of(fit.model) is Radiation.NEUTRON
    names = ["symbol", "description", "scat_dispersion_real", "scat_dispersion_imag", "scat_source"]
    rows = []
    for symbol, scatterer in scatterers.items():
        found = factors[symbol]
        dispersion = [f"{scatterer.fp:.4f}", f"{scatterer.fdp:.4f}"]
        row = [symbol, element_symbol(symbol), *dispersion, ascii_text(found.source)]
        rows.append([*row, f"{found.form.at_stol(0):.3f}"] if neutrons else row)
    names += ["scat_length_neutron"] if neutrons else []
    block.add_loop([f"_atom_type_{name}" for name in names], rows)


def _atoms(block: CifBlock, fit: Fit) -> None:
    structure = fit.parametrisation.structure
    parameters = structure.parameter_map()
    uncertainties = []
    for i, atom in enumerate(fit.model.atoms):
        p = parameters[i]
        uncertainties.append(
            AtomSu(
                site=[0.0] * 3 if atom.riding else [float(x) for x in fit.su[p.site : p.site + 3]],
                u=equivalent_u_su(fit, i) if atom.u_aniso else float(fit.su[p.u_iso]),
                tensor=u_cif_su(fit, i) if atom.u_aniso else [],
                occupancy=float(fit.su[p.occupancy]) if p.occupancy >= 0 else 0.0,
            )
        )
    add_atom_loops(block, fit.model, structure, uncertainties)


def _geometry(block: CifBlock, fit: Fit) -> None:
    found = geometry(fit)
    block.add_loop(
        [
            "_geom_bond_atom_site_label_1",
            "_geom_bond_atom_site_label_2",
            "_geom_bond_distance",
            "_geom_bond_site_symmetry_2",
            "_geom_bond_publ_flag",
        ],
        found.bonds,
    )
    block.add_loop(
        [
            *(f"_geom_angle_atom_site_label_{n}" for n in (1, 2, 3)),
            "_geom_angle",
            "_geom_angle_site_symmetry_1",
            "_geom_angle_site_symmetry_3",
            "_geom_angle_publ_flag",
        ],
        found.angles,
    )
    block.add_loop(
        [
            *(f"_geom_hbond_atom_site_label_{n}" for n in "DHA"),
            *(f"_geom_hbond_distance_{n}" for n in ("DH", "HA", "DA")),
            "_geom_hbond_angle_DHA",
            "_geom_hbond_site_symmetry_H",
            "_geom_hbond_site_symmetry_A",
        ],
        found.hydrogen_bonds,
    )
    block.set(
        "_geom_special_details",
        "All s.u. come from the full covariance matrix of the least squares; the s.u. of the cell are "
        "taken into account where the file gives them. Distances to riding hydrogen atoms have none. "
        "Friedel mates count as one observation in the scale of all s.u.",
    )
