"""Names of CIF items as programs knew them before the DDLm dictionaries: underscores and customary capitals."""

from __future__ import annotations

from functools import lru_cache

from qcrbox.cif import names

# The customary name where the dictionaries list several old ones.
_CUSTOMARY = {
    "_refine_ls.shift_over_su_max": "_refine_ls_shift/su_max",
    "_refine_ls.shift_over_su_mean": "_refine_ls_shift/su_mean",
    "_diffrn_reflns.av_suneti_over_neti": "_diffrn_reflns_av_unetI/netI",
    "_diffrn_radiation_wavelength.value": "_diffrn_radiation_wavelength",
    "_space_group_symop.operation_xyz": "_space_group_symop_operation_xyz",
}
# Names of the core dictionary (version 2.4) that are not today's with an underscore for the point.
_OTHER_WORDS = """
_atom_sites_Cartn_tran_matrix_11 _atom_sites_Cartn_tran_matrix_12 _atom_sites_Cartn_tran_matrix_13
_atom_sites_Cartn_tran_matrix_21 _atom_sites_Cartn_tran_matrix_22 _atom_sites_Cartn_tran_matrix_23
_atom_sites_Cartn_tran_matrix_31 _atom_sites_Cartn_tran_matrix_32 _atom_sites_Cartn_tran_matrix_33
_atom_sites_Cartn_tran_vector_1 _atom_sites_Cartn_tran_vector_2 _atom_sites_Cartn_tran_vector_3
_atom_sites_fract_tran_matrix_11 _atom_sites_fract_tran_matrix_12 _atom_sites_fract_tran_matrix_13
_atom_sites_fract_tran_matrix_21 _atom_sites_fract_tran_matrix_22 _atom_sites_fract_tran_matrix_23
_atom_sites_fract_tran_matrix_31 _atom_sites_fract_tran_matrix_32 _atom_sites_fract_tran_matrix_33
_atom_sites_fract_tran_vector_1 _atom_sites_fract_tran_vector_2 _atom_sites_fract_tran_vector_3
_atom_type_analytical_mass_% _computing_data_collection _computing_data_reduction _diffrn_detector
_diffrn_detector_type _diffrn_measurement_device _diffrn_measurement_device_type _diffrn_radiation_type
_diffrn_radiation_xray_symbol _diffrn_refln_intensity_u _diffrn_refln_sint/lambda _diffrn_reflns_class_av_uI/I
_diffrn_reflns_point_group_measured_fraction_full _diffrn_reflns_point_group_measured_fraction_max
_diffrn_source _diffrn_source_take-off_angle _diffrn_source_type _diffrn_standards_decay_%
_diffrn_standards_scale_u _exptl_crystal_colour_lustre _exptl_crystal_colour_modifier
_exptl_crystal_colour_primary _geom_angle _geom_torsion _journal_data_validation_number _publ_contact_author
_refine_ls_shift/su_max_lt _refine_ls_shift/su_mean_lt _refln_F_sigma _refln_F_squared_sigma
_refln_intensity_sigma _refln_sint/lambda _reflns_shell_meanI_over_uI_all _reflns_shell_meanI_over_uI_gt
_symmetry_space_group_name_H-M
"""
# Names of the core dictionary (version 2.3) that hold capitals; many programs compare them letter by letter.
_CAPITALS = """
_atom_site_B_equiv_geom_mean _atom_site_B_iso_or_equiv _atom_site_Cartn_x _atom_site_Cartn_y
_atom_site_Cartn_z _atom_site_U_equiv_geom_mean _atom_site_U_iso_or_equiv _atom_site_Wyckoff_symbol
_atom_site_aniso_B_11 _atom_site_aniso_B_12 _atom_site_aniso_B_13 _atom_site_aniso_B_22
_atom_site_aniso_B_23 _atom_site_aniso_B_33 _atom_site_aniso_U_11 _atom_site_aniso_U_12
_atom_site_aniso_U_13 _atom_site_aniso_U_22 _atom_site_aniso_U_23 _atom_site_aniso_U_33
_atom_sites_Cartn_tran_matrix_11 _atom_sites_Cartn_tran_matrix_12 _atom_sites_Cartn_tran_matrix_13
_atom_sites_Cartn_tran_matrix_21 _atom_sites_Cartn_tran_matrix_22 _atom_sites_Cartn_tran_matrix_23
_atom_sites_Cartn_tran_matrix_31 _atom_sites_Cartn_tran_matrix_32 _atom_sites_Cartn_tran_matrix_33
_atom_sites_Cartn_tran_vector_1 _atom_sites_Cartn_tran_vector_2 _atom_sites_Cartn_tran_vector_3
_atom_sites_Cartn_transform_axes _atom_type_scat_Cromer_Mann_a1 _atom_type_scat_Cromer_Mann_a2
_atom_type_scat_Cromer_Mann_a3 _atom_type_scat_Cromer_Mann_a4 _atom_type_scat_Cromer_Mann_b1
_atom_type_scat_Cromer_Mann_b2 _atom_type_scat_Cromer_Mann_b3 _atom_type_scat_Cromer_Mann_b4
_atom_type_scat_Cromer_Mann_c _cell_formula_units_Z _diffrn_orient_matrix_UB_11
_diffrn_orient_matrix_UB_12 _diffrn_orient_matrix_UB_13 _diffrn_orient_matrix_UB_21
_diffrn_orient_matrix_UB_22 _diffrn_orient_matrix_UB_23 _diffrn_orient_matrix_UB_31
_diffrn_orient_matrix_UB_32 _diffrn_orient_matrix_UB_33 _diffrn_reflns_av_R_equivalents
_diffrn_reflns_av_sigmaI/netI _diffrn_reflns_av_unetI/netI _diffrn_reflns_class_av_R_eq
_diffrn_reflns_class_av_sgI/I _diffrn_reflns_class_av_uI/I _diffrn_scale_group_I_net
_exptl_absorpt_coefficient_F_000 _exptl_absorpt_correction_T_max _exptl_absorpt_correction_T_min
_exptl_crystal_F_000 _geom_hbond_angle_DHA _geom_hbond_atom_site_label_A _geom_hbond_atom_site_label_D
_geom_hbond_atom_site_label_H _geom_hbond_distance_DA _geom_hbond_distance_DH _geom_hbond_distance_HA
_geom_hbond_site_symmetry_A _geom_hbond_site_symmetry_D _geom_hbond_site_symmetry_H
_refine_ls_F_calc_details _refine_ls_R_Fsqd_factor _refine_ls_R_I_factor _refine_ls_R_factor_all
_refine_ls_R_factor_gt _refine_ls_R_factor_obs _refine_ls_abs_structure_Flack
_refine_ls_abs_structure_Rogers _refine_ls_class_R_Fsqd_factor _refine_ls_class_R_I_factor
_refine_ls_class_R_factor_all _refine_ls_class_R_factor_gt _refine_ls_class_wR_factor_all
_refine_ls_restrained_S_all _refine_ls_restrained_S_gt _refine_ls_restrained_S_obs
_refine_ls_wR_factor_all _refine_ls_wR_factor_gt _refine_ls_wR_factor_obs _refine_ls_wR_factor_ref
_refln_A_calc _refln_A_meas _refln_B_calc _refln_B_meas _refln_F_calc _refln_F_meas _refln_F_sigma
_refln_F_squared_calc _refln_F_squared_meas _refln_F_squared_sigma _reflns_Friedel_coverage
_reflns_class_R_Fsqd_factor _reflns_class_R_I_factor _reflns_class_R_factor_all _reflns_class_R_factor_gt
_reflns_class_wR_factor_all _reflns_scale_meas_F _reflns_scale_meas_F_squared _reflns_shell_Rmerge_F_all
_reflns_shell_Rmerge_F_gt _reflns_shell_Rmerge_F_obs _reflns_shell_Rmerge_I_all _reflns_shell_Rmerge_I_gt
_reflns_shell_Rmerge_I_obs _reflns_shell_meanI_over_sigI_all _reflns_shell_meanI_over_sigI_gt
_reflns_shell_meanI_over_sigI_obs _reflns_shell_meanI_over_uI_all _reflns_shell_meanI_over_uI_gt
_space_group_IT_number _space_group_name_H-M_alt _space_group_name_Hall _symmetry_Int_Tables_number
_symmetry_space_group_name_H-M _symmetry_space_group_name_Hall _valence_param_B _valence_param_Ro
_chemical_conn_atom_NCA _chemical_conn_atom_NH _citation_abstract_id_CAS _citation_book_id_ISBN
_citation_database_id_CSD _citation_database_id_Medline _citation_journal_id_ASTM _citation_journal_id_CSD
_citation_journal_id_ISSN _database_code_CAS _database_code_CSD _database_code_ICSD _database_code_MDF
_database_code_NBS _database_code_PDB _database_code_PDF _database_CSD_history _database_journal_ASTM
_database_journal_CSD _diffrn_reflns_Laue_measured_fraction_full _diffrn_reflns_Laue_measured_fraction_max
_journal_coden_ASTM _journal_coden_Cambridge
"""
_CASED = {name.lower(): name for name in _CAPITALS.split()}
# Names without an old spelling: the programs that read them know the point only.
_WITH_POINT = ("_aspheric_ff.", "_aspheric_ffs.", "_aspheric_ffs_partitioning.", "_wfn_moiety.", "_wfns.")
_OUTDATED = ("_esd", "_obs", "_symmetry_")


@lru_cache(maxsize=1)
def _other_words() -> dict[str, str]:
    return {names.canonical(name): name for name in _OTHER_WORDS.split()}


@lru_cache(maxsize=10_000)
def classic_name(tag: str) -> str:
    """`_cell.length_a` → `_cell_length_a`; names without a dictionary entry only lose the point."""
    canonical = names.canonical(tag)
    if found := _CUSTOMARY.get(canonical) or _other_words().get(canonical):
        return found
    if canonical.startswith(_WITH_POINT):
        return canonical
    plain = canonical.replace(".", "_", 1)
    if canonical == tag and not names.is_known(tag):
        return plain
    known = [alias for alias in names.aliases(tag) if "." not in alias]
    if plain in known or not known:
        found = plain
    else:
        found = min(known, key=lambda alias: (any(word in alias for word in _OUTDATED), len(alias)))
    return _CASED.get(found.lower(), found)
