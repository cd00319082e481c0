"""Common CIF items in our own words, for the pointer in the CIF viewer. The dictionaries' definitions say more."""

from __future__ import annotations

from functools import cache

from qcrbox.cif import names

# Conventional name | what it is.
_WORDS = """
_cell_length_a | length of the cell axis a
_cell_length_b | length of the cell axis b
_cell_length_c | length of the cell axis c
_cell_angle_alpha | angle between b and c
_cell_angle_beta | angle between a and c
_cell_angle_gamma | angle between a and b
_cell_volume | volume of the unit cell
_cell_formula_units_Z | formula units in one cell
_cell_measurement_reflns_used | reflections from which the cell was determined
_cell_measurement_theta_min | smallest θ of these reflections
_cell_measurement_theta_max | largest θ of these reflections
_diffrn_ambient_temperature | temperature during the measurement
_diffrn_ambient_pressure | pressure during the measurement
_diffrn_radiation_wavelength | wavelength of the radiation
_diffrn_radiation_type | radiation, such as Mo Kα
_diffrn_radiation_probe | what was diffracted: x-ray, neutron, electron
_diffrn_source | source of the radiation
_diffrn_measurement_device_type | make and model of the diffractometer
_diffrn_measurement_method | how the reflections were scanned
_diffrn_reflns_number | reflections measured, before equivalents were merged
_diffrn_reflns_theta_min | smallest θ of the measured reflections
_diffrn_reflns_theta_max | largest θ of the measured reflections
_diffrn_reflns_av_R_equivalents | R(int): how well equivalent reflections agree
_diffrn_reflns_av_unetI/netI | R(sigma): Σu(I) / ΣI
_diffrn_measured_fraction_theta_max | share of the unique reflections that were measured, to the largest θ
_diffrn_measured_fraction_theta_full | the same, to the θ to which the data are nearly complete
_diffrn_refln_index_h | index h of a measured reflection
_diffrn_refln_intensity_net | its net intensity
_space_group_name_H-M_alt | Hermann-Mauguin symbol of the space group, in any setting
_space_group_name_Hall | Hall symbol: fixes setting and origin
_space_group_IT_number | number of the space group in International Tables A
_space_group_crystal_system | crystal system
_space_group_symop_operation_xyz | a symmetry operation as x, y, z
_space_group_symop_id | number of the operation, as symmetry codes count
_chemical_formula_sum | formula of one formula unit, elements added up
_chemical_formula_moiety | formula by molecules and ions
_chemical_formula_weight | mass of one formula unit
_chemical_name_systematic | systematic name
_chemical_absolute_configuration | how the absolute configuration was found
_exptl_crystal_density_diffrn | density calculated from cell and content
_exptl_crystal_description | shape of the crystal
_exptl_crystal_colour | colour of the crystal
_exptl_crystal_size_max | longest edge of the crystal
_exptl_crystal_size_mid | middle edge of the crystal
_exptl_crystal_size_min | shortest edge of the crystal
_exptl_crystal_F_000 | electrons in the cell, as scattering at θ = 0
_exptl_absorpt_coefficient_mu | linear absorption coefficient
_exptl_absorpt_correction_type | how absorption was corrected for
_exptl_absorpt_correction_T_min | smallest transmission
_exptl_absorpt_correction_T_max | largest transmission
_reflns_number_total | unique reflections
_reflns_number_gt | of these, observed ones
_reflns_threshold_expression | when a reflection counts as observed
_reflns_Friedel_coverage | share of Friedel pairs of which both were measured
_refln_index_h | index h
_refln_index_k | index k
_refln_index_l | index l
_refln_F_squared_meas | observed F²
_refln_F_squared_calc | calculated F²
_refln_F_squared_sigma | s.u. of the observed F²
_refln_observed_status | whether the reflection counts as observed
_refine_ls_structure_factor_coef | what was refined against: F, F² or I
_refine_ls_matrix_type | which part of the normal matrix was used
_refine_ls_weighting_scheme | where the weights come from
_refine_ls_weighting_details | formula of the weights
_refine_ls_hydrogen_treatment | how hydrogen atoms were refined
_refine_ls_extinction_method | how extinction was treated
_refine_ls_extinction_coef | extinction coefficient
_refine_ls_number_reflns | reflections in the refinement
_refine_ls_number_parameters | refined parameters
_refine_ls_number_restraints | restraints
_refine_ls_R_factor_all | R1 of all reflections
_refine_ls_R_factor_gt | R1 of the observed reflections
_refine_ls_wR_factor_ref | wR2 of the reflections that were refined against
_refine_ls_wR_factor_gt | wR2 of the observed reflections
_refine_ls_goodness_of_fit_ref | S: 1 when model, data and weights agree
_refine_ls_restrained_S_all | S with the restraints counted
_refine_ls_shift/su_max | largest shift of the last cycle in s.u.: near 0 when converged
_refine_ls_shift/su_mean | mean shift of the last cycle in s.u.
_refine_ls_abs_structure_Flack | Flack parameter: 0 for the right hand, 1 for the wrong one
_refine_ls_abs_structure_details | how it was determined
_refine_diff_density_max | highest peak of the residual density
_refine_diff_density_min | deepest hole of the residual density
_refine_diff_density_rms | root mean square of the residual density
_atom_type_symbol | kind of atom
_atom_type_scat_dispersion_real | f′, real part of anomalous scattering
_atom_type_scat_dispersion_imag | f″, imaginary part of anomalous scattering
_atom_site_label | name of the atom: ties all tables together
_atom_site_type_symbol | its element (and charge)
_atom_site_fract_x | coordinate along a, in fractions of the axis
_atom_site_fract_y | coordinate along b, in fractions of the axis
_atom_site_fract_z | coordinate along c, in fractions of the axis
_atom_site_U_iso_or_equiv | isotropic displacement parameter, or the equivalent of the tensor
_atom_site_adp_type | isotropic or anisotropic
_atom_site_occupancy | share of the cells in which the atom is at its site
_atom_site_site_symmetry_order | operations that leave the site in its place
_atom_site_calc_flag | d from the data, calc by geometry
_atom_site_refinement_flags_posn | constraints of the position: R riding, S special position …
_atom_site_refinement_flags_adp | constraints of the displacement parameters
_atom_site_disorder_assembly | atoms that are disordered together
_atom_site_disorder_group | which of the alternatives the atom belongs to
_atom_site_aniso_label | the atom whose tensor this is
_atom_site_aniso_U_11 | component of the displacement tensor on the reciprocal axes
_atom_site_aniso_U_22 | component of the displacement tensor on the reciprocal axes
_atom_site_aniso_U_33 | component of the displacement tensor on the reciprocal axes
_atom_site_aniso_U_12 | component of the displacement tensor on the reciprocal axes
_atom_site_aniso_U_13 | component of the displacement tensor on the reciprocal axes
_atom_site_aniso_U_23 | component of the displacement tensor on the reciprocal axes
_geom_bond_distance | length of the bond
_geom_bond_site_symmetry_2 | symmetry code of the second atom
_geom_bond_publ_flag | whether it is to be published
_geom_angle | angle at the second atom
_geom_torsion | torsion angle, positive clockwise
_geom_hbond_distance_DH | donor to hydrogen
_geom_hbond_distance_HA | hydrogen to acceptor
_geom_hbond_distance_DA | donor to acceptor
_geom_hbond_angle_DHA | angle at the hydrogen atom
_audit_creation_date | when the file was made
_audit_creation_method | by which program
_shelx_res_file | the model as a SHELX file
_shelx_hkl_file | the reflections as a SHELX file
_shelx_hkl_checksum | checksum of these reflections
_computing_structure_solution | program that solved the structure
_computing_structure_refinement | program that refined it
"""


@cache
def _by_canonical_name() -> dict[str, str]:
    pairs = (line.split(" | ", 1) for line in _WORDS.strip().splitlines())
    return {names.canonical(name): words for name, words in pairs}


def item_words(tag: str) -> str:
    """What an item is in a few words, whatever its spelling; of an s.u., of what. Empty where we have none."""
    canonical = names.canonical(tag)
    known = _by_canonical_name()
    if canonical in known:
        return known[canonical]
    value = canonical.removesuffix("_su")
    return f"s.u. of: {known[value]}" if value != canonical and value in known else ""
