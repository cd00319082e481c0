from __future__ import annotations

import pytest
from qcrbox.contract.errors import CalculationFailed
from qcrbox_agent.inputs import Prepared
from qcrbox_agent.outputs import collect, entries_for, merge_back


@pytest.fixture
def application(application_with):
    return lambda outputs="[]", parameters="[]": application_with(parameters, outputs)


@pytest.fixture
def command(application):
    return lambda *args, **keys: application(*args, **keys).command("c")


CIF_AND_TEXT = "[{name: text, dtype: QCrBox.output_text}, {name: cif, dtype: QCrBox.output_cif}]"


def shown(collected):
    return [(one.name, one.filename, one.primary) for one in collected.files]


def test_the_declared_cif_is_primary_and_first(command, tmp_path):
    for name in ("text.txt", "cif.cif"):
        (tmp_path / name).write_text(name)
    assert shown(collect(command(CIF_AND_TEXT), tmp_path, [], {})) == [
        ("cif", "cif.cif", True),
        ("text", "text.txt", False),
    ]


def test_a_returned_file_is_primary_and_not_stored_twice(command, tmp_path):
    for name in ("text.txt", "cif.cif"):
        (tmp_path / name).write_text(name)
    collected = collect(command(CIF_AND_TEXT), tmp_path, [("", "text.txt")], {})
    assert shown(collected) == [("text", "text.txt", True), ("cif", "cif.cif", False)]


def test_a_returned_cif_of_another_name_is_the_declared_one(command, tmp_path):
    (tmp_path / "other.cif").write_text("x")
    made = command("[{name: cif, dtype: QCrBox.output_cif}]")
    assert shown(collect(made, tmp_path, [("", "other.cif")], {})) == [("cif", "other.cif", True)]


def test_a_mapping_names_its_outputs(command, tmp_path):
    (tmp_path / "b.txt").write_text("x")
    made = command("[{name: text, dtype: QCrBox.output_text}]")
    assert shown(collect(made, tmp_path, [("text", "b.txt")], {})) == [("text", "b.txt", True)]


@pytest.mark.parametrize("path", ["nothing.cif", ".", "/etc"])
def test_a_returned_path_that_is_no_file_is_a_failure(command, tmp_path, path):
    with pytest.raises(CalculationFailed, match="which is no file"):
        collect(command(), tmp_path, [("", path)], {})


def test_a_missing_required_output_is_a_failure(command, tmp_path):
    with pytest.raises(CalculationFailed, match="declared required output 'text'"):
        collect(command("[{name: text, dtype: QCrBox.output_text}]"), tmp_path, [], {})


def test_a_missing_optional_output_is_none(command, tmp_path):
    made = command("[{name: text, dtype: QCrBox.output_text, required_output: false}]")
    assert shown(collect(made, tmp_path, [], {})) == []


def test_a_missing_output_of_the_middle_generation_is_a_warning(command, tmp_path):
    made = command(parameters="[{name: out, dtype: QCrBox.output_cif}]")
    collected = collect(made, tmp_path, [], {"out": "wished.cif"})
    assert collected.files == []
    assert "did not produce its output 'out'" in collected.warnings[0]


def test_an_output_parameter_is_stored_under_the_wished_name(command, tmp_path):
    (tmp_path / "wished.cif").write_text("x")
    made = command(parameters="[{name: out, dtype: QCrBox.output_cif}]")
    assert shown(collect(made, tmp_path, [], {"out": "wished.cif"})) == [("out", "wished.cif", True)]


def test_two_files_of_one_name_are_told_apart(command, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "sub/a.txt"):
        (tmp_path / name).write_text(name)
    collected = collect(command(), tmp_path, [("", "a.txt"), ("", "sub/a.txt")], {})
    assert [one.filename for one in collected.files] == ["a.txt", "a-2.txt"]


