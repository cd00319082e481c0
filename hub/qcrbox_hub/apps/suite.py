"""Test suites of commands: the YAML format, read into a small model.

A suite names an application and lists cases; a case names a command, its inputs and what must come out.
Third parties have written such files, so the reader takes the spellings in use and reports what it cannot
understand with the line number.

inputs        plain `value`; `external_file`: a file beside the suite; `internal_file`: text in the suite itself,
              uploaded under `upload_filename`
results       `status`; `cif_value`; `cif_loop_value` (with `row_lookup`, all of whose conditions must hold)
tests         match, non-match, within, contain, present, missing
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from qcrbox.contract.errors import SpecError

STATUSES = ("successful", "failed", "warning")
TESTS = ("match", "non-match", "within", "contain", "present", "missing")


@dataclass(frozen=True)
class Input:
    """One argument. `source` names which of `value`, `path` and `text` is used."""

    name: str
    source: str  # "value", "external_file" or "internal_file"
    value: Any = None
    path: Path | None = None
    text: str = ""
    upload_filename: str = ""


@dataclass(frozen=True)
class Expectation:
    """One expected result of a case."""

    kind: str  # "status", "cif_value" or "cif_loop_value"
    entry: str = ""
    test: str = "match"
    expected: Any = None
    deviation: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    allow_unknown: bool = False
    rows: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if self.kind == "status":
            return f"status is {self.expected}"
        where = " and ".join(f"{name} = {value}" for name, value in self.rows)
        what = {
            "match": f"is {self.expected!r}",
            "non-match": f"is not {self.expected!r}",
            "contain": f"contains {self.expected!r}",
            "present": "is present" + (" (unknown allowed)" if self.allow_unknown else ""),
            "missing": "is missing",
            "within": f"is {self.expected} ± {self.deviation}"
            if self.deviation is not None
            else f"lies in {self.minimum} … {self.maximum}",
        }[self.test]
        return f"{self.entry} {what}" + (f" where {where}" if where else "")


@dataclass(frozen=True)
class Case:
    """One run of a command with its inputs and the expectations on its outputs."""

    name: str
    command_name: str
    description: str = ""
    manual_precondition: str = ""
    inputs: tuple[Input, ...] = ()
    expected: tuple[Expectation, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Suite:
    """The cases of one application version."""

    application_slug: str
    application_version: str
    description: str = ""
    cases: tuple[Case, ...] = ()
    path: Path = field(default_factory=Path)


def load(path: Path) -> Suite:
    """Read a suite. Raises SpecError with every fault and its line."""
    text = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise SpecError(f"Not a YAML file: {problem}", where=str(path), file=str(path)) from problem
    return _Reader(path, node).suite(data)


class _Reader:
    def __init__(self, path: Path, node: yaml.Node | None) -> None:
        self.path, self.node = path, node
        self.problems: list[str] = []

    def suite(self, data: Any) -> Suite:
        if not isinstance(data, dict):
            raise SpecError(
                "The file holds no mapping.", where=str(self.path), next="Begin with `application_slug: …`."
            )
        self.known(data, _SUITE_FIELDS, 1, "a suite")
        for key in ("application_slug", "application_version", "test_cases"):
            if data.get(key) in (None, ""):
                self.problem(1, f"`{key}` is missing")
        lines = self._case_lines()
        raw = self.listed(data.get("test_cases"), 1, "test_cases")
        cases = tuple(self.case(entry, lines[i] if i < len(lines) else 0) for i, entry in enumerate(raw))
        if self.problems:
            raise SpecError(
                f"The test suite has {len(self.problems)} fault{'s' * (len(self.problems) > 1)}: "
                + "; ".join(self.problems[:3])
                + ".",
                details=self.problems,
                file=str(self.path),
                problems=self.problems,
            )
        return Suite(
            str(data["application_slug"]),
            str(data["application_version"]),
            data.get("description") or "",
            cases,
            self.path,
        )

    def problem(self, line: int, text: str) -> None:
        self.problems.append(f"{self.path.name}:{line}: {text}")

    def known(self, raw: Any, fields: frozenset[str], line: int, what: str) -> None:
        """A field that is not read would be a test that does not test."""
        for name in raw if isinstance(raw, dict) else ():
            if name not in fields:
                close = difflib.get_close_matches(str(name), fields, 1)
                hint = f"; did you mean `{close[0]}`?" if close else ""
                self.problem(line, f"{what} has no field `{str(name)[:80]}`{hint}")

    def listed(self, raw: Any, line: int, name: str) -> list[Any]:
        if raw is None or isinstance(raw, list):
            return raw or []
        self.problem(line, f"`{name}` must be a list")
        return []

    def number(self, raw: Any, line: int, entry: Any, name: str) -> float | None:
        if raw is None:
            return None
        try:
            made = float(raw)
        except (TypeError, ValueError):
            made = math.nan
        if isinstance(raw, bool) or not math.isfinite(made):
            self.problem(line, f"{entry}: {name} must be a number, not {raw!r}")
            return None
        return made

    def _case_lines(self) -> list[int]:
        if isinstance(self.node, yaml.MappingNode):
            for key, value in self.node.value:
                if key.value == "test_cases" and isinstance(value, yaml.SequenceNode):
                    return [item.start_mark.line + 1 for item in value.value]
        return []

    def case(self, raw: Any, line: int) -> Case:
        if not isinstance(raw, dict) or not raw.get("name") or not raw.get("command_name"):
            self.problem(line, "a case needs `name` and `command_name`")
            raw = raw if isinstance(raw, dict) else {}
        self.known(raw, _CASE_FIELDS, line, "a case")
        results = self.listed(raw.get("expected_results"), line, "expected_results")
        expected = tuple(self.expectation(entry, line) for entry in results)
        if not expected:
            self.problem(line, f"case {raw.get('name')!r} expects nothing: a test that cannot fail")
        return Case(
            str(raw.get("name", "")),
            str(raw.get("command_name", "")),
            raw.get("description") or "",
            raw.get("manual_precondition") or "",
            tuple(
                self.input(entry, line)
                for entry in self.listed(raw.get("input_parameters"), line, "input_parameters")
            ),
            expected,
            line,
        )

    def input(self, raw: Any, line: int) -> Input:
        name = _first(raw, *_INPUT_NAMES)
        if not name:
            self.problem(line, f"an input parameter has no `name`: {raw!r}")
            return Input("", "value")
        self.known(raw, _INPUT_FIELDS, line, f"input {name!r}")
        kind = _first(raw, *_KINDS_OF_INPUT)
        for source in ("external_file", "internal_file"):
            inner = raw.get(source)
            if inner is None and kind != source:
                continue
            inner = inner if isinstance(inner, dict) else {"value": inner} if inner is not None else raw
            return self._file(str(name), source, inner, raw, line)
        if "value" not in raw:
            self.problem(line, f"input {name!r} has neither `value` nor a file")
        return Input(str(name), "value", raw.get("value"))

    def _file(self, name: str, source: str, inner: dict[str, Any], raw: dict[str, Any], line: int) -> Input:
        upload = str(_first(inner, "upload_filename") or _first(raw, "upload_filename") or "")
        if source == "external_file":
            relative = _first(inner, *_FILE_NAMES)
            path = (self.path.parent / str(relative)).resolve() if relative else self.path
            if not relative or not path.is_file():
                self.problem(line, f"input {name!r}: the file {str(relative)!r} is not there")
            return Input(name, source, path=path, upload_filename=upload or path.name)
        text = _first(inner, *_CONTENTS)
        if text is None or not upload:
            self.problem(line, f"input {name!r}: an internal_file needs its text and `upload_filename`")
        return Input(name, source, text=str(text or ""), upload_filename=upload)

    def expectation(self, raw: Any, line: int) -> Expectation:
        if isinstance(raw, dict) and len(raw) == 1 and "status" in raw:
            raw = {"type": "status", "expected_value": raw["status"]}
        kind = _first(raw, *_KINDS_OF_RESULT) if isinstance(raw, dict) else None
        self.known(raw, _RESULT_FIELDS, line, f"a result of kind {kind}")
        if kind not in ("status", "cif_value", "cif_loop_value"):
            self.problem(line, f"unknown kind of result {kind!r}; known: status, cif_value, cif_loop_value")
            return Expectation("status", expected="successful")
        expected = _first(raw, *_EXPECTED)
        if kind == "status":
            if expected not in STATUSES:
                self.problem(line, f"status {expected!r} is none of {', '.join(STATUSES)}")
            return Expectation("status", expected=expected)
        return self._cif(raw, kind, expected, line)

    def _cif(self, raw: dict[str, Any], kind: str, expected: Any, line: int) -> Expectation:
        entry = _first(raw, *_ENTRIES)
        test = str(_first(raw, *_TEST_NAMES) or "match").replace("_", "-")
        if not entry:
            self.problem(line, f"a {kind} names no CIF item")
        if test not in TESTS:
            self.problem(line, f"unknown test {test!r}; known: {', '.join(TESTS)}")
            test = "match"
        minimum, maximum = _first(raw, *_LOWEST), _first(raw, *_HIGHEST)
        deviation = _first(raw, *_DEVIATIONS)
        if (
            test == "within"
            and (expected is None or deviation is None)
            and (minimum is None and maximum is None)
        ):
            self.problem(
                line, f"{entry}: `within` needs expected_value and allowed_deviation, or min and max"
            )
        if test in ("match", "non-match", "contain") and expected is None:
            self.problem(line, f"{entry}: `{test}` needs expected_value")
        low, high = self.number(minimum, line, entry, "min"), self.number(maximum, line, entry, "max")
        allowed = self.number(deviation, line, entry, "allowed_deviation")
        if (low is not None and high is not None and low > high) or (allowed or 0) < 0:
            self.problem(line, f"{entry}: no value lies within these limits")
        if test == "within" and allowed is not None:
            self.number(expected, line, entry, "expected_value")
        if not isinstance(raw.get("allow_unknown", False), bool):
            self.problem(line, f"{entry}: allow_unknown must be true or false")
        rows = tuple(self._rows(raw.get("row_lookup"), line))
        if (kind == "cif_loop_value") != bool(rows):
            needs = "needs row_lookup" if kind == "cif_loop_value" else "has no rows to look up"
            self.problem(line, f"{entry}: a {kind} {needs}")
        allow_unknown = bool(raw.get("allow_unknown", False))
        return Expectation(kind, str(entry or ""), test, expected, allowed, low, high, allow_unknown, rows)

    def _rows(self, raw: Any, line: int) -> list[tuple[str, str]]:
        if isinstance(raw, dict) and not _first(raw, *_ROW_NAME):
            return [(str(name), str(value)) for name, value in raw.items()]
        found = []
        for entry in [raw] if isinstance(raw, dict) else raw or []:
            name, value = _first(entry, *_ROW_NAME), _first(entry, *_ROW_VALUE)
            if name is None or value is None:
                self.problem(line, f"row_lookup entry {entry!r} needs an item and a value")
                continue
            found.append((str(name), str(value)))
        return found


_SUITE_FIELDS = frozenset({"application_slug", "application_version", "description", "test_cases"})
_CASE_FIELDS = frozenset(
    {"name", "description", "command_name", "manual_precondition", "input_parameters", "expected_results"}
)
_INPUT_NAMES = ("name", "parameter_name", "parameter")
_KINDS_OF_INPUT = ("type", "value_type", "input_type", "source")
_FILE_NAMES = ("path", "file_path", "filepath", "filename", "value")
_CONTENTS = ("content", "text", "file_content", "value")
_INPUT_FIELDS = frozenset(
    {
        *_INPUT_NAMES,
        *_KINDS_OF_INPUT,
        *_FILE_NAMES,
        *_CONTENTS,
        "description",
        "external_file",
        "internal_file",
        "upload_filename",
    }
)
_KINDS_OF_RESULT = ("type", "result_type", "kind")
_EXPECTED = ("expected_value", "expected", "value", "status")
_ENTRIES = ("cif_entry_name", "cif_entry", "entry", "name", "item")
_TEST_NAMES = ("test_type", "test", "comparison", "match_type")
_LOWEST, _HIGHEST = ("min", "min_value", "minimum"), ("max", "max_value", "maximum")
_DEVIATIONS = ("allowed_deviation", "deviation", "tolerance")
_RESULT_FIELDS = frozenset(
    {
        *_KINDS_OF_RESULT,
        *_EXPECTED,
        *_ENTRIES,
        *_TEST_NAMES,
        *_LOWEST,
        *_HIGHEST,
        *_DEVIATIONS,
        "allow_unknown",
        "row_lookup",
        "description",
    }
)
_ROW_NAME = ("row_entry_name", "cif_entry_name", "cif_entry", "entry", "name", "item", "column")
_ROW_VALUE = ("row_entry_value", "expected_value", "value", "match")


def _first(raw: Any, *names: str) -> Any:
    """The first of several spellings that is given."""
    if isinstance(raw, dict):
        for name in names:
            if raw.get(name) is not None:
                return raw[name]
    return None
