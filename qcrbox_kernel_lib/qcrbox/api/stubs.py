"""Type stubs of the connected applications for editors and type checkers."""

from __future__ import annotations

import inspect
import typing
from typing import Any

from qcrbox.api.applications import Application, Applications
from qcrbox.api.command import Command
from qcrbox.contract.python_names import identifier

_HEAD = '''"""Applications of one registry. Generated; write again with qc.stubs("qcrbox_applications.pyi").

Keep this file beside your scripts, under this name: `import qcrbox as qc` and `qc = qcrbox.connect()` then know
every command. A type checker cannot know that a module takes brackets: write qc.datasets["name"] in scripts.
"""

from pathlib import Path
from typing import Literal

from qcrbox.api.applications import Application
from qcrbox.api.box import Box
from qcrbox.api.calculation import Calculation
from qcrbox.api.command import Command
from qcrbox.api.datasets import Dataset
from qcrbox.api.stored_files import DataFile
from qcrbox.api.results import Result

CifInput = Dataset | Result | Calculation | DataFile | str | Path | bytes
FileInput = CifInput
'''
_CONNECT = """def connect(
    url: str | None = None,
    token: str | None = None,
    *,
    remember: bool = True,
    insecure: bool = False,
    timeout: float = 600.0,
) -> Connected: ..."""


def stubs(applications: Applications) -> str:
    """A .pyi module: a class per command and per application, an instance per application, and `connect`."""
    parts = [_HEAD]
    names = []
    for application in applications:
        names.append(identifier(application.slug))
        parts += [_command(application, command) for command in application.commands.values()]
        parts.append(_application(application))
    attributes = [f"    {name}: _{name}" for name in names] or ["    ..."]
    parts.append("\n".join(["class Connected(Box):", *attributes]))
    parts += [f"{name}: _{name}" for name in names]
    parts.append(_CONNECT)
    exported = ", ".join(repr(name) for name in [*names, "connect"])
    parts.append(f"__all__ = [{exported}]")
    return "\n\n".join(parts) + "\n"


def _application(application: Application) -> str:
    name = identifier(application.slug)
    lines = [f"class _{name}(Application):", f"    {_doc(application.description or application.name)}"]
    lines += [f"    {command}: _{name}_{command}" for command in application.commands]
    return "\n".join(lines)


def _command(application: Application, command: Command) -> str:
    name = f"_{identifier(application.slug)}_{identifier(command.name)}"
    options = ", ".join(["self", *_options(command)])
    timed = ", ".join(["self", *_options(command, "timeout: float | None = None")])
    return "\n".join(
        [
            f"class {name}(Command):",
            f"    {_doc(command.description)}",
            f"    def __call__({options}) -> Calculation: ...",
            # Narrower than the run of any command: a type checker is right, and we want it so.
            f"    def run({timed}) -> Result: ...  # type: ignore[override]",
        ]
    )


def _options(command: Command, *more: str) -> list[str]:
    parts, starred = [], False
    for parameter in inspect.signature(command).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {_type(parameter.annotation)}{default}")
    if more and not starred:
        parts.append("*")
    return [*parts, *more]


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "None"
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return "Literal[" + ", ".join(repr(value) for value in typing.get_args(annotation)) + "]"
    if origin is typing.Union:
        return " | ".join(_type(option) for option in typing.get_args(annotation))
    return getattr(annotation, "__name__", str(annotation))


def _doc(text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ""
    return repr(first) if '"""' in first or "\\" in first or first.endswith('"') else f'"""{first}"""'
