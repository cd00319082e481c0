"""A form made from a command's spec: typed inputs, the Python line it will run, a button that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.display import show

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.parameters import Parameter

_DEFAULT = "default"


class CommandForm:
    """`command.form()`. `.code` is the line it will run, `.values` what differs from the defaults.

    `.run()` starts it and is what the button does; `.calculation` is the last one started.
    """

    def __init__(self, command: Command, *args: Any, **options: Any) -> None:
        self.command = command
        self.calculation: Calculation | None = None
        self._given = dict(
            zip([p.name for p in command.parameters.values() if p.is_file], args, strict=False)
        )
        self._given |= options
        for name in self._given:
            if name not in command.parameters:
                raise UserInputError(f"{command.name}() has no option {name!r}.")
        self._texts: dict[str, Any] = {
            p.name: self._given.get(p.name, None if p.is_file else p.default)
            for p in command.parameters.values()
        }
        self._widgets: dict[str, Any] = {}

    # ------------------------------------------------------------ state

    def set(self, **values: Any) -> CommandForm:
        """Fill in fields; None empties one."""
        for name, value in values.items():
            if name not in self.command.parameters:
                raise UserInputError(f"{self.command.name}() has no option {name!r}.")
            self._texts[name] = value
            if name in self._widgets:
                self._widgets[name].value = _as_shown(self._widgets[name], value)
        return self

    def use(self, options: dict[str, Any]) -> CommandForm:
        """Fill in a preset: every option it does not name goes back to its default, files stay."""
        fresh = {p.name: p.default for p in self.command.parameters.values() if not p.is_file}
        return self.set(**{**fresh, **options})

    @property
    def options(self) -> dict[str, Any]:
        """What differs from the defaults, without the files: what a preset keeps."""
        return {
            name: value for name, value in self.values.items() if not self.command.parameters[name].is_file
        }

    @property
    def values(self) -> dict[str, Any]:
        """What differs from the defaults, checked. Raises UserInputError for the first that cannot be used."""
        found = {}
        for name, value in self._texts.items():
            parameter = self.command.parameters[name]
            if value in (None, "") or (not parameter.is_file and value == parameter.default):
                continue
            found[name] = parameter.check(value)
        return found

    @property
    def problems(self) -> dict[str, str]:
        """Field → what is wrong with it; empty when it may run."""
        found = {}
        for name, parameter in self.command.parameters.items():
            value = self._texts[name]
            try:
                if value not in (None, ""):
                    parameter.check(value)
                elif parameter.required:
                    found[name] = f"needed: {parameter.kind_in_words}"
            except UserInputError as error:
                found[name] = error.message
        return found

    @property
    def code(self) -> show.Code:
        """The Python line that does the same."""
        parts: list[str] = []
        for name, value in self.values.items():
            parameter = self.command.parameters[name]
            text = _as_code(value) if parameter.is_file else repr(value)
            parts.append(text if parameter.is_file and parameter.required and not parts else f"{name}={text}")
        return show.Code(f"calculation = {self.command.qualified_name}({', '.join(parts)})")

    def run(self) -> Calculation:
        """Start it with what the form says."""
        self.calculation = self.command.submit(**self.values)
        return self.calculation

    # ------------------------------------------------------------ how it looks

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        try:
            import ipywidgets  # noqa: F401 - asked for its presence
        except ImportError:
            publish_display_data({"text/plain": repr(self)})
            return
        from qcrbox.widgets.command_form_widgets import form_widget

        view = {"version_major": 2, "version_minor": 0, "model_id": form_widget(self).model_id}
        # A front end without widgets shows the text.
        publish_display_data({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view})

    def __repr__(self) -> str:
        lines = [f"Form of {self.command.qualified_name}"]
        for name, value in self._texts.items():
            lines.append(f"  {name}: {'–' if value is None else _as_code(value)}")
        try:
            lines.append(str(self.code))
        except UserInputError as error:
            lines.append(error.message)
        return "\n".join(lines)


def _as_shown(control: Any, value: Any) -> Any:
    """As the control of this field takes it: a field of text holds numbers as text."""
    if type(control).__name__ == "Text":
        return "" if value is None else str(value)
    return bool(value) if type(control).__name__ == "Checkbox" else value


def _as_code(value: Any) -> str:
    """A file argument as Python that finds it again."""
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.datasets import Dataset
    from qcrbox.api.files import DataFile
    from qcrbox.api.results import Result

    if isinstance(value, Dataset):
        return f'qc.examples["{value.name}"]' if value.kind == "example" else f'qc["{value.name}"]'
    if isinstance(value, Calculation):
        return f'qc.calculations["{value.short_id}"]'
    if isinstance(value, Result):
        return f'qc.calculations["{value.calculation.short_id}"].result()'
    if isinstance(value, DataFile):
        return f'qc.files["{value.id}"]'
    if isinstance(value, Path):
        return f"Path({str(value)!r})"
    return repr(value)


def file_choices(form: CommandForm, parameter: Parameter) -> list[tuple[str, Any]]:
    """(label, dataset or file) that may go into a file field."""
    box = form.command.application.box
    choices: list[tuple[str, Any]] = [("–", None)]
    try:
        for dataset in box.datasets.all(200):
            kind = "" if dataset.kind == "data" else f" ({dataset.kind})"
            if parameter.is_cif:
                lacks = lacking(parameter, dataset)
                if lacks is not None:
                    choices.append((f"{dataset.name}{kind}{lacks}", dataset))
            else:
                choices += [(f"{dataset.name}{kind}: {name}", file) for name, file in dataset.files.items()]
    except QcError:
        pass
    return choices


def lacking(parameter: Parameter, dataset: Any) -> str | None:
    """None when the dataset has no CIF for this field; else what it lacks, in brackets: "" when nothing.

    As far as the store's index says it; what is not indexed is checked when the command is started.
    """
    cifs = [file for file in dataset.files.values() if file.is_cif and file.filename.lower().endswith(".cif")]
    if not cifs:
        return None
    index = cifs[0].said.get("index") or {}
    needed = str(parameter.required_entries).lower()
    if "_atom_site" in needed and index.get("kind") not in (None, "", "structure"):
        return f" (no structure: {index.get('kind')})"
    reflections = index.get("has_hkl") or dataset.reflections is not None
    if ("_refln" in needed or "_shelx_hkl" in needed) and index and not reflections:
        return " (no reflections)"
    return ""
