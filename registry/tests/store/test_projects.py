"""The rows that projects are made of."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import node_notes, projects
from qcrbox_registry.store.node_notes import Annotated
from qcrbox_registry.store.projects import FileRow
from qcrbox_registry.store.tables import calculations, cif_index, datasets


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def read(world, visible_datasets=None, visible_calculations=None, **more):
    everything = sa.true()
    conditions = [everything if each is None else each for each in (visible_datasets, visible_calculations)]
    return world.read(lambda conn: projects.read(conn, *conditions, **more))


def given(*file_ids):
    return {f"file{n}": {"data_file_id": file_id} for n, file_id in enumerate(file_ids)} | {"cycles": 5}


@pytest.mark.parametrize(
    ("filename", "index", "is_structure"),
    [
        ("a.CIF", None, True),
        ("a.hkl", None, False),
        ("a.cif", {"kind": "structure"}, True),
        ("a.cif", {"kind": "reflections"}, False),
        ("a.cif", {}, False),
        ("odd.txt", {"kind": "structure"}, True),
    ],
)
def test_a_cif_counts_as_a_structure_until_it_is_indexed(filename, index, is_structure):
    assert FileRow("1", filename, None, index).is_structure is is_structure


def test_a_calculation_knows_its_inputs_in_order_and_their_datasets(world):
    azu, (cif, hkl) = world.dataset(files=("a.cif", "a.hkl"))
    made = world.start(arguments=given(hkl, cif))
    rows = read(world)
    assert list(rows.calculations[made].inputs) == [hkl, cif]
    assert rows.dataset_of[cif] == rows.dataset_of[hkl] == azu
    assert [file.filename for file in rows.datasets[azu].files] == ["a.cif", "a.hkl"]
    assert (rows.datasets[azu].owner, rows.datasets[azu].name) == ("ada", "a.cif")
    assert not rows.truncated


def test_a_dataset_that_was_used_is_there_though_it_is_hidden_or_deleted(world):
    hidden, (of_hidden,) = world.dataset(owner="bob")
    unused, _ = world.dataset(owner="bob")
    gone, (of_gone,) = world.dataset()
    world.write(
        lambda conn: conn.execute(sa.update(datasets).where(datasets.c.id == gone).values(deleted_at=1.0))
    )
    world.start(arguments=given(of_hidden, of_gone))
    rows = read(world, datasets.c.owner_id == world.person["ada"])
    assert (rows.datasets[hidden].visible, rows.datasets[hidden].deleted) == (False, False)
    assert (rows.datasets[gone].visible, rows.datasets[gone].deleted) == (True, True)
    assert unused not in rows.datasets


def test_calculations_that_may_not_be_seen_are_not_there(world):
    mine, theirs = world.start(), world.start("bob")
    rows = read(world, None, calculations.c.owner_id == world.person["ada"])
    assert set(rows.calculations) == {mine}
    assert theirs not in rows.calculations


def test_notes_and_pins_are_with_their_nodes(world):
    azu, _ = world.dataset()
    made = world.start()
    for kind, object_id in (("dataset", azu), ("calculation", made)):
        subject = Annotated(kind, object_id, world.person["ada"], 1.0)
        world.write(lambda conn, s=subject: node_notes.change(conn, s, {"note": s.kind, "pinned": True}))
    rows = read(world)
    assert (rows.datasets[azu].annotation.note, rows.datasets[azu].annotation.pinned) == ("dataset", True)
    assert rows.calculations[made].annotation.note == "calculation"


def test_an_outline_is_completed_to_what_was_read_at_once(world):
    azu, (cif,) = world.dataset(files=("a.cif",))
    index = {"kind": "structure", "r1": 0.04}
    row = {"data_file_id": cif, "full": index, "indexed_at": 1.0}
    world.write(lambda conn: conn.execute(sa.insert(cif_index).values(**row)))
    made = world.start(arguments=given(cif))
    whole, outline = read(world), read(world, whole=False)
    assert outline.calculations[made].command == ""
    assert outline.datasets[azu].files[0].index == {"kind": "structure"}
    assert outline.datasets[azu].files[0].is_structure
    world.read(lambda conn: projects.complete(conn, outline, [azu, made, "of another person"]))
    assert outline.calculations == whole.calculations
    assert outline.datasets == whole.datasets


def test_of_very_many_calculations_the_oldest_are_left_out_and_it_is_said(world, monkeypatch):
    ids = [world.start() for _ in range(4)]
    monkeypatch.setattr(projects, "MOST_CALCULATIONS", 3)
    rows = read(world)
    assert rows.truncated
    assert set(rows.calculations) == set(sorted(ids)[1:])


def test_deleted_files_are_no_files_of_a_dataset(world):
    azu, (cif, hkl) = world.dataset(files=("a.cif", "a.hkl"))
    world.write(
        lambda conn: conn.execute(
            sa.update(projects.data_files).where(projects.data_files.c.id == hkl).values(deleted_at=1.0)
        )
    )
    assert [file.id for file in read(world).datasets[azu].files] == [cif]
