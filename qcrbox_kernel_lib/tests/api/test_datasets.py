"""Datasets as a person handles them, against a small server that answers as the registry does."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import CifError, MissingItemsError, NotAllowed, NotFound, UserInputError

from ..conftest import write_cif
from ..small_server import Raw, refusal
from .records import dataset_record

TWO_BLOCKS = write_cif().replace("data_made", "data_one") + write_cif((8, 8, 8, 90, 90, 90)).replace(
    "data_made", "data_two"
)


@pytest.fixture
def made(stored, store):
    store.dataset("azu", {"azu.cif": write_cif(), "azu.hkl": "   1   0   0    1.00    0.10\n"})
    return stored["azu"]


# ---------------------------------------------------------------- found by name


def test_a_dataset_is_found_by_its_name_and_by_its_id(stored, store):
    record = store.dataset("azu", {"azu.cif": write_cif()}, qcrbox_dataset_id="a" * 32)
    store.server[f"GET /api/datasets/{'a' * 32}"] = {"datasets": [record]}
    assert stored["azu"].id == stored["a" * 32].id == "a" * 32


def test_an_id_of_an_older_installation_is_taken_as_an_id(stored, store):
    store.server[f"GET /api/datasets/qcrbox_ds_0x{'b' * 32}"] = {"datasets": [dataset_record("old")]}
    assert stored[f"qcrbox_ds_0x{'b' * 32}"].name == "old"


def test_ones_own_dataset_comes_before_shared_ones_and_these_before_examples(stored, store):
    for number, more in enumerate(({"kind": "example", "owner": None}, {"owner": "ada"}, {"owner": "eva"})):
        store.dataset("azu", qcrbox_dataset_id=f"id{number}", **more)
    assert stored["azu"].id == "id2"
    store.datasets.pop()
    assert stored["azu"].id == "id1"
    store.datasets.pop()
    assert stored["azu"].id == "id0"


def test_a_name_that_begins_like_another_is_not_that_one(stored, store):
    store.dataset("azulene")
    with pytest.raises(NotFound, match="Did you mean 'azulene'"):
        stored["azulen"]


@pytest.mark.parametrize("key", [0, -1, None, b"azu", 1.5], ids=repr)
def test_what_is_no_name_is_refused_with_what_to_write(stored, store, key):
    store.dataset("azu")
    with pytest.raises(UserInputError, match=r"by name"):
        stored.datasets[key]
    with pytest.raises(UserInputError, match=r"by name"):
        stored[key]


def test_whether_a_name_is_stored_is_asked_with_in(stored, store):
    store.dataset("azu")
    assert "azu" in stored
    assert "azu" in stored.datasets
    assert "az" not in stored.datasets
    assert 0 not in stored.datasets


def test_names_to_complete_are_each_there_once(stored, store):
    for number in range(3):
        store.dataset("azu" if number else "thpp", qcrbox_dataset_id=f"id{number}")
    assert stored.datasets._ipython_key_completions_() == ["thpp", "azu"]


def test_completion_of_names_offers_nothing_while_the_registry_is_away(stored, monkeypatch):
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    stored.client.url = "http://127.0.0.1:9"
    stored.client.close()
    assert stored._ipython_key_completions_() == []
    assert stored.datasets._ipython_key_completions_() == []
    assert stored.examples._ipython_key_completions_() == []
    assert stored.courses._ipython_key_completions_() == []
    assert stored.projects._ipython_key_completions_() == []


# ---------------------------------------------------------------- files and items


def test_its_cif_is_the_file_with_that_suffix_although_structure_factors_are_cif_too(stored, store):
    store.dataset("azu", {"azu.fcf": "data_f\n", "azu.cif": write_cif()})
    assert stored["azu"].cif.filename == "azu.cif"


def test_a_list_of_structure_factors_alone_is_the_cif(stored, store):
    store.dataset("azu", {"azu.fcf": "data_f\n_cell_length_a 3\n"})
    assert stored["azu"].cif.filename == "azu.fcf"


def test_without_a_cif_the_error_names_what_there_is_and_how_to_attach_one(stored, store):
    store.dataset("azu", {"azu.hkl": "1"})
    with pytest.raises(MissingItemsError, match=r"'azu' has no CIF. It holds azu.hkl. .*attach") as caught:
        _ = stored["azu"].cif
    assert caught.value.items == ["CIF"]


def test_of_several_cifs_none_is_chosen(stored, store):
    store.dataset("azu", {"a.cif": write_cif(), "b.cif": write_cif()})
    with pytest.raises(
        UserInputError, match=r'holds 2 CIFs: a.cif, b.cif. Choose: qc\["azu"\].files\["a.cif"\]'
    ):
        _ = stored["azu"].cif
    assert not stored["azu"].has_one_cif


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (("a.hkl",), "a.hkl"),
        (("a.fcf",), "a.fcf"),
        (("a.hkl", "a.fcf"), "a.hkl"),
        (("a.hkl", "b.hkl"), None),
        (("A.HKL",), "A.HKL"),
        (("a.cif",), None),
    ],
    ids=["hkl", "fcf", "hkl before fcf", "two", "upper case", "none"],
)
def test_its_reflections_are_those_of_the_one_file_that_can_be_meant(stored, store, files, chosen):
    store.dataset("azu", dict.fromkeys(files, ""))
    found = stored["azu"].reflections
    assert (found and found.filename) == chosen


def test_an_item_is_read_in_any_spelling_and_says_whether_it_is_there(made):
    assert float(made["_cell_length_a"]) == float(made["_cell.length_a"]) == 10.0
    assert "_cell_length_a" in made
    assert "_cell_length_q" not in made


def test_a_dataset_is_no_sequence(made):
    with pytest.raises(TypeError, match="not iterable"):
        iter(made)


def test_a_missing_item_names_file_and_the_one_that_was_meant(made):
    with pytest.raises(CifError, match=r"azu.cif has no _cell_length_aa. Did you mean '_cell_length_a'"):
        made["_cell_length_aa"]


def test_a_block_is_chosen_by_its_name_and_an_unknown_one_is_refused(stored, store):
    store.dataset("two", {"two.cif": TWO_BLOCKS})
    made = stored["two"]
    assert float(made["two"]["_cell_length_b"]) == 8.0
    assert made["one"].cell.parameters[1] == 11.0
    with pytest.raises(CifError, match="one, two"):
        made["three"]


def test_without_a_choice_two_blocks_are_an_error_that_says_how_to_choose(stored, store):
    store.dataset("two", {"two.cif": TWO_BLOCKS})
    with pytest.raises(CifError, match=r"2 data blocks: one, two. Choose: .*\[\"one\"\]"):
        _ = stored["two"].structure


def test_keys_to_complete_are_items_of_one_block_and_else_the_blocks(stored, store, made):
    assert "_cell_length_a" in made._ipython_key_completions_()
    store.dataset("two", {"two.cif": TWO_BLOCKS})
    assert stored["two"]._ipython_key_completions_() == ["one", "two"]
    store.dataset("none", {"a.hkl": "1"})
    assert stored["none"]._ipython_key_completions_() == []


# ---------------------------------------------------------------- how it looks


def test_its_summary_names_files_cell_and_tags_and_escapes_them(stored, store):
    store.dataset("<b>azu</b>", {"<i>.cif": write_cif(more="_chemical_formula_sum 'C1'")}, tags=["<u>"])
    store.server["GET /api/data-files/file-<i>.cif/download"] = Raw(write_cif())
    store.server["GET /api/data-files/file-%3Ci%3E.cif/download"] = Raw(write_cif())
    shown = stored["<b>azu</b>"]._repr_mimebundle_()
    assert "a / Å: 10" in shown["text/plain"]
    assert "tags: <u>" in shown["text/plain"]
    for tag in ("<b>azu", "<i>.cif", "<u>"):
        assert tag not in shown["text/html"]
    assert "&lt;b&gt;azu&lt;/b&gt;" in shown["text/html"]


@pytest.mark.parametrize(
    ("content", "note"),
    [("no cif at all", "note: "), (TWO_BLOCKS, "2 data blocks"), ("", "note: ")],
    ids=["no CIF", "two blocks", "empty"],
)
def test_a_file_that_cannot_be_read_is_told_in_the_summary_instead_of_an_error(stored, store, content, note):
    store.dataset("odd", {"odd.cif": content})
    assert note in repr(stored["odd"])


def test_the_list_has_the_time_of_storing_on_the_clock_of_its_reader(stored, store, monkeypatch):
    store.dataset("azu", {"azu.cif": ""})
    table = stored.datasets.table()
    assert "datetime='2026-11-29T12:30:00Z'" in table.html()
    assert table["stored"][0].startswith("2026-11-")


def test_facts_of_the_index_stand_in_the_list(stored, store):
    index = {"formula_sum": "C10 H8", "space_group_hm": "P 21/a", "r1": 0.0412}
    record = dataset_record("azu", "azu.cif")
    record["data_files"]["azu.cif"]["index"] = index
    store.datasets.append(record)
    (row,) = stored.datasets.table()
    assert (row["formula"], row["space group"], row["R1"]) == ("C10 H8", "P 21/a", 0.0412)


# ---------------------------------------------------------------- storing and changing


def test_files_are_stored_together_under_the_name_of_the_first(stored, store, tmp_path):
    for name in ("a.cif", "a.hkl"):
        (tmp_path / name).write_text("data_a\n")
    store.server["POST /api/datasets"] = {"datasets": [dataset_record("a", "a.cif", "a.hkl")]}
    assert stored.add(str(tmp_path / "a.cif"), tmp_path / "a.hkl").name == "a"
    (request,) = store.server.sent("POST /api/datasets")
    assert request.body.count(b'name="file"; filename="a.') == 2
    assert b'name="name"\r\n\r\na\r\n' in request.body


@pytest.mark.parametrize(
    "tags", ["model", ["model"], ("model",), {"model"}], ids=["text", "list", "tuple", "set"]
)
def test_one_tag_may_be_given_without_brackets(stored, store, tags):
    store.server["POST /api/datasets"] = {"datasets": [dataset_record("a")]}
    store.server["PATCH /api/datasets/dataset-a"] = {}
    store.server["GET /api/datasets/dataset-a"] = {"datasets": [dataset_record("a", tags=["model"])]}
    stored.add(b"data_a\n", tags=tags)
    (request,) = store.server.sent("PATCH /api/datasets/dataset-a")
    assert request.json == {"tags": ["model"]}


def test_bytes_that_look_like_a_cif_get_its_suffix(stored, store):
    store.server["POST /api/datasets"] = {"datasets": [dataset_record("data")]}
    stored.add(b"# made\n\n\ndata_x\n")
    assert b'filename="data.cif"' in store.server.sent("POST /api/datasets")[0].body


@pytest.mark.parametrize(
    ("sources", "message"),
    [((), "at least one file"), (("nowhere.cif",), "There is no file 'nowhere.cif'. You are in")],
    ids=["none", "missing"],
)
def test_nothing_is_sent_where_nothing_can_be_stored(stored, store, sources, message):
    with pytest.raises(UserInputError, match=message):
        stored.add(*sources)
    assert not store.server.requests


def test_tags_are_added_and_removed_without_the_others(stored, store):
    store.dataset("azu", tags=["b", "a"])
    store.server["PATCH /api/datasets/dataset-azu"] = {}
    stored["azu"].tag("c", "a")
    stored["azu"].untag("b", "never")
    sent = [request.json for request in store.server.sent("PATCH /api/datasets/dataset-azu")]
    assert sent == [{"tags": ["a", "b", "c"]}, {"tags": ["a"]}]


def test_a_change_is_taken_back_with_the_values_before(stored, store):
    store.dataset("azu", description="before")
    store.server["PATCH /api/datasets/dataset-azu"] = {}
    stored["azu"].change(description="after")
    assert "description of 'azu' changed" in stored.undo()
    sent = [request.json for request in store.server.sent("PATCH /api/datasets/dataset-azu")]
    assert sent == [{"description": "after"}, {"description": "before"}]


@pytest.mark.parametrize(
    ("more", "whose"),
    [
        ({"kind": "example"}, "is an example that comes with the applications. .* Work on your own copy"),
        ({"group": "lab"}, "belongs to group lab. .* Ask its managers, or work on your own copy"),
        ({"owner": "ada"}, "belongs to ada. .* Ask ada, or work on your own copy"),
    ],
    ids=["example", "group", "person"],
)
def test_a_refused_change_says_whose_it_is_and_how_to_go_on(stored, store, more, whose):
    store.dataset("azu", **more)
    for route in ("PATCH", "DELETE"):
        store.server[f"{route} /api/datasets/dataset-azu"] = refusal(403, "not_allowed", "Not yours.")
    with pytest.raises(NotAllowed, match=whose):
        stored["azu"].rename("mine")
    with pytest.raises(NotAllowed, match=whose):
        stored["azu"].delete()


def test_a_refused_change_leaves_nothing_to_take_back(stored, store):
    store.dataset("azu")
    store.server["PATCH /api/datasets/dataset-azu"] = refusal(403, "not_allowed", "Not yours.")
    with pytest.raises(NotAllowed):
        stored["azu"].rename("mine")
    with pytest.raises(UserInputError, match="nothing to undo"):
        stored.undo()


def test_a_copy_has_the_same_files_and_goes_into_the_bin_by_undo(made, stored, store):
    store.server["POST /api/datasets"] = {"datasets": [dataset_record("mine")]}
    store.server["DELETE /api/datasets/dataset-mine"] = Raw(status=204)
    assert made.copy("mine").name == "mine"
    (request,) = store.server.sent("POST /api/datasets")
    assert b'filename="azu.cif"' in request.body
    assert b'filename="azu.hkl"' in request.body
    stored.undo()
    assert store.server.sent("DELETE /api/datasets/dataset-mine")


# ---------------------------------------------------------------- sharing


def test_sharing_with_a_group_and_with_a_person_is_told_apart(made, store):
    store.server["POST /api/shares"] = {}
    made.share("lab")
    made.share("person:ada", "write")
    sent = [request.json for request in store.server.sent("POST /api/shares")]
    about = {"kind": "dataset", "object_id": "dataset-azu"}
    assert sent == [{**about, "mode": "read", "group": "lab"}, {**about, "mode": "write", "person": "ada"}]


def test_an_unknown_mode_of_sharing_is_refused_before_anything_is_sent(made, store):
    with pytest.raises(UserInputError, match='"read" or "write"; you gave \'all\''):
        made.share("lab", "all")
    assert not store.server.sent("POST /api/shares")


def test_unsharing_takes_back_every_share_with_that_name_and_undo_gives_them_again(made, stored, store):
    store.server["GET /api/shares"] = {
        "shares": [
            {"id": "s1", "mode": "read", "group": "lab"},
            {"id": "s2", "mode": "write", "group": "lab"},
            {"id": "s3", "mode": "read", "person": "ada"},
        ]
    }
    for number in (1, 2):
        store.server[f"DELETE /api/shares/s{number}"] = Raw(status=204)
    store.server["POST /api/shares"] = {}
    made.unshare("lab")
    assert not store.server.sent("DELETE /api/shares/s3")
    stored.undo()
    assert [request.json["mode"] for request in store.server.sent("POST /api/shares")] == ["read", "write"]


def test_what_was_not_shared_cannot_be_unshared(made, store):
    store.server["GET /api/shares"] = {"shares": []}
    with pytest.raises(NotFound, match="not shared with 'lab'"):
        made.unshare("lab")


# ---------------------------------------------------------------- export


def test_a_download_that_fails_leaves_no_file_behind(made, store, tmp_path):
    store.server["GET /api/datasets/dataset-azu/download"] = refusal(403, "not_allowed", "Not yours.")
    with pytest.raises(NotAllowed):
        made.export(tmp_path / "azu.zip")
    assert not (tmp_path / "azu.zip").exists()


def test_an_existing_file_is_not_overwritten_by_an_export(made, store, tmp_path):
    store.server["GET /api/datasets/dataset-azu/download"] = Raw(b"PK")
    (tmp_path / "azu.zip").write_text("mine")
    with pytest.raises(UserInputError, match=r"azu.zip exists already. Give another path"):
        made.export(tmp_path / "azu.zip")
    assert (tmp_path / "azu.zip").read_text() == "mine"


def test_a_folder_that_is_not_there_is_named(made, store, tmp_path):
    store.server["GET /api/datasets/dataset-azu/download"] = Raw(b"PK")
    with pytest.raises(UserInputError, match=r"nowhere.*cannot be written"):
        made.export(tmp_path / "nowhere" / "azu.zip")


@pytest.mark.parametrize(("names", "form"), [("as written", "written"), ("unified", "original")])
def test_the_zip_is_asked_for_in_the_form_that_is_wanted(made, store, tmp_path, names, form):
    store.server["GET /api/datasets/dataset-azu/download"] = Raw(b"PK\x03\x04")
    assert made.export(tmp_path / "azu.zip", names=names).read_bytes() == b"PK\x03\x04"
    (request,) = store.server.sent("GET /api/datasets/dataset-azu/download")
    assert request.query == {"format": "zip", "form": form}
