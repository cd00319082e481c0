"""Uploads that are cut and continued: whose they are, how much has arrived, and what becomes of them."""

from __future__ import annotations

import hashlib

import pytest
from qcrbox.contract.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    QuotaExceeded,
    StorageFull,
    TooLarge,
    UserInputError,
)
from qcrbox_registry.services import resumable_uploads as module
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.resumable_uploads import Announced, ResumableUploadService, checked_sha256
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.store import datasets, people, shares, uploads
from qcrbox_registry.store.quotas import GIB

CONTENT = b"0123456789"


@pytest.fixture
def service(context):
    contents = ContentService(context)
    return ResumableUploadService(context, contents, UploadService(context, contents))


def announced(size=10, **more):
    values = {
        "filename": "a.txt",
        "sha256": None,
        "purpose": "dataset",
        "dataset_id": None,
        "name": "",
        "description": "",
        "group": "",
    }
    return Announced(size=size, **(values | more))


def path_of(service, upload_id):
    return service._path(upload_id)


# ---------------------------------------------------------------- pieces


async def test_an_upload_continues_where_it_was_cut(service, ada, present, chunks):
    upload = await service.begin(ada, announced())
    first = await service.send(present(ada), upload, 0, chunks(CONTENT[:3], CONTENT[3:4]))
    assert (first.offset, first.stored) == (4, None)
    assert (await service.shown(ada, upload))["offset"] == 4
    last = await service.send(present(ada), upload, 4, chunks(CONTENT[4:]))
    (file,) = last.stored["data_files"]
    assert (file["sha256"], file["size"]) == (hashlib.sha256(CONTENT).hexdigest(), 10)
    shown = await service.shown(ada, upload)
    assert (shown["state"], shown["dataset_id"]) == ("used", last.stored["dataset_id"])


async def test_the_last_piece_sent_twice_makes_one_dataset(world, service, ada, present, chunks):
    """The answer was lost: the client asks again and gets what became of the upload."""
    upload = await service.begin(ada, announced())
    first = await service.send(present(ada), upload, 0, chunks(CONTENT))
    again = await service.send(present(ada), upload, 0, chunks(CONTENT))
    assert again.stored["dataset_id"] == first.stored["dataset_id"]
    assert len(world.ask(datasets.files_of, [first.stored["dataset_id"]])[first.stored["dataset_id"]]) == 1


@pytest.mark.parametrize("offset", [0, 3, 5, 10])
async def test_a_piece_at_another_place_is_refused_with_the_right_one(service, ada, present, chunks, offset):
    upload = await service.begin(ada, announced())
    await service.send(present(ada), upload, 0, chunks(CONTENT[:4]))
    with pytest.raises(Conflict, match=f"has 4 bytes, not {offset}") as refused:
        await service.send(present(ada), upload, offset, chunks(b"x"))
    assert refused.value.fields["offset"] == 4
    assert (await service.shown(ada, upload))["offset"] == 4


async def test_more_bytes_than_announced_are_refused_and_what_was_there_stays(service, ada, present, chunks):
    upload = await service.begin(ada, announced())
    with pytest.raises(TooLarge, match="More bytes arrive than the 10"):
        await service.send(present(ada), upload, 0, chunks(CONTENT[:6], CONTENT))
    assert (await service.shown(ada, upload))["offset"] == 6
    assert (await service.send(present(ada), upload, 6, chunks(CONTENT[6:]))).stored


async def test_two_requests_do_not_write_to_one_upload(service, ada, present, chunks):
    upload = await service.begin(ada, announced())

    async def slow():
        yield CONTENT[:5]
        with pytest.raises(Conflict, match="Another request is sending"):
            await service.send(present(ada), upload, 5, chunks(b"x"))
        with pytest.raises(Conflict, match="Another request is sending"):
            await service.cancel(ada, upload)

    assert (await service.send(present(ada), upload, 0, slow())).offset == 5
    assert (await service.send(present(ada), upload, 5, chunks(CONTENT[5:]))).stored, "it is free again"


async def test_an_upload_that_breaks_off_is_free_again(service, ada, present, chunks):
    upload = await service.begin(ada, announced())

    async def broken():
        yield CONTENT[:2]
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, StorageFull)):
        await service.send(present(ada), upload, 0, broken())
    assert (await service.send(present(ada), upload, 2, chunks(CONTENT[2:]))).stored


