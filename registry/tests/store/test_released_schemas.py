"""A database of every released schema, with data in it, becomes one of the present schema without a loss."""

from __future__ import annotations

import sqlite3
import time
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from qcrbox.contract import ids
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import views
from qcrbox_registry.store import (
    audit,
    calculations,
    contents,
    datasets,
    events,
    lineage,
    people,
    schema,
    search,
    trash,
)
from qcrbox_registry.store import shares as shares_store
from qcrbox_registry.store import tags as tags_store
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.tables import (
    calculation_outputs,
    data_files,
    metadata,
    shares,
    tags,
)
from qcrbox_registry.store.tables import calculations as calculations_table
from qcrbox_registry.store.tables import (
    datasets as datasets_table,
)
from qcrbox_registry.store.visibility import condition

RELEASED = Path(__file__).with_name("released")
REVISIONS = sorted(path.name.partition(".")[0] for path in RELEASED.glob("*.sqlite.sql"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def kind(request):
    return request.param


@pytest.fixture(params=REVISIONS)
def released(request, kind, tmp_path):
    """(database of a released schema, as it was, its revision)."""
    text = (RELEASED / f"{request.param}.{kind}.sql").read_text()
    if kind == "sqlite":
        path = tmp_path / "old.sqlite"
        with sqlite3.connect(path) as direct:
            direct.executescript(text)
        database = Database(f"sqlite:///{path}")
        yield database, request.param
        database.close()
        return
    server = request.getfixturevalue("postgres_url")
    name = f"old_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(
        server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name}")
        url = f"{server.rpartition('/')[0]}/{name}"
        import psycopg

        with psycopg.connect(url, autocommit=True) as direct:
            direct.execute(text)
        database = Database(url)
        yield database, request.param
        database.close()
        conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


def rows(database):
    """Every row of every table that is there, by the columns of the old schema."""

    def read(conn):
        there = sa.MetaData()
        there.reflect(conn)
        return {
            table.name: {tuple(table.c.keys()): sorted(map(repr, conn.execute(sa.select(table)).all()))}
            for table in there.sorted_tables
            if table.name != "alembic_version"
        }

    return database.read_sync(read)


def test_there_is_a_dump_of_every_released_schema():
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(schema._config()).walk_revisions()}
    # Revisions after the newest one that was released have not left this repository.
    newest_released = max(REVISIONS)
    assert {revision for revision in known if revision <= newest_released} == set(REVISIONS)
    assert max(known) == schema.NEWEST


@pytest.mark.slow
def test_an_old_database_becomes_exactly_the_present_schema(released):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database, revision = released
    assert schema.migrate(database) == (revision, schema.NEWEST)
    found = database.write_sync(lambda conn: compare_metadata(MigrationContext.configure(conn), metadata))
    assert found == []
    assert schema.integrity_faults(database, thorough=True) == []
    assert database.read_sync(contents.faulty_references) == []


@pytest.mark.slow
def test_no_row_is_lost_or_changed(released):
    database, _ = released
    before = rows(database)
    assert sum(len(found) for table in before.values() for found in table.values()) > 50
    schema.migrate(database)

    def old_columns(conn):
        there = sa.MetaData()
        there.reflect(conn)
        return {
            name: {
                columns: sorted(
                    map(repr, conn.execute(sa.select(*(there.tables[name].c[c] for c in columns))).all())
                )
                for columns in tables
            }
            for name, tables in before.items()
        }

    assert database.read_sync(old_columns) == before
    assert database.read_sync(audit.broken_links) == []


def everything(conn):
    ids = conn.execute(sa.select(calculations_table.c.id).order_by(calculations_table.c.id.desc())).scalars()
    return calculations.by_ids(conn, list(ids))