def test_a_link_out_of_the_folder_is_no_output(command, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_text("s")
    (work / "text.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(CalculationFailed, match="did not produce"):
        collect(command("[{name: text, dtype: QCrBox.output_text}]"), work, [], {})


def test_an_output_folder_is_stored_as_a_zip_when_it_holds_files(command, tmp_path):
    made = command(parameters="[{name: pictures, dtype: QCrBox.output_folder}]")
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert shown(collect(made, tmp_path, [], {"pictures": folder})) == []
    (folder / "a.png").write_bytes(b"x")
    assert shown(collect(made, tmp_path, [], {"pictures": folder})) == [("pictures", "pictures.zip", False)]


def test_what_is_merged_back(command, tmp_path):
    with_entries = "[{name: model, dtype: QCrBox.cif_data_file, required_entries: [_cell_length_a]}]"
    without = "[{name: model, dtype: QCrBox.cif_data_file}]"
    (tmp_path / "r.cif").write_text("x")

    def entries(made):
        (produced,) = collect(made, tmp_path, [("", "r.cif")], {}).files
        return entries_for(produced, made)

    declared = command("[{name: r, dtype: QCrBox.output_cif, optional_entries: [_x]}]", with_entries)
    assert entries(declared).optional_entries == ["_x"]
    assert entries(command(parameters=with_entries)).required_entries == ["_cell_length_a"]
    assert entries(command(parameters=without)) is None


# ---------------------------------------------------------------- file names that were wished for


@pytest.mark.parametrize(
    ("wish", "stored"),
    [
        ("model.cif", "model.cif"),
        ("model", "model.cif"),
        ("../a/b.cif", ".._a_b.cif"),
        ("", "cif.cif"),
        ("..", "cif.cif"),
    ],
)
def test_a_declared_output_is_stored_under_the_wished_name(command, tmp_path, wish, stored):
    (tmp_path / "cif.cif").write_text("x")
    collected = collect(command("[{name: cif, dtype: QCrBox.output_cif}]"), tmp_path, [], {}, {"cif": wish})
    assert shown(collected) == [("cif", stored, True)]


def test_two_files_wished_under_one_name_are_told_apart(command, tmp_path):
    for name in ("text.txt", "cif.cif"):
        (tmp_path / name).write_text(name)
    collected = collect(command(CIF_AND_TEXT), tmp_path, [], {}, {"cif": "a.cif", "text": "a.cif"})
    assert [file.filename for file in collected.files] == ["a.cif", "a-2.cif"]


# ---------------------------------------------------------------- merging back

SOURCE = b"data_x\n_cell_length_a 10\n_cell_length_b 11\n"
PROMISED = "required_entries: [_cell_length_a, _cell_length_b]"


async def merged(made, folder, written: bytes):
    (folder / "r.cif").write_bytes(written)
    itself = made.command("c")
    collected = collect(itself, folder, [], {"r": "r.cif"})
    await merge_back(collected, itself, made, Prepared(source=SOURCE), folder)
    return collected.files[0].path.read_text(), collected.warnings


async def test_items_missing_of_what_a_newest_spec_promises_are_a_failure(application, tmp_path):
    made = application(f"[{{name: r, dtype: QCrBox.output_cif, {PROMISED}}}]")
    with pytest.raises(CalculationFailed, match=r"promises: _cell_length_b"):
        await merged(made, tmp_path, b"data_x\n_cell_length_a 12\n")


async def test_items_missing_of_what_an_older_spec_promises_are_a_warning(application, tmp_path):
    made = application(parameters=f"[{{name: r, dtype: QCrBox.output_cif, {PROMISED}}}]")
    content, warnings = await merged(made, tmp_path, b"data_x\n_cell_length_a 12\n")
    assert content.split()[1:] == ["_cell.length_a", "12", "_cell.length_b", "11"]
    assert "promises: _cell_length_b" in warnings[0]


async def test_what_an_input_needs_is_no_promise_of_what_comes_back(application, tmp_path):
    made = application(parameters=f"[{{name: model, dtype: QCrBox.cif_data_file, {PROMISED}}}]")
    (tmp_path / "r.cif").write_bytes(b"data_x\n_cell_length_a 12\n")
    collected = collect(made.command("c"), tmp_path, [("", "r.cif")], {})
    await merge_back(collected, made.command("c"), made, Prepared(source=SOURCE), tmp_path)
    assert "_cell.length_b" in collected.files[0].path.read_text()
    assert "promises: _cell_length_b" in collected.warnings[0]


async def test_a_file_that_cannot_be_merged_is_kept_as_it_was_written(application, tmp_path):
    made = application("[{name: r, dtype: QCrBox.output_cif, optional_entries: [_cell_length_a]}]")
    content, warnings = await merged(made, tmp_path, b"this is not a CIF at all\n")
    assert content == "this is not a CIF at all\n"
    assert warnings[0].startswith("r.cif is stored as the program wrote it, not merged with its input: ")