async def test_an_empty_file_is_complete_with_its_first_piece(service, ada, present, chunks):
    upload = await service.begin(ada, announced(0))
    (file,) = (await service.send(present(ada), upload, 0, chunks())).stored["data_files"]
    assert file["size"] == 0


async def test_wrong_bytes_begin_again_and_the_right_ones_are_taken(service, ada, present, chunks):
    right = hashlib.sha256(CONTENT).hexdigest()
    upload = await service.begin(ada, announced(sha256=right))
    with pytest.raises(Conflict, match="hash"):
        await service.send(present(ada), upload, 0, chunks(b"x" * 10))
    assert (await service.shown(ada, upload))["offset"] == 0
    assert (await service.send(present(ada), upload, 0, chunks(CONTENT))).stored


async def test_a_cancelled_upload_leaves_nothing(service, ada, present, chunks):
    upload = await service.begin(ada, announced())
    await service.send(present(ada), upload, 0, chunks(CONTENT[:5]))
    path = path_of(service, upload)
    assert path.stat().st_mode & 0o077 == 0, "no other account of the machine reads it"
    await service.cancel(ada, upload)
    assert not path.exists()
    with pytest.raises(NotFound):
        await service.shown(ada, upload)


# ---------------------------------------------------------------- what becomes of it


async def test_an_upload_becomes_what_was_announced(world, service, ada, present, chunks):
    dataset, _ = world.dataset()
    alone = await service.begin(ada, announced(purpose="data_file", group="crystals"))
    made = (await service.send(present(ada), alone, 0, chunks(CONTENT))).stored
    assert "dataset_id" not in made
    row = world.ask(datasets.get_file, made["data_file_id"])
    assert (row.dataset_id, row.group_id) == (None, world.group["crystals"])
    more = await service.begin(ada, announced(purpose="append", dataset_id=dataset))
    made = (await service.send(present(ada), more, 0, chunks(CONTENT))).stored
    assert made["dataset_id"] == dataset
    assert [file.filename for file in world.ask(datasets.files_of, [dataset])[dataset]] == [
        "model.cif",
        "a.txt",
    ]
    named = await service.begin(ada, announced(name=" June ", description="of the twin"))
    made = (await service.send(present(ada), named, 0, chunks(CONTENT))).stored
    assert (made["datasets"][0]["name"], made["datasets"][0]["description"]) == ("June", "of the twin")


async def test_an_upload_does_not_end_in_a_group_that_its_person_has_left(
    service, ada, actor, present, chunks
):
    upload = await service.begin(ada, announced(group="crystals"))
    left = actor("ada")
    with pytest.raises(NotAllowed):
        await service.send(present(left), upload, 0, chunks(CONTENT))
    assert (await service.shown(left, upload))["state"] == "open"
    assert (await service.send(present(ada), upload, 10, chunks())).stored, "a member again"


async def test_a_share_that_ended_meanwhile_takes_no_file(world, service, actor, present, chunks):
    dataset, _ = world.dataset("bob")
    share = shares.NewShare("dataset", dataset, "write", world.person["bob"], world.person["ada"])
    share_id = world.do(shares.give, share, 1.0)
    ada = actor("ada")
    upload = await service.begin(ada, announced(purpose="append", dataset_id=dataset))
    world.do(shares.revoke, share_id, 2.0)
    with pytest.raises(NotFound):
        await service.send(present(ada), upload, 0, chunks(CONTENT))
    assert len(world.ask(datasets.files_of, [dataset])[dataset]) == 1


# ---------------------------------------------------------------- who and how much


@pytest.mark.parametrize("who", ["bob", "eve"])
async def test_an_upload_is_nobody_elses(service, ada, actor, present, chunks, who):
    upload = await service.begin(ada, announced())
    other = actor(who, groups=["crystals"], manages=["crystals"], admin=who == "eve")
    for act in (
        service.shown(other, upload),
        service.send(present(other), upload, 0, chunks(b"x")),
        service.cancel(other, upload),
    ):
        with pytest.raises(NotFound, match=f"no upload '{upload}'"):
            await act


async def test_the_output_of_a_calculation_is_no_upload_of_a_person(world, service, ada):
    made = world.start()
    new = uploads.NewOutput(made, 1, world.person["ada"], "w", "w.txt", "0" * 64, 3, None)
    output = world.do(uploads.add_output, new, 1.0)
    with pytest.raises(NotFound, match="no upload"):
        await service.shown(ada, output.id)
    with pytest.raises(NotFound, match="no upload"):
        await service.cancel(ada, output.id)