def test_an_old_site_goes_on_working(released):
    database, _ = released
    schema.migrate(database)

    def look(conn):
        ada = people.find_person(conn, "ada")
        actor = Actor(ada, "ada")
        states = {row.command_name: row.state for row in everything(conn)}
        (quartz,) = conn.execute(
            sa.select(datasets_table.c.id).where(datasets_table.c.name == "quartz")
        ).scalars()
        found = conn.execute(
            sa.select(datasets_table.c.id).where(
                *search.conditions(search.Wanted(formula="SiO2", name="quartz"))
            )
        ).scalars()
        (output,) = conn.execute(sa.select(calculation_outputs.c.data_file_id).limit(1)).scalars()
        now = time.time()
        visible = lineage.Visible(
            condition(reach(actor, "data_file"), now), condition(reach(actor, "calculation"), now)
        )
        graph = lineage.of(conn, [output], lineage.Walk(5), visible)
        assert conn.execute(sa.select(tags.c.tag).where(tags.c.object_id == quartz)).scalar() == "good"
        assert conn.execute(sa.select(shares.c.object_id)).scalar() == ids.bare(quartz)
        return quartz, list(found), states, [node["kind"] for node in graph.nodes]

    quartz, found, states, nodes = database.read_sync(look)
    assert found == [quartz]
    assert (states["read"], states["fail"]) == ("successful", "failed")
    assert nodes == ["data_file", "calculation", "data_file"]

    def act(conn):
        (gone,) = conn.execute(
            sa.select(datasets_table.c.id).where(datasets_table.c.deleted_at.isnot(None))
        ).scalars()
        trash.restore_dataset(conn, gone, 1e10)
        old = everything(conn)[0]
        new = calculations.NewCalculation(
            owner_id=old.owner_id, application_id=old.application_id, command_id=old.command_id,
            application_slug=old.application_slug, application_version=old.application_version,
            command_name=old.command_name, arguments={},
        )  # fmt: skip
        calculations.create(conn, new)
        return gone, new.id

    gone, new = database.write_sync(act)
    assert [row.filename for row in database.read_sync(lambda c: datasets.files_of(c, [gone]))[gone]] == [
        "gone.cif"
    ]
    assert database.read_sync(lambda conn: calculations.get(conn, new).state) == "submitted"
    assert (
        database.read_sync(
            lambda conn: conn.execute(sa.select(sa.func.count()).select_from(data_files)).scalar()
        )
        >= 4
    )


def test_ids_given_out_without_a_prefix_mean_the_same_objects_for_ever(released):
    database, _ = released
    schema.migrate(database)

    def look(conn):
        quartz = conn.execute(sa.select(datasets_table).where(datasets_table.c.name == "quartz")).one().id
        digits = quartz.removeprefix(ids.DATASET)
        stored = conn.exec_driver_sql("SELECT id FROM datasets WHERE name = 'quartz'").scalar()
        assert (stored, quartz) == (digits, ids.DATASET + digits)  # nothing was rewritten
        assert [datasets.get(conn, given).id for given in (quartz, digits)] == [quartz, quartz]
        file = datasets.files_of(conn, [quartz])[quartz][0]
        assert (file.id[: len(ids.DATA_FILE)], file.dataset_id) == (ids.DATA_FILE, quartz)
        assert datasets.get_file(conn, ids.bare(file.id)).id == file.id
        return quartz, digits, file.id

    quartz, digits, file = database.read_sync(look)

    def what_points_to_them(conn):
        assert tags_store.of(conn, "dataset", [quartz])[quartz] == ["good"]
        assert len(shares_store.held(conn, [quartz], 0.0)[quartz]) == 1
        assert {event.object_id for event in events.of_objects(conn, [quartz])[quartz]} == {quartz}
        trail = [
            [row.seq for row in audit.page(conn, audit.Search(object_id=given))] for given in (quartz, digits)
        ]
        assert trail[0] == trail[1] != []
        read = next(row for row in everything(conn) if row.command_name == "read")
        (shown,) = views.calculation_list(conn, [read])
        assert shown["command_arguments"]["structure"] == {"data_file_id": file}
        assert shown["output_dataset_id"].startswith(ids.DATASET)
        assert shown["status_events"][-1]["output_dataset_id"] == shown["output_dataset_id"]

    database.read_sync(what_points_to_them)
