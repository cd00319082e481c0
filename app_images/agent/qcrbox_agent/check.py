"""Checks a spec where its program is installed: the file, its call patterns, and the functions it names.

`python -m qcrbox_agent check application.yaml` prints problems and notes and ends with 1 when there are problems.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import typing
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox.contract.errors import SpecError
from qcrbox.spec import Application, Call, Command, DType, load
from qcrbox.spec.model import Implementation

from qcrbox_agent.run import callables


@dataclass
class Report:
    """Result of a check: problems make it fail, notes do not."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_file(path: Path) -> Report:
    """Every check of the spec at `path`."""
    try:
        application = load(path)
    except SpecError as error:
        return Report(problems=list(error.fields.get("problems") or [error.message]))
    report = Report(notes=[f"{path.name}: {note}" for note in application.notes])
    check_modules(application, path.parent, report, path.name)
    return report


def check_modules(application: Application, folder: Path, report: Report, filename: str) -> None:
    """Compare commands with the functions they name. A module that cannot be imported is a note."""
    callables.add_folder(str(folder))
    for command in application.commands:
        for call in _calls(command):
            if call.implemented_as is Implementation.PYTHON:
                _check_call(command, call, folder, report, f"{filename}:{call.line}")


def _calls(command: Command) -> list[Call]:
    steps = [call for _, call in command.lifecycle.steps()] if command.lifecycle else []
    return [*([command.call] if command.call else []), *steps]


def _check_call(command: Command, call: Call, folder: Path, report: Report, where: str) -> None:
    shown = f"'{call.import_path}.{call.callable_name}'"
    try:
        function = callables.find_callable(call.import_path or "", call.callable_name or "", str(folder))
    except (AttributeError, TypeError) as error:
        report.problems.append(f"{where}: {error}")
        return
    except BaseException as error:  # noqa: BLE001 - importing runs any code; the spec may still be right
        report.notes.append(
            f"{where}: module '{call.import_path}' cannot be imported: {type(error).__name__}: {error}"
        )
        return
    given = call.uses if call.uses is not None else [p.name for p in command.parameters]
    if call.uses is None:
        given = given + [o.name for o in command.outputs if not o.from_parameter]
    parameters = inspect.signature(function).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    for name in given:
        parameter = parameters.get(name)
        if parameter is None and not takes_all:
            report.problems.append(f"{where}: {shown} has no parameter '{name}'")
        elif parameter is not None and parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            report.problems.append(f"{where}: parameter '{name}' of {shown} cannot be given by name")
    for name, parameter in parameters.items():
        needed = parameter.default is inspect.Parameter.empty and parameter.kind not in (
            inspect.Parameter.VAR_KEYWORD,
            inspect.Parameter.VAR_POSITIONAL,
        )
        if needed and name not in given:
            report.problems.append(f"{where}: {shown} needs '{name}', which the spec does not give")
    _note_annotations(command, function, report, where, shown)


_TYPES = {DType.INT: int, DType.FLOAT: float, DType.BOOL: bool, DType.STR: str}


def _note_annotations(
    command: Command, function: typing.Callable[..., object], report: Report, where: str, shown: str
) -> None:
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - an annotation may name anything
        return
    for parameter in command.parameters:
        hint = hints.get(parameter.name)
        expected = _TYPES.get(parameter.dtype)
        if hint is None or expected is None:
            continue
        kinds = [kind for kind in callables.plain_types(hint) if isinstance(kind, type)]
        if kinds and expected not in kinds and object not in kinds:
            names = " | ".join(kind.__name__ for kind in kinds)
            report.notes.append(
                f"{where}: '{parameter.name}' is {parameter.dtype} in the spec and {names} in {shown}"
            )


def main(argv: list[str]) -> int:
    """Check the spec named on the command line; returns 1 if it has problems, otherwise 0."""
    parser = argparse.ArgumentParser(prog="qcrbox-agent check", description=__doc__)
    parser.add_argument("spec", type=Path)
    report = check_file(parser.parse_args(argv).spec.absolute())
    for problem in report.problems:
        sys.stdout.write(f"problem  {problem}\n")
    for note in report.notes:
        sys.stdout.write(f"note     {note}\n")
    if not report.problems:
        sys.stdout.write("The spec can be used.\n")
    return 1 if report.problems else 0
