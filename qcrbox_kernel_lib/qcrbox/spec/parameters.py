"""Parameters and outputs of a command, from any generation of spec file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from qcrbox.spec.arguments import default_file_name, safe_file_name
from qcrbox.spec.dtypes import (
    INPUT_FILES,
    NUMBERS,
    OUTPUTS,
    PLAIN,
    DType,
    is_secondary_cif,
    known_output_dtypes,
    known_parameter_dtypes,
    output_dtype,
    parameter_dtype,
)
from qcrbox.spec.model import CifInput, CifOutput, Entry, Output, Parameter, ValidValue
from qcrbox.spec.section import Section
from qcrbox.spec.source import Path
from qcrbox.spec.values import Value, WrongValue, breaks, coerce, is_nothing

_INPUT_KEYS = (
    "required_entries",
    "optional_entries",
    "required_entry_sets",
    "optional_entry_sets",
    "merge_su",
    "custom_categories",
    "dialect",
)
_OUTPUT_KEYS = ("invalidated_entries", "invalidated_entry_sets", "output_block")
_OLDER = {
    "required_entries": ("required_cif_entries",),
    "optional_entries": ("optional_cif_entries",),
    "required_entry_sets": ("required_cif_entry_sets",),
    "optional_entry_sets": ("optional_cif_entry_sets",),
    "merge_su": ("merge_cif_su",),
    "custom_categories": ("custom_cif_categories",),
    "dialect": ("cif_dialect",),
    "invalidated_entries": ("invalidated_cif_entries",),
    "invalidated_entry_sets": ("invalidated_cif_entry_sets",),
    "output_block": ("select_block",),
}


def read_parameter(section: Section) -> Parameter | None:
    """One entry of `parameters:`; None when it has problems (they are in the source)."""
    name = section.text("name")
    if name is None or not name.isidentifier():
        section.problem(f"a parameter's name must be an identifier, not '{name or ''}'", "name")
        return None
    valid = _valid_value(section)
    dtype = _parameter_dtype(section, name, valid)
    if dtype is None:
        return None
    if dtype is DType.OUTPUT_FILE and cif_output_keys(section):
        section.note(f"'{name}' is taken as the output CIF, because it has CIF keys", "dtype", "type")
        dtype = DType.OUTPUT_CIF
    valid = _checked_valid_value(section, dtype, valid)
    required = _required(section)
    default, has_default = _default(section, name, dtype, required)
    if has_default and breaks(valid, default):
        section.note(f"the default {default!r} of '{name}' breaks its own valid_value", "default_value")
    made = Parameter(
        name=name,
        dtype=dtype,
        description=section.text("description"),
        default=default,
        has_default=has_default,
        required=required,
        valid_value=valid,
        cif=read_cif_input(section) if dtype is DType.CIF_DATA_FILE else None,
        cif_output=read_cif_output(section) if dtype is DType.OUTPUT_CIF else None,
        companion=_companion(section, name, dtype),
        older_names=tuple(section.texts("older_names")),
        secondary=is_secondary_cif(section.text("dtype", "type") or ""),
        line=section.line,
    )
    section.note_unknown(f"parameter '{name}'")
    return made


def _required(section: Section) -> bool | None:
    """`required:` as written, or the opposite of `optional:`, as in some older files."""
    required, optional = section.flag("required"), section.flag("optional")
    return required if required is not None or optional is None else not optional


def _companion(section: Section, name: str, dtype: DType) -> tuple[str, ...]:
    if not section.has("companion"):
        return ()
    if dtype is not DType.DATA_FILE:
        section.problem(f"companion is for data files; '{name}' is {dtype}", "companion")
    return tuple(text for path, _ in section.items("companion") if (text := section.text_at(path)))


def _parameter_dtype(section: Section, name: str, valid: ValidValue | None) -> DType | None:
    word = section.text("dtype", "type")
    if word is None:
        if valid is None:
            section.problem(f"parameter '{name}' has no dtype; known: {known_parameter_dtypes()}", "dtype")
            return None
        guess = DType.FLOAT if valid.numeric_range is not None else DType.STR
        section.note(f"parameter '{name}' has no dtype; taken as {guess} because of its valid_value")
        return guess
    dtype = parameter_dtype(word)
    if dtype is None:
        known = known_parameter_dtypes()
        section.problem(f"parameter '{name}' has the unknown dtype '{word}'; known: {known}", "dtype", "type")
    elif name == "input_cif_path" and dtype is DType.STR:
        section.note("'input_cif_path' of type str is taken as the input CIF", "dtype", "type")
        return DType.CIF_DATA_FILE
    return dtype


def _default(section: Section, name: str, dtype: DType, required: bool | None) -> tuple[Value, bool]:
    if section.get("default_value", "default") is None:
        return None, False
    text = section.text("default_value", "default")
    key = "default_value"
    if text is None:
        if dtype is DType.STR and section.source.text(section.path_of("default_value", "default")) == "":
            return "", True
        section.note(f"the empty default of '{name}' means there is none", key, "default")
        return None, False
    if is_nothing(dtype, text):
        if dtype is not DType.STR:
            section.note(f"the default '{text}' of '{name}' means there is none", key, "default")
        elif required is not False:
            section.note(f"the default '{text}' of '{name}' is taken as no default: it is required", key)
        return None, False
    if dtype in INPUT_FILES or dtype in (DType.WORK_CIF, DType.FOLDER):
        section.note(f"the default '{text}' of '{name}' is ignored: files have none", key, "default")
        return None, False
    if dtype not in PLAIN:
        return safe_file_name(text) or None, bool(safe_file_name(text))
    try:
        # Not stripped: blanks may be meant.
        raw = section.source.text(section.path_of("default_value", "default"))
        return coerce(dtype, raw), True
    except WrongValue as error:
        section.note(f"the default '{text}' of '{name}' is not {error}; taken as no default", key, "default")
        return None, False


def _valid_value(section: Section) -> ValidValue | None:
    valid = section.section("valid_value", "valid_values")
    if valid is None:
        if section.has("valid_value", "valid_values"):
            section.problem("valid_value is empty: give numeric_range, choices or regex", "valid_value")
        return None
    found: dict[str, Any] = {}
    if valid.has("numeric_range"):
        found["numeric_range"] = _numeric_range(valid)
    if valid.has("choices"):
        found["choices"] = [
            text for path, _ in valid.items("choices") if (text := valid.text_at(path)) is not None
        ]
        if not found["choices"]:
            valid.problem("choices must be a list that is not empty", "choices")
    if valid.has("regex"):
        found["regex"] = _regex(valid)
    if not found and valid.data is not None:
        valid.problem("valid_value needs numeric_range, choices or regex")
    valid.note_unknown("valid_value")
    return ValidValue(**found)


def _numeric_range(valid: Section) -> tuple[float | None, float | None] | None:
    ends = valid.items("numeric_range")
    if len(ends) != 2:
        valid.problem("numeric_range must be [min, max]", "numeric_range")
        return None
    low, high = (_range_end(valid, path, value) for path, value in ends)
    if low is not None and high is not None and low > high:
        valid.problem(f"numeric_range: min {low:g} is above max {high:g}", "numeric_range")
    return low, high


def _range_end(valid: Section, path: Path, value: Any) -> float | None:
    if value is None:
        return None
    try:
        end = float(valid.source.text(path) or "").__float__()
    except ValueError:
        word = (valid.source.text(path) or "").lower().lstrip("+-")
        if word not in (".inf", "inf"):
            valid.source.problem(path, "numeric_range must hold two numbers")
        return None
    if math.isnan(end):
        valid.source.problem(path, "numeric_range must hold two numbers")
    return end if math.isfinite(end) else None


def _regex(valid: Section) -> str | None:
    text = valid.source.text(valid.path_of("regex"))
    try:
        re.compile(text or "")
    except re.error as error:
        valid.problem(f"'{text}' is not a regular expression: {error}", "regex")
        return None
    if not text:
        valid.problem("regex is empty", "regex")
    return text


def _checked_valid_value(section: Section, dtype: DType, valid: ValidValue | None) -> ValidValue | None:
    """The rules with choices of the data type; None with a problem where they are not for this type."""
    if valid is None:
        return None
    wrong = list(_wrong_rules(dtype, valid))
    if not wrong and valid.choices is not None and dtype in NUMBERS:
        try:
            return valid.model_copy(update={"choices": [coerce(dtype, choice) for choice in valid.choices]})
        except WrongValue as error:
            wrong.append(f"a choice is not {error}")
    for text in wrong:
        section.problem(text, "valid_value", "valid_values")
    return None if wrong else valid


def _wrong_rules(dtype: DType, valid: ValidValue) -> Iterator[str]:
    if dtype not in PLAIN:
        yield f"valid_value is not allowed for {dtype}"
    if valid.numeric_range is not None and dtype not in NUMBERS:
        yield f"numeric_range is for int and float, not for {dtype}"
    if valid.regex is not None and dtype is not DType.STR:
        yield f"regex is for str, not for {dtype}"
    if valid.choices is not None and dtype is DType.BOOL:
        yield "choices are for str and numbers, not for bool"


def read_entries(section: Section, *keys: str) -> list[Entry]:
    """Item names and `one_of` groups, spelled as written."""
    key_path = section.path_of(*keys)
    if (single := section.source.text(key_path)) is not None and key_path != section.path:
        section.note(f"'{key_path[-1]}' should be a list", *keys)
        return [single]
    made: list[Entry] = []
    for path, item in section.items(*keys):
        if isinstance(item, dict):
            made += _one_of(section, path, item)
        elif (text := section.text_at(path)) is not None:
            made.append(text)
    return made


def _one_of(section: Section, path: Path, item: dict[str, Any]) -> list[Entry]:
    alternatives = item.get("one_of")
    if list(item) != ["one_of"] or not isinstance(alternatives, list) or not alternatives:
        section.source.problem(path, "an entry is a name or one_of: [name, [name, name], …]")
        return []
    made: list[str | list[str]] = []
    for index, alternative in enumerate(alternatives):
        here = (*path, "one_of", index)
        if isinstance(alternative, list):
            names = [section.text_at((*here, place)) for place in range(len(alternative))]
            made.append([name for name in names if name is not None])
        elif (text := section.text_at(here)) is not None:
            made.append(text)
    return [{"one_of": made}]


def _cif_keys(section: Section, keys: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in keys:
        spellings = (key, *_OLDER[key])
        if not section.has(*spellings):
            continue
        if key == "merge_su":
            found[key] = bool(section.flag(*spellings))
        elif key == "dialect":
            found |= _dialect(section, spellings)
        elif key == "output_block":
            found[key] = section.text(*spellings) or "0"
        elif key in ("required_entries", "optional_entries"):
            found[key] = read_entries(section, *spellings)
        else:
            found[key] = section.texts(*spellings)
    return found


def _dialect(section: Section, spellings: tuple[str, ...]) -> dict[str, str]:
    written = (section.text(*spellings) or "unified").lower()
    if written not in ("unified", "ddl1"):
        section.problem(f"'{written}' is not a dialect of CIF; use unified or ddl1", *spellings)
        return {}
    return {"dialect": written}


def cif_input_keys(section: Section) -> dict[str, Any]:
    """Only those that are written; older spellings too."""
    return _cif_keys(section, _INPUT_KEYS)


def cif_output_keys(section: Section) -> dict[str, Any]:
    """The keys of a CIF output under their present names."""
    return _cif_keys(section, _INPUT_KEYS + _OUTPUT_KEYS)


def read_cif_input(section: Section) -> CifInput:
    """The CIF keys of a parameter."""
    return CifInput(**cif_input_keys(section))


def read_cif_output(section: Section) -> CifOutput:
    """The CIF keys of an output; patterns that cannot be compiled are noted."""
    found = cif_output_keys(section)
    for pattern in found.get("invalidated_entries", []):
        try:
            re.compile(pattern)
        except re.error as error:
            # Still usable: the CIF layer takes an invalid pattern as a plain name.
            section.note(
                f"'{pattern}' is not a regular expression ({error}); taken as a name", "invalidated_entries"
            )
    return CifOutput(**found)


def read_output(section: Section) -> Output | None:
    """One entry of `outputs:`."""
    name = section.text("name")
    if name is None or not name.isidentifier():
        section.problem(f"an output's name must be an identifier, not '{name or ''}'", "name")
        return None
    word = section.text("dtype", "type") or ""
    dtype = output_dtype(word)
    if dtype is None:
        known = known_output_dtypes()
        section.problem(f"output '{name}' has the unknown dtype '{word}'; known: {known}", "dtype", "type")
        return None
    filename = section.text("filename") or f"{name}.{OUTPUTS[dtype]}"
    parts = filename.split("/")
    if filename.startswith(("/", "\\", "-")) or ".." in parts or "\0" in filename or parts[-1] in ("", "."):
        section.problem(
            f"the filename '{filename}' must be relative and without .., and name a file", "filename"
        )
    required = section.flag("required_output")
    made = Output(
        name=name,
        dtype=dtype,
        description=section.text("description"),
        filename=filename,
        required_output=True if required is None else required,
        older_names=tuple(section.texts("older_names")),
        cif=read_cif_output(section) if dtype is DType.OUTPUT_CIF else None,
        line=section.line,
    )
    section.note_unknown(f"output '{name}'")
    return made


def output_of_parameter(parameter: Parameter) -> Output:
    """The output that a parameter of the middle generation declares."""
    is_cif = parameter.dtype is DType.OUTPUT_CIF
    return Output(
        name=parameter.name,
        dtype=parameter.dtype,
        description=parameter.description,
        filename=default_file_name(parameter),
        required_output=is_cif and parameter.required is not False,
        missing_is_warning=True,
        from_parameter=True,
        cif=parameter.cif_output,
        line=parameter.line,
    )


def without_repeats(section: Section, parts: Iterable[Any]) -> list[Any]:
    """The parameters or outputs that could be read; a name that is there twice is a problem, and the last one counts."""
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
