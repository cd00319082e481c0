"""Parameters of commands: Python type, description, and the check of values before any network call."""

from __future__ import annotations

import difflib
import inspect
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Union

from qcrbox.contract.errors import UserInputError

CIF_TYPES = frozenset({"QCrBox.cif_data_file", "QCrBox.input_cif"})
FILE_TYPES = frozenset(
    {"QCrBox.data_file", "QCrBox.input_file", "QCrBox.input_path", "QCrBox.input_folder", *CIF_TYPES}
)
_OUTPUT_TYPES = frozenset(
    {
        "QCrBox.output_cif",
        "QCrBox.output_file",
        "QCrBox.output_path",
        "QCrBox.output_folder",
        "QCrBox.folder_path",
        "QCrBox.work_cif",
    }
)
_PYTHON_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
# Quantity of a number with this unit.
_QUANTITIES = {"Å": "a length", "°": "an angle", "K": "a temperature", "s": "a time", "kPa": "a pressure"}
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
# Beyond, a number is no slip of the decimal point, and may be none that a float holds.
_SLIPS_BELOW = 10**12
_NOTHING = frozenset({"", "none", "null"})


class CifInput:
    """Type of a CIF argument: a dataset, a result, a calculation, a name in the store, a Path or bytes."""


class FileInput:
    """Type of a file argument: a data file, a dataset with one file, a Path or bytes."""


# Signatures show the public name.
CifInput.__module__ = FileInput.__module__ = "qc"


