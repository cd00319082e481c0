"""A hundred thousand stored files: what lists, a look by id and a lineage of fifty generations cost a member over REST."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from itertools import pairwise

import httpx
from qcrbox_registry.store.tables import new_id

from benchmarks.registry.hub import Hub
from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry

DEPTH = 50
REPEATS = 200
INDEX = {
    "formula_sum": "C12 H10 N2 O4",
    "space_group_hm": "P 21/c",
    "a": 7.1,
    "b": 12.3,
    "c": 9.8,
    "r1": 0.031,
}


def fill(registry: Registry, count: int) -> None:
    """Datasets of one CIF each, of ada and 49 others, every tenth in ada's group; and a chain of calculations."""
    with sqlite3.connect(registry.data / "qcrbox.sqlite", timeout=60) as connection:
        one = lambda query, *values: connection.execute(query, values).fetchone()[0]  # noqa: E731
        ada, group = (
            one("SELECT id FROM people WHERE name = 'ada'"),
            one("SELECT id FROM groups WHERE name = 'crystals'"),
        )
        people = [ada, *(_person(connection, number) for number in range(49))]
        connection.execute(
            "INSERT INTO file_contents (sha256, size, refcount, created_at) VALUES (?, 1000, ?, 0)",
            ("0" * 64, count),
        )
        ids = [
            (new_id(), new_id(), people[number % 50], group if number % 10 == 0 else None)
            for number in range(count)
        ]
        connection.executemany(
            "INSERT INTO datasets (id, owner_id, group_id, name, created_at, changed_at) VALUES (?, ?, ?, ?, 0, 0)",
            (
                (dataset, owner, home, f"dataset {number}")
                for number, (dataset, _, owner, home) in enumerate(ids)
            ),
        )
        connection.executemany(
            "INSERT INTO data_files (id, dataset_id, owner_id, group_id, filename, filetype, sha256, size, created_at) "
            "VALUES (?, ?, ?, ?, 'model.cif', 'cif', ?, 1000, 0)",
            ((file, dataset, owner, home, "0" * 64) for dataset, file, owner, home in ids),
        )
        text = json.dumps({**INDEX, "more": "x" * 600})
        connection.executemany(
            'INSERT INTO cif_index (data_file_id, indexed_at, formula_sum, r1, "full") VALUES (?, 0, ?, ?, ?)',
            ((file, INDEX["formula_sum"], INDEX["r1"], text) for _, file, _, _ in ids),
        )
        _chain(connection, ada, [file for _, file, owner, _ in ids if owner == ada][: DEPTH + 1])


def _person(connection: sqlite3.Connection, number: int) -> int:
    cursor = connection.execute(
        "INSERT INTO people (name, stable_id, kind, created_at) VALUES (?, 'x', 'person', 0)",
        (f"person{number}",),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _chain(connection: sqlite3.Connection, ada: int, files: list[str]) -> None:
    """Each file made from the one before."""
    application = connection.execute("SELECT id FROM applications WHERE slug = 'chaos'").fetchone()[0]
    command = connection.execute("SELECT id FROM commands WHERE name = 'noop'").fetchone()[0]
    for before, after in pairwise(files):
        calculation = new_id()
        connection.execute(
            "INSERT INTO calculations (id, owner_id, application_id, command_id, application_slug, application_version, "
            "command_name, arguments, correlation_id, state, step, submitted_at, finished_at) "
            "VALUES (?, ?, ?, ?, 'chaos', '1', 'noop', '{}', '', 'successful', 'done', 0, 1)",
            (calculation, ada, application, command),
        )
        connection.execute("INSERT INTO calculation_inputs VALUES (?, 'structure', ?)", (calculation, before))
        connection.execute(
            "INSERT INTO calculation_outputs (calculation_id, position, name, data_file_id) VALUES (?, 0, 'result', ?)",
            (calculation, after),
        )


def _times(client: httpx.Client, path: str, repeats: int = REPEATS, **query: str) -> list[float]:
    """Milliseconds of each answer, without the first ones."""
    found = []
    for number in range(repeats + 5):
        begun = time.perf_counter()
        answer = client.get(path, params=query)
        took = (time.perf_counter() - begun) * 1e3
        answer.raise_for_status()
        if number >= 5:
            found.append(took)
    return found


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def measure(quick: bool) -> list[Row]:
    count = 10_000 if quick else 100_000
    hub = Hub().start()
    registry = Registry(agents=0, hub=hub).start()
    try:
        ada = registry.as_person(hub.token("ada", "crystals"))
        made = ada.post("/api/data-files", files={"file": ("first.cif", b"data_a\n_cell_length_a 1\n")})
        first = made.json()["payload"]["data_files"][0]["qcrbox_file_id"]
        empty = _times(ada, f"/api/data-files/{first}")
        fill(registry, count)
        full = _times(ada, f"/api/data-files/{first}")
        lists = {
            "datasets": _times(ada, "/api/datasets", limit="100"),
            "data files": _times(ada, "/api/data-files", limit="100"),
            "datasets of the group's members by name": _times(
                ada, "/api/datasets", limit="100", q="dataset 1"
            ),
        }
        oldest = _oldest_of_chain(registry)
        lineage = _times(ada, f"/api/lineage/data_file/{oldest}", 50, depth=str(DEPTH))
        nodes = ada.get(f"/api/lineage/data_file/{oldest}", params={"depth": DEPTH}).json()["payload"][
            "nodes"
        ]
        if len(nodes) != 2 * DEPTH + 1:
            raise ValueError(f"the lineage has {len(nodes)} nodes")
    finally:
        registry.close()
        hub.close()
    at = f"at {count:,} stored files"
    rows = [
        Row(f"first page of 100 {name}, p95, {at}", "ms", [_p95(times)], "", [], "", "≤ 100", False)
        for name, times in lists.items()
    ]
    rows.append(Row(f"a data file by id {at}", "ms", full, "in an empty store", empty, "", "≤ 1.2", False))
    rows.append(Row(f"lineage of depth {DEPTH} {at}", "ms", lineage, "", [], "", "≤ 100", False))
    return rows


def _oldest_of_chain(registry: Registry) -> str:
    query = "SELECT data_file_id FROM calculation_inputs WHERE data_file_id NOT IN (SELECT data_file_id FROM calculation_outputs)"
    with sqlite3.connect(f"file:{registry.data / 'qcrbox.sqlite'}?mode=ro", uri=True) as connection:
        return str(connection.execute(query).fetchone()[0])
