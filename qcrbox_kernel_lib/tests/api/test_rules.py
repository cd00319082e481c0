"""The rules of the notebook API, one by one, on a real registry."""

from __future__ import annotations

import inspect
import io
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import qcrbox
from qcrbox.api import connection
from qcrbox.api.box import Box
from qcrbox.cif import read
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import UserInputError
from qcrbox.display import busy as busy_module
from qcrbox.markup import Table


def script(registry_url, tmp_path, code, **options):
    """Run Python as a person would, without a notebook."""
    env = {"QCRBOX_URL": registry_url, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=env,
        timeout=180,
        check=False,
        **options,
    )


# ---------------------------------------------------------------- one name


def test_one_import_is_all(registry_url, tmp_path):
    done = script(registry_url, tmp_path, "import qcrbox as qc; print(len(qc.apps) > 0, 'thpp' in qc)")
    assert done.stdout == "True True\n", done.stderr


def test_connect_without_an_address_gives_the_same_box(registry_url, monkeypatch):
    monkeypatch.setenv("QCRBOX_URL", registry_url)
    try:
        assert qcrbox.connect().url == registry_url
        assert qcrbox.connect() is connection.current()
    finally:
        connection.forget()


# ---------------------------------------------------------------- the first argument


@pytest.fixture(scope="module")
def every_form(live_box, refined, tmp_path_factory):
    """The same CIF as everything a person may have in hand."""
    content = refined.cif.bytes
    path = tmp_path_factory.mktemp("forms") / "form.cif"
    path.write_bytes(content)
    stored = live_box.add(path, name="one form")
    return {
        "dataset": stored,
        "name": "one form",
        "file": stored.cif,
        "result": refined,
        "calculation": refined.calculation,
        "path": path,
        "path as text": str(path),
        "bytes": content,
        "document": read(content, filename="form.cif"),
        "structure": stored.structure,
    }


@pytest.mark.parametrize(
    "form",
    [
        "dataset",
        "name",
        "file",
        "result",
        "calculation",
        "path",
        "path as text",
        "bytes",
        "document",
        "structure",
    ],
)
def test_first_argument_may_be(live_box, every_form, form):
    argument = live_box.files.as_argument(every_form[form], cif=True, of="structure")
    assert live_box.files[argument["data_file_id"]].bytes == every_form["bytes"]


def test_what_is_no_structure_is_refused_with_what_may_be_given(live_box):
    with pytest.raises(UserInputError, match="must be a dataset, a result, a calculation, a stored name"):
        live_box.refine.refine_iam(3.14)


def test_local_file_is_stored_once_and_said_once(registry_url, tmp_path, capsys):
    box = Box(RegistryClient(registry_url))
    path = tmp_path / "only_once.cif"
    path.write_bytes(b"data_x\n_cell_length_a 5\n")
    first = box.files.upload(path)
    second = box.files.upload(path)
    assert first.id == second.id
    assert capsys.readouterr().err.count("only_once.cif was stored") == 1
    box.close()


# ---------------------------------------------------------------- calling, waiting, scripts


def test_call_returns_before_the_calculation_ends(live_box, start_endless):
    calculation = start_endless(live_box)
    assert calculation.status in ("submitted", "running")
    assert not calculation.done
    calculation.cancel()


@pytest.mark.slow
def test_run_is_call_and_result_in_one_and_shows_where_it_is(registry_url, tmp_path):
    done = script(
        registry_url,
        tmp_path,
        "import qcrbox as qc\n"
        "r = qc.refine.refine_iam.run(qc.examples['thpp'], cycles=1, weighting='keep')\n"
        "print(r.R1)",
    )
    assert 0.05 < float(done.stdout) < 0.3, done.stderr
    assert "refine_iam: " in done.stderr


async def test_result_may_be_asked_inside_a_running_loop(live_box):
    calculation = live_box.refine.refine_iam(live_box.examples["thpp"], cycles=0, weighting="keep")
    assert calculation.result(120).R1 == (await calculation).R1


@pytest.mark.slow
def test_script_may_wait_in_a_loop_of_its_own(registry_url, tmp_path):
    done = script(
        registry_url,
        tmp_path,
        "import asyncio, qcrbox as qc\n"
        "async def main():\n"
        "    thpp = qc.examples['thpp']\n"
        "    batch = qc.map(qc.refine.refine_iam, [thpp, thpp], cycles=0, weighting='keep')\n"
        "    print([c.status async for c in batch.as_completed()])\n"
        "asyncio.run(main())",
    )
    assert done.stdout == "['successful', 'successful']\n", done.stderr


