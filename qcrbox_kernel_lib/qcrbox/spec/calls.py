"""How commands and the steps of sessions are started: shell pattern or Python function, from any generation of spec."""

from __future__ import annotations

from typing import Any

from qcrbox.spec import generation
from qcrbox.spec.call_pattern import PatternError, condensed, parse
from qcrbox.spec.model import Call, Implementation, Lifecycle
from qcrbox.spec.section import Section

_IMPLEMENTATIONS = {
    "cli": Implementation.CLI,
    "cli_command": Implementation.CLI,
    "python_callable": Implementation.PYTHON,
    "gui": Implementation.INTERACTIVE,
    "interactive": Implementation.INTERACTIVE,
    "interactive_session": Implementation.INTERACTIVE,
}


def read_implementation(section: Section, what: str) -> Implementation | None:
    """How a command or step is run; None with a problem for an unknown word."""
    word = section.text("implemented_as")
    made = _IMPLEMENTATIONS.get((word or "").lower().replace("-", "_").replace(" ", "_"))
    if made is None:
        known = "cli_command, python_callable, interactive_session"
        section.problem(
            f"{what}: implemented_as must be one of {known}, not '{word or ''}'", "implemented_as"
        )
    return made


def read_call(section: Section, implementation: Implementation, what: str, known: list[str]) -> Call:
    """The call keys of a command or of a step, checked against the names it may use."""
    pattern = section.text("call_pattern", "command")
    import_path = section.text("import_path", "module")
    callable_name = section.text("callable_name", "function")
    if implementation is Implementation.CLI:
        import_path = callable_name = None
        check_pattern(section, what, pattern, known)
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


def check_pattern(section: Section, what: str, pattern: str | None, known: list[str]) -> None:
    """Problems of a call pattern with the reason, and a note for each parameter that it does not use."""
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


def read_lifecycle(section: Section, name: str, known: list[str]) -> Lifecycle | None:
    """The steps of an interactive command; None with a problem where nothing says what runs."""
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
    call = read_call(section, implementation, name, known)
    return Lifecycle(run=call.model_copy(update={"uses": known}))


def _step(part: Section, step: str, known: list[str]) -> Call | None:
    implementation = implementation_of_step(part, f"step {step}")
    uses = read_uses(part, f"step {step}", known)
    part.get("name")
    if implementation in (None, Implementation.INTERACTIVE):
        if implementation is not None:
            part.problem(f"step {step} must be a cli_command or a python_callable", "implemented_as")
        return None
    if implementation is Implementation.CLI:
        uses = _uses_of_pattern(part, step, uses, known)
    call = read_call(part, implementation, f"__interactive_{step}", uses)
    part.note_unknown(f"step {step}")
    return call.model_copy(update={"uses": uses})


def implementation_of_step(part: Section, what: str) -> Implementation | None:
    """As written; otherwise deduced from the keys of the call."""
    if part.text("implemented_as") is not None:
        return read_implementation(part, what)
    if part.has("import_path", "module", "callable_name", "function"):
        return Implementation.PYTHON
    if part.has("call_pattern", "command"):
        return Implementation.CLI
    return read_implementation(part, what)


def read_uses(part: Section, what: str, known: list[str]) -> list[str]:
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
