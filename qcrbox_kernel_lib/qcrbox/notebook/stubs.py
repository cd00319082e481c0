"""Type stubs for the connected applications, so that editors complete without running anything."""

from __future__ import annotations

import inspect
import typing
from typing import Any

from qcrbox.notebook.applications import Applications, Command, identifier

_HEAD = '''"""Applications of one registry. Generated; write again with qc.stubs("qcrbox_applications.pyi")."""

from pathlib import Path
from typing import Literal

from qcrbox.notebook.calculations import Calculation
from qcrbox.notebook.datasets import Dataset
from qcrbox.notebook.files import DataFile
from qcrbox.notebook.results import Result

CifInput = Dataset | Result | Calculation | DataFile | str | Path | bytes
FileInput = CifInput
'''


def stubs(applications: Applications) -> str:
    """A .pyi module: a class per application, an overloaded call per command, an instance per application."""
    parts = [_HEAD]
    for application in applications:
        name = identifier(application.slug)
        lines = [f"class _{name}:", f"    {_doc(application.description or application.name)}"]
        for command in application.commands.values():
            lines.append(_method(command))
        parts.append("\n".join(lines))
    parts += [f"{identifier(a.slug)}: _{identifier(a.slug)}" for a in applications]
    return "\n\n".join(parts) + "\n"


def _method(command: Command) -> str:
    parts, starred = ["self"], False
    for parameter in inspect.signature(command).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {_type(parameter.annotation)}{default}")
    name = identifier(command.name)
    return f"    def {name}({', '.join(parts)}) -> Calculation:\n        {_doc(command.description)}\n        ..."


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "None"
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return "Literal[" + ", ".join(repr(value) for value in typing.get_args(annotation)) + "]"
    if origin is typing.Union:
        return " | ".join(_type(one) for one in typing.get_args(annotation))
    return getattr(annotation, "__name__", str(annotation))


def _doc(text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ""
    return repr(first) if '"""' in first or "\\" in first else f'"""{first}"""'
