"""The first page of the projects of somebody with thousands of datasets and calculations, in a store without a network."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services.projects import ProjectService
from qcrbox_registry.store import contents, people, schema
from qcrbox_registry.store.engine import Connection, Database
from qcrbox_registry.store.tables import (
    applications,
    calculations,
    cif_index,
    commands,
    data_files,
    datasets,
    new_id,
)

from benchmarks.registry.rows import Row

STEPS = 9  # calculations of each project
INDEX = {
    "kind": "structure",
    "formula_sum": "C12 H10 N2 O4",
    "space_group_hm": "P 21/c",
    "r1": 0.031,
    "more": "x" * 800,
}


def fill(conn: Connection, count: int) -> int:
    """The person who owns `count` projects: a CIF with reflections, and a chain of refinements, each made from the last."""
    owner = people.ensure_person(conn, "ada", "ada", 0.0)
    contents.add(conn, "0" * 64, 1000, 0.0)
    application = conn.execute(
        sa.insert(applications).values(
            slug="refine",
            version="1",
            name="refine",
            spec={},
            spec_hash="",
            registered_at=0.0,
            updated_at=0.0,
        )
    ).inserted_primary_key[0]
    command = conn.execute(
        sa.insert(commands).values(
            application_id=application, name="refine_iam", implemented_as="python_callable", parameters={}
        )
    ).inserted_primary_key[0]
    rows: dict[Any, list[dict[str, Any]]] = {datasets: [], data_files: [], cif_index: [], calculations: []}

    def dataset(kind: str, at: float, *names: str) -> tuple[str, list[str]]:
        made, files = new_id(), []
        rows[datasets].append(
            {
                "id": made,
                "owner_id": owner,
                "name": names[0],
                "kind": kind,
                "created_at": at,
                "changed_at": at,
            }
        )
        for name in names:
            files.append(new_id())
            rows[data_files].append(
                {"id": files[-1], "dataset_id": made, "owner_id": owner, "filename": name, "filetype": "cif",
                 "sha256": "0" * 64, "size": 1000, "created_at": at}
            )  # fmt: skip
            if name.endswith(".cif"):
                rows[cif_index].append({"data_file_id": files[-1], "indexed_at": at, "full": INDEX})
        return made, files

    for number in range(count):
        _, (model, hkl) = dataset("data", float(number), f"crystal{number}.cif", f"crystal{number}.hkl")
        for step in range(STEPS):
            at = number + step / 10
            made, (result, _, _) = dataset("output", at, "refined.cif", "refined.res", "peaks.json")
            rows[calculations].append(
                {"id": new_id(), "owner_id": owner, "application_id": application, "command_id": command,
                 "application_slug": "refine", "application_version": "1", "command_name": "refine_iam",
                 "arguments": {"structure": {"data_file_id": model}, "reflections": {"data_file_id": hkl}},
                 "correlation_id": "", "state": "successful", "step": "done", "submitted_at": at, "finished_at": at,
                 "output_dataset_id": made, "subject": f"crystal{number}", "done": "refinement", "verdict": "R1 0.0310"}
            )  # fmt: skip
            model = result
    for table, made in rows.items():
        conn.execute(sa.insert(table), made)
    return owner


def measure(quick: bool) -> list[Row]:
    count = 100 if quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'registry.sqlite'}")
        try:
            schema.migrate(database)
            owner = database.write_sync(lambda conn: fill(conn, count))
            service = ProjectService(SimpleNamespace(db=database))  # type: ignore[arg-type]
            return [
                Row(
                    f"{what} of {count:,} projects with {STEPS} calculations each",
                    "ms",
                    found,
                    "",
                    [],
                    "",
                    goal,
                    False,
                )
                for what, goal, found in (
                    ("first page", "≤ 500", _times(service, Actor(owner, "ada"), "")),
                    ("search", "", _times(service, Actor(owner, "ada"), "crystal17")),
                )
            ]
        finally:
            database.close()


def _times(service: ProjectService, actor: Actor, text: str) -> list[float]:
    found = []
    for _ in range(6):
        begun = time.perf_counter()
        page = asyncio.run(service.page(actor, text, "", limit=50, mine=False))
        json.dumps(page)
        found.append((time.perf_counter() - begun) * 1e3)
        if not page["projects"]:
            raise ValueError("no project was found")
    return found[1:]
