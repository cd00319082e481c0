"""Commands of a spec file, from any generation, into `Command`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from qcrbox.spec import generation
from qcrbox.spec.arguments import safe_file_name
from qcrbox.spec.call_pattern import PatternError, condensed, parse
from qcrbox.spec.dtypes import DType
from qcrbox.spec.model import Call, CifInput, CifOutput, Command, Implementation, Lifecycle, Output, Parameter
from qcrbox.spec.parameters import (
    cif_input_keys,
    cif_output_keys,
    output_of_parameter,
    read_output,
    read_parameter,
)
from qcrbox.spec.section import Section

_IMPLEMENTATIONS = {
    "cli": Implementation.CLI,
    "cli_command": Implementation.CLI,
    "python_callable": Implementation.PYTHON,
    "gui": Implementation.INTERACTIVE,
    "interactive": Implementation.INTERACTIVE,
    "interactive_session": Implementation.INTERACTIVE,
}


def read_command(section: Section) -> list[Command]:
    """The command, and the hidden ones that older GUI commands bring with them."""
    name = section.text("name") or section.text("callable_name", "function")
    if name is None:
        section.problem("a command needs a name")
        return []
    implementation = _implementation(section, f"command '{name}'")
    parameters = _unique(section, (read_parameter(part) for part in section.sections("parameters")))
    outputs = _unique(section, (read_output(part) for part in section.sections("outputs")))
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
    lifecycle = call = None
    if implementation is Implementation.INTERACTIVE:
        lifecycle = _lifecycle(section, name, known)
    else:
        call = _call(section, implementation, name, known)
    extra, links = _gui_extras(section, base, known)
    section.note_unknown(f"command '{name}'")
    command = Command(
        implemented_as=implementation,
        lifecycle=lifecycle,
        call=call,
        hidden=name.startswith("__"),
        **base,
        **links,
    )
    return [command, *extra]


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


def _implementation(section: Section, what: str) -> Implementation | None:
    word = section.text("implemented_as")
    made = _IMPLEMENTATIONS.get((word or "").lower().replace("-", "_").replace(" ", "_"))
    if made is None:
        known = "cli_command, python_callable, interactive_session"
        section.problem(
            f"{what}: implemented_as must be one of {known}, not '{word or ''}'", "implemented_as"
        )
    return made


def _unique(section: Section, parts: Iterable[Any]) -> list[Any]:
    made: dict[str, Any] = {}
    for part in parts:
        if part is None:
            continue
        if part.name in made:
            section.source.problems.append(
                f"{section.source.filename}:{part.line}: the name '{part.name}' is there twice"
            )
        made[part.name] = part
    return list(made.values())


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


def _call(section: Section, implementation: Implementation, what: str, known: list[str]) -> Call:
    """The call keys of a command or of a step, checked against the names it may use."""
    pattern = section.text("call_pattern", "command")
    import_path = section.text("import_path", "module")
    callable_name = section.text("callable_name", "function")
    if implementation is Implementation.CLI:
        import_path = callable_name = None
        _check_pattern(section, what, pattern, known)
        pattern = condensed(pattern or "")
    else:
        pattern = None
        callable_name = callable_name or what
        if import_path is None:
            import_path = _import_path_of_old(section, what)
        if not callable_name.isidentifier():
            section.problem(f"callable_name '{callable_name}' must be a plain function name", "callable_name")
    return Call(
        implemented_as=implementation,
        call_pattern=pattern,
        import_path=import_path,
        callable_name=callable_name,
        description=section.text("description"),
        line=section.line,
    )


def _import_path_of_old(section: Section, what: str) -> str | None:
    """Where the first generation kept its functions; a problem for later files."""
    if not generation.is_first(section.source):
        section.problem(f"'{what}' is a python_callable and needs import_path", "import_path")
        return None
    module = f"configure_{generation.slug_of(section.source)}"
    section.note(
        f"'{what}' has no import_path; taken as {module}, where older applications kept their functions"
    )
    return module


def _check_pattern(section: Section, what: str, pattern: str | None, known: list[str]) -> None:
    if pattern is None:
        section.problem(f"'{what}' is a cli_command and needs call_pattern", "call_pattern")
        return
    try:
        names = parse(pattern).names
    except PatternError as error:
        section.problem(f"call_pattern of '{what}': {error}", "call_pattern", "command")
        return
    for name in names:
        if name not in known:
            has = ", ".join(known) or "none"
            section.problem(
                f"call_pattern of '{what}': {{{name}}} is not a parameter or output of it (it has: {has})",
                "call_pattern",
                "command",
            )
    # Outputs have a fixed file name and need no placeholder.
    declared = section.data.get("parameters")
    for given in (part.get("name") for part in _mappings(declared)):
        if given in known and given not in names:
            section.note(
                f"'{given}' is never used in the call pattern of '{what}'", "call_pattern", "command"
            )


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _lifecycle(section: Section, name: str, known: list[str]) -> Lifecycle | None:
    cycle = section.section("interactive_lifecycle")
    if cycle is None:
        return _lifecycle_of_old_gui(section, name, known)
    steps: dict[str, Call | None] = {}
    for step, keys in (("prepare", ("prepare",)), ("run", ("run",)), ("finalise", ("finalise", "finalize"))):
        part = cycle.section(*keys)
        steps[step] = None if part is None else _step(part, step, known)
    if steps["run"] is None:
        if cycle.get("run") is None:
            cycle.problem(f"interactive_lifecycle of '{name}' needs a run step")
        return None
    cycle.has("toparams")  # read by _gui_extras
    cycle.note_unknown("interactive_lifecycle")
    return Lifecycle(prepare=steps["prepare"], run=steps["run"], finalise=steps["finalise"])


def _lifecycle_of_old_gui(section: Section, name: str, known: list[str]) -> Lifecycle | None:
    if section.has("call_pattern", "command"):
        implementation = Implementation.CLI
    elif section.has("import_path", "module"):
        implementation = Implementation.PYTHON
    else:
        section.problem(f"'{name}' is interactive and needs interactive_lifecycle")
        return None
    section.note(f"'{name}' has no interactive_lifecycle; its call is taken as the run step")
    call = _call(section, implementation, name, known)
    return Lifecycle(run=call.model_copy(update={"uses": known}))


def _step(part: Section, step: str, known: list[str]) -> Call | None:
    implementation = _step_implementation(part, f"step {step}")
    uses = _uses(part, f"step {step}", known)
    part.get("name")
    if implementation in (None, Implementation.INTERACTIVE):
        if implementation is not None:
            part.problem(f"step {step} must be a cli_command or a python_callable", "implemented_as")
        return None
    if implementation is Implementation.CLI:
        uses = _uses_of_pattern(part, step, uses, known)
    call = _call(part, implementation, f"__interactive_{step}", uses)
    part.note_unknown(f"step {step}")
    return call.model_copy(update={"uses": uses})


def _step_implementation(part: Section, what: str) -> Implementation | None:
    """As written; otherwise deduced from the keys of the call."""
    if part.text("implemented_as") is not None:
        return _implementation(part, what)
    if part.has("import_path", "module", "callable_name", "function"):
        return Implementation.PYTHON
    if part.has("call_pattern", "command"):
        return Implementation.CLI
    return _implementation(part, what)


def _uses(part: Section, what: str, known: list[str]) -> list[str]:
    """`used_basecommand_parameters`, checked against the command's names."""
    uses = part.texts("used_basecommand_parameters")
    for name in uses:
        if name not in known:
            part.problem(
                f"{what} uses '{name}', which is not a parameter or output of the command "
                f"(it has: {', '.join(known) or 'none'})",
                "used_basecommand_parameters",
            )
    return uses