@pytest.mark.slow
def test_ctrl_c_in_a_script_stops_the_waiting_and_says_so(registry_url, live_box, tmp_path):
    code = (
        # A shell without job control starts background commands with SIGINT ignored, and Python keeps that.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import qcrbox as qc\n"
        f"c = qc.patience.count_until(file={str(tmp_path / 'never made')!r})\n"
        "print(c.id, flush=True)\n"
        "c.result()"
    )
    env = {"QCRBOX_URL": registry_url, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    calculation_id = process.stdout.readline().strip()
    # The first word of the waiting on stderr: now it waits.
    said = process.stderr.readline()
    assert "count_until" in said
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert f'is still running. Find it again: qc.calculations["{calculation_id[-4:]}"]' in errors
    calculation = live_box.calculations[calculation_id]
    assert calculation.status in ("submitted", "running")
    calculation.cancel()


# ---------------------------------------------------------------- names


def test_display_names_and_identifiers_lead_to_the_same_application(live_box):
    assert live_box.apps["QCrBox tools"] is live_box.qcrboxtools
    assert live_box.apps["Refine 1.0"] is live_box.refine
    assert all(name.isidentifier() for name in dir(live_box))


# ---------------------------------------------------------------- numbers


def test_numbers_keep_their_su_and_are_floats_on_demand(refined):
    length = refined.report().bonds().rows[0][1]
    assert "(" in length
    position = refined.atoms["N12"].xyz[0]
    assert str(position).endswith(")")
    assert position.su > 0
    assert float(position) == position.value
    assert np.float64(position) == position.value
    assert np.asarray(refined.atoms["N12"].xyz, dtype=float).shape == (3,)


def test_unknown_and_inapplicable_are_two_things_and_none_is_neither(live_box):
    text = b"data_x\n_cell_length_a ?\n_cell_length_b .\n_cell_length_c '?'\n"
    stored = live_box.add(text, name="absent")
    assert stored["_cell_length_a"] is qcrbox.UNKNOWN
    assert stored["_cell_length_b"] is qcrbox.NA
    assert stored["_cell_length_c"] == "?"
    assert qcrbox.UNKNOWN is not qcrbox.NA


# ---------------------------------------------------------------- how things look


@pytest.fixture(scope="module")
def everything(live_box, refined):
    """One of everything that a cell can end with."""
    command = live_box.refine.refine_iam
    stored = live_box.examples["thpp"]
    return {
        "box": live_box,
        "apps": live_box.apps,
        "application": live_box.refine,
        "command": command,
        "params": command.params,
        "example call": command.example(),
        "presets": command.presets,
        "datasets": live_box.datasets,
        "examples": live_box.examples,
        "dataset": stored,
        "cif": stored.cif,
        "data file": stored.files["thpp.hkl"],
        "calculations": live_box.calculations,
        "calculation": refined.calculation,
        "progress": refined.calculation.progress,
        "log": refined.log,
        "result": refined,
        "history": refined.history,
        "plot": refined.history.plot(),
        "atoms": refined.atoms,
        "atom": refined.atoms["N12"],
        "cell": refined.cell,
        "structure": refined.structure,
        "view": refined.view(),
        "lineage": refined.lineage,
        "replay": refined.lineage.script(),
        "versions": stored.history,
        "comparison": live_box.compare(refined, refined),
        "difference": live_box.diff(refined, refined),
        "checks": refined.validate(),
        "report": refined.report(),
        "publication": refined.publish_cif(),
        "batch": live_box.map(command, [], cycles=0),
        "sessions": live_box.sessions,
        "shares": live_box.shares,
        "commands found": live_box.find("least squares"),
        "structures found": live_box.search(space_group=14),
        "form": command.form(stored),
        "doctor": live_box.doctor(),
        "stubs": live_box.stubs(),
    }


def test_everything_has_a_text_that_says_something(everything):
    for name, thing in everything.items():
        text = repr(thing)
        assert text.strip(), name
        assert " object at 0x" not in text, name


@pytest.mark.slow
def test_everything_that_is_shown_richly_has_a_text_beside_it(everything):
    for name, thing in everything.items():
        if hasattr(thing, "_repr_mimebundle_"):
            bundle = thing._repr_mimebundle_()
            assert bundle.get("text/plain", "").strip(), name


def test_text_of_a_table_loses_nothing_however_long():
    words = [f"word{n}" for n in range(60)]
    cells = [" ".join(words), "x" * 200, "漢字" * 50, "two\nlines", None]
    text = Table(("a", "b", "c", "d", "e"), [cells], title="T", caption="end").text()
    assert all(word in text for word in words)
    assert text.count("x") == 200
    assert text.count("漢字") == 50
    assert "two lines" in text
    rules = next(line for line in text.splitlines() if line.startswith("─"))
    assert max(map(len, rules.split())) == 60


# ---------------------------------------------------------------- nothing waits without a word


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_what_takes_a_moment_says_what_it_does(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    begun = threading.Event()
    monkeypatch.setattr(out, "flush", begun.set)
    with busy_module.busy("Storing big.cif"):
        assert begun.wait(60)
    assert out.getvalue().startswith("Storing big.cif … ")
    assert out.getvalue().endswith(" s\n")


def test_what_is_quick_says_nothing(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    with busy_module.busy("Storing small.cif", after_s=60):
        pass
    assert out.getvalue() == ""


def test_progress_is_not_shown_on_red_in_a_notebook(monkeypatch):
    """JupyterLab shows stderr on red, as errors are."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr("qcrbox.client.environment.is_notebook", lambda: True)
    begun = threading.Event()
    monkeypatch.setattr(out, "flush", begun.set)
    with busy_module.busy("Waiting for the registry"):
        assert begun.wait(60)
    assert out.getvalue().startswith("Waiting for the registry … ")
    assert err.getvalue() == ""


def test_log_file_is_not_filled_with_waiting(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    with busy_module.busy("Storing big.cif", after_s=0.0):
        time.sleep(0.05)
    assert out.getvalue() == ""


# ---------------------------------------------------------------- options can be found


def test_options_are_found_in_every_way(live_box):
    command = live_box.refine.refine_iam
    assert "cycles" in inspect.signature(command).parameters
    assert "cycles : whole number between 0 and 200, default 10" in inspect.getdoc(type(command))
    assert "cycles" in command.params["option"]
    assert "cycles=10" in str(command.example())
    assert "cycles" in repr(command.form())


def test_example_call_runs_as_it_stands(live_box):
    names = {"qc": live_box}
    exec(str(live_box.qcrboxtools.validate.example()), names)
    assert "validation.txt" in names["calculation"].result(120).files
