"""Time and memory before a run: what they depend on, and when a run is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_har import estimate, experience
from qcrbox_har.estimate import Cost
from qcrbox_har.method import Method, MoleculeInput

SIZE = {"basis": 100, "auxiliary": 500, "occupied": 20, "scf_points": 50_000, "points": 100_000}
MOLECULE = MoleculeInput(["C"] * 10, np.zeros((10, 3)))


class Machine:
    """Stands for the wavefunction process: a speed, other programs' demand and sizes as given."""

    def __init__(self, flops: float = 1e10, slowness: float = 1.0, **size: int) -> None:
        self.answers = {"speed": flops, "slowness": slowness, "size": SIZE | size}

    def call(self, function: str, *_: object):
        return self.answers[function.rpartition(":")[2]]


def cost(machine: Machine, molecules: int = 1, functional: str = "b3lyp", **keywords) -> Cost:
    state = SimpleNamespace(method=Method(functional, "def2-SVP"))
    options = {"crystal_field": False, "reflections": 5000} | keywords
    return estimate.estimate(state, [MOLECULE] * molecules, machine, **options)


def test_a_slower_machine_takes_longer():
    fast, slow = cost(Machine(2e10)), cost(Machine(1e10))
    assert slow.seconds > fast.seconds
    assert slow.memory_bytes == fast.memory_bytes


def test_start_up_and_transforms_take_longer_on_a_busy_machine():
    """Without matrix products to speak of, three times as slow is three times as long."""
    free, busy = cost(Machine(1e20)), cost(Machine(1e20, slowness=3.0))
    assert busy.seconds == pytest.approx(3 * free.seconds, rel=1e-3)
    assert free.seconds > estimate._START_S


def test_twice_the_basis_functions_is_about_eight_times_the_exchange():
    small = cost(Machine(1e8))
    large = cost(Machine(1e8, basis=200, auxiliary=1000, occupied=40))
    assert 5 < large.seconds / small.seconds < 17
    assert large.memory_bytes > small.memory_bytes
    assert large.basis_functions == 200


def test_each_molecule_costs_its_time_but_memory_is_that_of_the_largest():
    one, three = cost(Machine(1e8)), cost(Machine(1e8), molecules=3)
    assert (three.seconds - estimate._START_S) == pytest.approx(3 * (one.seconds - estimate._START_S))
    assert three.memory_bytes == one.memory_bytes


def test_a_crystal_field_and_exact_exchange_cost_more():
    plain = cost(Machine(1e8)).seconds
    assert cost(Machine(1e8), crystal_field=True).seconds > plain
    assert cost(Machine(1e8), functional="pbe").seconds < plain
    assert cost(Machine(1e8), functional="hf").seconds < plain  # no exchange-correlation grid


def test_earlier_runs_of_this_machine_move_the_estimate_towards_what_they_took():
    before = cost(Machine(1e9))
    for _ in range(9):
        experience.add(before.kind, before.seconds, 3 * before.seconds)
    after = cost(Machine(1e9))
    assert after.runs == 9
    assert after.seconds == pytest.approx(3 * before.seconds, rel=0.1)
    assert after.model_seconds == before.seconds
    assert "the time from 9 earlier runs on this machine" in str(after)


def test_one_earlier_run_counts_for_less_than_many():
    before = cost(Machine(1e9)).seconds
    experience.add("B3LYP/def2-SVP", 10, 40)
    assert 1.5 * before < cost(Machine(1e9)).seconds < 3.5 * before


def test_runs_of_the_same_level_count_before_those_of_others():
    experience.add("B3LYP/def2-SVP", 10, 10)
    for _ in range(9):
        experience.add("HF/sto-3g", 10, 50)
    assert experience.factor("B3LYP/def2-SVP") == (1.0, 1)
    assert experience.factor("PBE/def2-SVP")[0] > 3


@pytest.mark.parametrize(
    "runs", [(10, 1e6), (10, 0.01), (0, 5), (10, 0)], ids=["long", "short", "no estimate", "no time"]
)
def test_runs_that_say_nothing_are_not_kept(runs):
    experience.add("any", *runs)
    assert experience.factor("any") == (1.0, 0)


@pytest.mark.parametrize("text", ["", "[", '{"a": 1}', '[["any"]]', '[["any", "x"]]', '[["any", 1e9]]'])
def test_a_damaged_file_of_runs_is_no_hindrance(text):
    experience.path().parent.mkdir(parents=True)
    experience.path().write_text(text)
    assert experience.factor("any") == (1.0, 0)
    experience.add("any", 10, 20)
    assert experience.factor("any")[1] == 1


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    experience.add("any", 10, 20)
    assert experience.factor("any") == (1.0, 0)


def test_only_the_newest_runs_are_kept():
    for took in range(1, 40):
        experience.add("any", 10, 10 + took)
    assert experience.factor("any")[1] == 20


def test_fitted_integrals_beyond_what_stays_in_memory_do_not_count():
    """PySCF keeps them on disk then."""
    huge = cost(Machine(basis=3000, auxiliary=12_000))
    assert huge.memory_bytes < 3000**2 * 12_000 * 4


def given(seconds: float = 100.0, memory: int = 10**9, limit: int = 8 * 10**9) -> Cost:
    return Cost(seconds, memory, 300, limit)


def test_what_fits_is_not_refused():
    estimate.refuse_beyond(given(), 24)