def _uses_of_pattern(part: Section, step: str, uses: list[str], known: list[str]) -> list[str]:
    try:
        names = parse(part.text("call_pattern", "command") or "").names
    except PatternError:
        return uses
    for name in names:
        if name in known and name not in uses:
            part.note(f"step {step} uses '{name}' without listing it in used_basecommand_parameters")
            uses = [*uses, name]
    return uses


def _gui_extras(
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
        parameters = _unique(part, (read_parameter(entry) for entry in part.sections("parameters")))
        known = [p.name for p in parameters]
        base = base | {
            "parameters": parameters,
            "outputs": [output_of_parameter(p) for p in parameters if p.is_output],
        }
    implementation = _step_implementation(part, f"command '{name}'")
    if implementation is None or implementation is Implementation.INTERACTIVE:
        return None
    uses = _uses(part, f"command '{name}'", known) if part.has("used_basecommand_parameters") else None
    call = _call(part, implementation, name, known).model_copy(update={"uses": uses})
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
        _check_pattern(section, name, text, known)
        call = Call(implemented_as=Implementation.CLI, call_pattern=condensed(text), line=section.line)
    else:
        section.note(f"'{text}' is not understood and ignored", *keys)
        return None
    return Command(**(base | {"name": name}), implemented_as=call.implemented_as, call=call, hidden=True)
