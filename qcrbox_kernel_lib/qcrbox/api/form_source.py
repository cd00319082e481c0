"""The data and callables of a command form: files to choose from, and Python that finds them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api.stored import Stored
from qcrbox.client.parameters import Parameter
from qcrbox.contract.errors import QcError
from qcrbox.spec.titles import command_phrase
from qcrbox.widgets.command_form import FormSource

if TYPE_CHECKING:
    from qcrbox.api.box import Box
    from qcrbox.api.command import Command

_OFFERED = 200  # datasets offered in a file field


def form_source(command: Command) -> FormSource:
    """The parts of a command that its form shows and uses."""
    box = command.application.box
    return FormSource(
        name=command.name,
        qualified_name=command.qualified_name,
        phrase=command_phrase(command.name, str(command.record.get("title") or ""), command.description),
        description=command.description,
        parameters=command.parameters,
        presets=command.presets,
        submit=command.submit,
        file_choices=lambda parameter: file_choices(box, parameter),
        as_code=as_code,
    )


def as_code(value: Any) -> str:
    """Python that gives this argument again; datasets, results and the like are found in the store."""
    if isinstance(value, Stored):
        return value._code()
    if isinstance(value, Path):
        return f"Path({str(value)!r})"
    return repr(value)


def file_choices(box: Box, parameter: Parameter) -> list[tuple[str, Any]]:
    """(label, dataset or file) that may go into a file field; only "–" while the registry does not answer."""
    choices: list[tuple[str, Any]] = [("–", None)]
    try:
        for dataset in box.datasets.all(_OFFERED):
            kind = "" if dataset.kind == "data" else f" ({dataset.kind})"
            name_shown = f"⚠ {dataset.name}" if dataset.is_doubtful else dataset.name
            if parameter.is_cif:
                lacks = lacking(parameter, dataset)
                if lacks is not None:
                    choices.append((f"{name_shown}{kind}{lacks}", dataset))
            else:
                choices += [
                    (f"{name_shown}{kind}: {name}", file)
                    for name, file in dataset.files.items()
                    if not parameter.endings or name.lower().endswith(parameter.endings)
                ]
    except QcError:
        pass  # the form still opens; running the command reports the problem
    return choices


def lacking(parameter: Parameter, dataset: Any) -> str | None:
    """None when the dataset has no CIF for this field; else what it lacks, in brackets: "" when nothing.

    Based on the index of the store; files that are not indexed are checked when the command starts.
    """
    cifs = [file for file in dataset.files.values() if file.is_cif and file.filename.lower().endswith(".cif")]
    if not cifs:
        return None
    index = cifs[0].record.get("index") or {}
    needed = str(parameter.required_entries).lower()
    if parameter.needs_atoms and index.get("kind") not in (None, "", "structure"):
        return f" (no structure: {index.get('kind')})"
    reflections = index.get("has_hkl") or dataset.reflections is not None
    if ("_refln" in needed or "_shelx_hkl" in needed) and index and not reflections:
        return " (no reflections)"
    return ""
