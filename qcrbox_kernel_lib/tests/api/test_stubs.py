"""Type stubs of the connected registry, in the hands of mypy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# Kept between runs: with it, mypy takes a twentieth of the time. `make lint` checks with other options and has its own.
CACHE = Path(__file__).parents[3] / ".mypy_cache" / "scripts"
GOOD = """\
from pathlib import Path

import qcrbox as qc

r = qc.refine.refine_iam.run(qc.examples["thpp"], cycles=3, weighting="keep", timeout=60)
c = qc.refine.refine_iam(Path("a.cif"), adp="isotropic")
print(r.cif.structure, c.status, qc.apps, qc.doctor())
box = qc.connect("https://box.example.org")
box.refine.refine_iam(box["azu"], cycles=2)
for one in qc.as_completed([c]):
    print(one.short_id)
reveal_type(r.R1)
reveal_type(box.refine.refine_iam)
"""
BAD = """\
import qcrbox as qc

qc.refine.refine_iam(qc.examples["thpp"], cycles="many")
qc.refine.refine_iam(qc.examples["thpp"], cycle=3)
qc.connect().refine.refine_iam.run("azu", adp="anisotropicc")
"""
FILES = ("good.py", "bad.py", "qcrbox_applications.pyi")


@pytest.fixture(scope="module")
def checked(live_box, tmp_path_factory):
    """What `mypy --strict` reports for the stubs and two scripts beside them, by line."""
    folder = tmp_path_factory.mktemp("scripts")
    live_box.stubs(folder / "qcrbox_applications.pyi")
    (folder / "good.py").write_text(GOOD)
    (folder / "bad.py").write_text(BAD)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(CACHE), *FILES],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(FILES)]


def test_stubs_are_strictly_typed(checked, live_box):
    assert {"refine", "har"} <= {application.slug for application in live_box.apps}
    assert [line for line in checked if line.startswith("qcrbox_applications.pyi")] == []


def test_script_that_uses_the_applications_passes_with_its_types_known(checked):
    said = [line for line in checked if line.startswith("good.py")]
    assert [line for line in said if ": error:" in line] == []
    assert 'Revealed type is "float | None"' in said[0]
    assert '"qcrbox_applications._refine_refine_iam"' in said[1]


def test_wrong_options_are_found_without_running_anything(checked):
    errors = [line for line in checked if line.startswith("bad.py") and ": error:" in line]
    assert [line.split(":")[1] for line in errors] == ["3", "4", "5"]
    assert 'did you mean "cycles"' in errors[1]
