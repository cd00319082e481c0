"""Commands of a spec file, from any generation, into `Command`."""

from __future__ import annotations

import re
from typing import Any

from qcrbox.spec import generation
from qcrbox.spec.arguments import safe_file_name
from qcrbox.spec.calls import read_call, read_implementation, read_lifecycle
from qcrbox.spec.dtypes import DType
from qcrbox.spec.hidden_commands import read_hidden_commands
from qcrbox.spec.model import CifInput, CifOutput, Command, Implementation, Output, Parameter
from qcrbox.spec.parameters import (
    cif_input_keys,
    cif_output_keys,
    output_of_parameter,
    read_output,
    read_parameter,
    without_repeats,
)
from qcrbox.spec.section import Section


def read_command(section: Section) -> list[Command]:
    """The command, and the hidden ones that older GUI commands bring with them."""
    name = section.text("name") or section.text("callable_name", "function")
    if name is None:
        section.problem("a command needs a name")
        return []
    implementation = read_implementation(section, f"command '{name}'")
    parameters = without_repeats(section, (read_parameter(part) for part in section.sections("parameters")))
    outputs = without_repeats(section, (read_output(part) for part in section.sections("outputs")))
    _check_output_names(section, parameters, outputs)
    _check_older_names(section, parameters, outputs)
    parameters, outputs = _command_level_cif(section, parameters, outputs)
    outputs += [output_of_parameter(p) for p in parameters if p.is_output]
    if implementation is None or _is_left_out(section, name, implementation):
        return []
    known = [p.name for p in parameters] + [o.name for o in outputs if not o.from_parameter]
    base: dict[str, Any] = {
        "name": name,
        "description": section.text("description"),
        "title": _title(section, parameters),
        "doi": section.dois("doi"),
        "parameters": parameters,
        "outputs": outputs,
        "merge_cif_su": bool(section.flag("merge_cif_su")),
        "line": section.line,
        **_wishes(section),
    }
    run_by = _run_by(section, implementation, name, known)
    extra, links = read_hidden_commands(section, base, known)
    section.note_unknown(f"command '{name}'")
    return [Command(hidden=name.startswith("__"), **base, **run_by, **links), *extra]


def _run_by(section: Section, implementation: Implementation, name: str, known: list[str]) -> dict[str, Any]:
    if implementation is Implementation.INTERACTIVE:
        return {"implemented_as": implementation, "lifecycle": read_lifecycle(section, name, known)}
    return {"implemented_as": implementation, "call": read_call(section, implementation, name, known)}


def _is_left_out(section: Section, name: str, implementation: Implementation) -> bool:
    """True for a command of the first generation whose call was written in Python, outside the spec."""
    if not generation.is_first(section.source) or implementation is Implementation.PYTHON:
        return False
    if section.has("interactive_lifecycle", "call_pattern", "command", "import_path", "module"):
        return False
    section.source.left_out.append(
        f"command '{name}' is left out: the file does not describe how to start its program; add "
        + ("call_pattern" if implementation is Implementation.CLI else "interactive_lifecycle")
    )
    section.note(section.source.left_out[-1])
    return True


def _check_output_names(section: Section, parameters: list[Parameter], outputs: list[Output]) -> None:
    names = {p.name for p in parameters}
    for output in outputs:
        if output.name in names:
            section.problem(f"'{output.name}' is the name of a parameter and of an output", "outputs")
    if sum(o.dtype is DType.OUTPUT_CIF for o in outputs) > 1:
        section.problem("a command can have at most one QCrBox.output_cif", "outputs")


def _check_older_names(section: Section, parameters: list[Parameter], outputs: list[Output]) -> None:
    everything: list[Parameter | Output] = [*parameters, *outputs]
    taken = {entry.name for entry in everything}
    for entry in everything:
        for name in entry.older_names:
            if name in taken:
                section.problem(
                    f"older name '{name}' of '{entry.name}' is the name of something else", "parameters"
                )
            taken.add(name)


