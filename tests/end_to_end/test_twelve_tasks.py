"""The twelve tasks that a researcher does in a notebook, typed as they are described, on the real stack.

The cells run in a kernel as in JupyterLab: top-level `await`, `?`, Tab. Sharing with a group needs a hub: it is in
`test_on_the_hub.py`.
"""

from __future__ import annotations

import ast
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import gemmi
import pytest

from tests.conftest import RunningRegistry
from tests.end_to_end.kernel import Kernel, running_kernel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def kernel(registry: RunningRegistry, folder: Path) -> Iterator[Kernel]:
    with running_kernel(folder, QCRBOX_URL=registry.url, XDG_CONFIG_HOME=str(folder / "config")) as kernel:
        kernel.run("import qcrbox as qc")
        kernel.run('for n in ("cif", "hkl"): qc.examples["thpp"].files[f"thpp.{n}"].save(f"azu.{n}")')
        yield kernel


@pytest.fixture(scope="module")
def azu(kernel: Kernel) -> Kernel:
    """Task 3 is where the others begin."""
    kernel.run('s = qc.add("azu.cif", "azu.hkl", name="azu", tags=["thesis"])')
    return kernel


@pytest.fixture(scope="module")
def refined(azu: Kernel) -> Kernel:
    azu.run("calculation = qc.refine.refine_iam(s, cycles=3, weighting='keep')")
    azu.run("r = await calculation")
    return azu


def test_1_connecting_takes_one_import(kernel: Kernel) -> None:
    assert "<QCrBox at http://127.0.0.1" in kernel.run("import qcrbox; qcrbox.connect()").text


def test_2_applications_are_listed_discovered_and_found_by_need(kernel: Kernel) -> None:
    assert "refine_iam" in kernel.run("qc.apps").text
    assert "qc.refine.refine_iam" in kernel.run('qc.find("least squares")').text
    assert any(match.endswith("refine_iam") for match in kernel.complete("qc.refine."))
    asked = kernel.run("qc.refine.refine_iam?").text
    assert "cycles" in asked
    assert "whole number between 0 and 200, default 10" in asked


def test_3_files_are_stored_by_name_and_read_as_crystals(azu: Kernel) -> None:
    assert "azu.cif, azu.hkl" in azu.run('s = qc["azu"]; s').text
    assert "6.920" in azu.run("s.cell").text
    assert azu.run("s.cell.a").text.strip() == "6.920"
    assert azu.run('s.atoms["N12"].u').text.strip()
    assert azu.run('s["_space_group_IT_number"]').text.strip() == "14"
    assert azu.run('qc.examples["cu3182"]["_exptl_crystal_density_diffrn"]').text.strip() == "1.454"


def test_4_the_structure_is_looked_at(azu: Kernel) -> None:
    shown = azu.run('s.view(ellipsoids=0.5, disorder="major", grow=True)')
    assert "image/svg" in shown.html
    assert shown.text.strip()


@pytest.mark.slow
def test_5_a_result_has_everything(refined: Kernel) -> None:
    values = refined.run("print(r.R1, len(r.history), len(r.log) > 100, r.cif.filename)").stream.split()
    assert 0.05 < float(values[0]) < 0.2
    assert int(values[1]) >= 3
    assert values[2:] == ["True", "refined.cif"]
    shown = refined.run("r.history.plot()")
    assert "R1 from" in shown.text
    assert "data:image/" in shown.html
    assert refined.run("print(calculation.result(timeout=600).R1 == r.R1)").stream == "True\n"


def test_6_a_call_returns_at_once_and_is_watched_cancelled_and_found_again(
    azu: Kernel, tmp_path: Path
) -> None:
    azu.run(f"long = qc.patience.count_until(file={str(tmp_path / 'never made')!r}); short = long.short_id")
    assert azu.run("print(long.done)").stream == "False\n"
    assert azu.run("long.progress").text.strip()
    assert azu.run("print(long.id in [c.id for c in qc.calculations.running])").stream == "True\n"
    azu.run("long.cancel(); qc.calculations[short]")
    cancelled = azu.run("await long", fails=True)
    assert cancelled.error == "CalculationCancelled"


@pytest.mark.slow
def test_6_a_restarted_kernel_finds_its_calculations(registry: RunningRegistry, tmp_path: Path) -> None:
    with running_kernel(tmp_path, QCRBOX_URL=registry.url) as kernel:
        kernel.run("import qcrbox as qc")
        kernel.run('c = qc.refine.refine_iam(qc.examples["thpp"], cycles=2, weighting="keep")')
        short = kernel.run("print(c.short_id)").stream.strip()
        kernel.restart()
        kernel.run("import qcrbox as qc")
        assert kernel.run(f'r = await qc.calculations["{short}"]; print(r.R1 > 0)').stream.endswith("True\n")
        assert kernel.run(f'qc.calculations["{short}"].log').text.strip()


