"""From the arguments of a command to what its program gets."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
from qcrbox.contract.errors import CifError, MissingItemsError, NotFound, UserInputError
from qcrbox.contract.messages import Command, FileRef
from qcrbox.contract.states import Step
from qcrbox_agent.inputs import Inputs

CIF = b"data_azu\n_cell_length_a 7.8\n_cell_length_b 5.9\n"


class Routes:
    """The stored files, by id."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, file_id: str, content: bytes, filename: str) -> FileRef:
        self.contents[file_id] = content
        return FileRef(
            data_file_id=file_id,
            filename=filename,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
        )

    async def fetch(self, ref, target) -> None:
        target.write_bytes(self.contents[ref.data_file_id])


@pytest.fixture
def routes():
    return Routes()


@pytest.fixture
def prepare(routes, tmp_path, application_with):
    steps: list[Step] = []

    async def made(parameters: str, outputs: str = "[]", *, files=(), force=False, **arguments):
        application = application_with(parameters, outputs)
        message = Command(
            calculation_id="c1",
            attempt=1,
            correlation_id="k",
            application_slug="a",
            application_version="1",
            command_name="c",
            arguments=arguments,
            files=list(files),
            force=force,
        )
        inputs = Inputs(application, application.command("c"), message, routes, tmp_path)
        return await inputs.prepare(steps.append)

    made.steps = steps
    return made


FILE = '[{name: "original", dtype: "QCrBox.data_file"}]'
MODEL = '[{name: "model", dtype: "QCrBox.cif_data_file", required_entries: ["_cell_length_a"]}]'
FOLDER = '[{name: "frames", dtype: "QCrBox.input_folder"}]'


async def test_plain_values_are_handed_over(prepare):
    made = await prepare(
        '[{name: "cycles", dtype: "int"}, {name: "title", dtype: "str"}]', cycles=4, title="a; b"
    )
    assert made.values == {"cycles": 4, "title": "a; b"}
    assert prepare.steps == [], "nothing to fetch, nothing to report"


async def test_a_file_is_there_under_its_own_name(prepare, routes, tmp_path):
    ref = routes.add("f1", b"1 2 3", "azu.hkl")
    made = await prepare(FILE, files=[ref], original={"data_file_id": "f1"})
    assert made.values["original"] == tmp_path / "azu.hkl"
    assert (tmp_path / "azu.hkl").read_bytes() == b"1 2 3"
    assert prepare.steps == [Step.FETCHING]


async def test_a_file_may_be_named_by_its_id_alone(prepare, routes, tmp_path):
    ref = routes.add("f1", b"1 2 3", "azu.hkl")
    assert (await prepare(FILE, files=[ref], original="f1")).values["original"] == tmp_path / "azu.hkl"


async def test_a_file_that_is_not_given_is_none(prepare):
    made = await prepare('[{name: "original", dtype: "QCrBox.data_file", required: false}]', original=None)
    assert made.values["original"] is None


async def test_a_file_that_the_command_does_not_list_is_refused(prepare):
    with pytest.raises(NotFound, match="original"):
        await prepare(FILE, original={"data_file_id": "f-of-somebody-else"})


async def test_two_files_of_one_name_are_both_there(prepare, routes, tmp_path):
    parameters = '[{name: "one", dtype: "QCrBox.data_file"}, {name: "two", dtype: "QCrBox.data_file"}]'
    files = [routes.add("f1", b"1", "a.hkl"), routes.add("f2", b"2", "a.hkl")]
    made = await prepare(parameters, files=files, one="f1", two="f2")
    assert made.values["one"] != made.values["two"]
    assert (made.values["one"].read_bytes(), made.values["two"].read_bytes()) == (b"1", b"2")


async def test_an_input_does_not_take_the_name_of_an_output(prepare, routes, tmp_path):
    ref = routes.add("f1", b"1", "copy.txt")
    made = await prepare(
        FILE,
        '[{name: "copy", dtype: "QCrBox.output_text", filename: "copy.txt"}]',
        files=[ref],
        original="f1",
    )
    assert made.values["original"].name == "copy-2.txt"
    assert made.values["copy"] == "copy.txt"
    assert not (tmp_path / "copy.txt").exists()


