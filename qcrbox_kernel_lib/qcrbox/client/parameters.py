"""One parameter of a command: its Python type, its words, and the check of a value before any network call."""

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
# What a number with this unit is called.
_QUANTITIES = {"Å": "a length", "°": "an angle", "K": "a temperature", "s": "a time", "kPa": "a pressure"}
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_NOTHING = frozenset({"", "none", "null"})


class CifInput:
    """What a CIF parameter takes: a dataset, a result, a calculation, a name in the store, a Path or bytes."""


class FileInput:
    """What a file parameter takes: a data file, a dataset with one file, a Path or bytes."""


# As signatures show them: the name under which a person finds them.
CifInput.__module__ = FileInput.__module__ = "qc"


@dataclass(frozen=True)
class Parameter:
    """One parameter as the registry describes it."""

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

    @classmethod
    def from_json(cls, name: str, said: dict[str, Any]) -> Parameter:
        dtype = str(said.get("dtype") or said.get("type") or "str")
        valid = said.get("valid_value") or {}
        low, high = valid.get("numeric_range") or (None, None)
        default = said.get("default_value")
        if dtype != "str" and isinstance(default, str) and default.strip().lower() in _NOTHING:
            default = None
        needed = default is None and said.get("required") is not False and dtype not in _OUTPUT_TYPES
        return cls(
            name=name,
            dtype=dtype,
            description=str(said.get("description") or "").strip(),
            default=default,
            required=needed,
            choices=tuple(valid.get("choices") or ()),
            minimum=low,
            maximum=high,
            regex=str(valid.get("regex") or ""),
            unit=str(said.get("unit") or said.get("units") or ""),
            advanced=bool(said.get("advanced")),
            required_entries=tuple(said.get("required_entries") or ()),
        )

    @property
    def is_cif(self) -> bool:
        return self.dtype in CIF_TYPES

    @property
    def is_file(self) -> bool:
        return self.dtype in FILE_TYPES

    @property
    def is_output(self) -> bool:
        """True for the older specs' output paths, which nobody types."""
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
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if positional else inspect.Parameter.KEYWORD_ONLY
        default = inspect.Parameter.empty if self.required else self.default
        return inspect.Parameter(self.name, kind, default=default, annotation=self.annotation)

    # ------------------------------------------------------------ words

    @property
    def kind_in_words(self) -> str:
        """'whole number ≥ 0', 'length in Å between 0.05 and 0.5', 'one of a, b': what a value has to be."""
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
        """'whole number between 0 and 50, default 10': the hint after a did-you-mean."""
        words = re.sub(r"^an? ", "", self.kind_in_words)
        return words if self.required else f"{words}, default {self.default!r}"

    def docstring(self) -> str:
        head = f"{self.name} : {re.sub(r'^an? ', '', self.kind_in_words)}"
        if not self.required:
            head += ", optional" if self.default is None else f", default {self.default!r}"
        return f"{head}\n    {self.description}" if self.description else head

    # ------------------------------------------------------------ checking

    def check(self, value: Any) -> Any:
        """The value as it goes to the registry. Files are not looked at here.

        Raises UserInputError saying what is allowed and, where it can be guessed, what was meant.
        """
        if self.is_file:
            return value
        if value is None:
            if self.required:
                self._refuse(value)
            return None
        made = self._converted(value)
        if self.choices and made not in self.choices:
            near = difflib.get_close_matches(str(made), [str(c) for c in self.choices], 1, 0.5)
            self._refuse(value, near[0] if near else None)
        if isinstance(made, (int, float)) and not isinstance(made, bool):
            self._check_range(value, made)
        if self.regex and isinstance(made, str) and not re.match(self.regex, made):
            self._refuse(value)
        return made

    def _converted(self, value: Any) -> Any:
        if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
            value = value.item()  # numpy scalars
        try:
            if self.dtype == "int":
                return self._whole(value)
            if self.dtype == "float":
                if isinstance(value, bool):
                    self._refuse(value)
                number = float(value)
                if not math.isfinite(number):
                    self._refuse(value)
                return number
        except (TypeError, ValueError, OverflowError):
            self._refuse(value)
        if self.dtype == "bool":
            return self._truth(value)
        if isinstance(value, (str, int, float, bool, Path)):
            return str(value)
        return self._refuse(value)

    def _whole(self, value: Any) -> int:
        if isinstance(value, bool):
            self._refuse(value)
        number = float(value) if not isinstance(value, int) else value
        if number != int(number):
            self._refuse(value, str(round(number)))
        return int(number)

    def _truth(self, value: Any) -> bool:
        word = str(value).strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        return self._refuse(value)

    def _check_range(self, given: Any, number: float) -> None:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if low <= number <= high:
            return
        # A slip of the decimal point is the usual reason: 20 for 0.20.
        for factor in (0.1, 0.01, 0.001, 10, 100, 1000):
            slipped = number * factor
            if low <= slipped <= high and (self.dtype == "float" or slipped == int(slipped)):
                self._refuse(given, f"{slipped:.2f}" if factor == 0.01 else f"{slipped:g}")
        self._refuse(given)

    def _refuse(self, value: Any, guess: str | None = None) -> Any:
        raise UserInputError(
            f"{self.name} must be {self.kind_in_words}; you gave {value!r}.",
            next=f"Did you mean {guess}?" if guess else self.description if self.regex else "",
            parameter=self.name,
        )


def unknown_option(command: str, given: str, parameters: dict[str, Parameter]) -> UserInputError:
    """The error for a keyword that a command does not have."""
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


def missing_arguments(command: str, missing: list[Parameter]) -> UserInputError:
    """The error for required parameters that were not given: all of them at once."""
    names = ", ".join(repr(parameter.name) for parameter in missing)
    kinds = "; ".join(f"{parameter.name}: {parameter.kind_in_words}" for parameter in missing)
    return UserInputError(
        f"{command}() needs {names}.",
        next=f"({kinds})",
        parameters=[parameter.name for parameter in missing],
    )
