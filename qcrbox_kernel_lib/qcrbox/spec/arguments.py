"""Checks the arguments of a call against the spec and fills in the defaults.

The one place where this happens for REST, forms and notebooks, so that the messages are the same everywhere.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from qcrbox.contract.errors import UserInputError
from qcrbox.spec.dtypes import PLAIN, DType
from qcrbox.spec.model import Command, Output, Parameter
from qcrbox.spec.values import WrongValue, allowed, breaks, coerce, is_none_text, is_nothing

_LONGEST_NAME = 200  # bytes; file systems take 255
_AROUND = re.compile(r"^[\s-]+|\s+$")
_FILE_KEYS = ("data_file_id", "qcrbox_file_id", "dataset_id", "qcrbox_dataset_id")
# `input_cif`, `input_cif_path` and `input_cif_file` have named the same thing in different generations.
_SUFFIX = re.compile(r"(?:_file)?(?:_path|_name)$|_file$")


def check(command: Command, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The complete arguments of a call, in the order of the spec, with defaults filled in.

    Plain values have their data type, files are {"data_file_id": id} (the id is not looked up here; it may be
    a dataset's), output names are safe file names, and None means "nothing given". Names of earlier generations
    become those of the spec. A file name requested for a declared output is returned under the name of the output.

    Raises UserInputError: the first fault in its text, all of them in `details`; `fields` has `command`,
    `unknown`, `missing` and `wrong` (names of parameters).
    """
    if not isinstance(arguments, Mapping):
        raise UserInputError(
            f"The arguments of {command.name}() must be a mapping of names to values.", command=command.name
        )
    known = {p.name: p for p in command.arguments}
    arguments, wishes = _in_present_names(command, arguments)
    unknown = [str(name) for name in arguments if name not in known]
    missing = [name for name, p in known.items() if name not in arguments and not p.optional]
    problems = [_unknown_text(command, name, known) for name in unknown]
    if missing:
        problems.append(_missing_text(command, missing, known))
    complete: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, parameter in known.items():
        try:
            given = name in arguments
            complete[name] = value_of(parameter, arguments[name]) if given else default_of(parameter)
        except WrongValue as error:
            wrong[name] = str(error)
    for output, value in wishes:
        try:
            complete |= _wished_name(output, value)
        except WrongValue as error:
            wrong[output.name] = str(error)
    problems += wrong.values()
    if problems:
        raise UserInputError(
            problems[0],
            why=f"({len(problems) - 1} more: see details)" if len(problems) > 1 else "",
            details=problems,
            command=command.name,
            unknown=unknown,
            missing=missing,
            wrong=list(wrong),
        )
    return complete


def _in_present_names(
    command: Command, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], list[tuple[Output, Any]]]:
    """(arguments under the names of the spec, file names requested for outputs). Unknown names are kept."""
    known = {p.name for p in command.arguments}
    named: dict[str, Any] = {}
    wishes: dict[str, tuple[Output, Any]] = {}
    # Present names first: an older name beside its present one is then unknown, and reported.
    for name in sorted(arguments, key=lambda name: name not in known):
        target = None if name in known else present_name(command, str(name))
        if isinstance(target, Output) and target.name not in wishes:
            wishes[target.name] = target, arguments[name]
        elif isinstance(target, Parameter) and target.name not in named:
            named[target.name] = arguments[name]
        else:
            named[name] = arguments[name]
    return named, list(wishes.values())


def present_name(command: Command, name: str) -> Parameter | Output | None:
    """The parameter that a client of an earlier generation means by a name; None when that is ambiguous.

    `output_cif` with any ending means the command's output CIF; file names of other outputs need an ending, because
    outputs themselves are no arguments.
    """
    outputs = [output for output in command.outputs if not output.from_parameter]
    everything: list[Parameter | Output] = [*command.arguments, *outputs]
    for entry in everything:
        if name in entry.older_names:
            return entry
    output_cif = next((output for output in outputs if output is command.output_cif), None)
    stem = _SUFFIX.sub("", name)
    if output_cif is not None and (name == output_cif.name or stem == "output_cif"):
        return output_cif
    files = [
        entry for entry in everything if isinstance(entry, Output) or entry.is_input_file or entry.is_output
    ]
    fitting = [entry for entry in files if _SUFFIX.sub("", entry.name) == stem and entry.name != name]
    return fitting[0] if len(fitting) == 1 else None


def _wished_name(output: Output, value: Any) -> dict[str, str]:
    if is_none_text(value):
        return {}
    name = safe_file_name(value) if isinstance(value, str) else ""
    if not name:
        raise WrongValue(f"{output.name} must be a file name; you gave {_shown(value)}.")
    return {output.name: name}


def default_of(parameter: Parameter) -> Any:
    """The value of an optional parameter that a call omits."""
    if parameter.is_output:
        return default_file_name(parameter)
    return parameter.default if parameter.has_default else None


