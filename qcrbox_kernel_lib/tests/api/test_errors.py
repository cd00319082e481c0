"""Every error a person is likely to meet, provoked for real: it says what, where, why, and what next."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pytest
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import (
    CalculationCancelled,
    CalculationFailed,
    CifError,
    MissingItemsError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    QcError,
    Unreachable,
    UserInputError,
)
from qcrbox.display.status_text import queue_text

HEAD = """data_{name}
_cell_length_a 10
_cell_length_b 11
_cell_length_c 12
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21 21 21'
"""
ATOMS = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
C1 C 0.1 0.2 0.3 0.02
"""
TINY = (HEAD.format(name="tiny") + "_diffrn_radiation_wavelength 0.71073\n" + ATOMS).encode()


def until(condition, limit_s=60.0):
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def test_all_errors_are_of_one_tree():
    for kind in (
        UserInputError,
        CifError,
        MissingItemsError,
        CalculationFailed,
        CalculationCancelled,
        NotAllowed,
    ):
        assert issubclass(kind, QcError)
    assert issubclass(Unreachable, QcError)
    assert issubclass(NotSignedIn, QcError)


def test_misspelt_option(live_box):
    with pytest.raises(UserInputError) as caught:
        live_box.refine.refine_iam(live_box.examples["thpp"], cycle=20)
    assert str(caught.value) == (
        "refine_iam() has no option 'cycle'. Did you mean 'cycles'? (whole number between 0 and 200, default 10)"
    )


def test_value_out_of_range_with_what_was_meant(live_box):
    with pytest.raises(UserInputError) as caught:
        live_box.qcrboxtools.ortep_scene(live_box.examples["thpp"], probability=50)
    assert str(caught.value) == (
        "probability must be a number between 0.01 and 0.99; you gave 50. Did you mean 0.50?"
    )


def test_reflections_that_are_missing(live_box):
    live_box.add(TINY, name="tiny")
    with pytest.raises(CalculationFailed) as caught:
        live_box.refine.refine_iam("tiny").result(120)
    assert "needs reflections, and 'tiny' has none" in caught.value.message
    assert 'Attach them: qc["tiny"].attach(' in caught.value.message


def test_items_that_are_missing_are_named_before_anything_is_queued(live_box):
    stored = live_box.add(HEAD.format(name="empty").encode(), name="no atoms")
    until(lambda: live_box.datasets.by_id(stored.id).file.record["index"])
    with pytest.raises(MissingItemsError) as caught:
        live_box.refine.refine_iam(stored)
    assert "_atom_site_label" in caught.value.items
    assert "Choose another file" in caught.value.message


def test_cif_syntax_names_file_line_and_atom(live_box, tmp_path):
    rows = "".join(f"C{n} C 0.1 0.2 0.3 0.02\n" for n in range(1, 9)) + "H12A H 0.1 0.2 0.3\n"
    text = HEAD.format(name="azu") + ATOMS.replace("C1 C 0.1 0.2 0.3 0.02\n", rows)
    (tmp_path / "azu.cif").write_text(text)
    stored = live_box.add(tmp_path / "azu.cif", name="broken azu")
    with pytest.raises(CifError) as caught:
        _ = stored.structure
    error = caught.value
    assert (error.file, error.line) == ("azu.cif", text.splitlines().index("H12A H 0.1 0.2 0.3") + 1)
    assert "azu.cif" in error.message
    assert "H12A" in error.message


def test_text_field_that_is_never_closed_names_where_it_was_opened(live_box, tmp_path):
    text = HEAD.format(name="open") + "_publ_section_comment\n;\nsome words\n" + ATOMS
    (tmp_path / "open.cif").write_text(text)
    with pytest.raises(CifError, match=f"line {text.splitlines().index(';') + 1}"):
        _ = live_box.add(tmp_path / "open.cif", name="open").structure


