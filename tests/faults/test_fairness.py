"""The judge of fair share lets a fair scheduler pass, whatever the clocks do, and catches unfair ones."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from qcrbox_registry.messaging.server import ServerPlan, start
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.testing.site import DummySite

from tests.faults.fairness import judge
from tests.faults.witness import Witness

SETTINGS = SchedulerSettings(tick_s=0.05, launcher_list_s=0.5)


class JumpingClock(Clock):
    """Jumps at each look at the wall: by a day back, by a day forth; or once stands still for ten minutes."""

    def __init__(self, *, jumps: bool = False) -> None:
        self.jumps, self.looks, self.stood_s = jumps, 0, 0.0

    def time(self) -> float:
        self.looks += 1
        return super().time() + (86400.0 * (-1) ** self.looks if self.jumps else 0.0)

    def monotonic(self) -> float:
        return super().monotonic() + self.stood_s


@pytest.fixture
def nats_server(tmp_path):
    server = start(ServerPlan(data=tmp_path / "platform", power_loss_safe=False))
    yield server
    server.stop()


@pytest.fixture
def turns(nats_server, tmp_path):
    """Three people want the same agents: one has much and came first. What the judge says of their turns."""

    async def run(spoil=None, clock=None):
        path = tmp_path / "turns"
        options = {"reuse": "any", "settings": SETTINGS, "clock": clock}
        async with DummySite(nats_server.plan.data, nats_server.url, **options) as site:
            Witness(path).watch(site.scheduler.dispatcher)
            if spoil is not None:
                spoil(site)
            launcher = site.launcher(capacity=2)
            await launcher.start()
            ids = await site.submit("sleep", 16, owner="ada", arguments={"seconds": 0.05})
            await site.until(lambda: site.scheduler.state.counters.finished >= 2)
            ids += await site.submit("sleep", 8, owner="bob", arguments={"seconds": 0.01})
            ids += await site.submit("sleep", 8, owner="cyd", arguments={"seconds": 0.03})
            if clock is not None and not clock.jumps:
                clock.stood_s = 600.0
            await site.ended(ids)
            await launcher.close()
        verdict = judge(path.read_text().splitlines())
        assert set(ids) == verdict.turns
        assert verdict.contested > 10
        return verdict

    return run


async def test_the_scheduler_is_fair(turns):
    assert (await turns()).faults == []


@pytest.mark.parametrize("jumps", [True, False], ids=["clock that jumps", "stall"])
async def test_no_clock_and_no_stall_makes_a_fair_scheduler_unfair(turns, jumps):
    assert (await turns(clock=JumpingClock(jumps=jumps))).faults == []


def first_come_first_served(site):
    site.scheduler.state.share.score = lambda owner, group: 0.0


def the_same_first_always(site):
    site.scheduler.state.share.score = lambda owner, group: float(owner != site.people["ada"])


def who_used_most_first(site):
    share = site.scheduler.state.share
    fair = share.score
    share.score = lambda owner, group: -fair(owner, group)


def by_number_instead_of_time(site):
    """Long calculations count as much as short ones."""
    fleet = site.scheduler.state.fleet
    given: Counter[int] = Counter()
    begin = fleet.begin

    def counted(agent, active):
        given[active.owner_id] += 1
        begin(agent, active)

    fleet.begin = counted
    site.scheduler.state.share.score = lambda owner, group: given[owner]


@pytest.mark.parametrize(
    "spoil", [first_come_first_served, the_same_first_always, who_used_most_first, by_number_instead_of_time]
)
async def test_an_unfair_scheduler_is_caught(turns, spoil):
    assert (await turns(spoil)).faults != []


def lines(*said):
    return [json.dumps({"at": 0.0, **one}) for one in said]


LIFE = {"life": 1, "half_life_s": 100.0}


def test_who_waits_with_less_use_is_named():
    said = lines(
        LIFE,
        {"known": 1, "use": 0.0},
        {"charge": 1, "slot_s": 3.0},
        {"known": 2, "use": 2.0},
        {"turn": 1, "calculation": "c", "waiting": [1, 2]},
    )
    (fault,) = judge(said).faults
    assert fault.startswith("calculation c of person 1, who had used 3.000 s")
    assert "person 2, who had used 2.000 s, waited" in fault


def test_old_use_counts_less_for_everybody_alike():
    said = lines(
        LIFE,
        {"known": 1, "use": 3.0},
        {"known": 2, "use": 0.0},
        {"charge": 2, "slot_s": 2.0, "at": 100.0},
        {"turn": 1, "calculation": "c", "waiting": [2], "at": 100.0},
    )
    assert judge(said).faults == []


def test_a_registry_that_was_killed_is_judged_by_what_it_still_knows():
    said = lines(
        LIFE,
        {"known": 1, "use": 0.0},
        {"charge": 1, "slot_s": 9.0},
        {"life": 2, "half_life_s": 100.0},
        {"known": 1, "use": 1.0},
        {"known": 2, "use": 1.0},
        {"turn": 1, "calculation": "c", "waiting": [1, 2]},
    )
    assert judge(said).faults == []


def test_who_is_alone_is_never_served_unfairly():
    said = lines(LIFE, {"known": 1, "use": 50.0}, {"turn": 1, "calculation": "c", "waiting": [1]})
    verdict = judge(said)
    assert (verdict.faults, verdict.contested) == ([], 0)