@pytest.mark.parametrize(
    ("more", "refusal", "words"),
    [
        ({"size": 101}, TooLarge, "larger than"),
        ({"group": "powders"}, UserInputError, "not in a group 'powders'"),
        ({"purpose": "append", "dataset_id": "none"}, NotFound, "no dataset 'none'"),
        ({"purpose": "append"}, NotFound, "no dataset ''"),
        ({"name": "x" * 501}, UserInputError, "name is longer than 500"),
        ({"description": "a\x00"}, UserInputError, "description has a NUL"),
        ({"description": "x" * 20_001}, UserInputError, "description is longer than 20000"),
        ({"size": 60}, QuotaExceeded, "your limit"),
    ],
    ids=["size", "group", "dataset", "no dataset", "name", "NUL", "description", "quota"],
)
async def test_what_could_never_be_stored_does_not_begin(
    world, context, service, ada, limit, more, refusal, words
):
    context.settings.largest_file_bytes = 100
    limit("person", "ada", "gib", 50 / GIB)
    with pytest.raises(refusal, match=words):
        await service.begin(ada, announced(**more))
    assert world.ask(uploads.number_open, world.person["ada"]) == 0


async def test_what_is_under_way_counts_and_its_number_is_bounded(service, ada, limit, monkeypatch):
    limit("person", "ada", "gib", 25 / GIB)
    first = await service.begin(ada, announced(10))
    await service.begin(ada, announced(10))
    with pytest.raises(QuotaExceeded, match="limit of"):
        await service.begin(ada, announced(10))
    await service.cancel(ada, first)
    monkeypatch.setattr(module, "MOST_OPEN", 2)
    await service.begin(ada, announced(1))
    with pytest.raises(QuotaExceeded, match="2 incomplete uploads"):
        await service.begin(ada, announced(1))


@pytest.mark.attack(12)
async def test_what_is_under_way_counts_where_it_will_be(service, ada, actor, limit):
    limit("group", "crystals", "gib", 25 / GIB)
    await service.begin(ada, announced(20))  # privately: no room of the group
    await service.begin(ada, announced(20, group="crystals"))
    for member in (ada, actor("bob", groups=["crystals"])):
        with pytest.raises(QuotaExceeded, match="your group's limit"):
            await service.begin(member, announced(10, group="crystals"))
    assert await service.begin(actor("bob", groups=["crystals"]), announced(5, group="crystals"))


@pytest.mark.attack(12)
async def test_a_file_for_the_dataset_of_another_counts_for_that_person(world, service, actor, limit):
    dataset, _ = world.dataset("bob")  # 10 bytes
    world.do(
        shares.give,
        shares.NewShare("dataset", dataset, "write", world.person["bob"], world.person["ada"]),
        1.0,
    )
    limit("person", "ada", "gib", 1 / GIB)
    limit("person", "bob", "gib", 15 / GIB)
    append = {"purpose": "append", "dataset_id": dataset}
    assert await service.begin(actor("ada"), announced(5, **append))
    with pytest.raises(QuotaExceeded):
        await service.begin(actor("ada"), announced(6, **append))


async def test_a_file_for_a_dataset_needs_no_group_that_was_used_last(
    world, service, ada, actor, present, chunks
):
    world.do(people.remember_group, world.person["ada"], world.group["crystals"])
    dataset, _ = world.dataset()
    upload = await service.begin(ada, announced(purpose="append", dataset_id=dataset, group=None))
    left = actor("ada")
    assert (await service.send(present(left), upload, 0, chunks(CONTENT))).stored["dataset_id"] == dataset


async def test_without_room_on_the_disk_nothing_begins(world, context, service, ada):
    """The bytes lie there twice: as they arrive, and as they are stored."""
    context.objects.free = 19
    with pytest.raises(StorageFull):
        await service.begin(ada, announced(10))
    context.objects.free = 20
    assert await service.begin(ada, announced(10))


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "٣" * 64])
def test_a_hash_has_64_hexadecimal_digits(text):
    with pytest.raises(UserInputError, match="64 hexadecimal digits"):
        checked_sha256(text)
    assert checked_sha256("0af" * 21 + "9") == "0af" * 21 + "9"