def test_too_much_memory_is_refused_with_both_figures():
    with pytest.raises(UserInputError, match=r"about 9\.0 GB of memory, and there are 8\.0 GB") as error:
        estimate.refuse_beyond(given(memory=9 * 10**9), 24)
    assert "300 basis functions" in error.value.why
    assert "smaller basis" in error.value.next


def test_memory_of_the_coarse_grid_is_bounded_by_what_is_kept_and_by_a_block():
    """A grid of ten times the points has no more of them in memory at once."""
    size = {"basis": 500, "scf_points": 500_000}
    assert (
        cost(Machine(**size | {"scf_points": 5_000_000})).memory_bytes == cost(Machine(**size)).memory_bytes
    )
    small = {"basis": 100, "scf_points": 50_000}
    assert cost(Machine(**small)).memory_bytes > cost(Machine(**small | {"scf_points": 25_000})).memory_bytes


def test_too_much_time_is_refused_and_the_limit_that_would_do_is_named():
    with pytest.raises(UserInputError, match=r"about 10\.0 h, more than the 2 h allowed") as error:
        estimate.refuse_beyond(given(seconds=36_000), 2)
    assert "most_hours=20" in error.value.next
    assert error.value.where == "most_hours"


@pytest.mark.parametrize(("seconds", "text"), [(42, "42 s"), (600, "10 min"), (7200, "2.0 h")])
def test_times_are_said_in_a_fitting_unit(seconds, text):
    assert str(given(seconds=seconds)).startswith(f"about {text} and 1.0 GB")


def test_the_limit_of_memory_is_never_more_than_the_machine_has():
    with open("/proc/meminfo") as file:
        total = int(file.readline().split()[1]) * 1024
    assert 0 < estimate.memory_limit() <= total * 1.01


def test_the_limit_of_memory_is_that_of_the_process_where_it_has_one():
    """The launcher limits agents without containers so."""
    limit = 1_500_000_000
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_DATA, ({limit}, {limit}));"
        "from qcrbox_har import estimate; print(estimate.memory_limit())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert int(done.stdout) == limit


@pytest.mark.parametrize(
    ("groups", "files", "limits"),
    [
        ("0::/a.slice/b.scope\n", {"a.slice/memory.max": "5000", "a.slice/b.scope/memory.max": "7000"}, [7000, 5000]),
        ("0::/\n", {"memory.max": "max"}, []),
        ("0::/\n", {"memory.max": "4000"}, [4000]),
        ("3:cpu,memory:/x\n2:pids:/y\n", {"memory/x/memory.limit_in_bytes": "3000"}, [3000]),
        ("3:memory:/docker/0a1b\n", {"memory/memory.limit_in_bytes": "2000", "memory.max": "1"}, [2000]),
        ("3:memory:/x\n", {"memory/x/memory.limit_in_bytes": str(0x7FFFFFFFFFFFF000)}, []),
        ("", {}, []),
    ],
    ids=["nested", "unlimited", "container", "version 1", "version 1 in a container", "version 1 unlimited", "none"],
)  # fmt: skip
def test_limits_of_control_groups_are_found_where_the_process_is(tmp_path, groups, files, limits):
    (tmp_path / "cgroup").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert estimate.group_limits(tmp_path / "cgroup", tmp_path / "sys") == limits


# Operations a second, on both processors, of the machine that the rows below were computed on.
_FLOPS = 27e9
# Highest load average of a quiet machine; a refinement alone causes up to 2.
_QUIET = 3.0


def stored() -> list[dict[str, Any]]:
    """Rows of docs/validation.md that have the sizes of their molecules beside the time they took."""
    file = Path(__file__).parents[3] / "tools" / "validation" / "aspherical.json"
    return [row for row in json.loads(file.read_text("utf-8")).values() if row.get("sizes")]


def quiet() -> list[dict[str, Any]]:
    """The rows computed on a quiet machine; wall-clock times of the others are not comparable."""
    return [row for row in stored() if row["load"] < _QUIET]


def name(row: dict[str, Any]) -> str:
    return f"{row['data set']}, {row['level']}"


def estimated(row: dict[str, Any]) -> estimate.Cost:
    """The estimate for the molecules of a row, without learning from earlier ones."""
    functional = "hf" if row["method"].startswith("HF") else "b3lyp"
    state = SimpleNamespace(method=Method(functional, row["method"].partition("/")[2]))
    machine = Machine(_FLOPS)
    sizes = iter(row["sizes"])
    machine.call = lambda function, *_: (
        next(sizes) if function.endswith("size") else machine.answers[function.rpartition(":")[2]]
    )
    molecules = [MoleculeInput(["C"] * row["atoms"], np.zeros((row["atoms"], 3)))] * len(row["sizes"])
    return estimate.estimate(
        state, molecules, machine, crystal_field="charges" in row["level"], reflections=row["hkl"]
    )


@pytest.mark.parametrize("row", quiet(), ids=name)
def test_estimates_are_within_a_factor_of_two_of_what_refinements_took(row):
    assert 0.5 < estimated(row).seconds / row["seconds"] < 2


@pytest.mark.parametrize("row", stored(), ids=name)
def test_memory_is_estimated_within_a_factor_of_two_and_a_half(row):
    assert 0.5 < estimated(row).memory_bytes / row["memory"] < 2.5


def test_rows_to_test_estimates_against_are_there():
    assert len(quiet()) >= 10
