"""What lists filter by."""

from __future__ import annotations

import pytest
from qcrbox.contract.pages import MOST_OF_A_PAGE
from qcrbox_registry.access.reach import reach
from qcrbox_registry.store import lists, sessions, tags, trash
from qcrbox_registry.store.lists import CalculationFilter, Common, DataFileFilter, DatasetFilter
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.sessions import NewSession
from qcrbox_registry.store.tags import Tagged

NOW = 1000.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def site(world):
    """Two datasets of ada, one of bob, three calculations; names by letter."""
    made = {
        "a": world.dataset("ada", files=("thpp.cif",), name="Thymine", description="good crystal")[0],
        "b": world.dataset("ada", files=("data.hkl",), name="100% pure", kind="output")[0],
        "c": world.dataset("bob", files=("thpp.res",), name="Thymine")[0],
    }
    made |= {
        "x": world.start("ada", name="best", subject="thpp", batch_id="b1"),
        "y": world.start("ada", done="IAM refinement"),
        "z": world.start("bob", subject="sucrose"),
    }

    def tag(conn):
        tags.add(conn, Tagged("dataset", made["a"], world.person["ada"], 1.0), ["urgent"])
        tags.add(conn, Tagged("calculation", made["z"], world.person["ada"], 1.0), ["urgent"])

    world.write(tag)
    return made


def letters(site, ids):
    names = {object_id: letter for letter, object_id in site.items()}
    return "".join(sorted(names.get(each, "?") for each in ids))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (DatasetFilter(), "abc"),
        (DatasetFilter(Common(owner="ada")), "ab"),
        (DatasetFilter(Common(owner="nobody")), ""),
        (DatasetFilter(Common(name="Thymine")), "ac"),
        (DatasetFilter(Common(name="thymine")), ""),
        (DatasetFilter(Common(name="")), ""),
        (DatasetFilter(Common(text="thym")), "ac"),
        (DatasetFilter(Common(text="CRYSTAL")), "a"),
        (DatasetFilter(Common(text="%")), "b"),
        (DatasetFilter(Common(text="_")), ""),
        (DatasetFilter(Common(text="")), "abc"),
        (DatasetFilter(Common(tag="urgent")), "a"),
        (DatasetFilter(Common(tag="urg")), ""),
        (DatasetFilter(kind="output"), "b"),
        (DatasetFilter(Common(owner="ada", name="Thymine"), kind="output"), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_datasets(world, site, asked, found):
    listed = world.read(lambda conn: lists.datasets_page(conn, None, asked, Page(), NOW))
    assert letters(site, listed.ids) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (CalculationFilter(), "xyz"),
        (CalculationFilter(Common(owner="bob")), "z"),
        (CalculationFilter(Common(name="best")), "x"),
        (CalculationFilter(Common(text="THPP")), "x"),
        (CalculationFilter(Common(text="iam")), "y"),
        (CalculationFilter(Common(text="noop")), "xyz"),
        (CalculationFilter(Common(text="practice")), "xyz"),
        (CalculationFilter(Common(tag="urgent")), "z"),
        (CalculationFilter(states=["running"]), "x"),
        (CalculationFilter(states=["running", "submitted"]), "xyz"),
        (CalculationFilter(states=["failed"]), ""),
        (CalculationFilter(application="practice"), "xyz"),
        (CalculationFilter(application="other"), ""),
        (CalculationFilter(batch="b1"), "x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_calculations(world, site, asked, found):
    from qcrbox.contract.states import State

    world.run(site["x"])
    world.change(site["x"], State.RUNNING, 1)
    listed = world.read(lambda conn: lists.calculations_page(conn, None, asked, Page(), NOW))
    assert letters(site, listed.ids) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (DataFileFilter(), ["data.hkl", "thpp.cif", "thpp.res"]),
        (DataFileFilter(filetype="cif"), ["thpp.cif"]),
        (DataFileFilter(filetype="pdf"), []),
        (DataFileFilter(Common(text="THPP")), ["thpp.cif", "thpp.res"]),
        (DataFileFilter(Common(name="data.hkl")), ["data.hkl"]),
        (DataFileFilter(Common(owner="bob")), ["thpp.res"]),
        (DataFileFilter(deleted=True), []),
    ],
)
def test_data_files(world, site, asked, found):
    from qcrbox_registry.store import datasets

    ids = world.read(lambda conn: lists.data_files_page(conn, None, asked, Page(), NOW)).ids
    rows = world.read(lambda conn: datasets.files_by_id(conn, ids))
    assert sorted(row.filename for row in rows.values()) == found


def test_deleted_files_are_listed_until_their_bytes_are_gone(world, site):
    world.write(lambda conn: trash.delete_dataset(conn, site["a"], world.person["ada"], 5.0))
    asked = DataFileFilter(deleted=True)
    assert len(world.read(lambda conn: lists.data_files_page(conn, None, asked, Page(), NOW)).ids) == 1
    assert (
        len(world.read(lambda conn: lists.data_files_page(conn, None, DataFileFilter(), Page(), NOW)).ids)
        == 2
    )
    world.write(lambda conn: trash.purge(conn, 6.0))
    assert world.read(lambda conn: lists.data_files_page(conn, None, asked, Page(), NOW)).ids == []


@pytest.mark.parametrize("closed", [False, True])
def test_sessions_are_listed_while_they_are_open_or_all(world, actor, closed):
    ids = [world.start("ada", interactive=True) for _ in range(2)]

    def write(conn):
        for calculation_id in ids:
            sessions.create(conn, NewSession(calculation_id, world.person["ada"], None, "olex2"), 1.0)
        sessions.close(conn, ids[:1], 2.0)

    world.write(write)
    ada, eve = (reach(actor(name), "session") for name in ("ada", "eve"))

    def listed(whom):
        return world.read(lambda conn: lists.sessions_page(conn, whom, Page(), NOW, closed=closed)).ids

    assert sorted(listed(ada)) == sorted(ids if closed else ids[1:])
    assert listed(eve) == []


# ------------------------------------------------------------ pages


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, MOST_OF_A_PAGE])
def test_pages_hold_everything_once_newest_first(world, limit):
    made = [world.dataset("ada", files=())[0] for _ in range(5)]
    seen, after, pages = [], None, 0
    while True:
        page = Page(limit, after)
        listed = world.read(
            lambda conn, page=page: lists.datasets_page(conn, None, DatasetFilter(), page, NOW)
        )
        seen += listed.ids
        pages += 1
        after = listed.next
        if after is None:
            break
    assert seen == made[::-1]
    assert pages == -(-5 // limit)


@pytest.mark.parametrize(
    ("limit", "rows", "kept", "after"),
    [(2, [], [], None), (2, ["c", "b"], ["c", "b"], None), (2, ["c", "b", "a"], ["c", "b"], "b")],
)
def test_a_page_knows_whether_there_is_another(limit, rows, kept, after):
    assert Page(limit).cut(rows, str) == (kept, after)