def _command_level_cif(
    section: Section, parameters: list[Parameter], outputs: list[Output]
) -> tuple[list[Parameter], list[Output]]:
    """Move CIF keys of the command to its first CIF input and its output CIF."""
    merge_all = section.flag("merge_cif_su")
    keys = cif_input_keys(section)
    keys.pop("merge_su", None)
    if (part := section.section("cif_input")) is not None:
        keys |= cif_input_keys(part)
        part.note_unknown("cif_input")
    target = next((p for p in parameters if p.dtype is DType.CIF_DATA_FILE), None)
    if keys and target is None:
        section.note("CIF keys of the command are ignored: it has no CIF input")
    made = []
    for parameter in parameters:
        if parameter.cif is not None:
            update = dict(keys) if parameter is target else {}
            update |= {"merge_su": True} if merge_all else {}
            own = parameter.cif.model_dump(exclude_unset=True)
            parameter = parameter.model_copy(update={"cif": CifInput(**(update | own))})
        made.append(parameter)
    if (part := section.section("cif_output")) is not None:
        made, outputs = _give_output_cif(section, cif_output_keys(part), made, outputs)
        part.note_unknown("cif_output")
    return made, outputs


def _give_output_cif(
    section: Section, keys: dict[str, Any], parameters: list[Parameter], outputs: list[Output]
) -> tuple[list[Parameter], list[Output]]:
    for index, output in enumerate(outputs):
        if output.cif is not None:
            own = output.cif.model_dump(exclude_unset=True)
            outputs[index] = output.model_copy(update={"cif": CifOutput(**(keys | own))})
            return parameters, outputs
    for index, parameter in enumerate(parameters):
        is_file = parameter.dtype is DType.OUTPUT_FILE and "cif" in parameter.name
        if parameter.cif_output is not None or is_file:
            own = parameter.cif_output.model_dump(exclude_unset=True) if parameter.cif_output else {}
            update = {"cif_output": CifOutput(**(keys | own)), "dtype": DType.OUTPUT_CIF}
            parameters[index] = parameter.model_copy(update=update)
            return parameters, outputs
    section.note("cif_output is ignored: the command has no output CIF", "cif_output")
    return parameters, outputs


def _title(section: Section, parameters: list[Parameter]) -> str | None:
    title = section.text("title")
    known = {parameter.name for parameter in parameters}
    for name in re.findall(r"\{(\w+)\}", title or ""):
        if name not in known:
            section.problem(f"title names '{name}', which is no parameter of this command", "title")
    return title


def _progress(section: Section) -> str | None:
    progress = section.text("progress")
    if progress is not None:
        try:
            if not re.compile(progress).groupindex:
                section.problem("progress needs named groups, e.g. (?P<fraction>…) or (?P<R1>…)", "progress")
        except re.error as error:
            section.problem(f"progress is not a regular expression: {error}", "progress")
    return progress


def _above_zero(section: Section, key: str, number: float | None, *, zero: bool = False) -> float | None:
    """The number of a key; None with a note for one that cannot be granted. zero: whether zero can."""
    if number is None or number > 0 or (zero and number == 0):
        return number
    section.note(f"'{key}: {section.text(key)}' is not above zero and is ignored", key)
    return None


def _wishes(section: Section) -> dict[str, Any]:
    gpu = _above_zero(section, "gpu", section.number("gpu"), zero=True)
    memory = _above_zero(section, "memory", section.size("memory"))
    checkpoint = section.text("checkpoint")
    if checkpoint is not None and safe_file_name(checkpoint) != checkpoint:
        section.problem("checkpoint names a file in the working directory, without folders", "checkpoint")
    return {
        "timeout_s": _above_zero(section, "timeout", section.number("timeout")),
        "memory_bytes": None if memory is None else int(memory),
        "cpus": _above_zero(section, "cpus", section.number("cpus")),
        "gpu": None if gpu is None else int(gpu),
        "progress": _progress(section),
        "checkpoint": checkpoint,
        "estimate": section.text("estimate"),
    }
