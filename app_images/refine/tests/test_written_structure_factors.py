"""Structure factors of the written CIF and .res file, by plain sums and by cctbx, against the .fcf file of the refinement."""

from io import StringIO

import gemmi
import numpy as np
import pytest
from cctbx import crystal
from iotbx import shelx as cctbx_shelx
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.hkl_file import HklText
from qcrbox_refine.refinement import Options, refine_files, write_cif
from qcrbox_refine.shelx_cards import symmetry_cards
from small_models import ins_text
from truth import Truth, hkl_text, write

GENERAL = """C1 1 0.113 0.161 0.342 11 0.021 0.034 0.028 0.004 0.002 0.001
N1 3 0.272 0.094 0.151 11 0.03
O1 4 0.371 0.188 0.093 21 0.04
"""
# Group, cell, and an atom on a special position with its occupancy of SHELX.
CRYSTALS = {
    "P -1": ((7.1, 8.3, 9.2, 71, 103, 96), "S1 5 0.5 0 0.5 10.5 0.02 0.03 0.04 0.004 0.003 0.002"),
    "P 1 21/c 1": ((7.1, 8.3, 9.2, 90, 103, 90), "S1 5 0.5 0 0.5 10.5 0.02"),
    "C 1 2/c 1": ((9.1, 8.3, 9.2, 90, 103, 90), "S1 5 0 0.37 0.25 10.5 0.02 0.03 0.04 0 0.003 0"),
    "P n m a": ((9.1, 8.3, 9.2, 90, 90, 90), "S1 5 0.13 0.25 0.41 10.4 0.02 0.03 0.04 0 0.003 0"),
    "F d d 2": ((9.1, 11.3, 9.2, 90, 90, 90), "S1 5 0 0 0.13 10.5 0.02 0.03 0.04 0 0 0.003"),
    "P 4/m": ((9.1, 9.1, 9.2, 90, 90, 90), "S1 5 0.5 0.5 0 10.125 0.02 0.02 0.04 0 0 0"),
    "P 31 2 1": ((9.1, 9.1, 9.2, 90, 90, 120), "S1 5 0.31 0 0.33333 10.5 0.02"),
    "R -3 :H": ((11.1, 11.1, 9.2, 90, 90, 120), "S1 5 0 0 0.21 10.33333 0.02 0.02 0.04 0 0 0.01"),
    "P 63/m": ((9.1, 9.1, 9.2, 90, 90, 120), "S1 5 0.33333 0.66667 0.25 10.16667 0.02"),
    "P 21 3": ((10.1, 10.1, 10.1, 90, 90, 90), "S1 5 0.21 0.21 0.21 10.33333 0.02"),
}


@pytest.fixture(scope="module", params=CRYSTALS)
def written(request, tmp_path_factory):
    """The CIF, .res and .fcf of a model against any intensities, without a cycle."""
    cell, special = CRYSTALS[request.param]
    symmetry = crystal.symmetry(cell, request.param)
    latt, *symm = [card.split(maxsplit=1)[1] for card in symmetry_cards(symmetry.space_group())]
    text = ins_text(
        GENERAL + special,
        "WGHT 0",
        cell="0.71073 " + " ".join(map(str, cell)),
        latt=int(latt),
        symm=symm,
        elements="C H N O S",
        variables="1 0.63",
    )
    indices = symmetry.build_miller_set(
        anomalous_flag=not symmetry.space_group().is_centric(), d_min=1.0
    ).indices()
    hkl, intensities = np.array(indices), np.full(len(indices), 100.0)
    folder = tmp_path_factory.mktemp("written")
    for _ in range(2):
        # Against its own structure factors the second time, so that s.u. leave all digits.
        files = write(
            folder, text, hkl_text(hkl, intensities, 1e-4 * intensities + 1e-4 * intensities.mean())
        )
        result = refine_files(*files, Options(weighting="keep", cycles=0))
        fcf = gemmi.cif.read_string(fcf_text(result.fit)).sole_block()
        hkl, intensities = calculated(fcf)
    write_cif(result, folder / "x.cif")
    return gemmi.cif.read(str(folder / "x.cif")).sole_block(), result.res, fcf


def calculated(fcf):
    rows = [
        [float(x) for x in row]
        for row in fcf.find("_refln_", ["index_h", "index_k", "index_l", "F_squared_calc"])
    ]
    table = np.array(rows)
    return table[:, :3], table[:, 3]


def table_of(block, first):
    loop = block.find_loop(first).get_loop()
    return [
        {tag: gemmi.cif.as_string(loop[i, k]).split("(")[0] for k, tag in enumerate(loop.tags)}
        for i in range(loop.length())
    ]


