"""The input files of a submission: found by their own id or that of a dataset, and only what the actor may read."""

from __future__ import annotations

import pytest
from qcrbox.cif.names import key
from qcrbox.contract.errors import MissingItemsError, NotFound, UserInputError
from qcrbox_registry.services.inputs import Inputs, look_up, resolve
from qcrbox_registry.store import datasets, shares


@pytest.fixture
def take(world, catalogue):
    """`take(actor, id)`: the arguments and the home group of a calculation on this input."""

    def resolved(actor, *given, force=False, table=None):
        _, known = catalogue.command_of(catalogue.find("practice", "1"), "read")
        wanted = []
        for each in given:
            new = world.new(arguments={"table": table})
            named = [("structure", each)] + ([("table", table["data_file_id"])] if table else [])
            wanted.append(Inputs(new, known, named, force))

        def read(conn):
            ids = [name for each in wanted for _, name in each.named]
            return resolve(conn, actor, wanted, look_up(conn, ids))

        groups = world.read(read)
        return [each.new for each in wanted], groups

    return resolved


def indexed(world, file_id, *names):
    world.do(datasets.put_index, file_id, {"names": [key(name) for name in names], "full": {}}, 1.0)


async def test_a_file_and_a_dataset_with_one_file_are_one_input(world, actor, take):
    dataset, (file,) = world.dataset(group="crystals")
    (first, second), groups = take(actor("ada"), file, dataset)
    assert first.arguments["structure"] == second.arguments["structure"] == {"data_file_id": file}
    assert first.inputs == [("structure", file)]
    assert groups == [world.group["crystals"]] * 2


async def test_a_dataset_with_several_files_is_no_input_and_the_refusal_names_them(world, actor, take):
    dataset, files = world.dataset(files=("a.cif", "b.cif"))
    with pytest.raises(UserInputError, match=r"structure needs one file; the dataset .* holds 2") as refused:
        take(actor("ada"), dataset)
    assert all(file in refused.value.next for file in files)


@pytest.mark.attack(1)
async def test_the_names_of_files_that_may_not_be_read_are_in_no_refusal(world, actor, take):
    dataset, files = world.dataset("bob", files=("secret-a.cif", "secret-b.cif"))
    for given in (dataset, files[0]):
        with pytest.raises(NotFound) as refused:
            take(actor("ada"), given)
        assert "secret" not in str(refused.value)


@pytest.mark.attack(1)
async def test_one_input_that_may_not_be_read_refuses_the_whole_request(world, actor, take):
    _, (mine,) = world.dataset()
    _, (theirs,) = world.dataset("bob")
    with pytest.raises(NotFound):
        take(actor("ada"), mine, theirs)


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("b.hkl",), "b.hkl"),
        (("b.HKL",), "b.HKL"),
        (("b.hkl", "c.hkl"), None),
        (("b.txt",), None),
    ],
    ids=["one", "in capitals", "two", "none"],
)
async def test_the_companion_beside_the_main_input_is_taken_where_it_is_the_only_one(
    world, actor, take, names, taken
):
    _, files = world.dataset(files=("a.cif", *names))
    (new,), _ = take(actor("ada"), files[0])
    found = new.arguments.get("table")
    assert (found and world.ask(datasets.get_file, found["data_file_id"]).filename) == taken


@pytest.mark.attack(1)
async def test_a_share_of_one_file_opens_no_companion(world, actor, take):
    _, (main, _) = world.dataset("bob", files=("a.cif", "b.hkl"))
    world.do(
        shares.give, shares.NewShare("data_file", main, "read", world.person["bob"], world.person["ada"]), 1.0
    )
    (new,), _ = take(actor("ada"), main)
    assert new.arguments["table"] is None
    assert new.inputs == [("structure", main)]


async def test_a_companion_that_was_named_is_not_replaced(world, actor, take, file_of):
    other = file_of("ada", "other.txt")
    _, (main, _) = world.dataset(files=("a.cif", "b.hkl"))
    (new,), _ = take(actor("ada"), main, table={"data_file_id": other})
    assert new.inputs == [("structure", main), ("table", other)]


@pytest.mark.parametrize(
    ("names", "force", "refused"),
    [(["_cell_length_b"], False, True), (["_cell_length_b"], True, False), (None, False, False)],
    ids=["lacking", "forced", "not indexed"],
)
async def test_a_cif_without_what_the_command_needs_is_refused_unless_it_is_forced(
    world, actor, take, names, force, refused
):
    _, (file,) = world.dataset(files=("quartz.cif",))
    if names:
        indexed(world, file, *names)
    if not refused:
        assert take(actor("ada"), file, force=force)
        return
    with pytest.raises(
        MissingItemsError, match=r"read\(\) needs _cell_length_a; quartz\.cif has no such items"
    ) as error:
        take(actor("ada"), file, force=force)
    assert error.value.fields["items"] == ["_cell_length_a"]
    assert error.value.where == "structure"


def test_nothing_is_looked_up_where_nothing_is_named(world):
    found = world.read(lambda conn: look_up(conn, []))
    assert (found.files, found.of_datasets) == ({}, {})
