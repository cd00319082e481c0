"""Data files: renamed, tagged, checked, in the form that was asked for."""

from __future__ import annotations

import hashlib

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, TooLarge, UserInputError
from qcrbox_registry.services import data_files as module
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.data_files import DataFileChange, DataFileService
from qcrbox_registry.store import datasets, shares


@pytest.fixture
def service(context):
    return DataFileService(context, ContentService(context))


async def test_a_name_is_made_safe_and_its_type_follows(world, service, actor, file_of):
    file_id = file_of("ada", "a.txt")
    found = await service.change(actor("ada"), file_id, DataFileChange(filename="  ../x/b.hkl "))
    assert (found["filename"], found["filetype"]) == ("b.hkl", "hkl")


async def test_a_name_that_is_taken_in_the_dataset_gets_a_number(world, service, actor):
    _, (first, second) = world.dataset(files=("a.cif", "b.cif"))
    found = await service.change(actor("ada"), second, DataFileChange(filename="a.cif"))
    assert found["filename"] == "a-2.cif"
    assert (await service.change(actor("ada"), first, DataFileChange(filename="a.cif")))[
        "filename"
    ] == "a.cif"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (DataFileChange(filename=""), "file name"),
        (DataFileChange(filename="   "), "file name"),
        (DataFileChange(filename="x" * 1001), "file name is longer than 1000"),
        (DataFileChange(filename="a\x00.txt"), "NUL"),
        (DataFileChange(tags=["x" * 300]), "tag"),
    ],
    ids=["empty", "blank", "long", "NUL", "long tag"],
)
async def test_wrong_changes_are_refused(service, actor, world, file_of, asked, words):
    file_id = file_of("ada", "a.txt")
    with pytest.raises(UserInputError, match=words):
        await service.change(actor("ada"), file_id, asked)
    assert world.ask(datasets.get_file, file_id).filename == "a.txt"


@pytest.mark.parametrize(
    ("mode", "asked", "refusal"),
    [
        (None, DataFileChange(tags=["x"]), NotFound),
        ("read", DataFileChange(tags=["x"]), NotAllowed),
        ("write", DataFileChange(filename="b.txt"), NotAllowed),
        ("write", DataFileChange(filename="b.txt", tags=["x"]), NotAllowed),
        ("write", DataFileChange(tags=["x"]), None),
    ],
    ids=["stranger", "reader", "writer renames", "writer both", "writer tags"],
)
async def test_a_share_gives_the_right_it_names(world, service, actor, file_of, mode, asked, refusal):
    file_id = file_of("ada")
    if mode:
        world.do(
            shares.give,
            shares.NewShare("data_file", file_id, mode, world.person["ada"], world.person["bob"]),
            1.0,
        )
    if refusal is None:
        assert (await service.change(actor("bob"), file_id, asked))["tags"] == ["x"]
        return
    with pytest.raises(refusal):
        await service.change(actor("bob"), file_id, asked)


async def test_a_share_of_the_dataset_opens_its_files_and_one_of_a_file_no_other(world, service, actor):
    dataset, (first, second) = world.dataset(files=("a.cif", "b.cif"))
    bob = actor("bob")
    share = shares.NewShare("data_file", first, "read", world.person["ada"], world.person["bob"])
    share_id = world.do(shares.give, share, 1.0)
    assert (await service.get(bob, first))["filename"] == "a.cif"
    with pytest.raises(NotFound):
        await service.get(bob, second)
    world.do(shares.revoke, share_id, 2.0)
    world.do(
        shares.give,
        shares.NewShare("dataset", dataset, "read", world.person["ada"], world.person["bob"]),
        3.0,
    )
    assert (await service.get(bob, second))["filename"] == "b.cif"
    await service.require_readable(bob, first)


@pytest.mark.parametrize(
    ("now", "sound", "found"),
    [(b"some bytes", True, "same"), (b"other bytes", False, "other"), (None, False, None)],
    ids=["sound", "damaged", "lost"],
)
async def test_stored_bytes_are_compared_with_their_hash(context, service, actor, file_of, now, sound, found):
    file_id = file_of("ada", content=b"some bytes")
    digest = hashlib.sha256(b"some bytes").hexdigest()
    if now is None:
        context.objects.known.clear()
    else:
        context.objects.known[digest] = now
    said = await service.verify(actor("ada"), file_id)
    hashes = {"same": digest, "other": hashlib.sha256(b"other bytes").hexdigest(), None: None}
    assert (said["sound"], said["found"], said["sha256"]) == (sound, hashes[found], digest)
    with pytest.raises(NotFound):
        await service.verify(actor("bob"), file_id)


async def test_a_file_that_is_too_large_is_not_drawn(service, actor, file_of, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_DRAWN_BYTES", 1024 * 1024)
    large = file_of("ada", "a.cif", b"x" * (1024 * 1024 + 1))
    with pytest.raises(TooLarge, match="up to 1 MiB are drawn"):
        await service.picture(actor("ada"), large)


async def test_the_unified_form_is_made_once_and_sent_from_then_on(world, context, service, actor, file_of):
    asked = []

    async def unify(sha256, filename):
        asked.append(filename)
        context.objects.known["u" * 64] = b"unified"
        return "u" * 64, 7

    context.indexer.unify = unify
    file_id = file_of("ada", "a.cif")
    for _ in range(2):
        found = await service.content(actor("ada"), file_id, "unified")
        assert (found.size, b"".join([chunk async for chunk in found.chunks])) == (7, b"unified")
    assert asked == ["a.cif"]
