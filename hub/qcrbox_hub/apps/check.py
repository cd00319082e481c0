"""`qcrbox apps check`: every check of an application folder that does not run it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from qcrbox.contract.errors import QcError, SpecError
from qcrbox.spec import load
from qcrbox.spec.folder import application_files, required_spec_of

from qcrbox_hub.apps import suite
from qcrbox_hub.apps.images import base_of


@dataclass
class Findings:
    """Problems must be mended; notes are worth a look."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(folder: Path) -> Findings:
    """Spec, glue modules, Dockerfile, examples and test suite of one folder."""
    found = Findings()
    try:
        required_spec_of(folder)
    except SpecError as error:
        found.problems.append(error.message)
        return found
    for look in (_spec, _files, _dockerfile, _examples, _suite):
        try:
            look(folder, found)
        except SpecError as error:
            found.problems += error.fields.get("problems") or [error.message]
        except QcError as error:
            found.problems.append(error.message)
    return found


def _spec(folder: Path, found: Findings) -> None:
    """The agent's own check, in a separate process: importing glue runs its code."""
    done = subprocess.run(
        [sys.executable, "-m", "qcrbox_agent", "check", str(required_spec_of(folder))],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    for line in done.stdout.splitlines():
        kind, _, text = line.partition(" ")
        if kind in ("problem", "note"):
            (found.problems if kind == "problem" else found.notes).append(text.strip())
    if done.returncode and not found.problems:
        found.problems.append(
            f"{required_spec_of(folder).name}: the check ended with {done.stderr.strip()[-300:]}"
        )


def _files(folder: Path, _: Findings) -> None:
    for _name, _path in application_files(folder):
        pass


def _dockerfile(folder: Path, found: Findings) -> None:
    file = folder / "Dockerfile"
    if not file.is_file():
        found.notes.append("Dockerfile: none; the usual one is taken (qcrbox/base and requirements.txt)")
        return
    text = file.read_text()
    base_of(text)
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.strip().split(" ", 1)[0].upper()
        if word in ("ENTRYPOINT", "CMD", "EXPOSE", "VOLUME", "HEALTHCHECK"):
            found.notes.append(f"Dockerfile:{number}: {word} has no effect: the agent is what the image runs")


def _examples(folder: Path, found: Findings) -> None:
    file = folder / "examples.yaml"
    if not file.is_file():
        return
    try:
        node = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
        listed = (yaml.safe_load(file.read_text()) or {}).get("datasets") or []
        lines = [item.start_mark.line + 1 for item in node.value[0][1].value] if listed else []
    except (yaml.YAMLError, AttributeError, IndexError) as error:
        found.problems.append(f"examples.yaml: {error}")
        return
    for line, entry in zip(lines, listed, strict=False):
        for file in entry.get("files") or ():
            if "package" not in file and not (folder / str(file.get("path"))).is_file():
                found.problems.append(f"examples.yaml:{line}: the file {file.get('path')!r} is not there")


def _suite(folder: Path, found: Findings) -> None:
    file = folder / "tests" / "suite.yaml"
    if not file.is_file():
        found.notes.append("tests/suite.yaml: none; `qcrbox apps test` has nothing to run")
        return
    tests, spec = suite.load(file), load(required_spec_of(folder))
    if (tests.application_slug, tests.application_version) != (spec.slug, spec.version):
        found.problems.append(
            f"tests/suite.yaml: it is for {tests.application_slug} {tests.application_version}, "
            f"the application is {spec.slug} {spec.version}"
        )
    commands = {command.name for command in spec.commands}
    for case in tests.cases:
        if case.command_name not in commands:
            found.problems.append(f"suite.yaml:{case.line}: there is no command {case.command_name!r}")
    untested = sorted(
        name for name in commands - {c.command_name for c in tests.cases} if not name.startswith("__")
    )
    if untested:
        found.notes.append(f"tests/suite.yaml: no case for {', '.join(untested)}")
