"""The hidden commands that older GUI commands bring with them: one writes the results, one repeats without the window."""

from __future__ import annotations

import re
from typing import Any

from qcrbox.spec.call_pattern import condensed
from qcrbox.spec.calls import check_pattern, implementation_of_step, read_call, read_uses
from qcrbox.spec.dtypes import DType
from qcrbox.spec.model import Call, Command, Implementation, Parameter
from qcrbox.spec.parameters import output_of_parameter, read_parameter, without_repeats
from qcrbox.spec.section import Section


def read_hidden_commands(
    section: Section, base: dict[str, Any], known: list[str]
) -> tuple[list[Command], dict[str, Any]]:
    """Hidden commands from `toparams` and `non_interactive_equivalent` of older GUI commands."""
    extra: list[Command] = []
    links: dict[str, Any] = {}
    name = base["name"]
    toparams = ("toparams",)
    cycle = section.section("interactive_lifecycle")
    holder = cycle if cycle is not None and cycle.has(*toparams) else section
    if holder.has(*toparams):
        made = _hidden_command(holder, toparams, f"{name}__toparams", base, known)
        if made is not None:
            extra.append(made)
            links["toparams"] = made.name
    equivalent = ("non_interactive_equivalent", "non-interactive_equivalent")
    if section.has(*equivalent):
        if (other := section.source.text(section.path_of(*equivalent))) is not None:
            links["repeats"] = other
        elif (part := section.section(*equivalent)) is not None:
            made = _hidden_command(section, equivalent, part.text("name") or f"{name}__repeat", base, known)
            if made is not None:
                made = _reading_what_was_written(section, made, base["parameters"], extra)
                extra.append(made)
                links["repeats"] = made.name
    return extra, links


def _reading_what_was_written(
    section: Section, repeat: Command, shown: list[Parameter], extra: list[Command]
) -> Command:
    """Files that toparams wrote are inputs of the command that repeats the session, however the file calls them."""
    written = {p.name for command in [*extra] for p in command.parameters if p.is_output}
    written |= {p.name for p in shown if p.is_output}
    kinds = {DType.OUTPUT_FILE: DType.DATA_FILE, DType.OUTPUT_FOLDER: DType.INPUT_FOLDER}
    made, reads = [], set()
    for parameter in repeat.parameters:
        if parameter.dtype in kinds and parameter.name in written:
            section.note(f"'{parameter.name}' of '{repeat.name}' is read, not written: the session writes it")
            parameter = parameter.model_copy(
                update={"dtype": kinds[parameter.dtype], "has_default": False, "default": None}
            )
            reads.add(parameter.name)
        made.append(parameter)
    outputs = [output for output in repeat.outputs if output.name not in reads]
    return repeat.model_copy(update={"parameters": made, "outputs": outputs})


def _hidden_command(
    section: Section, keys: tuple[str, ...], name: str, base: dict[str, Any], known: list[str]
) -> Command | None:
    text = section.source.text(section.path_of(*keys))
    if text is not None:
        return _hidden_from_text(section, keys, text, name, base, known)
    part = section.section(*keys)
    if part is None:
        return None
    if part.has("parameters"):
        parameters = without_repeats(part, (read_parameter(entry) for entry in part.sections("parameters")))
        known = [p.name for p in parameters]
        base = base | {
            "parameters": parameters,
            "outputs": [output_of_parameter(p) for p in parameters if p.is_output],
        }
    implementation = implementation_of_step(part, f"command '{name}'")
    if implementation is None or implementation is Implementation.INTERACTIVE:
        return None
    uses = read_uses(part, f"command '{name}'", known) if part.has("used_basecommand_parameters") else None
    call = read_call(part, implementation, name, known).model_copy(update={"uses": uses})
    part.text("name")
    part.note_unknown(f"command '{name}'")
    return Command(**(base | {"name": name}), implemented_as=implementation, call=call, hidden=True)


def _hidden_from_text(
    section: Section, keys: tuple[str, ...], text: str, name: str, base: dict[str, Any], known: list[str]
) -> Command | None:
    """`module:function`, `module.function`, or a call pattern."""
    module, _, function = text.strip().replace(":", ".").rpartition(".")
    if module and function.isidentifier() and re.fullmatch(r"[\w.-]+", module):
        call = Call(
            implemented_as=Implementation.PYTHON,
            import_path=module,
            callable_name=function,
            line=section.line,
        )
    elif "{" in text or " " in text.strip():
        check_pattern(section, name, text, known)
        call = Call(implemented_as=Implementation.CLI, call_pattern=condensed(text), line=section.line)
    else:
        section.note(f"'{text}' is not understood and ignored", *keys)
        return None
    return Command(**(base | {"name": name}), implemented_as=call.implemented_as, call=call, hidden=True)
