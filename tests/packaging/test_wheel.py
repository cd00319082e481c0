"""Wheel and sdist: both are whole, and the product runs from a bare virtual environment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import qcrbox
from qcrbox_hub.platform import ports

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
# Installing some 200 packages on a busy machine takes a minute, their first import half of one.
pytestmark = pytest.mark.slow


@dataclass
class Built:
    """What `make wheel` writes into `dist/`: without `--wheel`, `uv build` makes the wheel from the sdist."""

    sdist: Path
    wheel: Path


@dataclass
class Environment:
    """A virtual environment that knows nothing of this checkout."""

    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    @property
    def variables(self) -> dict[str, str]:
        ours = ("QCRBOX_", "JUPYTER", "PYTHON", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {"HOME": str(self.folder / "home"), "QCRBOX_SPAWNER": "trusted", "NO_COLOR": "1"}


def build(*arguments: str | Path) -> None:
    command = [UV, "build", "--quiet", "--no-build-isolation", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def environment(folder: Path, pins: str, wheel: Path) -> Environment:
    """A bare environment with pinned packages of the registry, and of ours the wheel alone."""
    python = folder / "bin" / "python"
    for command in (
        ["venv", "--python", sys.executable, folder],
        ["pip", "install", "--python", python, "--require-hashes", "-r", ROOT / "constraints" / pins],
        ["pip", "install", "--python", python, "--no-deps", wheel],
    ):
        done = subprocess.run(
            [UV, "--quiet", *command], capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
    (folder / "home").mkdir()
    return Environment(folder)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    build("--out-dir", folder, ROOT)
    return Built(next(folder.glob("*.tar.gz")), next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Environment:
    return environment(tmp_path_factory.mktemp("bare") / "venv", "run.txt", built.wheel)


@pytest.fixture
def platform(installed, tmp_path) -> Iterator[str]:
    """`qcrbox up` of the installed wheel: the address of its sign-in page."""
    port = ports.choose(1)[0]
    log = tmp_path / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [installed.folder / "bin" / "qcrbox", "up", "--data", tmp_path / "data", "--port", str(port)],
            cwd=tmp_path,
            env=installed.variables,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        assert process.stdout is not None
        found = None
        for line in process.stdout:
            if found := re.search(r"Sign in at:\s+(\S+)", line):
                break
        assert found, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_wheel_made_from_the_sdist_is_the_one_made_from_the_checkout(built, tmp_path):
    build("--wheel", "--out-dir", tmp_path, ROOT)
    assert contents(built.wheel) == contents(next(tmp_path.glob("*.whl")))


def test_a_wheel_holds_the_product_and_no_tests(built):
    names = set(contents(built.wheel))
    data = f"qcrbox-{qcrbox.__version__}.data/data"
    assert {
        "qcrbox/widgets/static/structure_view.js",
        "qcrbox_hub/bridge/static/vnc.js",
        "qcrbox_hub/templates/login.html",
        f"{data}/share/jupyter/labextensions/@qcrbox/lab/package.json",
        f"{data}/share/qcrbox/applications/refine/application.yaml",
        f"{data}/share/qcrbox/notebooks/01_first_refinement.ipynb",
    } <= names
    assert not [name for name in names if "/tests/" in name or name.startswith("qcrbox_registry/testing")]


def test_every_part_has_the_one_version(built, installed):
    assert installed.run("qcrbox", "--version").stdout == f"qcrbox {qcrbox.__version__}\n"
    package = "share/jupyter/labextensions/@qcrbox/lab/package.json"
    assert json.loads((installed.folder / package).read_text())["version"] == qcrbox.__version__
    asked = "import importlib.metadata as m, qcrbox; print(m.version('qcrbox') == qcrbox.__version__)"
    assert installed.run("python", "-c", asked).stdout == "True\n"


def test_the_library_of_a_wheel_has_its_widgets(installed):
    script = (
        "import qcrbox as qc\n"
        "from importlib.resources import files\n"
        "from qcrbox.widgets import bundle\n"
        "print(qc.__file__)\n"
        "print(*sorted(f.name for f in (files('qcrbox') / 'widgets' / 'static').iterdir()))\n"
        "print('export' in bundle.path('structure_view').read_text())\n"
    )
    done = installed.run("python", "-c", script)
    assert done.returncode == 0, done.stderr
    place, files, whole = done.stdout.splitlines()
    assert Path(place).is_relative_to(installed.folder)
    assert [name for name in files.split() if not name.startswith(".")] == [
        "3dmol.js",
        "calculation_card.js",
        "chart.js",
        "copy_button.js",
        "lineage.js",
        "structure_view.js",
    ]
    assert whole == "True"


def test_jupyter_finds_panel_and_server_extension(installed):
    panel = installed.run("jupyter", "labextension", "list")
    assert re.search(
        rf"@qcrbox/lab v{re.escape(qcrbox.__version__)} .*enabled.*OK", panel.stdout + panel.stderr
    )
    server = installed.run("jupyter", "server", "extension", "list")
    assert re.search(r"qcrbox_extension \S*\s*(\S*OK|enabled)", server.stdout + server.stderr)


def test_up_of_a_wheel_serves_the_sign_in_page_and_the_registry(platform):
    page = httpx.get(f"{platform}/hub/login", trust_env=False, timeout=60)
    assert page.status_code == 200
    assert "QCrBox" in page.text
    answer = httpx.get(f"{platform}/services/qcrbox/api/applications", trust_env=False, timeout=60)
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"]["kind"] == "not_signed_in"


def test_applications_of_a_wheel_run(installed, tmp_path):
    """A command that needs no packages of its own, from upload to result."""
    script = f"""
import subprocess, sys, re
registry = subprocess.Popen(
    [{str(installed.folder / "bin" / "qcrbox")!r}, "registry", "--no-auth", "--port", "0", "--data", {str(tmp_path / "data")!r}],
    stdout=subprocess.PIPE, text=True,
)
try:
    url = re.search(r"http\\S+", registry.stdout.readline()).group(0)
    import qcrbox as qc
    box = qc.connect(url)
    result = box.qcrboxtools.iso2aniso(box.examples["urea"].files["urea.cif"], select_elements="C").result(240)
    print("_atom_site_aniso" in result.cif.text)
finally:
    registry.terminate()
    registry.wait(60)
"""
    done = installed.run("python", "-c", script)
    assert done.stdout == "True\n", done.stdout + done.stderr


def test_a_plain_install_says_what_the_platform_needs(built, tmp_path):
    bare = environment(tmp_path / "venv", "agent.txt", built.wheel)
    done = bare.run("qcrbox", "up")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert 'pip install "qcrbox[hub]"' in done.stderr
    assert (
        bare.run("python", "-c", "import qcrbox as qc; print(qc.__version__)").stdout.strip()
        == qcrbox.__version__
    )
