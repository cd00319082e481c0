"""A long calculation that loses its agent goes on from its checkpoint, on real parts."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from qcrbox.api.box import Box
from qcrbox.api.calculation import Calculation
from qcrbox.client.http import RegistryClient
from qcrbox.contract.messages import CHECKPOINT
from qcrbox.contract.states import FINAL

from tests.conftest import RunningRegistry
from tests.faults.agents_seen import AsProcesses

pytestmark = pytest.mark.slow


def until(holds: Callable[[], object], seconds: float = 400.0) -> object:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def stored_checkpoints(data: Path) -> set[str]:
    """Ids of the checkpoints that the registry holds at this moment: one of a calculation, the newest."""
    with closing(sqlite3.connect(f"file:{data / 'qcrbox.sqlite'}?mode=ro", uri=True)) as database:
        query = "SELECT id FROM uploads WHERE output_name = ? AND state = 'stored'"
        return {str(row[0]) for row in database.execute(query, (CHECKPOINT,))}


def agent_of(calculation: Calculation) -> str:
    """The agent that works on it; others of the same application may wait for work."""
    calculation.refresh()
    return str(calculation.record["client_private_inbox"]).removeprefix("_INBOX_")


def test_kill_9_of_the_agent_costs_no_round_that_was_done(registry: RunningRegistry) -> None:
    box = Box(RegistryClient(registry.url))
    agents = AsProcesses(registry.data)
    urea = box.examples["urea-simulated"]
    settings = {
        "functional": "hf",
        # Not a small one: a round has to last longer than it takes to store its state and to see that.
        "basis": "def2-tzvp",
        "hydrogens": "isotropic",
        "weighting": "0, 0",
        "tolerance": 0.001,
    }
    of_others = stored_checkpoints(registry.data)
    calculation = box.har.refine_har(urea, **settings)

    def log() -> str:
        return str(calculation.log)

    # The states of two rounds were stored; the third is on its way.
    seen: set[str] = set()

    def two_are_stored() -> bool:
        assert calculation.status not in FINAL, log()
        seen.update(stored_checkpoints(registry.data) - of_others)
        return len(seen) >= 2

    until(two_are_stored)
    agent = agent_of(calculation)
    inside = agents.inside(agent)
    agents.kill(agent, min(inside))
    result = calculation.result(400)
    text = log()
    assert "Continuing after round" in text
    # The log is that of the attempt that came to the end.
    assert "Round 1:" not in text
    assert "Round 2:" not in text
    assert result.R1 < 0.06
    assert result.cif["_qcrbox_har_converged"] == "yes"
    until(lambda: not agents.alive(agent, inside))
    box.close()


# Long enough to be met: many points in the integration, many functions in the field.
SLOW = {
    "functional": "b3lyp",
    "basis": "def2-tzvp",
    "hydrogens": "isotropic",
    "weighting": "0, 0",
    "tolerance": 0.001,
    "grid": 7,
}


@pytest.mark.parametrize("stage", ["wavefunction", "form factors"])
def test_a_refinement_that_is_cancelled_leaves_no_process_and_goes_on_from_its_last_model(
    registry: RunningRegistry, stage: str, record_property: Callable[[str, object], None]
) -> None:
    """In the middle of a field and in the middle of an integration, neither of which looks at anything meanwhile."""
    box = Box(RegistryClient(registry.url))
    agents = AsProcesses(registry.data)
    # A different limit for each stage: a repeated call would continue from the checkpoint of the earlier one.
    rounds = 11 if stage == "wavefunction" else 12
    calculation = box.har.refine_har(box.examples["urea-simulated"], **SLOW, rounds=rounds)

    def is_there() -> bool:
        assert calculation.status not in FINAL, str(calculation.log)
        text = calculation.progress.text
        return stage in text and not text.startswith("Round 1")

    until(is_there)
    agent = agent_of(calculation)
    children = [pid for pid, line in agents.inside(agent).items() if "qcrbox_har.child" in line]
    assert children
    began = time.monotonic()
    calculation.cancel("seen enough")
    until(lambda: calculation.status in FINAL, 30)
    ended_s = time.monotonic() - began
    record_property("seconds to the end", ended_s)
    sys.stdout.write(f"cancelled in {stage}: {ended_s:.2f} s\n")
    assert calculation.status == "cancelled"
    until(lambda: not agents.alive(agent, children), 30)
    calculation.refresh()
    kept = box.datasets[calculation.record["output_dataset_id"]].files
    assert "_atom_site_fract_x" in kept["har.cif"].text
    assert kept["har_checkpoint.zip"].size > 0
    again = calculation.retry()

    def goes_on() -> bool:
        assert again.status not in FINAL, str(again.log)
        return "Continuing after round" in str(again.log)

    until(goes_on)
    again.cancel()
    until(lambda: again.status in FINAL, 30)
    assert "Round 1:" not in str(again.log)
    box.close()