@pytest.mark.parametrize("filename", ["../../etc/passwd", "/etc/passwd", "a/b.cif", "..", ""])
async def test_a_file_stays_in_the_folder_whatever_its_name(prepare, routes, tmp_path, filename):
    ref = routes.add("f1", b"1", filename)
    made = await prepare(FILE, files=[ref], original="f1")
    assert made.values["original"].parent == tmp_path
    assert made.values["original"].read_bytes() == b"1"


async def test_folders_of_outputs_are_there(prepare, tmp_path):
    await prepare("[]", '[{name: "plot", dtype: "QCrBox.output_text", filename: "plots/a.txt"}]')
    assert (tmp_path / "plots").is_dir()


# ------------------------------------------------------------ CIF


async def test_a_cif_is_converted_in_place_and_its_source_kept(prepare, routes, tmp_path):
    made = await prepare(MODEL, files=[routes.add("f1", CIF, "azu.cif")], model="f1")
    assert made.values["model"] == tmp_path / "azu.cif"
    assert b"_cell_length_a" in (tmp_path / "azu.cif").read_bytes()
    assert b"_cell_length_b" not in (tmp_path / "azu.cif").read_bytes(), "only what the command asks for"
    assert made.source == CIF
    assert prepare.steps == [Step.FETCHING, Step.CONVERTING]


async def test_a_cif_without_a_needed_item_is_refused(prepare, routes):
    files = [routes.add("f1", b"data_a\n_cell_length_b 5\n", "a.cif")]
    with pytest.raises(MissingItemsError, match="_cell_length_a"):
        await prepare(MODEL, files=files, model="f1")


@pytest.mark.parametrize("content", [b"data_a\n_cell_length_b 5\n", b"data_a\nloop_\n_a _b\n1\n"])
async def test_a_forced_command_gets_the_file_as_it_is_with_a_warning(prepare, routes, content):
    made = await prepare(MODEL, files=[routes.add("f1", content, "a.cif")], model="f1", force=True)
    assert made.values["model"].read_bytes() == content
    (warning,) = made.warnings
    assert "forced" in warning


async def test_what_is_no_cif_is_refused(prepare, routes):
    with pytest.raises((CifError, MissingItemsError)):
        await prepare(MODEL, files=[routes.add("f1", b"\x89PNG\r\n", "a.cif")], model="f1")


# ------------------------------------------------------------ folders


def archive(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return target.getvalue()


async def test_a_folder_is_unpacked_under_the_name_of_its_parameter(prepare, routes, tmp_path):
    ref = routes.add("f1", archive(frame1=b"1", frame2=b"2"), "run.zip")
    made = await prepare(FOLDER, files=[ref], frames="f1")
    assert made.values["frames"] == tmp_path / "frames"
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == ["frame1", "frame2"]
    assert [path.name for path in tmp_path.iterdir()] == ["frames"], "the archive is gone"


async def test_an_archive_with_the_name_of_its_folder_is_unpacked(prepare, routes, tmp_path):
    ref = routes.add("f1", archive(frame1=b"1"), "frames")
    await prepare(FOLDER, files=[ref], frames="f1")
    assert (tmp_path / "frames" / "frame1").read_bytes() == b"1"


async def test_an_archive_that_leaves_its_folder_is_refused(prepare, routes, tmp_path):
    ref = routes.add("f1", archive(**{"../outside": b"1"}), "run.zip")
    with pytest.raises(UserInputError, match="outside"):
        await prepare(FOLDER, files=[ref], frames="f1")
    assert not (tmp_path.parent / "outside").exists()


async def test_a_folder_that_is_not_given_is_empty(prepare, tmp_path):
    made = await prepare('[{name: "frames", dtype: "QCrBox.input_folder", required: false}]', frames=None)
    assert list(made.values["frames"].iterdir()) == []
