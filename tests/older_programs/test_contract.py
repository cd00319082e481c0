"""Every operation of the interface, by clients of others that are not changed for us."""

from __future__ import annotations

import time

import pytest

from .generated_client import Client, Failure, unzipped
from .programs import PlugIn, Refused, Tester, WebSite, needed

EPOXIDE = b"""data_epoxide
_cell.length_a    4.63
_cell.length_b    8.42
_cell.length_c    6.58
_cell.angle_alpha 90
_cell.angle_beta  100.4
_cell.angle_gamma 90
_space_group.name_h-m_alt 'P 1 21/c 1'
_space_group.crystal_system monoclinic
loop_
_atom_site.label
_atom_site.type_symbol
_atom_site.fract_x
_atom_site.fract_y
_atom_site.fract_z
_atom_site.u_iso_or_equiv
_atom_site.adp_type
O1 O 0.1500 0.2500 0.3500 0.029 Uiso
C1 C 0.2500 0.3500 0.4500 0.031 Uiso
H1A H 0.2600 0.3400 0.5700 0.040 Uiso
"""
NEW_STRUCTURE = b"""data_new_structure
_cell.length_a    10.0
_cell.length_b    10.0
_cell.length_c    10.0
_cell.angle_alpha 90.0
_cell.angle_beta  90.0
_cell.angle_gamma 90.0
loop_
_atom_site.label
_atom_site.type_symbol
_atom_site.fract_x
_atom_site.fract_y
_atom_site.fract_z
_atom_site.u_iso_or_equiv
_atom_site.adp_type
O123 O 0.250 0.250 0.250 0.05 Uani
loop_
_atom_site_aniso.label
_atom_site_aniso.u_11
_atom_site_aniso.u_22
_atom_site_aniso.u_33
_atom_site_aniso.u_12
_atom_site_aniso.u_13
_atom_site_aniso.u_23
O123 0.02 0.02 0.02 0.0 0.0 0.0
"""