def test_choice_among_blocks(live_box, tmp_path):
    names = ("azu_100K", "azu_200K", "azu_hp")
    (tmp_path / "azu.cif").write_text("".join(HEAD.format(name=name) + ATOMS for name in names))
    stored = live_box.add(tmp_path / "azu.cif", name="azu")
    with pytest.raises(CifError) as caught:
        _ = stored.structure
    assert str(caught.value) == (
        '\'azu.cif\' has 3 data blocks: azu_100K, azu_200K, azu_hp. Choose: qc["azu"]["azu_100K"].'
    )
    assert live_box["azu"]["azu_100K"].cell.a.value == 10


def test_program_that_failed_with_the_line_of_its_log(live_box):
    calculation = live_box.refine.refine_iam(live_box.examples["thpp"], edits="delete NOATOM99")
    with pytest.raises(CalculationFailed) as caught:
        calculation.result(120)
    error = caught.value
    assert live_box.calculations[error.calculation] is calculation
    assert "NOATOM99" in error.reason
    assert "NOATOM99" in error.message
    assert f'qc.calculations["{calculation.short_id}"].log' in error.next
    assert "NOATOM99" in error.details
    if "line" in error.next:
        number = int(error.next.rstrip(".").rpartition(" ")[2])
        assert "NOATOM99" in calculation.log.splitlines()[number - 1]


def test_refinement_that_did_not_converge_is_a_warning_and_no_error(refined):
    warning = next(one for one in refined.warnings if "converged" in one)
    assert warning.startswith("Finished, but not converged: max shift/s.u. ")
    assert 'Result kept, marked "not converged".' in warning
    assert "(" in warning  # the parameter that moved most


def test_what_the_program_noted_stands_in_the_result_card(refined):
    assert any(one.startswith("The file gives no wavelength") for one in refined.notes)
    assert not any(one.startswith("The file gives no wavelength") for one in refined.warnings)
    assert "The file gives no wavelength" in refined._repr_mimebundle_()["text/html"]


@pytest.fixture
def one_at_a_time(live_box):
    """This person may run one calculation at once."""
    limit = {"subject": "person", "name": "local", "quota": "running"}
    live_box.client.put("/api/quotas", {**limit, "limit": 1})
    yield
    live_box.client.put("/api/quotas", {**limit, "limit": None})


def test_place_in_the_queue_and_whose_limit_holds_it(live_box, one_at_a_time, start_endless):
    thpp = live_box.examples["thpp"]
    first = start_endless(live_box)
    until(lambda: first.refresh().status == "running")
    waiting = [live_box.refine.refine_iam(thpp, cycles=1) for _ in range(3)]
    last = waiting[-1]
    until(lambda: "allowed" in queue_text(last.refresh()._live))
    said = queue_text(last._live)
    assert said.startswith("Queued: 2 before you")
    assert said.endswith("As many of your calculations as allowed are running.")
    assert said in repr(last)
    for one in (*waiting, first):
        one.cancel()


@pytest.mark.slow
def test_connection_that_is_lost_is_said_while_the_calculation_goes_on(
    registry_url, breakable_line, start_endless
):
    box = Box(RegistryClient(breakable_line.url_for(registry_url), timeout_s=5.0))
    calculation = start_endless(box)
    until(lambda: box.feed.connected)
    breakable_line.cut()
    words = until(calculation._lost_connection)
    assert re.fullmatch(r"Connection lost \d+ s ago; your calculation is still running\. Retrying…", words)
    assert re.search(r"Connection lost \d+ s ago", repr(calculation))
    breakable_line.mend()
    until(lambda: box.feed.connected)
    assert calculation._lost_connection() == ""
    calculation.cancel()
    with pytest.raises(CalculationCancelled):
        calculation.result(60)
    box.close()


def test_nobody_answers():
    with pytest.raises(Unreachable) as caught:
        Box(RegistryClient("http://127.0.0.1:9")).client.post("/api/commands", {})
    assert "does not answer" in caught.value.message
    assert "Running calculations continue" in caught.value.message


