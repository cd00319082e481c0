"""Whole refinements against simulated reflections whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from qcrbox.cif import read
from qcrbox.cif.values import parse_number
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.aspheric import read_form_factors
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.crystallography.tsc import read_tsc
from qcrbox_agent import progress
from qcrbox_har import acceleration, commands, estimate, loop
from qcrbox_har.form_factors import Computer
from qcrbox_har.loop import Refinement
from qcrbox_har.method import Method
from qcrbox_har.molecules import plan
from qcrbox_har.options import Options

LEVEL = {"functional": "hf", "basis": "sto-3g"}


@pytest.fixture(scope="session")
def measured(urea_cif, quantum, cctbx, tmp_path_factory) -> Path:
    """Reflections of urea to 0.5 Å from HF/STO-3G form factors, 1 % noise."""
    path = tmp_path_factory.mktemp("measured") / "urea.hkl"
    structure = Structure.from_cif(urea_cif)
    computer = Computer(structure, plan(structure), Method("hf", "sto-3g"), quantum)
    cctbx.call("os:chdir", str(path.parent))
    unique, rows = cctbx.call("simulated:indices", str(urea_cif), 0.5)
    table = computer.table(structure.sites.fract, rows)
    arguments = (str(urea_cif), unique, table.labels(structure), rows, table.values, str(path), 0.01, 1)
    cctbx.call("simulated:write_hkl", *arguments)
    return path


@pytest.mark.slow
def test_hirshfeld_refinement_finds_the_truth_that_spherical_atoms_miss(
    urea_cif, measured, quantum, least_squares
):
    options = Options(**LEVEL, hydrogens="isotropic")
    refinement = Refinement(options, {"weighting": "0, 0"}, quantum, least_squares)
    state = refinement.run(str(urea_cif), str(measured))
    truth = Structure.from_cif(urea_cif)
    found = truth.cell.to_cartesian(refinement.sites)
    known = truth.cell.to_cartesian(truth.sites.fract)
    assert state.converged
    assert state.rounds[-1].summary["R1"] < 0.01 < state.iam["R1"]
    assert np.linalg.norm(found - known, axis=1).max() < 0.008
    assert state.table.electrons.sum() > 0


@pytest.mark.slow
def test_coarse_first_rounds_and_predictions_leave_the_model_as_it_is(
    urea_cif, measured, quantum, least_squares, monkeypatch
):
    """Against exact rounds without predictions, until nothing moves by 0.001 s.u.: less than 0.1 s.u. in every parameter."""

    def refined(name: str, **options) -> dict[str, list[tuple[float, float]]]:
        for file in ("har_checkpoint.zip", "density.npz"):
            Path(file).unlink(missing_ok=True)
        made = Options(**LEVEL, hydrogens="isotropic", **options)
        Refinement(made, {"weighting": "0, 0"}, quantum, least_squares).run(str(urea_cif), str(measured))
        files = {"cif": name, "res": "r.res", "fcf": "r.fcf", "peaks": "p.json"}
        least_squares.call("qcrbox_har.refine_side:finish", files)
        block = read(Path(name)).sole_block()
        tags = [f"_atom_site_fract_{x}" for x in "xyz"] + [
            f"_atom_site_aniso_U_{ij}" for ij in ("11", "22", "33")
        ]
        numbers = {tag: [parse_number(str(text)) for text in block.column(tag)] for tag in tags}
        return {
            tag: [(float(n.value), float(n.su or 0)) for n in column if n is not None]
            for tag, column in numbers.items()
        }

    fast = refined("fast.cif")
    monkeypatch.setattr(loop, "_EARLY", {})
    monkeypatch.setattr(acceleration, "share_ahead", lambda _: 0.0)
    exact = refined("exact.cif", tolerance=0.001)
    compared = 0
    for tag, column in exact.items():
        for (value, su), (other, _) in zip(column, fast[tag], strict=True):
            if su:
                compared += 1
                # The last digit of the file is a tenth of most s.u.
                assert abs(value - other) <= 0.1 * su + 10.0 ** -len(f"{value!r}".partition(".")[2]), tag
    assert compared > 10


def test_a_table_of_spherical_atoms_gives_the_independent_atom_model(urea_cif, measured, least_squares):
    begun = least_squares.call(
        "qcrbox_har.refine_side:start", str(urea_cif), str(measured), {"weighting": "0, 0"}, "iam.cif"
    )
    nothing = np.zeros((len(begun["hkl"]), 0))
    again = least_squares.call("qcrbox_har.refine_side:round_", [], begun["hkl"], nothing, 10, False)
    for name in ("R1", "R1_all", "wR2", "S"):
        assert again["summary"][name] == pytest.approx(begun["summary"][name], abs=2e-5), name


@pytest.mark.slow
def test_the_command_writes_everything_a_paper_needs(urea_cif, measured, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sent: list[dict] = []
    progress.send_to(sent.append)
    try:
        commands.refine_har(
            str(urea_cif), str(measured), **LEVEL, hydrogens="isotropic", weighting="0, 0", tolerance=0.2
        )
    finally:
        progress.send_to(None)
    warned = any("not converged" in message.get("warning", "") for message in sent)
    metrics = [message["metrics"] for message in sent if "converged" in message.get("metrics", {})][-1]
    assert metrics["converged"] == float(not warned)  # said once, and alike
    block = read(tmp_path / "har.cif").sole_block()
    words = block.text("_refine_special_details")
    assert "HF/sto-3g" in words
    assert "Hirshfeld" in words
    assert len(block.text("_qcrbox_har_form_factors_sha256")) == 64
    assert block.column("_qcrbox_har_atom_label") == ["C1", "O1", "N1", "H1", "H2"]
    table = json.loads((tmp_path / "comparison.json").read_text())
    assert table["agreement"]["R1"]["har"] < table["agreement"]["R1"]["iam"]
    assert {row["x"] + row["hydrogen"] for row in table["hydrogen"]} == {"N1H1", "N1H2"}
    assert read_tsc((tmp_path / "har.tsc").read_bytes()).scatterers == ["C1", "O1", "N1", "H1", "H2"]
    for name in ("deformation.cube", "residual.cube", "har.res", "har.fcf", "peaks.json", "iam.cif"):
        assert (tmp_path / name).stat().st_size > 500, name


@pytest.mark.slow
def test_form_factors_in_all_three_formats_agree(urea_cif, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands.form_factors(str(urea_cif), d_min=1.0, **LEVEL)
    text = read_tsc((tmp_path / "form_factors.tsc").read_bytes())
    binary = read_tsc((tmp_path / "form_factors.tscb").read_bytes())
    in_cif = read_form_factors(read(tmp_path / "form_factors.cif").sole_block()).table
    assert text.scatterers == binary.scatterers == in_cif.scatterers
    assert np.abs(text.values - binary.values).max() < 1e-7
    assert np.abs(text.values - in_cif.values).max() < 1e-6
    structure = Structure.from_cif(urea_cif)
    assert structure.cell.d_spacing(text.hkl).min() >= 1.0


def test_a_structure_without_hydrogen_is_refused(tmp_path, monkeypatch, urea_cif, measured):
    monkeypatch.chdir(tmp_path)
    bare = tmp_path / "bare.cif"
    kept = [line for line in urea_cif.read_text().splitlines() if not line.startswith(("H1 ", "H2 "))]
    bare.write_text("\n".join(kept))
    with pytest.raises(UserInputError, match="no hydrogen atoms"):
        commands.refine_har(str(bare), str(measured), **LEVEL)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"most_hours": 0.01}, r"would take about .*, more than the 0\.01 h allowed"),
        ({"memory": 400_000_000}, r"needs about .* GB of memory, and there are 0\.4 GB"),
    ],
    ids=["time", "memory"],
)
def test_what_is_too_large_is_refused_by_the_command_before_any_wavefunction(
    urea_cif, measured, tmp_path, monkeypatch, limits, words
):
    """584 basis functions. The small memory of the machine is simulated."""
    monkeypatch.chdir(tmp_path)
    memory = limits.get("memory")
    if memory is not None:
        monkeypatch.setattr(estimate, "memory_limit", lambda: memory)
    given = {name: value for name, value in limits.items() if name != "memory"}
    with pytest.raises(UserInputError, match=words) as error:
        commands.refine_har(str(urea_cif), str(measured), basis="cc-pV5Z", **given)
    assert "smaller basis set" in error.value.next
    assert not (tmp_path / "har.cif").exists()
    assert not (tmp_path / "har_checkpoint.zip").exists()


def test_neutron_data_are_refused(urea_cif, measured, tmp_path, least_squares):
    cif = tmp_path / "neutron.cif"
    cif.write_text(urea_cif.read_text().replace("loop_", "_diffrn_radiation_probe neutron\nloop_", 1))
    with pytest.raises(UserInputError, match="neutron data"):
        least_squares.call("qcrbox_har.refine_side:start", str(cif), str(measured), {}, "iam.cif")


@pytest.mark.slow
def test_a_next_attempt_goes_on_from_the_checkpoint(urea_cif, measured, quantum, least_squares):
    def refinement() -> Refinement:
        options = Options(**LEVEL, hydrogens="isotropic", rounds=rounds)
        return Refinement(options, {"weighting": "0, 0"}, quantum, least_squares)

    rounds = 1
    first = refinement().run(str(urea_cif), str(measured), last_cif="last.cif")
    assert not first.converged
    assert Structure.from_cif(Path("last.cif")).sites.label == ["C1", "O1", "N1", "H1", "H2"]
    # Another pair of processes, as after the loss of an agent.
    quantum.close()
    least_squares.close()
    rounds = 12
    again = refinement().run(str(urea_cif), str(measured))
    quantum.close()
    Path("har_checkpoint.zip").unlink()
    fresh = refinement().run(str(urea_cif), str(measured))
    assert again.converged
    assert again.rounds[0].summary["R1"] == first.rounds[0].summary["R1"]
    assert again.scf_iterations - first.scf_iterations < fresh.scf_iterations
    assert again.rounds[-1].summary["R1"] == pytest.approx(fresh.rounds[-1].summary["R1"], abs=2e-4)


@pytest.mark.slow
def test_a_checkpoint_of_other_settings_is_not_continued(urea_cif, measured, quantum, least_squares):
    def run(basis: str) -> list[int]:
        options = Options(functional="hf", basis=basis, hydrogens="isotropic", rounds=1)
        state = Refinement(options, {"weighting": "0, 0"}, quantum, least_squares).run(
            str(urea_cif), str(measured)
        )
        return [one.number for one in state.rounds]

    assert run("sto-3g") == [1]
    assert run("sto-6g") == [1]


def test_riding_hydrogen_keeps_the_distances_of_the_wavefunction(urea_cif, measured, quantum, least_squares):
    """Spherical atoms would have them ride at 0.88 Å."""
    options = Options(**LEVEL, hydrogens="riding", rounds=2)
    refinement = Refinement(options, {"weighting": "0, 0"}, quantum, least_squares)
    state = refinement.run(str(urea_cif), str(measured))
    sites, cell = state.structure.sites, state.structure.cell
    places = cell.to_cartesian(refinement.sites)
    nitrogen = sites.index["N1"]
    for label in ("H1", "H2"):
        length = np.linalg.norm(places[sites.index[label]] - places[nitrogen])
        assert length == pytest.approx(1.01, abs=0.03)