def table(text: str, category: str) -> dict[str, dict[str, str]]:
    """Rows of a loop by their first column, as a program that reads CIF text itself."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"{category}."))
    names = [line.split()[0] for line in lines[first:] if line.startswith(f"{category}.")]
    rows = {}
    for line in lines[first + len(names) :]:
        words = line.split()
        if len(words) != len(names):
            break
        rows[words[0]] = dict(zip(names, words, strict=True))
    return rows


def state(client: Client, session_id: str) -> str:
    return needed(client.get_session(session_id)).interactive_sessions[0].model_extra["state"]


def opened(client: Client, session_id: str) -> None:
    deadline = time.monotonic() + 120
    while state(client, session_id) != "open":
        assert time.monotonic() < deadline
        time.sleep(0.2)


# ---------------------------------------------------------------- the generated client


def test_applications_and_commands(client):
    assert client.healthz()
    applications = needed(client.list_applications()).applications
    assert {"qcrboxtools", "refine", "older-editor", "window"} <= {one.slug for one in applications}
    ours = {one.slug: one for one in applications}
    assert ours["older-editor"].url == ""
    assert ours["older-editor"].version == "2024.10"
    assert all(
        ours[slug].url.startswith("https://") for slug in ("qcrboxtools", "refine", "shelxle", "avogadro")
    )
    commands = needed(client.list_commands()).commands
    (one,) = needed(client.get_command(commands[0].id)).commands
    assert one == commands[0]
    names = [command.name for command in ours["older-editor"].commands]
    assert names == ["shift", "copy", "interactive_session", "edit"]  # one that nothing starts is left out


def test_datasets_and_data_files(client):
    made = needed(client.create_dataset("epoxide.cif", EPOXIDE))
    dataset = made.datasets[0]
    assert list(dataset.data_files) == [made.data_files[0].filename] == ["epoxide.cif"]
    assert client.download_dataset(dataset.qcrbox_dataset_id) == EPOXIDE
    more = needed(client.append_to_dataset(dataset.qcrbox_dataset_id, "data.hkl", b"1 0 0\n"))
    assert more.appended_file.filename == "data.hkl"
    assert more.appended_file.qcrbox_dataset_id == dataset.qcrbox_dataset_id
    shown = needed(client.get_dataset(dataset.qcrbox_dataset_id))
    assert [one.filename for one in shown.data_files] == list(shown.datasets[0].data_files)
    assert unzipped(client.download_dataset(dataset.qcrbox_dataset_id)) == {
        "epoxide.cif": EPOXIDE,
        "data.hkl": b"1 0 0\n",
    }
    assert dataset.qcrbox_dataset_id in [
        one.qcrbox_dataset_id for one in needed(client.list_datasets()).datasets
    ]
    assert client.delete_dataset(dataset.qcrbox_dataset_id) is None
    lone = needed(client.create_data_file("lone.txt", b"alone")).data_files[0]
    assert lone.qcrbox_dataset_id is None
    assert needed(client.get_data_file(lone.qcrbox_file_id)).data_files[0] == lone
    assert lone in needed(client.list_data_files()).data_files
    assert client.download_data_file(lone.qcrbox_file_id) == b"alone"
    assert client.delete_data_file(lone.qcrbox_file_id) is None


def test_calculations_and_stopping(client):
    file = needed(client.create_dataset("a.cif", EPOXIDE)).data_files[0]
    arguments = {"input_cif": {"data_file_id": file.qcrbox_file_id}}
    started = needed(client.invoke_command("qcrboxtools", "1.0", "validate", arguments)).calculation_id
    found = needed(client.get_calculation(started)).calculations[0]
    assert found.status_events[0].status == "submitted"
    assert started in [one.calculation_id for one in needed(client.list_calculations()).calculations]
    stopped = needed(client.stop_calculation(started)).calculations
    assert [one.calculation_id for one in stopped] == [started]


@pytest.mark.parametrize(
    ("ask", "code", "words"),
    [
        (lambda c: c.get_dataset("qcrbox_ds_0x123"), 404, "no dataset"),
        (lambda c: c.download_dataset("qcrbox_ds_0x123"), 404, "no dataset"),
        (lambda c: c.delete_dataset("qcrbox_ds_0x123"), 404, "no dataset"),
        (lambda c: c.get_data_file("qcrbox_df_0x123"), 404, "no data file"),
        (lambda c: c.get_calculation("nothing"), 404, "no calculation"),
        (lambda c: c.get_session("nothing"), 404, "no interactive session"),
        (lambda c: c.close_session("nothing"), 404, "no interactive session"),
        (lambda c: c.get_command(999_999), 404, "no command"),
        (lambda c: c.invoke_command("nothing", "1", "x", {}), 404, "no application"),
        (lambda c: c.invoke_command("qcrboxtools", "0.0.4", "iso2aniso", {}), 404, "There is version 1.0"),
        (lambda c: c.invoke_command("qcrboxtools", "1.0", "iso2aniso", {}), 400, "needs input_cif"),
        (lambda c: c.invoke_command("qcrboxtools", "1.0", "iso2aniso", {"input_cif": {"data_file_id": "qcrbox_df_0x1"}}), 404, "no data file"),
    ],
)  # fmt: skip
def test_errors_are_words_that_a_program_can_show(client, ask, code, words):
    failure = ask(client)
    assert isinstance(failure, Failure)
    assert failure.error.code == code
    assert words in failure.error.message


# ---------------------------------------------------------------- the tester


@pytest.mark.parametrize("version", ["0.0.5", "1.0"])
def test_the_testers_anisotropic_atoms(tester: Tester, version):
    status, text = tester.run(
        "qcrboxtools", version, "iso2aniso", {"input_cif": EPOXIDE},
        output_cif_name="anisotropic.cif", select_names="O1,C1",
    )  # fmt: skip
    assert status == "successful", text
    atoms, tensors = table(text, "_atom_site"), table(text, "_atom_site_aniso")
    assert atoms["O1"]["_atom_site.adp_type"] == "Uani"
    assert atoms["H1A"]["_atom_site.adp_type"] == "Uiso"
    assert float(tensors["O1"]["_atom_site_aniso.u_11"]) == pytest.approx(0.029, abs=1e-4)


def test_the_testers_replaced_structure_has_only_cell_and_atoms(tester: Tester):
    status, text = tester.run(
        "qcrboxtools", "0.0.5", "replace_structure_from_cif",
        {"input_cif": EPOXIDE, "structure_cif": NEW_STRUCTURE}, output_cif_name="replaced.cif",
    )  # fmt: skip
    assert status == "successful", text
    assert list(table(text, "_atom_site")) == ["O123"]
    assert float(table(text, "_atom_site")["O123"]["_atom_site.fract_x"]) == 0.25


def test_the_tester_is_told_why_a_structure_does_not_fit(tester: Tester):
    other = NEW_STRUCTURE + b"_space_group.crystal_system cubic\n"
    status, text = tester.run(
        "qcrboxtools", "0.0.5", "replace_structure_from_cif", {"input_cif": EPOXIDE, "structure_cif": other}
    )
    assert status == "failed"
    assert "crystal system differs" in text


def test_an_older_application_runs_as_it_is(tester: Tester):
    status, text = tester.run("older-editor", "2024.10", "shift", {"input_cif_path": EPOXIDE}, by="0.5")
    assert status == "successful", text
    assert "5.130" in text
    assert list(table(text, "_atom_site")) == ["O1", "C1", "H1A"]


def test_items_that_an_older_spec_promises_and_a_copy_lacks_are_a_warning(client, tester: Tester):
    poor = b"data_poor\n_cell.length_a 4.63\n"
    made = needed(client.create_dataset("poor.cif", poor)).data_files[0].qcrbox_file_id
    arguments = {"input_cif_path": {"data_file_id": made}, "output_cif_path": "output"}
    started = needed(client.invoke_command("older-editor", "2024.10", "copy", arguments)).calculation_id
    ended = tester.wait(started)
    assert ended.status == "successful"
    assert "promises: _cell_length_b" in str((ended.model_extra or {})["warnings"])


# ---------------------------------------------------------------- the plug-in


def test_the_plug_in_sees_what_a_command_writes(plug_in: PlugIn):
    assert plug_in.writes_a_cif(plug_in.command("qcrboxtools", "iso2aniso"))
    assert plug_in.writes_a_cif(plug_in.command("refine", "refine_iam"))
    assert plug_in.writes_a_cif(plug_in.command("older-editor", "shift"))
    assert not plug_in.writes_a_cif(plug_in.command("qcrboxtools", "validate"))


def test_the_plug_in_runs_a_command_on_the_present_structure(client, tester, plug_in: PlugIn):
    command = plug_in.command("qcrboxtools", "iso2aniso")
    calculation_id = plug_in.run(command, "present.cif", EPOXIDE, select_elements="O")
    tester.wait(calculation_id)
    assert list(table(plug_in.result(calculation_id), "_atom_site_aniso")) == ["O1"]
    output = needed(client.get_calculation(calculation_id)).calculations[0].output_dataset_id
    assert list(needed(client.get_dataset(output)).datasets[0].data_files) == ["anisotropic.cif"]


def test_the_plug_in_may_give_an_output_no_more_than_a_name(tester, plug_in: PlugIn):
    command = plug_in.command("older-editor", "shift")
    calculation_id = plug_in.run(command, "present.cif", EPOXIDE)
    tester.wait(calculation_id)
    assert "5.630" in plug_in.result(calculation_id)


def test_the_plug_in_ends_a_session_and_takes_its_result(client, tester, plug_in: PlugIn):
    command = plug_in.command("older-editor", "interactive_session")
    assert plug_in.is_interactive(command)
    assert plug_in.writes_a_cif(command)
    session_id = plug_in.run(command, "present.cif", EPOXIDE)
    opened(client, session_id)
    assert session_id in [one.session_id for one in needed(client.list_sessions()).interactive_sessions]
    needed(client.close_session(session_id))
    assert "6.630" in plug_in.result(session_id)


# ---------------------------------------------------------------- the web site


def test_the_web_site_has_a_field_for_every_parameter_of_ours(client, web_site: WebSite):
    for application in needed(client.list_applications()).applications:
        for command in application.commands:
            assert web_site.can_show(command), f"{application.slug}.{command.name}"


def test_the_web_site_works_with_datasets(client, web_site: WebSite, plug_in: PlugIn):
    dataset_id = web_site.upload("epoxide.cif", EPOXIDE)
    command = plug_in.command("qcrboxtools", "iso2aniso")
    calculation_id = web_site.send(
        command, {"input_cif": {"data_file_id": dataset_id}, "overwrite": False, "output_cif": "epoxide.cif"}
    )
    deadline = time.monotonic() + 120
    while (made := web_site.poll(calculation_id)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert list(needed(client.get_dataset(made)).datasets[0].data_files) == ["epoxide.cif"]
    file_id = web_site.append(dataset_id, "more.txt", b"x")
    assert file_id.split("_")[1] == "df"
    with pytest.raises(Refused, match="holds 2"):
        # It would take the first file itself; a program that does not is told.
        needed(
            client.invoke_command(
                "qcrboxtools", "1.0", "iso2aniso", {"input_cif": {"data_file_id": dataset_id}}
            )
        )


def test_the_web_site_starts_a_session_as_a_command(client, web_site: WebSite, plug_in: PlugIn):
    dataset_id = web_site.upload("epoxide.cif", EPOXIDE)
    command = plug_in.command("older-editor", "interactive_session")
    parameters = {"input_cif_path": {"data_file_id": dataset_id}, "output_cif_path": "epoxide.cif"}
    session_id = web_site.send(command, parameters)
    opened(client, session_id)
    output = web_site.end(session_id)
    assert output is not None
    assert b"6.630" in client.download_dataset(output)


def test_a_session_that_writes_down_what_was_done_can_be_repeated_without_a_window(
    client, tester, plug_in: PlugIn
):
    file_id = needed(client.create_dataset("epoxide.cif", EPOXIDE)).data_files[0].qcrbox_file_id
    arguments = {"input_cif_path": {"data_file_id": file_id}}
    session_id = needed(client.invoke_command("older-editor", "2024.10", "edit", arguments)).calculation_id
    opened(client, session_id)
    closed = needed(client.close_session(session_id)).interactive_sessions[0]
    made = needed(client.get_dataset(closed.output_dataset_id)).datasets[0].data_files
    assert list(made) == ["output_cif_path.cif", "done.json"]
    repeat = (plug_in.command("older-editor", "edit").model_extra or {})["repeat_command"]
    arguments = {
        "redo_input_cif_path": {"data_file_id": file_id},
        "parameter_json_path": {"data_file_id": made["done.json"].qcrbox_file_id},
    }
    again = needed(client.invoke_command("older-editor", "2024.10", repeat, arguments)).calculation_id
    output = tester.wait(again).output_dataset_id
    first = client.download_data_file(made["output_cif_path.cif"].qcrbox_file_id)
    assert client.download_dataset(output) == first
    assert b"6.630" in first
