"""Figures of use and storage: who sees whose, and that they agree with what is stored."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox_registry.services.figures import FigureService
from qcrbox_registry.store import trash
from qcrbox_registry.store.figures import FileFilter, HolderFilter
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import GIB


@pytest.fixture
def service(context):
    return FigureService(context)


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({}, {"ada"}),
        ({"groups": ["crystals"]}, {"ada"}),
        ({"manages": ["crystals"]}, {"ada", "crystals"}),
        ({"manages": "every"}, {"ada", "crystals", "powders"}),
        ({"application_admin": True}, {"ada"}),
        ({"admin": True}, {"ada", "bob", "crystals", "powders"}),
    ],
    ids=["student", "member", "manager", "manager of all", "of applications", "administrator"],
)
async def test_everyone_sees_themselves_and_the_groups_they_manage(service, actor, more, seen):
    if more.get("manages") == "every":
        me = actor("ada")
        me = type(me)(me.person_id, "ada", manages=frozenset({0}))
    else:
        me = actor("ada", **more)
    rows = await service.usage(me, ["ada", "bob", "nobody"], ["crystals", "powders", "nowhere"])
    assert {row["name"] for row in rows} == seen


async def test_use_is_what_is_stored_and_what_waits(world, service, actor, limit):
    world.dataset(files=("a.cif", "b.cif"), group="crystals")  # 10 and 11 bytes
    world.start(group_id=world.group["crystals"])
    limit("group", "crystals", "gib", 3)
    rows = await service.usage(actor("ada", manages=["crystals"]), ["ada"], ["crystals"])
    shown = {row["name"]: row for row in rows}
    assert {round(row["gib"] * GIB) for row in rows} == {21}
    assert {row["queued"] for row in rows} == {1}
    assert shown["crystals"]["limits"]["gib"] == 3
    assert shown["ada"]["limits"]["gib"] is None


async def test_the_storage_of_the_site_counts_files_contents_and_the_trash(world, service, actor):
    root = actor("eve", admin=True)
    dataset, _ = world.dataset(files=("a.cif", "b.cif"))
    world.dataset("bob", files=("a.cif",))  # the same contents as ada's first file
    world.do(trash.delete_dataset, dataset, world.person["ada"], 5.0)
    found = await service.storage(root, 10)
    assert found["files"] == {"number": 1, "bytes": 10}
    assert found["trash"] == {"number": 2, "bytes": 21}
    assert [(holder["name"], holder["bytes"]) for holder in found["holders"]] == [("bob", 10)]
    assert [file["owner"] for file in found["largest"]] == ["bob"]
    assert found["disk"]["total"] >= found["disk"]["free"] > 0


async def test_holders_and_files_come_in_parts_with_their_number(world, service, actor):
    root = actor("eve", admin=True)
    world.dataset(files=("a.cif", "b.cif"), group="crystals")
    world.dataset("bob", files=("c.cif",))
    first = await service.files(root, FileFilter(), Cut(sort="-size", limit=2))
    assert ([file["size"] for file in first["files"]], first["total"]) == ([11, 10], 3)
    rest = await service.files(root, FileFilter(), Cut(sort="-size", limit=2, offset=2))
    assert len(rest["files"]) == 1
    holders = await service.holders(root, HolderFilter(), Cut(limit=10))
    assert {(each["subject"], each["name"]): each["bytes"] for each in holders["holders"]} == {
        ("person", "ada"): 21,
        ("person", "bob"): 10,
        ("group", "crystals"): 21,
    }


@pytest.mark.attack(1)
@pytest.mark.parametrize("more", [{}, {"manages": ["crystals"]}, {"application_admin": True}])
async def test_only_administrators_see_the_storage_of_the_site(service, actor, more):
    me = actor("ada", **more)
    for act in (
        service.storage(me, 5),
        service.holders(me, HolderFilter(), Cut()),
        service.files(me, FileFilter(), Cut()),
    ):
        with pytest.raises(NotFound, match="no page"):
            await act
