from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from qcrbox_registry.launcher import environments as module
from qcrbox_registry.launcher import requirements
from qcrbox_registry.launcher.environments import EnvironmentFailed, Environments


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "requirements.txt"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def package(tmp_path) -> Path:
    """A tiny distribution on disk, so that no index is asked for it."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny-qcrbox-test"\nversion = "1"\n'
    )
    (folder / "backend.py").write_text(
        "import zipfile, os\n"
        "def build_wheel(directory, config_settings=None, metadata_directory=None):\n"
        "    name = 'tiny_qcrbox_test-1-py3-none-any.whl'\n"
        "    info = 'tiny_qcrbox_test-1.dist-info/'\n"
        "    with zipfile.ZipFile(os.path.join(directory, name), 'w') as wheel:\n"
        "        wheel.writestr('tiny_qcrbox_test.py', 'ANSWER = 42\\n')\n"
        "        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny-qcrbox-test\\nVersion: 1\\n')\n"
        "        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "        wheel.writestr(info + 'RECORD', '')\n"
        "    return name\n"
    )
    return folder


@pytest.fixture
def without_third_parties(monkeypatch):
    """Leaves out what the agent needs of others: nothing has to come from an index."""
    monkeypatch.setattr(requirements, "of_agent", list)


def run(python: Path, code: str) -> str:
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    ).stdout.strip()


async def test_an_empty_file_needs_no_environment(tmp_path, file):
    said = []
    made = Environments(tmp_path / "environments")
    assert await made.python_for(file("# nothing\n\n"), "x", said.append) == Path(sys.executable)
    assert await made.python_for(tmp_path / "missing.txt", "x", said.append) == Path(sys.executable)
    assert said == []


async def test_what_is_installed_already_needs_no_environment(tmp_path, file):
    path = file(f"numpy=={metadata.version('numpy')}\nhttpx>=0.1  # any\n")
    assert await Environments(tmp_path / "environments").python_for(path, "x", print) == Path(sys.executable)


async def test_an_environment_sees_its_packages_and_of_ours_two_only(
    tmp_path, file, package, without_third_parties
):
    said = []
    python = await Environments(tmp_path / "environments").python_for(
        file(f"{package}\n"), "x 1", said.append
    )
    assert run(python, "import tiny_qcrbox_test; print(tiny_qcrbox_test.ANSWER)") == "42"
    assert run(python, "import qcrbox.lifeline, qcrbox_agent; print('ok')") == "ok"
    assert run(
        python, "import importlib.util as u; print(u.find_spec('qcrbox_registry'), u.find_spec('fastapi'))"
    ) == ("None None")
    assert said[0] == "Preparing the environment of x 1"


async def test_an_environment_is_made_once_for_all_who_ask(tmp_path, file, package, without_third_parties):
    path = file(f"{package}\n")
    environments, said = Environments(tmp_path / "environments"), []
    pythons = await asyncio.gather(*(environments.python_for(path, "x", said.append) for _ in range(3)))
    assert len(set(pythons)) == 1
    # Another launcher, or the next start: it is there.
    assert Environments(tmp_path / "environments").ready_python(path) == pythons[0]


async def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path, file, without_third_parties):
    path = file("./no-such-package-here\n")
    with pytest.raises(EnvironmentFailed, match="environment of x 1 could not be made") as caught:
        await Environments(tmp_path / "environments").python_for(path, "x 1", lambda _: None)
    assert "no-such-package-here" in caught.value.message
    assert [one.name for one in (tmp_path / "environments").iterdir() if one.suffix != ".lock"] == []


async def test_another_agent_of_ours_is_another_environment(tmp_path, file, monkeypatch):
    environments = Environments(tmp_path)
    path = file("x\n")
    first = environments._place(path)
    monkeypatch.setattr(module, "own_packages", lambda: {"qcrbox": Path("/elsewhere")})
    assert environments._place(path) != first


@pytest.mark.parametrize(
    ("line", "satisfied"),
    [
        ("httpx", True),
        ("HTTPX>=0.1", True),
        ("httpx<0.1", False),
        ("no-such-distribution-of-ours", False),
        ("httpx @ file:///x", False),
        ("-r other.txt", False),
        ("./folder", False),
        ('no-such-thing; sys_platform == "win32"', True),
        ("uvicorn[standard]", True),
        ("httpx[nonsense]", True),
    ],
)
def test_what_counts_as_satisfied(line, satisfied):
    assert requirements.all_satisfied([line]) is satisfied


def test_requirement_lines_lose_comments_and_hashes(file):
    path = file("# head\na==1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nb  # why\n\n-c c.txt\n")
    assert requirements.lines(path) == ["a==1", "b", "-c c.txt"]
