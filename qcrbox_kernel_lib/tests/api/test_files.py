"""What may be given where a command wants a file, and which stored file it becomes."""

from __future__ import annotations

import pytest
from qcrbox.api.files import content_of
from qcrbox.cif import read
from qcrbox.contract.errors import NotFound, UserInputError

from ..conftest import write_cif
from .records import file_record

CRYSTAL = write_cif()


@pytest.fixture
def uploads(store):
    """The names and contents of files that were sent."""
    sent: list[bytes] = []

    def keep(request):
        sent.append(request.body)
        name = request.body.partition(b'filename="')[2].partition(b'"')[0].decode()
        record = file_record(name, qcrbox_file_id=f"new{len(sent)}")
        store.server[f"GET /api/data-files/new{len(sent)}"] = {"data_files": [record]}
        return {"data_files": [record]}

    store.server["POST /api/data-files"] = keep
    return sent


@pytest.fixture
def resolve(stored):
    return lambda value, *, cif=True: stored.files.resolve(value, cif=cif, of="input_cif")


def test_a_path_is_stored_under_its_name(resolve, uploads, tmp_path):
    (tmp_path / "a.cif").write_text(CRYSTAL)
    assert resolve(tmp_path / "a.cif").filename == "a.cif"
    assert CRYSTAL.encode() in uploads[0]


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_are_stored_under_the_name_of_the_option(resolve, uploads, kind):
    assert resolve(kind(CRYSTAL.encode())).filename == "input_cif.cif"
    assert resolve(kind(b"1"), cif=False).filename == "input_cif"


def test_a_document_is_stored_as_it_is_written(resolve, uploads):
    document = read(CRYSTAL.encode(), filename="made.txt")
    assert resolve(document).filename == "made.cif"
    assert b"_cell_length_a" in uploads[0]


def test_the_same_content_under_the_same_name_is_sent_once(resolve, uploads, capsys):
    first, second = resolve(b"data_a\n"), resolve(b"data_a\n")
    assert first == second
    assert len(uploads) == 1
    said = capsys.readouterr()
    assert (said.out + said.err).count("was stored") == 1


def test_a_file_that_was_deleted_since_is_stored_again(resolve, uploads, store):
    resolve(b"data_a\n")
    del store.server._answers["GET /api/data-files/new1"]
    assert resolve(b"data_a\n").id == "new2"
    assert len(uploads) == 2


def test_a_stored_name_goes_before_a_file_of_that_name(resolve, uploads, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "azu.cif").write_text(CRYSTAL)
    assert resolve("azu.cif").id == "new1"
    store.dataset("azu.cif", {"inside.cif": CRYSTAL})
    assert resolve("azu.cif").filename == "inside.cif"


def test_a_name_that_is_neither_stored_nor_a_file_says_how_to_store(resolve, store):
    store.dataset("azu")
    with pytest.raises(
        NotFound, match=r"nothing is stored under 'azo', and there is no such file here. Did you mean 'azu'"
    ):
        resolve("azo")


def test_a_file_argument_of_the_registry_is_taken_as_it_is(resolve, store):
    store.server["GET /api/data-files/f1"] = {"data_files": [file_record("a.cif", qcrbox_file_id="f1")]}
    assert resolve({"data_file_id": "f1"}).id == "f1"


@pytest.mark.parametrize(
    "value", [5, None, ["azu"], {"id": 1}, object()], ids=lambda value: type(value).__name__
)
def test_anything_else_is_refused_with_what_may_be_given(resolve, value):
    with pytest.raises(UserInputError, match=f"Path or bytes; you gave {type(value).__name__}"):
        resolve(value)


def test_a_chosen_block_is_stored_as_a_file_of_its_own(stored, store, uploads):
    second = CRYSTAL.replace("data_made", "data_second").replace("_cell_length_a 10", "_cell_length_a 17")
    store.dataset("two", {"two.cif": CRYSTAL + second})
    sent = stored.files.as_argument(stored["two"]["second"], cif=True, of="input_cif")
    assert sent == {"data_file_id": "new1"}
    assert b'filename="two_second.cif"' in uploads[0]
    assert b"17" in uploads[0]
    assert b"data_made" not in uploads[0]


def test_the_only_block_needs_no_file_of_its_own(stored, store, uploads):
    store.dataset("one", {"one.cif": CRYSTAL})
    assert stored.files.as_argument(stored["one"]["made"], cif=True, of="input_cif") == {
        "data_file_id": "file-one.cif"
    }
    assert not uploads


def test_small_files_are_kept_and_large_ones_fetched_again(stored, store):
    from ..small_server import Raw

    store.server["GET /api/data-files/f/download"] = Raw(b"x" * 20_000_001)
    stored.files.content("f")
    stored.files.content("f")
    assert len(store.server.requests) == 2


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"data_x\n", "data.cif"),
        (b"\xef\xbb\xbfdata_x\n", "data.cif"),
        (b"#\\#CIF_2.0\n\nDATA_x\n", "data.cif"),
        (b"TITL x\n", "data"),
        (b"", "data"),
    ],
    ids=["CIF", "with a byte-order mark", "after a comment, in capitals", "SHELX", "empty"],
)
def test_bytes_without_a_name_are_named_by_what_they_are(content, name):
    assert content_of(content, None) == (content, name)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(UserInputError, match=r"cannot be read. \(Is a directory\)"):
        content_of(tmp_path, None)