@pytest.mark.slow
def test_7_a_calculation_is_an_input_of_the_next(refined: Kernel) -> None:
    refined.run("cards = qc.qcrboxtools.export_ins(calculation)")
    refined.run(
        "chained = await qc.refine.refine_shelx(cards, reflections=s.reflections, cycles=1, weighting='keep')"
    )
    assert float(refined.run("print(chained.R1)").stream) < 0.2
    labels = ast.literal_eval(refined.run('print([n["label"] for n in chained.lineage.nodes])').stream)
    assert {"azu.cif", "azu.hkl", "refined.cif", "structure.ins", "azu · .ins file"} <= set(labels)
    assert sum(label.startswith("azu · IAM refinement · R1 0.") for label in labels) == 2


def test_8_two_models_are_compared(refined: Kernel) -> None:
    refined.run(
        "iso = qc.refine.refine_iam(s, cycles=3, weighting='keep', adp='isotropic').result(timeout=600)"
    )
    compared = refined.run("qc.compare(r, iso)")
    assert "R1" in compared.text
    assert compared.html.count("image/svg") >= 2
    assert (
        "Atoms changed by more than 3 s.u."
        in refined.run('qc.diff(r.cif, iso.cif, ignore=["_audit_*"], su=3)').text
    )


def test_9_lineage_is_drawn_and_its_script_makes_the_result_again(refined: Kernel, folder: Path) -> None:
    assert "<svg" in refined.run("r.lineage").html
    refined.run('r.lineage.script("redo.py")')
    script = (folder / "redo.py").read_text()
    ast.parse(script)
    name = next(line.split(" = ")[0] for line in script.splitlines() if ".refine_iam.run(" in line)
    replayed = refined.run(
        f'import runpy; again = runpy.run_path("redo.py")["{name}"]; print(again.R1 == r.R1)'
    )
    assert replayed.stream.endswith("True\n")


@pytest.mark.slow
def test_10_a_batch_goes_on_after_a_failure(azu: Kernel) -> None:
    azu.run('qc.add("azu.cif", name="azu without data", tags=["copper"])')
    azu.run('qc.add("azu.cif", "azu.hkl", name="azu again", tags=["copper"])')
    azu.run(
        'batch = qc.map(qc.refine.refine_iam, qc.search(tag="copper"), cycles=1, weighting="keep")\n'
        "ended = []\nasync for j in batch.as_completed(): ended.append(j.status)"
    )
    assert azu.run("print(sorted(ended))").stream == "['failed', 'successful']\n"
    table = azu.run('batch.table["name", "R1", "shift_su", "status"]').text
    assert "azu again" in table
    assert "✗ failed" in table
    assert azu.run("again = batch.failed.retry(); await again; print(again.counts())").stream.endswith(
        "{'failed': 1}\n"
    )


def test_11_what_was_stored_can_be_traced_and_taken_back(azu: Kernel) -> None:
    assert "azu.cif" in azu.run("s.history").text
    azu.run("s.tag('wrong'); s.delete()")
    assert "'azu' was deleted" in azu.run("qc.undo()").text
    assert "tags of 'azu' changed" in azu.run("qc.undo()").text
    assert azu.run('print(qc["azu"].tags)').stream == "['thesis']\n"


def test_12_a_model_is_validated_reported_and_published(refined: Kernel, folder: Path) -> None:
    checked = refined.run('r.validate().show("A", "B")')
    assert "subset" in checked.text
    refined.run('r.report("table1.docx", models=[r, calculation])')
    with zipfile.ZipFile(folder / "table1.docx") as file:
        assert b"R1" in file.read("word/document.xml")
    refined.run('r.export("azu_final.cif", embed=["hkl", "res"])')
    refined.run('p = r.publish_cif("azu_published.cif"); p')
    for name in ("azu_final.cif", "azu_published.cif"):
        block = gemmi.cif.read(str(folder / name)).sole_block()
        assert block.find_value("_shelx_hkl_file")
        assert block.find_value("_shelx_res_file")


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("shelxle") and shutil.which("Xtigervnc")),
    reason="ShelXle or Xtigervnc is not installed",
)
def test_a_program_with_a_window_is_opened_kept_and_gives_a_result(azu: Kernel) -> None:
    shown = azu.run("with qc.shelxle.gui(s, wavelength=0.71073) as g:\n    g.show()")
    assert any("application/vnd.qcrbox.session+json" in one for one in shown.data)
    azu.run("g.wait_until_open(120)")
    assert "open" in azu.run("qc.sessions").text
    azu.run("g.finish()")
    assert "Nothing was changed" in azu.run("g.result").text
