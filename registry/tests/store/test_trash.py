"""The trash: what goes together comes back together, bytes are counted once, and what is gone is gone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox_registry.store import contents, datasets, lists, quotas, trash
from qcrbox_registry.store.lists import DatasetFilter
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.quotas import GIB
from qcrbox_registry.store.tables import file_contents


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def stored(world, subject, name):
    ids = {**world.person, **world.group}
    return round(world.read(lambda conn: quotas.used(conn, subject, ids[name], "gib")) * GIB)


def names(world, dataset_id):
    return [
        file.filename for file in world.read(lambda conn: datasets.files_of(conn, [dataset_id]))[dataset_id]
    ]


def delete(world, dataset_id, at=100.0):
    world.do(trash.delete_dataset, dataset_id, world.person["ada"], at)


def test_a_deleted_dataset_is_hidden_with_its_files(world):
    dataset, (one, _) = world.dataset(files=("a.cif", "b.cif"))
    delete(world, dataset)
    for get, object_id in ((datasets.get, dataset), (datasets.get_file, one)):
        with pytest.raises(NotFound, match="There is no"):
            world.read(lambda conn, get=get, object_id=object_id: get(conn, object_id))
        assert world.read(lambda conn, get=get, i=object_id: get(conn, i, deleted=True)).deleted_at == 100.0
    assert names(world, dataset) == []


def test_it_comes_back_with_the_files_that_went_with_it_only(world):
    dataset, (one, _) = world.dataset(files=("a.cif", "b.cif"))
    world.do(trash.delete_file, one, world.person["ada"], 50.0)
    delete(world, dataset)
    world.do(trash.restore_dataset, dataset, 200.0)
    assert names(world, dataset) == ["b.cif"]
    assert world.read(lambda conn: datasets.get(conn, dataset)).changed_at == 200.0


def test_bytes_follow_for_the_person_and_the_group(world):
    dataset, (one, _) = world.dataset(files=("a.cif", "b.cif"), group="crystals")  # 10 and 11 bytes
    seen = [(stored(world, "person", "ada"), stored(world, "group", "crystals"))]
    world.do(trash.delete_file, one, world.person["ada"], 50.0)
    seen.append((stored(world, "person", "ada"), stored(world, "group", "crystals")))
    delete(world, dataset)
    seen.append((stored(world, "person", "ada"), stored(world, "group", "crystals")))
    world.do(trash.restore_dataset, dataset, 200.0)
    world.do(trash.restore_file, one, 200.0)
    seen.append((stored(world, "person", "ada"), stored(world, "group", "crystals")))
    assert seen == [(21, 21), (11, 11), (0, 0), (21, 21)]


def test_restoring_what_is_there_changes_nothing(world):
    dataset, (one,) = world.dataset()
    world.do(trash.restore_dataset, dataset, 5.0)
    world.do(trash.restore_file, one, 5.0)
    assert stored(world, "person", "ada") == 10
    assert world.read(lambda conn: datasets.get(conn, dataset)).changed_at != 5.0


@pytest.mark.parametrize("what", ["dataset", "file"])
def test_what_never_was_cannot_be_deleted_or_restored(world, what):
    delete_it = trash.delete_dataset if what == "dataset" else trash.delete_file
    restore_it = trash.restore_dataset if what == "dataset" else trash.restore_file
    with pytest.raises(NotFound):
        world.do(delete_it, "nothing", world.person["ada"], 1.0)
    with pytest.raises(NotFound):
        world.do(restore_it, "nothing", 1.0)


def test_what_is_deleted_cannot_be_deleted_again(world):
    dataset, (one,) = world.dataset()
    delete(world, dataset)
    with pytest.raises(NotFound):
        delete(world, dataset, 200.0)
    with pytest.raises(NotFound):
        world.do(trash.delete_file, one, world.person["ada"], 200.0)
    assert stored(world, "person", "ada") == 0


def test_a_file_whose_name_was_taken_meanwhile_gets_another(world):
    dataset, (one,) = world.dataset(files=("a.cif",))
    world.do(trash.delete_file, one, world.person["ada"], 50.0)
    place = datasets.Place(world.person["ada"], dataset_id=dataset)
    world.do(datasets.add_files, [datasets.NewFile("a.cif", f"{3:064x}", 13)], place)
    world.do(trash.restore_file, one, 60.0)
    assert sorted(names(world, dataset)) == ["a-2.cif", "a.cif"]


def test_a_file_whose_dataset_is_in_the_trash_comes_back_alone(world):
    dataset, (one, _) = world.dataset(files=("a.cif", "b.cif"))
    delete(world, dataset)
    world.do(trash.restore_file, one, 60.0)
    assert world.read(lambda conn: datasets.get_file(conn, one)).dataset_id is None
    world.do(trash.restore_dataset, dataset, 70.0)
    assert names(world, dataset) == ["b.cif"]
    assert stored(world, "person", "ada") == 21


# ------------------------------------------------------------ for good


def purge(world, before=1000.0):
    return world.do(trash.purge, before)


def test_only_what_was_deleted_before_is_released(world):
    old, _ = world.dataset(files=("a.cif", "b.cif"))
    new, _ = world.dataset(files=("c.cif",))
    delete(world, old, 100.0)
    delete(world, new, 1000.0)
    assert world.read(lambda conn: trash.deleted_before(conn, 1000.0)) == (2, 21)
    assert [purge(world), purge(world)] == [2, 0]
    assert world.read(lambda conn: trash.deleted_before(conn, 1000.0)) == (0, 0)


def test_releasing_goes_in_portions_until_nothing_is_left(world):
    dataset, _ = world.dataset(files=("a.cif", "b.cif", "c.cif"))
    delete(world, dataset)
    released = [world.do(trash.purge, 1000.0, limit=2) for _ in range(3)]
    assert released == [2, 1, 0]


def references(world):
    query = sa.select(file_contents.c.sha256, file_contents.c.refcount).where(file_contents.c.refcount != 0)
    return dict(world.read(lambda conn: [tuple(row) for row in conn.execute(query)]))


def test_bytes_are_referred_to_until_the_last_file_is_released(world):
    one, _ = world.dataset(files=("a.cif",))
    two, _ = world.dataset(files=("a.cif",))
    assert references(world) == {f"{0:064x}": 2}
    delete(world, one)
    assert references(world) == {f"{0:064x}": 2}
    purge(world)
    assert references(world) == {f"{0:064x}": 1}
    delete(world, two)
    purge(world)
    assert references(world) == {}
    assert world.read(contents.faulty_references) == []


def test_the_unified_form_is_released_with_its_file(world):
    dataset, (one,) = world.dataset(files=("a.cif",))
    world.do(datasets.set_unified, one, f"{5:064x}")
    delete(world, dataset)
    purge(world)
    assert references(world) == {}
    assert world.read(contents.faulty_references) == []


def test_a_unified_form_made_twice_at_a_time_is_referred_to_once(world):
    _, (one,) = world.dataset(files=("a.cif",))
    for _ in range(2):
        world.do(datasets.set_unified, one, f"{5:064x}")
    assert references(world)[f"{5:064x}"] == 1
    assert world.read(contents.faulty_references) == []


def test_no_unified_form_is_made_of_a_file_whose_bytes_are_gone(world):
    dataset, (one,) = world.dataset(files=("a.cif",))
    delete(world, dataset)
    purge(world)
    world.do(datasets.set_unified, one, f"{5:064x}")
    assert references(world) == {}


def test_a_file_that_was_released_cannot_be_restored(world):
    dataset, (one,) = world.dataset()
    world.do(trash.delete_file, one, world.person["ada"], 50.0)
    purge(world)
    with pytest.raises(NotFound, match="removed from the trash"):
        world.do(trash.restore_file, one, 60.0)
    assert stored(world, "person", "ada") == 0
    assert names(world, dataset) == []


def test_a_dataset_of_which_nothing_is_left_cannot_be_restored(world):
    dataset, _ = world.dataset(files=("a.cif", "b.cif"))
    delete(world, dataset)
    purge(world)
    with pytest.raises(NotFound, match="removed from the trash"):
        world.do(trash.restore_dataset, dataset, 2000.0)
    assert world.read(lambda conn: datasets.get(conn, dataset, deleted=True)).deleted_at == 100.0


def test_a_dataset_comes_back_with_what_is_left(world):
    dataset, _ = world.dataset(files=("a.cif", "b.cif"))
    delete(world, dataset)
    world.do(trash.purge, 1000.0, limit=1)
    world.do(trash.restore_dataset, dataset, 2000.0)
    assert len(names(world, dataset)) == 1
    assert world.read(contents.faulty_references) == []


def test_an_empty_dataset_can_be_restored(world):
    dataset, _ = world.dataset(files=())
    delete(world, dataset)
    world.do(trash.restore_dataset, dataset, 2000.0)
    assert world.read(lambda conn: datasets.get(conn, dataset)).deleted_at is None


def test_the_list_of_the_trash_has_what_can_be_restored_and_nothing_else(world):
    gone, _ = world.dataset(files=("a.cif",))
    delete(world, gone)
    purge(world)
    back, _ = world.dataset(files=("b.cif",))
    empty, _ = world.dataset(files=())
    lost_one_before, (one, _) = world.dataset(files=("c.cif", "d.cif"))
    world.do(trash.delete_file, one, world.person["ada"], 200.0)
    for dataset in (back, empty, lost_one_before):
        delete(world, dataset, 300.0)
    purge(world, 250.0)
    asked = DatasetFilter(deleted=True)
    found = world.read(lambda conn: lists.datasets_page(conn, None, asked, Page(), 0.0)).ids
    assert sorted(found) == sorted([back, empty, lost_one_before])
