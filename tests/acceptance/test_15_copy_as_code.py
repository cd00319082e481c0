"""15. "Copy as code" from each form runs unmodified and gives the same hash of the calculation."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

import pytest
from qcrbox.api.applications import Command
from qcrbox.api.box import Box
from qcrbox.api.calculations import Calculation
from qcrbox.api.datasets import Dataset
from qcrbox.client.parameters import Parameter
from qcrbox.contract.errors import QcError
from qcrbox.widgets.command_form import CommandForm


def calculation_hash(calculation: Calculation) -> str:
    """Of all that decides what is computed, as the registry keeps it."""
    said = calculation.box.calculations.read(calculation.id)
    parts = [
        said[k] for k in ("application_slug", "application_version", "command_name", "command_arguments")
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@pytest.fixture(scope="module")
def whole(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """thpp with its reflections inside, as some commands want it: in one cycle of refinement."""
    result = box.refine.refine_iam(box.examples["thpp"], cycles=0, weighting="keep").result(240)
    return box.add(result.export(tmp_path_factory.mktemp("whole") / "whole.cif", embed=["hkl", "res"]))


def filled(thpp: Dataset, whole: Dataset, form: CommandForm) -> CommandForm:
    """Every field that must be filled, and every other option with a value that is not its default."""
    for parameter in form.command.parameters.values():
        if parameter.is_cif:
            form.set(**{parameter.name: whole if parameter.required else None})
        elif parameter.is_file:
            file = thpp.files["thpp.hkl"]
            form.set(**{parameter.name: file if parameter.required else None})
        else:
            form.set(**{parameter.name: another(parameter)})
    return form


def another(parameter: Parameter) -> Any:
    if parameter.choices:
        return parameter.choices[-1]
    if parameter.dtype == "bool":
        return not parameter.default
    if parameter.dtype in ("int", "float"):
        low, high = parameter.minimum, parameter.maximum
        value = high if high is not None and high < 100 else (1 if low is None else low + 1)
        return int(value) if parameter.dtype == "int" else float(value)
    if parameter.required:
        return 'delete C3; it\'s "quoted" \\ and ° non-ASCII'
    return parameter.default


def commands(box: Box) -> list[Command]:
    return [c for application in box.apps for c in application.commands.values() if not c.interactive]


def run_both(box: Box, form: CommandForm) -> tuple[Calculation, Calculation]:
    by_form = form.run()
    names: dict[str, Any] = {"qc": box}
    exec(str(form.code), names)
    by_code = names["calculation"]
    for calculation in (by_form, by_code):
        with contextlib.suppress(QcError):  # it may have ended before
            calculation.cancel()
    return by_form, by_code


@pytest.mark.slow
def test_code_of_every_form_gives_the_same_calculation(box: Box, whole: Dataset) -> None:
    seen = set()
    for command in commands(box):
        form = filled(box.examples["thpp"], whole, command.form())
        assert not form.problems, (command.qualified_name, form.problems)
        by_form, by_code = run_both(box, form)
        assert by_form.id != by_code.id
        assert calculation_hash(by_form) == calculation_hash(by_code), command.qualified_name
        seen.add(command.application.slug)
    assert {"refine", "qcrboxtools"} <= seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dataset", "result", "calculation", "file"])
def test_every_kind_of_input_is_found_again_by_the_code(box: Box, kind: str) -> None:
    thpp = box.examples["thpp"]
    if kind in ("result", "calculation"):
        calculation = box.qcrboxtools.to_unified_cif(thpp)
        result = calculation.result(120)
        given: Any = result if kind == "result" else calculation
    else:
        given = thpp if kind == "dataset" else thpp.files["thpp.cif"]
    by_form, by_code = run_both(box, box.qcrboxtools.to_unified_cif.form(given))
    assert calculation_hash(by_form) == calculation_hash(by_code)