def squares_of_cif(block, hkl):
    """|Σ occ/m Σ f exp(-2π² hᵀ U* h) exp(2πi h·(Rx + t))|² with m of the site symmetry, from the CIF alone."""
    cell = gemmi.UnitCell(
        *(float(block.find_value(f"_cell_{n}").split("(")[0]) for n in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"))
    )  # fmt: skip
    reciprocal = np.array(cell.reciprocal().parameters[:3])
    operations = [
        gemmi.Op(row["_space_group_symop_operation_xyz"])
        for row in table_of(block, "_space_group_symop_operation_xyz")
    ]
    types = {row["_atom_type_symbol"]: row for row in table_of(block, "_atom_type_symbol")}
    tensors = {row["_atom_site_aniso_label"]: row for row in table_of(block, "_atom_site_aniso_label")}
    stol_sq = np.array([cell.calculate_1_d2([int(x) for x in h]) for h in hkl]) / 4
    total = np.zeros(len(hkl), complex)
    for atom in table_of(block, "_atom_site_label"):
        kind = types[atom["_atom_site_type_symbol"]]
        form = gemmi.Element(atom["_atom_site_type_symbol"]).it92
        factor = np.array([form.calculate_sf(s) for s in stol_sq]) + complex(
            float(kind["_atom_type_scat_dispersion_real"]), float(kind["_atom_type_scat_dispersion_imag"])
        )
        share = float(atom["_atom_site_occupancy"]) / int(atom["_atom_site_site_symmetry_order"])
        site = np.array([float(atom[f"_atom_site_fract_{x}"]) for x in "xyz"])
        for operation in operations:
            rotation = np.array(operation.rot) / operation.DEN
            turned = hkl @ rotation
            phase = np.exp(2j * np.pi * (turned @ site + hkl @ np.array(operation.tran) / operation.DEN))
            if atom["_atom_site_adp_type"] == "Uani":
                u = {
                    ij: float(tensors[atom["_atom_site_label"]][f"_atom_site_aniso_U_{ij}"])
                    for ij in ("11", "22", "33", "12", "13", "23")
                }
                tensor = np.array(
                    [[u["11"], u["12"], u["13"]], [u["12"], u["22"], u["23"]], [u["13"], u["23"], u["33"]]]
                )
                scaled = turned * reciprocal
                damping = np.exp(-2 * np.pi**2 * np.einsum("ni,ij,nj->n", scaled, tensor, scaled))
            else:
                damping = np.exp(-8 * np.pi**2 * float(atom["_atom_site_U_iso_or_equiv"]) * stol_sq)
            total += share * factor * damping * phase
    return np.abs(total) ** 2


def test_the_atom_list_of_the_cif_gives_the_structure_factors_of_the_refinement(written):
    block, _, fcf = written
    hkl, expected = calculated(fcf)
    # The CIF has five decimals of sites and four of U.
    assert squares_of_cif(block, hkl) == pytest.approx(expected, rel=5e-3, abs=2e-3 * expected.max())


def test_the_res_file_gives_them_to_cctbx(written):
    _, res, fcf = written
    structure = cctbx_shelx.parse_smtbx_refinement_model(file=StringIO(res)).structure
    hkl, expected = calculated(fcf)
    indices = structure.build_miller_set(anomalous_flag=True, d_min=0.99)
    f = indices.structure_factors_from_scatterers(structure, algorithm="direct").f_calc()
    squares = {
        tuple(h): abs(value) ** 2
        for h, value in zip(f.expand_to_p1().indices(), f.expand_to_p1().data(), strict=True)
    }
    found = np.array([squares[tuple(int(x) for x in h)] for h in hkl])
    # cctbx takes no f' and f'' from DISP here; they are below 0.13 electrons for these elements.
    assert found == pytest.approx(expected, rel=0.05, abs=0.02 * expected.max())


@pytest.mark.parametrize("factor", [1.0, 1e-5, 1e7], ids=["as measured", "tiny", "huge"])
@pytest.mark.parametrize("form", ["file", "HKLF with a scale", "loop"])
def test_the_scale_of_the_res_file_is_that_of_the_reflections_beside_it(tmp_path, factor, form):
    """FVAR 1 squared times Fc² is Fo² of the embedded reflections, which may be scaled to fit their columns."""
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices(1.3).astype(int)
    square = np.abs(truth.f(hkl)) ** 2
    hklf = f"HKLF 4 {factor:g}" if form == "HKLF with a scale" else "HKLF 4"
    files = write(tmp_path, truth.ins(hklf=hklf), hkl_text(hkl, square, 0.01 * square + 0.01 * square.mean()))
    if form == "loop":
        rows = [
            f"{h} {k} {m} {v * factor:.8g} {v * factor * 0.01 + factor:.8g}"
            for (h, k, m), v in zip(hkl, square, strict=True)
        ]
        tags = ("index_h", "index_k", "index_l", "F_squared_meas", "F_squared_sigma")
        path = tmp_path / "loop.cif"
        path.write_text(
            "data_loop\nloop_\n" + "".join(f"_refln_{tag}\n" for tag in tags) + "\n".join(rows) + "\n"
        )
        files = files[0], str(path)
    elif form == "file" and factor != 1:
        rows = [
            f"{h} {k} {m} {v * factor:.6g} {v * factor * 0.01 + factor:.6g}"
            for (h, k, m), v in zip(hkl, square, strict=True)
        ]
        (tmp_path / "truth.hkl").write_text("\n".join([*rows, "0 0 0 0 0", ""]))
    result = refine_files(*files, Options(weighting="keep", cycles=0))
    kept = HklText.split(result.fit.reflections.hkl_text).rows("embedded")
    scale = float(next(line for line in result.res.splitlines() if line.startswith("FVAR")).split()[1])
    calculated_squares = {tuple(h): value for h, value in zip(hkl.tolist(), square, strict=True)}
    expected = np.array([calculated_squares[tuple(int(x) for x in h)] for h in kept.indices])
    strong = expected > np.median(expected)
    assert kept.values[strong] == pytest.approx(scale**2 * expected[strong], rel=0.02)
