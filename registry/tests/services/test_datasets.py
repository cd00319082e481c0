"""Datasets: texts, home group and files change for who may, and within the limits of where they go."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, QuotaExceeded, UserInputError
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.datasets import DatasetChange, DatasetService
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.store import calculations, contents, datasets, quotas, shares
from qcrbox_registry.store.quotas import GIB


@pytest.fixture
def service(context):
    return DatasetService(context, UploadService(context, ContentService(context)))


@pytest.fixture
def ada(actor):
    return actor("ada", groups=["crystals", "powders"])


def used(world, subject, name):
    ids = {**world.person, **world.group}
    return round(world.ask(quotas.used, subject, ids[name], "gib") * GIB)


# ---------------------------------------------------------------- texts and tags


async def test_what_is_not_named_stays(world, service, ada):
    dataset, _ = world.dataset(name="first", description="of June")
    found = await service.change(ada, dataset, DatasetChange(name=" second ", tags=["twin"]))
    assert (found["name"], found["description"], found["tags"]) == ("second", "of June", ["twin"])


async def test_a_result_and_its_calculation_are_renamed_together(world, context, service, ada):
    made = world.start()
    dataset, _ = world.dataset(kind="output", calculation_id=made)
    await service.change(ada, dataset, DatasetChange(name="Twin 3"))
    assert world.ask(calculations.get, made).name == "Twin 3"
    assert {(each.kind, each.object_id) for each in context.published} == {
        ("title", made),
        ("dataset", dataset),
    }


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (DatasetChange(name="x" * 501), "name is longer than 500"),
        (DatasetChange(description="x" * 20_001), "description is longer than 20000"),
        (DatasetChange(name="a\x00"), "NUL"),
        (DatasetChange(group="nowhere"), "not in a group 'nowhere'"),
        (DatasetChange(tags=[" "]), "tag"),
    ],
    ids=["long name", "long description", "NUL", "group", "tag"],
)
async def test_wrong_changes_are_refused(world, service, ada, asked, words):
    dataset, _ = world.dataset(name="first")
    with pytest.raises(UserInputError, match=words):
        await service.change(ada, dataset, asked)
    assert world.ask(datasets.get, dataset).name == "first"


@pytest.mark.parametrize(
    ("mode", "asked", "refusal"),
    [
        (None, DatasetChange(name="x"), NotFound),
        ("read", DatasetChange(name="x"), NotAllowed),
        ("read", DatasetChange(tags=["x"]), NotAllowed),
        ("write", DatasetChange(name="x"), NotAllowed),
        ("write", DatasetChange(group="powders"), NotAllowed),
        ("write", DatasetChange(name="x", tags=["x"]), NotAllowed),
        ("write", DatasetChange(tags=["x"]), None),
    ],
    ids=["stranger", "reader", "reader tags", "writer renames", "writer moves", "writer both", "writer tags"],
)
async def test_a_share_gives_the_right_it_names(world, service, actor, mode, asked, refusal):
    dataset, _ = world.dataset(name="first")
    if mode:
        world.do(
            shares.give,
            shares.NewShare("dataset", dataset, mode, world.person["ada"], world.person["bob"]),
            1.0,
        )
    bob = actor("bob", groups=["powders"])
    if refusal is None:
        assert (await service.change(bob, dataset, asked))["tags"] == ["x"]
        return
    with pytest.raises(refusal):
        await service.change(bob, dataset, asked)
    assert world.ask(datasets.get, dataset).group_id is None


# ---------------------------------------------------------------- home group


async def test_a_dataset_moves_with_its_bytes(world, service, ada):
    dataset, files = world.dataset(files=("a.cif", "b.cif"), group="crystals")  # 10 and 11 bytes
    await service.change(ada, dataset, DatasetChange(group="powders"))
    assert (
        used(world, "group", "crystals"),
        used(world, "group", "powders"),
        used(world, "person", "ada"),
    ) == (0, 21, 21)
    rows = world.ask(datasets.files_by_id, files).values()
    assert {row.group_id for row in rows} == {world.group["powders"]}
    assert (await service.change(ada, dataset, DatasetChange(group="")))["group"] is None
    assert used(world, "group", "powders") == 0


@pytest.mark.attack(12)
async def test_a_full_group_is_not_filled_by_moving_data_into_it(world, service, ada, limit):
    dataset, _ = world.dataset(files=("a.cif", "b.cif"))
    limit("group", "powders", "gib", 20 / GIB)
    with pytest.raises(QuotaExceeded, match="your group's limit"):
        await service.change(ada, dataset, DatasetChange(group="powders"))
    assert world.ask(datasets.get, dataset).group_id is None
    limit("group", "powders", "gib", 21 / GIB)
    assert (await service.change(ada, dataset, DatasetChange(group="powders")))["group"] == "powders"
    # The same again moves nothing and asks for nothing.
    assert await service.change(ada, dataset, DatasetChange(group="powders", name="x"))


async def test_moving_ones_own_data_is_not_held_against_ones_own_limit(world, service, ada, limit):
    dataset, _ = world.dataset(files=("a.cif", "b.cif"))
    limit("person", "ada", "gib", 22 / GIB)  # 21 of 22 bytes are used; moving them uses no more
    assert (await service.change(ada, dataset, DatasetChange(group="powders")))["group"] == "powders"


# ---------------------------------------------------------------- attaching


async def test_a_lone_file_is_attached_under_a_name_that_is_free(world, service, ada, file_of):
    dataset, _ = world.dataset(files=("a.txt",))
    lone = file_of("ada", "a.txt")
    found = await service.attach(ada, dataset, lone)
    assert (found["appended_file"]["qcrbox_file_id"], found["appended_file"]["filename"]) == (lone, "a-2.txt")
    with pytest.raises(UserInputError, match="in a dataset already"):
        await service.attach(ada, dataset, lone)


async def test_an_attached_file_counts_where_it_goes(world, service, ada, file_of, limit):
    dataset, _ = world.dataset(files=("a.cif",), group="crystals")  # 10 bytes
    lone = file_of("ada", content=b"x" * 10)
    limit("group", "crystals", "gib", 19 / GIB)
    with pytest.raises(QuotaExceeded, match="your group's limit"):
        await service.attach(ada, dataset, lone)
    limit("group", "crystals", "gib", 20 / GIB)
    limit("person", "ada", "gib", 20 / GIB)  # all 20 bytes are there already
    assert await service.attach(ada, dataset, lone)
    assert (used(world, "group", "crystals"), used(world, "person", "ada")) == (20, 20)


@pytest.mark.attack(12)
async def test_a_file_that_is_given_away_counts_for_who_gets_it(world, service, actor, file_of, limit):
    dataset, _ = world.dataset("bob", files=("a.cif",))
    world.do(
        shares.give,
        shares.NewShare("dataset", dataset, "write", world.person["bob"], world.person["ada"]),
        1.0,
    )
    lone = file_of("ada", content=b"x" * 10)
    limit("person", "bob", "gib", 19 / GIB)
    with pytest.raises(QuotaExceeded):
        await service.attach(actor("ada"), dataset, lone)
    limit("person", "bob", "gib", 20 / GIB)
    await service.attach(actor("ada"), dataset, lone)
    assert (used(world, "person", "ada"), used(world, "person", "bob")) == (0, 20)
    assert world.ask(datasets.get_file, lone).owner == "bob"


@pytest.mark.parametrize(
    ("of_dataset", "of_file", "refusal"),
    [("bob", "ada", NotFound), ("ada", "bob", NotFound)],
    ids=["foreign dataset", "foreign file"],
)
async def test_nothing_foreign_is_attached(world, service, actor, file_of, of_dataset, of_file, refusal):
    dataset, _ = world.dataset(of_dataset)
    with pytest.raises(refusal):
        await service.attach(actor("ada"), dataset, file_of(of_file))


# ---------------------------------------------------------------- downloads


async def test_a_dataset_is_downloaded_with_the_bytes_of_its_files(world, service, ada, file_of):
    dataset, _ = world.dataset(files=(), name="June / 7")
    file_of("ada", "a.txt", b"one", dataset_id=dataset)
    file_of("ada", "b.txt", b"two", dataset_id=dataset)
    found = await service.contents(ada, dataset)
    assert found.filename == "7"
    assert [(f.filename, b"".join([c async for c in f.chunks])) for f in found.files] == [
        ("a.txt", b"one"),
        ("b.txt", b"two"),
    ]


async def test_a_download_ends_with_the_right_to_it(world, service, actor, ada):
    dataset, _ = world.dataset(group="crystals")
    await service.require_readable(actor("bob", groups=["crystals"]), dataset)
    with pytest.raises(NotFound):
        await service.require_readable(actor("bob"), dataset)
    with pytest.raises(NotFound):
        await service.contents(actor("bob"), dataset)
    assert world.ask(contents.size_of, f"{0:064x}") == 10
