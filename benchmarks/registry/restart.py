"""How long the registry takes to serve again with many calculations open."""

from __future__ import annotations

import sqlite3
import time

from qcrbox_registry.store.tables import new_id

from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry


def fill(registry: Registry, count: int) -> None:
    """Write waiting calculations as the registry would, straight into its stopped database."""
    with sqlite3.connect(registry.data / "qcrbox.sqlite", timeout=60) as connection:
        application = connection.execute("SELECT id FROM applications WHERE slug = 'chaos'").fetchone()[0]
        command = connection.execute("SELECT id FROM commands WHERE name = 'noop'").fetchone()[0]
        people = []
        for number in range(50):
            connection.execute(
                "INSERT OR IGNORE INTO people (name, stable_id, kind, created_at) VALUES (?, 'x', 'person', 0)",
                (f"person{number}",),
            )
            people.append(
                connection.execute("SELECT id FROM people WHERE name = ?", (f"person{number}",)).fetchone()[0]
            )
        connection.execute(
            "INSERT OR REPLACE INTO holds (kind, object_id, mode, reason, at) VALUES ('application', ?, 'hold', 'bench', 0)",
            (str(application),),
        )
        connection.executemany(
            "INSERT INTO calculations (id, owner_id, application_id, command_id, application_slug, application_version, "
            "command_name, arguments, correlation_id, state, step, submitted_at) "
            "VALUES (?, ?, ?, ?, 'chaos', '1', 'noop', '{}', '', 'submitted', 'queued', ?)",
            (
                (new_id(), people[number % 50], application, command, time.time() - 86400 + number * 1e-3)
                for number in range(count)
            ),
        )


def measure(quick: bool) -> list[Row]:
    rows = []
    for count, goal in ((10_000, "≤ 2"), (100_000 if quick else 1_000_000, "≤ 10")):
        registry = Registry(agents=0).start()
        times = []
        try:
            registry.registry.kill()
            registry.registry.wait()
            empty = [_restart(registry) for _ in range(3)]
            registry.registry.kill()
            registry.registry.wait()
            fill(registry, count)
            for _ in range(3 if quick else 5):
                times.append(_restart(registry))
        finally:
            registry.close()
        name = f"restart after kill -9 with {count:,} waiting"
        rows.append(Row(name, "s", times, "an empty registry", empty, "B", goal, False))
    return rows


def _restart(registry: Registry) -> float:
    if registry.registry.poll() is None:
        registry.registry.kill()
        registry.registry.wait()
    return registry.start_registry()
