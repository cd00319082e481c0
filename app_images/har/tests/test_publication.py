"""What a published CIF says: settings in sentences, checksum, charges and dipoles."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from crystals import cif
from qcrbox.cif import read
from qcrbox.cif.convert import unify
from qcrbox.cif.convert.written_names import as_written
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.spec import load
from qcrbox_agent.conversion import merged_back
from qcrbox_har import molecules, publication
from qcrbox_har.form_factors import Table
from qcrbox_har.loop_state import Progress, Round
from qcrbox_har.method import AtomicDensity, Method
from qcrbox_har.options import Options
from qcrbox_har.periodic import crystal

ROWS = "O1 O 0 0 0 0.02\nH1 H 0.0757 0.0587 0 0.03\nH2 H -0.0757 0.0587 0 0.03\n"
DEBYE = 4.80320  # of one electron and one Å


def state_of(charge: int = 0, converged: bool = True, relativistic: bool = False) -> Progress:
    structure = Structure.from_cif(cif(ROWS, columns=("U_iso_or_equiv",)).encode())
    plan = molecules.plan(structure)
    plan.molecules[0].charge = charge
    state = Progress(
        structure, plan, Method("b3lyp", "def2-SVP", relativistic=relativistic), {"R1": 0.05, "wR2": 0.12}
    )
    state.rounds = [Round(k, {}, {"ratio": 0.5, "worst": "H1"}, 5, {}) for k in (1, 2)]
    state.converged = converged
    density = AtomicDensity(
        np.array([8.6, 0.7, 0.7]), np.array([-0.6, 0.3, 0.3]), np.zeros((3, 3)), np.zeros(3), 10.0, -76.4, 5, True,
        np.array([0.0, 0.3, 0.4]),
    )  # fmt: skip
    state.table = Table(
        np.array([0, 1, 2]), np.zeros((0, 3), int), np.zeros((0, 3), complex), density.electrons, density.charges,
        density.dipoles, [density],
    )  # fmt: skip
    return state


def said(options: Options = Options(), **state) -> str:  # noqa: B008 - never changed
    return "\n".join(publication.sentences(state_of(**state), options))


def test_level_partition_and_rounds_are_said():
    text = said()
    assert "B3LYP/def2-SVP, restricted, density fitting, PySCF 2." in text
    assert "Theor. Chim. Acta 44 (1977) 129" in text
    assert "(2 rounds)" in text
    assert "anisotropic displacement parameters" in text
    assert "X2C" not in text


@pytest.mark.parametrize(
    ("options", "state", "words"),
    [
        ({}, {"converged": False}, "not reached in 2 rounds"),
        ({}, {"relativistic": True}, "scalar relativistic X2C"),
        ({"partition": "mbis"}, {}, "minimal basis iterative stockholder"),
        ({"partition": "iterative-hirshfeld"}, {}, "iterative Hirshfeld"),
        ({"crystal_field": "charges"}, {}, "charges and dipoles of the atoms of all molecules within 8 Å"),
        ({"hydrogens": "riding"}, {}, "Hydrogen atoms ride"),
        ({"hydrogens": "isotropic"}, {}, "isotropic displacement parameters"),
        (
            {"wavefunction": "/tmp/x/water.fchk"},
            {},
            "of the file water.fchk was used as given, read with IOData",
        ),
        ({"tolerance": 0.005}, {}, "changed by more than 0.005 s.u."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_every_choice_has_its_sentence(options, state, words):
    assert words in said(Options(**options), **state)


def test_a_periodic_density_is_said_with_its_k_points():
    state, options = state_of(), Options(density="periodic")
    state.plan = crystal.plan(state.structure, set())
    state.method = crystal.method(options, {"O", "H"})
    state.table.molecules[0].kpoints = (2, 2, 2)
    text = " ".join(publication.sentences(state, options))
    assert "taken from the periodic density of the crystal" in text
    assert "PBE, projector-augmented plane waves to 600 eV, 2 x 2 x 2 k points" in text
    assert "Free atoms of the partition: Hartree-Fock/def2-TZVP" in text
    assert "PySCF 2." not in text
    assert publication.source(state) == "periodic density, PBE with GPAW"


def test_fragments_are_not_called_molecules():
    state = state_of()
    assert any(
        line == "Molecules: H2O, charge +0, multiplicity 1."
        for line in publication.sentences(state, Options())
    )
    state.plan.molecules[0].caps = [molecules.Cap(0, 0, 0, (0, 0, 0), 1.0)]
    text = " ".join(publication.sentences(state, Options()))
    assert "overlapping fragments, whose cut bonds end in hydrogen atoms" in text
    assert "Molecules:" not in text


def test_spherical_atoms_are_named():
    state = state_of()
    state.plan.spherical = [0]
    assert "Spherical form factors were kept for O1." in publication.sentences(state, Options())


def test_disorder_is_said_where_a_site_has_two_sources():
    state = state_of()
    source = molecules.Source(0, 0, 0.5)
    state.plan.sources[0] = [source, source]
    assert any(
        line.startswith("Disorder: one wavefunction for each conformer")
        for line in publication.sentences(state, Options())
    )


@pytest.fixture
def completed(tmp_path):
    def make(**state):
        path, table = tmp_path / "har.cif", tmp_path / "har.tsc"
        path.write_text(cif(ROWS, columns=("U_iso_or_equiv",), extra="_refine_special_details 'Twin.'\n"))
        table.write_bytes(b"the form factors")
        publication.complete(path, state_of(**state), Options(), table)
        return read(path).sole_block()

    return make


def test_the_cif_has_method_checksum_and_what_stood_there_before(completed):
    block = completed()
    assert block.text("_refine_special_details").endswith("Twin.")
    assert block.text("_qcrbox_har_form_factors_sha256") == hashlib.sha256(b"the form factors").hexdigest()
    assert block.text("_qcrbox_har_form_factors_file") == "har.tsc"
    assert block.text("_aspheric_ffs_partitioning.name") == "hirshfeld"
    assert (block.text("_qcrbox_har_rounds"), block.text("_qcrbox_har_scf_iterations")) == ("2", "10")
    assert block.text("_qcrbox_har_IAM_R_factor_gt") == "0.0500"
    assert "PySCF" in block.text("_computing_structure_refinement")


def test_charges_add_up_and_the_dipole_is_in_debye(completed):
    block = completed()
    assert block.column("_qcrbox_har_atom_label") == ["O1", "H1", "H2"]
    assert sum(map(float, block.column("_qcrbox_har_atom_charge"))) == pytest.approx(0, abs=1e-4)
    (dipole,) = block.column("_qcrbox_har_molecule_dipole_debye")
    assert float(dipole) == pytest.approx(0.5 * DEBYE, abs=2e-3)


def test_an_ion_has_no_dipole(completed):
    """It would depend on the origin."""
    assert completed(charge=1).column("_qcrbox_har_molecule_dipole_debye") == ["."]


# An older name, and names in other capitals, as authors write them.
SPELLED = {
    "_cell_length_b": "_CELL_LENGTH_B",
    "_atom_site_fract_x": "_atom_site_Fract_X",
    "_atom_site_type_symbol": "_atom_site.type_symbol",
}


def test_a_downloaded_result_has_the_names_of_its_author_and_loses_nothing(tmp_path):
    source = cif(ROWS, columns=("U_iso_or_equiv",), extra="_my_Remark kept\n")
    for name, spelled in SPELLED.items():
        source = source.replace(name, spelled)
    made, table = tmp_path / "har.cif", tmp_path / "har.tsc"
    made.write_text(
        cif(ROWS, columns=("U_iso_or_equiv",), extra="_refine_ls_R_factor_gt 0.05\n_cell_volume 1000(2)\n")
    )
    table.write_bytes(b"the form factors")
    publication.complete(made, state_of(), Options(), table)
    application = load(Path(__file__).parents[1] / "application.yaml")
    output = application.command("refine_har").output("refined")
    stored = merged_back(made.read_bytes(), "har.cif", source.encode(), output.cif, application).content

    taken = as_written(stored, [source.encode()])
    block = read(taken).sole_block()
    assert {*SPELLED.values(), "_my_Remark"} <= set(block.tags)
    assert block["_cell_volume"] == "1000(2)"
    assert not [tag for tag in block.tags if tag.endswith("_su")]
    # Names that are in no dictionary of journals keep their point; charges, method and checksum are all there.
    assert block.text("_qcrbox_har_form_factors_sha256") == hashlib.sha256(b"the form factors").hexdigest()
    again, before = unify(taken).block, unify(stored).block
    assert set(again.tags) == set(before.tags)
    assert [again.column(tag) for tag in before.tags] == [before.column(tag) for tag in before.tags]