def default_file_name(parameter: Parameter) -> str:
    """The name of an output file where the caller gives none."""
    if isinstance(parameter.default, str) and parameter.has_default:
        return safe_file_name(parameter.default)
    return parameter.name + (".cif" if parameter.dtype is DType.OUTPUT_CIF else "")


def value_of(parameter: Parameter, value: Any) -> Any:
    """One checked value. Raises WrongValue with a whole sentence."""
    if parameter.is_input_file:
        return _file(parameter, value)
    if parameter.is_output or parameter.dtype is DType.FOLDER:
        return _file_name(parameter, value)
    assert parameter.dtype in PLAIN
    if value is None:
        if parameter.has_default or parameter.required is False:
            return default_of(parameter)
        raise WrongValue(f"{parameter.name} must be {allowed(parameter)}; you gave nothing.")
    # A form that shows the default None of an optional parameter sends the text back.
    if parameter.required is False and parameter.default is None and is_nothing(parameter.dtype, value):
        return None
    try:
        made = coerce(parameter.dtype, value)
    except WrongValue as error:
        words = str(error) if parameter.dtype is DType.STR else allowed(parameter)
        raise WrongValue(f"{parameter.name} must be {words}; you gave {_shown(value)}.") from None
    if breaks(parameter.valid_value, made) and made != parameter.default:
        hint = _hint(parameter, made)
        raise WrongValue(f"{parameter.name} must be {allowed(parameter)}; you gave {_shown(value)}.{hint}")
    return made


def _file(parameter: Parameter, value: Any) -> dict[str, str] | None:
    if isinstance(value, Mapping):
        value = next((value[key] for key in _FILE_KEYS if key in value), value)
    if is_none_text(value):
        if parameter.optional:
            return None
        raise WrongValue(f"{parameter.name} must be {allowed(parameter)}; you gave nothing.")
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.:-]{1,200}", value.strip()):
        raise WrongValue(
            f'{parameter.name} must be {allowed(parameter)}, given as {{"data_file_id": id}}; '
            f"you gave {_shown(value)}."
        )
    return {"data_file_id": value.strip()}


def _file_name(parameter: Parameter, value: Any) -> str | None:
    if is_none_text(value):
        return None if (name := default_of(parameter)) is None else str(name)
    try:
        name = safe_file_name(str(coerce(DType.STR, value)))
    except WrongValue:
        name = ""
    if not name:
        raise WrongValue(f"{parameter.name} must be a file name; you gave {_shown(value)}.")
    return name


def safe_file_name(text: str) -> str:
    """A name that stays inside its folder on every system; empty when nothing is left of it.

    A leading dash goes because a program would take the name for an option.
    """
    # Of a long name its end is kept, with the ending; what the cut lays bare goes as well.
    plain = "".join(
        "_" if char in "/\\" else char
        for char in text.strip()[-_LONGEST_NAME * 8 :]
        if unicodedata.category(char) not in ("Cc", "Cs")
    )
    name = _AROUND.sub("", plain).encode()[-_LONGEST_NAME:].decode(errors="ignore")
    name = _AROUND.sub("", name)
    return name if name.strip(".") else ""


def _unknown_text(command: Command, name: str, known: Mapping[str, Parameter]) -> str:
    # Names come from outside: a very long one would make the comparison and the message useless.
    head = f"{command.name}() has no option {_shown(name)}."
    close = difflib.get_close_matches(name[:100].lower(), [k.lower() for k in known], 1, 0.6)
    if close:
        parameter = next(p for k, p in known.items() if k.lower() == close[0])
        return f"{head} Did you mean '{parameter.name}'? ({describe(parameter)})"
    options = ", ".join(known) if known else "none"
    return f"{head} Its options are: {options}."


def describe(parameter: Parameter) -> str:
    """For hints and docstrings: 'whole number ≥ 0, default 10'."""
    words = allowed(parameter).removeprefix("a ")
    if parameter.has_default:
        return f"{words}, default {parameter.default}"
    return f"{words}, optional" if parameter.optional else words


def _missing_text(command: Command, missing: list[str], known: Mapping[str, Parameter]) -> str:
    listed = "; ".join(f"{name} ({describe(known[name])})" for name in missing)
    return f"{command.name}() needs {listed}."


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = f"'{value}'" if value.isprintable() else repr(value)
    else:
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):
            text = type(value).__name__
    return text if len(text) <= 80 else text[:79] + "…"


def _hint(parameter: Parameter, value: Any) -> str:
    valid = parameter.valid_value
    if valid is None:
        return ""
    if valid.choices is not None and isinstance(value, str):
        words = {str(choice).lower(): str(choice) for choice in valid.choices}
        close = difflib.get_close_matches(value[:100].lower(), list(words), 1, 0.6)
        return f" Did you mean '{words[close[0]]}'?" if close else ""
    if parameter.dtype is DType.FLOAT and valid.numeric_range is not None:
        # A percentage or a slipped decimal point is the usual reason.
        for tens in (10, 100, 1000):
            if not breaks(valid, value / tens) and value:
                return f" Did you mean {value / tens:g}?"
    return ""
