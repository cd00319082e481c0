"""nbgrader itself in a virtual environment beside this one: its Lab extension must not be in the browser tests' Lab."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sessions.course import Course, Person

ROOT = Path(__file__).resolve().parents[2]
GROUP = "xrd"
NOTEBOOK = Path(__file__).with_name("problem.ipynb")


def _not_here(pins: str) -> list[str]:
    """The pins of the packages that this environment does not have, with their hashes."""
    ours = {each.metadata["Name"].lower().replace("_", "-") for each in importlib.metadata.distributions()}
    each_pin = re.split(r"\n(?=\S)", pins.strip())
    return [pin for pin in each_pin if pin.partition("==")[0].lower() not in ours]


@pytest.fixture(scope="session")
def nbgrader_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has nbgrader as pinned, and everything of this environment."""
    folder = tmp_path_factory.mktemp("nbgrader") / "environment"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    pins = folder / "missing.txt"
    pins.write_text("\n".join(_not_here((ROOT / "constraints" / "nbgrader.txt").read_text())))
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", pins]
    subprocess.run([*install, "--python", python], check=True, timeout=300)
    ours = sysconfig.get_paths()["purelib"]
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "qcrbox-tests.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    alembic = python.with_name("alembic")
    alembic.write_text(f"#!{python}\nfrom alembic.config import main\n\nmain()\n")
    alembic.chmod(0o755)
    return python


class Runner:
    """A process that runs nbgrader's commands."""

    def __init__(self, python: Path) -> None:
        # nbgrader calls alembic by name.
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        self._process = subprocess.Popen(
            [python, Path(__file__).with_name("runner.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Templates of nbconvert lie in this environment.
            env={
                **os.environ,
                "PATH": path,
                "JUPYTER_PATH": f"{sys.prefix}/share/jupyter",
                "JUPYTER_ALLOW_INSECURE_WRITES": "1",
            },
        )

    def run(self, cwd: Path, env: dict[str, str], arguments: Sequence[str]) -> tuple[int, str]:
        """The exit code and what the command wrote."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"cwd": str(cwd), "env": env, "arguments": arguments}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        return found["code"], found["words"]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="session")
def runner(nbgrader_python: Path) -> Iterator[Runner]:
    made = Runner(nbgrader_python)
    yield made
    made.close()


@dataclass
class Desk:
    """The home of a person, who runs nbgrader in it."""

    person: Person
    home: Path
    runner: Runner

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run a command of nbgrader; what it wrote."""
        own = {"HOME": str(self.home), "QCRBOX_URL": self.person.running.url}
        own["JUPYTERHUB_API_TOKEN"] = self.person.authorization["Authorization"].split()[1]
        code, words = self.runner.run(self.home, own, arguments)
        assert bool(code) is fails, words
        return words


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    data = tmp_path_factory.mktemp("class") / "data"
    made = Course(data)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def desk(course: Course, runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Desk]:
    """`desk("ada")` is that of a new person."""

    def make(name: str, *scopes: str) -> Desk:
        person = course.person(name, *scopes, groups=(GROUP,))
        assert person.http.get("/api/me").status_code == 200
        home = tmp_path_factory.mktemp(name)
        (home / "nbgrader_config.py").write_text(
            "from qcrbox_extension.nbgrader_exchange import use_store\n"
            "c = get_config()\n"
            "use_store(c)\n"
            f"c.CourseDirectory.course_id = {GROUP!r}\n"
        )
        return Desk(person, home, runner)

    return make


@pytest.fixture(scope="module")
def lecturer(desk: Callable[..., Desk]) -> Desk:
    """Has the course and has released the assignment `ps1` with a notebook and a file of data."""
    made = desk("lena", f"custom:qcrbox:teach!group={GROUP}")
    answer = made.person.http.post("/api/courses", json={"group": GROUP, "title": "XRD 101"})
    assert answer.status_code == 201, answer.text
    source = made.home / "source" / "ps1"
    source.mkdir(parents=True)
    shutil.copy(NOTEBOOK, source / "problem.ipynb")
    (source / "cell.txt").write_text("4.9134\n")
    made.run("generate_assignment", "ps1")
    made.run("release_assignment", "ps1")
    return made