def test_what_one_may_see_but_not_change_says_whose_it_is(live_box):
    with pytest.raises(NotAllowed) as caught:
        live_box.examples["thpp"].delete()
    assert "'thpp' is an example that comes with the applications." in caught.value.message
    assert 'own copy: qc["thpp"].copy("my thpp")' in caught.value.message
    mine = live_box.examples["thpp"].copy("my thpp")
    assert set(mine.files) == set(live_box.examples["thpp"].files)
    mine.delete()


def test_what_one_may_not_see_is_answered_like_what_does_not_exist(live_box):
    with pytest.raises(NotFound) as unknown:
        live_box.calculations["0" * 32]
    assert "pharma" not in unknown.value.message
    assert unknown.value.status == 404


def test_application_that_is_held_says_why_it_waits(live_box):
    reason = "CrysAlisPro is registered but not installed here (it may not be redistributed)."
    tools = live_box.apps["qcrboxtools"]
    live_box.client.post(f"/api/applications/{tools.record['id']}/hold", {"mode": "hold", "reason": reason})
    try:
        waiting = live_box.qcrboxtools.validate(live_box.examples["cu3182"])
        until(lambda: reason in queue_text(waiting.refresh()._live))
        assert waiting.status == "submitted"
        assert reason in repr(waiting)
        waiting.cancel()
    finally:
        live_box.client.post(f"/api/applications/{tools.record['id']}/hold", {"mode": None})


@pytest.mark.slow
def test_input_that_was_deleted_is_named_with_the_day(live_box):
    thpp = live_box.examples["thpp"]
    stored = live_box.add(thpp.files["thpp.cif"].bytes, name="passing azu")
    stored.attach(thpp.files["thpp.hkl"].bytes, filename="thpp.hkl")
    calculation = live_box.refine.refine_iam(stored, cycles=0, weighting="keep")
    calculation.result(120)
    stored.delete()
    with pytest.raises(UserInputError) as caught:
        calculation.retry()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert (
        f"Input 'passing azu' of refine_iam ({calculation.short_id}) was deleted on {day}"
        in caught.value.message
    )
    assert "cannot be run again" in caught.value.message
    live_box.undo()
    assert calculation.retry().result(120).R1 > 0


# ---------------------------------------------------------------- how errors look


def test_notebook_shows_the_persons_own_line_and_the_words(live_box):
    with pytest.raises(UserInputError) as caught:
        live_box.refine.refine_iam(live_box.examples["thpp"], cycle=20)
    lines = caught.value._render_traceback_()
    assert lines[0].endswith('live_box.refine.refine_iam(live_box.examples["thpp"], cycle=20)')
    assert lines[1].startswith("UserInputError: refine_iam() has no option 'cycle'.")
    assert len(lines) == 2


def test_script_shows_the_same_and_no_frames_of_ours(registry_url, tmp_path):
    script = tmp_path / "script.py"
    script.write_text('import qcrbox as qc\n\nqc.refine.refine_iam(qc.examples["thpp"], cycle=20)\n')
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={"QCRBOX_URL": registry_url, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert lines == [
        f'{script}, line 3: qc.refine.refine_iam(qc.examples["thpp"], cycle=20)',
        "UserInputError: refine_iam() has no option 'cycle'. Did you mean 'cycles'? "
        "(whole number between 0 and 200, default 10)",
    ]


def test_details_hold_the_whole_log_and_survive_the_envelope(live_box):
    error = live_box.refine.refine_iam(live_box.examples["thpp"], edits="delete NOATOM99")
    with pytest.raises(CalculationFailed) as caught:
        error.result(120)
    again = QcError.from_envelope(json.loads(json.dumps(caught.value.envelope())))
    assert type(again) is CalculationFailed
    assert again.details == caught.value.details
    assert again.log_tail.splitlines()[-1] in str(error.log)
