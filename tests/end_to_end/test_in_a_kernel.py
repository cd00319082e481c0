"""The library in a real notebook kernel: Tab, text without widgets, Ctrl-C, errors, versions that do not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunningRegistry
from tests.end_to_end.kernel import Kernel, running_kernel


@pytest.fixture(scope="module")
def kernel(registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with running_kernel(tmp_path_factory.mktemp("kernel"), QCRBOX_URL=registry.url) as kernel:
        kernel.run("import qcrbox as qc")
        yield kernel


# ---------------------------------------------------------------- Tab


@pytest.fixture(scope="module", params=[False, True], ids=["by IPython", "by Jedi"])
def tab(request: pytest.FixtureRequest, kernel: Kernel) -> Kernel:
    kernel.run(f"get_ipython().Completer.use_jedi = {request.param}")
    return kernel


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("qc.ref", "refine"),
        ("qc.refine.refine_i", "refine_iam"),
        ("qc.calc", "calculations"),
        ("qc['", "thpp"),
        ("qc.examples['", "thpp"),
        ("qc.datasets['th", "thpp"),
        ("qc.apps['ref", "refine"),
        ("qc.examples['thpp'].files['", "thpp.hkl"),
        ("qc.examples['thpp'].atoms['N1", "N12"),
        ("qc.examples['thpp']['_cell_length", "_cell_length_a"),
    ],
)
def test_tab_completes(tab: Kernel, text: str, wanted: str) -> None:
    matches = tab.complete(text)
    assert any(wanted in match for match in matches), matches


# ---------------------------------------------------------------- front ends that know no widgets


@pytest.mark.slow
def test_every_output_can_be_read_as_text(kernel: Kernel) -> None:
    """No widget manager answers this kernel, as in VS Code without it, in Emacs or in a console."""
    kernel.run('thpp = qc.examples["thpp"]; r = await qc.refine.refine_iam(thpp, cycles=2, weighting="keep")')
    for cell, words in (
        ("thpp", "P 1 21/n 1"),
        ("thpp.view()", "18 atoms"),
        ("r", "R1"),
        ("r.calculation", "⚠ done, not converged thpp · IAM refinement · R1 0."),
        ("r.history", "max_shift_su"),
        ("qc.compare(r, r)", "R1"),
        ("r.validate()", "subset"),
        ("r.lineage", "thpp.cif"),
        ("qc.refine.refine_iam.form(thpp)", 'qc.refine.refine_iam(qc.examples["thpp"])'),
        ("qc.map(qc.refine.refine_iam, [thpp], cycles=0)", "thpp"),
        ("r.report()", "Crystal data and refinement"),
        ("r.publish_cif()", "Still missing"),
    ):
        assert words in kernel.run(cell).text, cell


@pytest.mark.slow
def test_without_widget_packages_everything_still_shows(registry: RunningRegistry, tmp_path: Path) -> None:
    with running_kernel(tmp_path, QCRBOX_URL=registry.url) as kernel:
        kernel.run("import sys; sys.modules['ipywidgets'] = sys.modules['anywidget'] = None")
        kernel.run('import qcrbox as qc; thpp = qc.examples["thpp"]')
        shown = kernel.run("thpp.view()")
        assert "image/svg" in shown.html
        assert "18 atoms" in shown.text
        assert "refine_iam" in kernel.run("qc.refine.refine_iam.form(thpp)").text
        ended = kernel.run('c = qc.refine.refine_iam(thpp, cycles=1, weighting="keep"); c.result(); c')
        assert "⚠ done, not converged" in ended.text


# ---------------------------------------------------------------- stopping, errors


INTERRUPT = """
import os, signal, sys, threading, time
def interrupt_when(waits):
    def look():
        while not waits():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=look, daemon=True).start()
def in_function(name):
    frame = sys._current_frames()[threading.main_thread().ident]
    while frame is not None and frame.f_code.co_name != name:
        frame = frame.f_back
    return frame is not None
"""


@pytest.mark.parametrize(
    ("cell", "sign"),
    [
        ("c.result()", "in_function('_wait_a_little')"),
        ("await c", "any(call.__name__ == 'tell' for call in c._on_change)"),
    ],
)
def test_ctrl_c_stops_the_waiting_and_not_the_calculation(
    kernel: Kernel, tmp_path: Path, cell: str, sign: str
) -> None:
    """The signal that Jupyter sends comes once the cell waits."""
    kernel.run(INTERRUPT)
    kernel.run(f"c = qc.patience.count_until(file={str(tmp_path / 'never made')!r})")
    shown = kernel.run(f"interrupt_when(lambda: {sign})\n{cell}", fails=True)
    assert "is still running. Find it again" in "\n".join([shown.stream, *shown.traceback])
    assert kernel.run("print(c.status)").stream.strip() in ("submitted", "running")
    kernel.run("c.cancel()")


def test_error_is_the_persons_line_and_the_words(kernel: Kernel) -> None:
    shown = kernel.run("x = 1\nqc.refine.refine_iam(qc.examples['thpp'], cycle=2)", fails=True)
    assert shown.traceback == [
        "line 2: qc.refine.refine_iam(qc.examples['thpp'], cycle=2)",
        "UserInputError: refine_iam() has no option 'cycle'. Did you mean 'cycles'? "
        "(whole number between 0 and 200, default 10)",
    ]


@pytest.mark.slow
def test_details_of_an_error_are_one_word_away(kernel: Kernel) -> None:
    kernel.run("c = qc.refine.refine_iam(qc.examples['thpp'], edits='delete NOATOM99')")
    failed = kernel.run("await c", fails=True)
    assert failed.error == "CalculationFailed"
    assert "sys.last_value.details" in failed.traceback[-1]
    assert "NOATOM99" in kernel.run("import sys; print(sys.last_value.details)").stream


# ---------------------------------------------------------------- versions


def test_doctor_finds_a_front_end_that_does_not_fit(registry: RunningRegistry, tmp_path: Path) -> None:
    front = {"jupyterlab": "4.6.2", "jupyterlab_widgets": "1.1.0", "anywidget": "0.1.0", "qcrbox": "99.0.0"}
    with running_kernel(tmp_path, QCRBOX_URL=registry.url, QCRBOX_FRONT_END=json.dumps(front)) as kernel:
        said = kernel.run(
            "import qcrbox as qc; table = qc.doctor(); print(table.csv(), table.caption)"
        ).stream
    assert "needs jupyterlab_widgets 3.*, found 1.1.0" in said
    assert "anywidget versions" in said
    assert "the front end 99.0.0" in said
    assert said.strip().endswith("3 to mend.")
    assert "reload the page" in said
