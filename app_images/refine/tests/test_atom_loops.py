"""Atom loops of the CIF: values with their s.u., and flags that say how each atom was refined."""

import gemmi
import numpy as np
import pytest
from qcrbox_refine.atom_loops import AtomSu, add_atom_loops
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.model import Atom
from qcrbox_refine.refinement import Options, refine_files, write_cif
from small_models import model_in
from truth import Truth, hkl_text, noisy, write

CELL = (7.0, 8.0, 9.0, 90.0, 103.0, 90.0)


def rows_of(model, uncertainties=None):
    """Rows of _atom_site by label, as {item without category: text}; and the block."""
    block = CifBlock("x")
    add_atom_loops(block, model, model.structure(), uncertainties)
    return by_label(gemmi.cif.read_string(str(block)).sole_block()), block


def by_label(block):
    loop = block.find_loop("_atom_site_label").get_loop()
    tags = [tag.removeprefix("_atom_site_") for tag in loop.tags]
    rows = [[loop[row, column] for column in range(len(tags))] for row in range(loop.length())]
    return {row[0]: dict(zip(tags, row, strict=True)) for row in rows}


def test_values_stand_alone_without_uncertainties():
    model = model_in(CELL, "P 1 21/c 1", [Atom("C1", "C", (0.123456, -0.2, 0.3), u_iso=0.0312345)])
    row = rows_of(model)[0]["C1"]
    assert [row[f"fract_{x}"] for x in "xyz"] == ["0.12346", "-0.20000", "0.30000"]
    assert (row["U_iso_or_equiv"], row["adp_type"], row["occupancy"]) == ("0.0312", "Uiso", "1")


def test_uncertainties_are_written_by_the_rule_of_19():
    atom = Atom(
        "C1",
        "C",
        (0.12345678, 0.2, 0.3),
        0.71234,
        u_iso=0.03,
        u_aniso=(0.02, 0.03, 0.04, 0.001, 0.002, 0.003),
    )
    model = model_in(CELL, "P 1 21/c 1", [atom])
    su = AtomSu([0.00019, 0.0002, 0.0], 0.0005, [0.001, 0.0012, 0.0019, 0.0002, 0.0, 0.0004], 0.012)
    rows, block = rows_of(model, [su])
    row = rows["C1"]
    assert [row[f"fract_{x}"] for x in "xyz"] == ["0.12346(19)", "0.2000(2)", "0.30000"]
    assert (row["U_iso_or_equiv"], row["adp_type"], row["occupancy"]) == ("0.0300(5)", "Uani", "0.712(12)")
    assert [block.column(f"_atom_site_aniso_U_{ij}")[0] for ij in ("11", "22", "33", "12", "13", "23")] == [
        "0.0200(10)",
        "0.0300(12)",
        "0.0400(19)",
        "0.0010(2)",
        "0.0020",
        "0.0030(4)",
    ]


@pytest.mark.parametrize(
    ("site", "part", "order", "flag"),
    [((0.1, 0.2, 0.3), 0, "1", "."), ((0.5, 0.0, 0.5), 0, "2", "S"), ((0.5, 0.0, 0.5), -1, "1", ".")],
    ids=["general", "on a centre", "disordered about the centre"],
)
def test_special_positions_are_flagged_and_counted(site, part, order, flag):
    model = model_in(CELL, "P 1 21/c 1", [Atom("C1", "C", site, 0.5, part=part)])
    row = rows_of(model)[0]["C1"]
    assert (row["site_symmetry_order"], row["refinement_flags_posn"]) == (order, flag)
    assert row["refinement_flags_occupancy"] == "P"


@pytest.mark.parametrize(
    ("assembly", "part", "expected"), [("", 0, (".", ".")), ("A", 2, ("A", "2")), ("", -1, (".", "-1"))]
)
def test_disorder_is_that_of_the_model(assembly, part, expected):
    atom = Atom("C1", "C", (0.1, 0.2, 0.3), 0.5, assembly=assembly, part=part)
    row = rows_of(model_in(CELL, "P 1 21/c 1", [atom]))[0]["C1"]
    assert (row["disorder_assembly"], row["disorder_group"]) == expected


# Ways of refining a hydrogen atom on C1 of the truth. The data contain none, which does not matter for its s.u.
HYDROGEN = {
    "U rides": ("AFIX 3", "-1.2", ("calc", "R", "U"), (False, False)),
    "U is refined": ("AFIX 3", "0.05", ("calc", "R", "."), (False, True)),
    "U is fixed": ("AFIX 3", "10.05", ("calc", "R", "."), (False, False)),
    "U rides and the position is free": ("AFIX 0", "-1.2", ("d", ".", "U"), (True, False)),
    "everything is free": ("AFIX 0", "0.05", ("d", ".", "."), (True, True)),
}


@pytest.fixture(scope="module")
def with_hydrogen(tmp_path_factory):
    """_atom_site of a refinement with one hydrogen atom that is refined in these ways."""
    truth = Truth("P 21/c", None)
    hkl = truth.indices(0.9)
    values, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 5)

    def refined(afix, u):
        lines = (
            truth.ins()
            .replace("SFAC C N O", "SFAC C N O H")
            .replace("UNIT 4 4 4", "UNIT 4 4 4 4")
            .split("\n")
        )
        place = next(i for i, line in enumerate(lines) if line.startswith("C1 "))
        lines[place + 1 : place + 1] = [afix, f"H1 4 0.020 0.150 0.260 11 {u}", "AFIX 0"]
        folder = tmp_path_factory.mktemp("hydrogen")
        result = refine_files(
            *write(folder, "\n".join(lines), hkl_text(hkl, values, sigma)),
            Options(weighting="keep", cycles=1),
        )
        write_cif(result, folder / "x.cif")
        return by_label(gemmi.cif.read(str(folder / "x.cif")).sole_block())

    return refined


@pytest.mark.parametrize(("afix", "u", "flags", "su"), HYDROGEN.values(), ids=HYDROGEN.keys())
def test_what_is_refined_has_an_su_and_what_rides_has_a_flag(with_hydrogen, afix, u, flags, su):
    row = with_hydrogen(afix, u)["H1"]
    found = (row["calc_flag"], row["refinement_flags_posn"], row["refinement_flags_adp"])
    assert found == flags
    assert ("(" in row["fract_x"], "(" in row["U_iso_or_equiv"]) == su