@dataclass(frozen=True)
class Parameter:
    """One parameter, from the record of its command."""

    name: str
    dtype: str
    description: str = ""
    default: Any = None
    required: bool = True
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    regex: str = ""
    unit: str = ""
    advanced: bool = False
    required_entries: tuple[Any, ...] = field(default=(), repr=False)
    endings: tuple[str, ...] = field(default=(), repr=False)  # of files that fit; none: any
    needs_atoms: bool = field(default=False, repr=False)  # a CIF without a structure does not fit

    @classmethod
    def from_json(cls, name: str, record: dict[str, Any]) -> Parameter:
        """The parameter of a command from its record."""
        dtype = str(record.get("dtype") or record.get("type") or "str")
        valid = record.get("valid_value") or {}
        low, high = valid.get("numeric_range") or (None, None)
        default = record.get("default_value")
        if dtype != "str" and isinstance(default, str) and default.strip().lower() in _NOTHING:
            default = None
        needed = default is None and record.get("required") is not False and dtype not in _OUTPUT_TYPES
        return cls(
            name=name,
            dtype=dtype,
            description=str(record.get("description") or "").strip(),
            default=default,
            required=needed,
            choices=tuple(valid.get("choices") or ()),
            minimum=low,
            maximum=high,
            regex=str(valid.get("regex") or ""),
            unit=str(record.get("unit") or record.get("units") or ""),
            advanced=bool(record.get("advanced")),
            required_entries=tuple(record.get("required_entries") or ()),
            endings=tuple((record.get("takes") or {}).get("endings") or ()),
            needs_atoms=bool((record.get("takes") or {}).get("atoms")),
        )

    @property
    def is_cif(self) -> bool:
        """True for a CIF file."""
        return self.dtype in CIF_TYPES

    @property
    def is_file(self) -> bool:
        """True for a file of any kind."""
        return self.dtype in FILE_TYPES

    @property
    def is_output(self) -> bool:
        """True for output paths of older specs, which are not part of the signature."""
        return self.dtype in _OUTPUT_TYPES

    @property
    def annotation(self) -> Any:
        """The type shown in the signature: Literal for choices, CifInput and FileInput for files."""
        if self.is_cif:
            base: Any = CifInput
        elif self.is_file:
            base = FileInput
        elif self.choices:
            base = Literal[self.choices]
        else:
            base = _PYTHON_TYPES.get(self.dtype, str)
        return base if self.required or self.default is not None else Union[base, None]  # noqa: UP007

    def as_signature(self, *, positional: bool) -> inspect.Parameter:
        """The parameter for `inspect.Signature`."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if positional else inspect.Parameter.KEYWORD_ONLY
        default = inspect.Parameter.empty if self.required else self.default
        return inspect.Parameter(self.name, kind, default=default, annotation=self.annotation)

    # ------------------------------------------------------------ words

    @property
    def kind_in_words(self) -> str:
        """'whole number ≥ 0', 'length in Å between 0.05 and 0.5', 'one of a, b': the allowed values in words."""
        if self.is_cif:
            return "a dataset, result, calculation, stored name, Path or bytes of a CIF"
        if self.is_file:
            return "a data file, stored name, Path or bytes"
        if self.choices:
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        noun = {"int": "a whole number", "float": "a number", "bool": "True or False"}.get(self.dtype, "text")
        if self.unit:
            noun = f"{_QUANTITIES.get(self.unit, noun)} in {self.unit}"
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} between {self.minimum:g} and {self.maximum:g}"
        if self.minimum is not None:
            return f"{noun} ≥ {self.minimum:g}"
        if self.maximum is not None:
            return f"{noun} ≤ {self.maximum:g}"
        if self.regex and len(self.regex) <= 30:
            return f"{noun} that matches {self.regex}"
        return f"{noun} of a certain form" if self.regex else noun

    @property
    def summary(self) -> str:
        """'whole number between 0 and 50, default 10': the hint after a suggestion."""
        words = re.sub(r"^an? ", "", self.kind_in_words)
        return words if self.required else f"{words}, default {self.default!r}"

    def docstring(self) -> str:
        """Its lines in the docstring of the command, in numpydoc form."""
        head = f"{self.name} : {re.sub(r'^an? ', '', self.kind_in_words)}"
        if not self.required:
            head += ", optional" if self.default is None else f", default {self.default!r}"
        return f"{head}\n    {self.description}" if self.description else head

    # ------------------------------------------------------------ checking

    def check(self, value: Any) -> Any:
        """The value in the form of the registry; files are returned unchanged.

        Raises UserInputError with the allowed values and, where possible, a suggestion.
        """
        if self.is_file:
            return value
        if value is None:
            if self.required:
                raise self._refusal(value)
            return None
        made = self._converted(value)
        if self.choices and made not in self.choices:
            near = difflib.get_close_matches(str(made), [str(c) for c in self.choices], 1, 0.5)
            raise self._refusal(value, near[0] if near else None)
        if isinstance(made, (int, float)) and not isinstance(made, bool):
            self._check_range(value, made)
        if self.regex and isinstance(made, str) and not re.match(self.regex, made):
            raise self._refusal(value)
        return made

    def _converted(self, value: Any) -> Any:
        if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
            value = value.item()  # numpy scalars
        try:
            if self.dtype == "int":
                return self._whole(value)
            if self.dtype == "float":
                if isinstance(value, bool):
                    raise self._refusal(value)
                number = float(value)
                if not math.isfinite(number):
                    raise self._refusal(value)
                return number
        except (TypeError, ValueError, OverflowError):
            raise self._refusal(value) from None
        if self.dtype == "bool":
            return self._truth(value)
        if isinstance(value, (str, int, float, bool, Path)):
            return str(value)
        raise self._refusal(value)

    def _whole(self, value: Any) -> int:
        if isinstance(value, bool):
            raise self._refusal(value)
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
            return int(value)  # a float would round beyond 2^53
        number = float(value) if not isinstance(value, int) else value
        if number != int(number):
            raise self._refusal(value, str(round(number)))
        return int(number)

    def _truth(self, value: Any) -> bool:
        word = str(value).strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise self._refusal(value)

    def _check_range(self, given: Any, number: float) -> None:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if low <= number <= high:
            return
        # A misplaced decimal point is the usual reason: 20 for 0.20.
        for factor in (0.1, 0.01, 0.001, 10, 100, 1000) if abs(number) < _SLIPS_BELOW else ():
            slipped = number * factor
            if low <= slipped <= high and (self.dtype == "float" or slipped == int(slipped)):
                exact = f"{slipped:.2f}" if math.isclose(slipped, round(slipped, 2)) else f"{slipped:g}"
                raise self._refusal(given, exact if factor == 0.01 else f"{slipped:g}")
        raise self._refusal(given)

    def _refusal(self, value: Any, guess: str | None = None) -> UserInputError:
        return UserInputError(
            f"{self.name} must be {self.kind_in_words}; you gave {_shown(value)}.",
            next=f"Did you mean {guess}?" if guess else self.description if self.regex else "",
            parameter=self.name,
        )


def _shown(value: Any) -> str:
    """A value for a message, however long it is."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of very many digits"  # Python writes no more than 4300
    return text if len(text) <= 80 else f"{text[:79]}…"


def unknown_option(command: str, given: str, parameters: dict[str, Parameter]) -> UserInputError:
    """The error for an unknown option, with a suggestion."""
    near = difflib.get_close_matches(given, parameters, 1, 0.5)
    if near:
        parameter = parameters[near[0]]
        return UserInputError(
            f"{command}() has no option {given!r}.",
            why=f"Did you mean {near[0]!r}?",
            next=f"({parameter.summary})",
            parameter=given,
        )
    return UserInputError(
        f"{command}() has no option {given!r}.",
        next="It has: " + ", ".join(parameters) + "." if parameters else "It has no options.",
        parameter=given,
    )


def too_many_arguments(command: str, most: int, given: int) -> UserInputError:
    """The error for more arguments by position than there are files."""
    return UserInputError(
        f"{command}() takes {most or 'no'} argument{'s' * (most != 1)} by position; you gave {given}.",
        next="Give the others by name.",
    )


def missing_arguments(command: str, missing: list[Parameter]) -> UserInputError:
    """The error that names all missing required parameters."""
    names = ", ".join(repr(parameter.name) for parameter in missing)
    kinds = "; ".join(f"{parameter.name}: {parameter.kind_in_words}" for parameter in missing)
    return UserInputError(
        f"{command}() needs {names}.",
        next=f"({kinds})",
        parameters=[parameter.name for parameter in missing],
    )
