"""Files of examples on their way into the store: as they are, changed, or left out where a change does not fit."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from qcrbox_registry.services.examples import Examples
from qcrbox_registry.store.objects import ObjectStore
from qcrbox_registry.store.tables import data_files, datasets

LISTED = """datasets:
  - name: "whole"
    files: [{path: "a.cif"}]
  - name: "silent"
    files: [{path: "a.cif", filename: "b.cif", change: [{find: '(?m)^occupancy .*$', put: 'occupancy 0.5'}]}]
  - name: "gives the answer away"
    files: [{path: "a.cif", change: [{find: 'not in the file', put: ''}]}]
  - name: "no expression"
    files: [{path: "a.cif", change: [{find: '(', put: ''}]}]
  - name: "half a change"
    files: [{path: "a.cif", change: [{find: 'data_a'}]}]
  - "no mapping"
"""


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


async def test_an_example_whose_change_does_not_fit_is_left_out_and_keeps_no_other(world, bus, tmp_path):
    (tmp_path / "examples.yaml").write_text(LISTED)
    (tmp_path / "a.cif").write_text("data_a\noccupancy 0.12\n")
    objects = ObjectStore(bus)
    await objects.start()
    examples = Examples(tmp_path)
    examples.announce(world.application_id, tmp_path)
    await examples.store(world.database, objects)
    assert not examples.waiting
    query = sa.select(datasets.c.name).where(datasets.c.kind == "example").order_by(datasets.c.name)
    assert await world.database.read(lambda conn: list(conn.execute(query).scalars())) == ["silent", "whole"]
    hashes = sa.select(data_files.c.sha256).where(data_files.c.filename == "b.cif")
    (stored,) = await world.database.read(lambda conn: list(conn.execute(hashes).scalars()))
    assert stored == hashlib.sha256(b"data_a\noccupancy 0.5\n").hexdigest()
