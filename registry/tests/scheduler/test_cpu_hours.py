"""What the quota of CPU hours counts: running time times declared processors, of this month."""

from __future__ import annotations

import time

import pytest
from qcrbox_registry.store import quotas
from qcrbox_registry.store.tables import applications, usage
from sqlalchemy import insert, update


@pytest.mark.parametrize(("limits", "processors"), [({}, 1), ({"cpus": 4}, 4), ({"cpus": 0.5}, 0.5)])
async def test_running_time_counts_once_for_each_declared_processor(
    site, make_launcher, make_site, limits, processors
):
    def declare(conn):
        conn.execute(update(applications).values(limits=limits))

    await site.db.write(declare)
    await site.scheduler.rules_changed()
    await make_launcher(site, capacity=2)
    (row,) = await site.ended(await site.submit("sleep", arguments={"seconds": 0.4}))
    ran = row.finished_at - row.started_at
    person = site.people["ada"]
    await site.end()
    again = await make_site()
    used = 3600 * await again.db.read(lambda conn: quotas.used(conn, "person", person, "cpu_hours"))
    assert used == pytest.approx(ran * processors, rel=0.3, abs=0.05 * processors)


async def test_what_was_used_last_month_holds_nobody_up(site):
    await site.know("ada")
    person = site.people["ada"]
    this = time.strftime("%Y-%m", time.gmtime())

    def use(conn):
        common = {"subject": "person", "decayed_s": 0.0, "decayed_at": 0.0, "cpu_s": 7200.0}
        conn.execute(insert(usage).values(subject_id=person, month="2001-01", **common))
        conn.execute(insert(usage).values(subject_id=person + 1000, month=this, **common))

    await site.db.write(use)
    found = [
        await site.db.read(lambda c, p=p: quotas.used(c, "person", p, "cpu_hours"))
        for p in (person, person + 1000)
    ]
    assert found == [0.0, 2.0]
