"""A form made from a command's spec: typed inputs, the Python line it will run, a button that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from qcrbox.client.parameters import Parameter, too_many_arguments, unknown_option
from qcrbox.contract.errors import UserInputError
from qcrbox.markup import Code, publish


class PresetStore(Protocol):
    """Named sets of options of one command."""

    def __iter__(self) -> Iterator[str]:
        """The names."""

    def __getitem__(self, name: str) -> dict[str, Any]:
        """The options kept under a name. Raises NotFound."""

    def save(self, name: str, /, **options: Any) -> object:
        """Keep options under a name. Raises UserInputError."""


@dataclass(frozen=True)
class FormSource:
    """The command behind a form: its names (phrase: as people read it), its parameters, and the actions of the form.

    submit(**values) starts a calculation. file_choices(parameter) are (label, value) pairs for a file field.
    as_code(value) is Python that gives this value again.
    """

    name: str
    qualified_name: str
    phrase: str
    description: str
    parameters: Mapping[str, Parameter]
    presets: PresetStore
    submit: Callable[..., Any]
    file_choices: Callable[[Parameter], list[tuple[str, Any]]]
    as_code: Callable[[Any], str]


class FieldControl(Protocol):
    """The control of a field."""

    def show(self, value: Any) -> None:
        """Show a value as far as the control can; never raises."""


class CommandForm:
    """`command.form()`. `.code` is the line it will run, `.values` what differs from the defaults.

    `.run()` starts a calculation, as the button does; `.calculation` is the last one.
    """

    def __init__(self, command: FormSource, /, *args: Any, **options: Any) -> None:
        self.command = command
        self.calculation: Any = None
        self._refuse_unknown(options)
        files = [p.name for p in command.parameters.values() if p.is_file]
        if len(args) > len(files):
            raise too_many_arguments(command.name, len(files), len(args))
        self._given = dict(zip(files, args, strict=False)) | options
        self._texts: dict[str, Any] = {
            p.name: self._given.get(p.name, None if p.is_file else p.default)
            for p in command.parameters.values()
        }
        self._fields: dict[str, FieldControl] = {}
        self._widgets: dict[str, Any] = {}
        # Set by what shows the form: brings notes, preview and button up to date.
        self.refresh: Callable[[], None] = lambda: None

    # ------------------------------------------------------------ state

    def set(self, **values: Any) -> CommandForm:
        """Fill in fields; None empties one."""
        self._refuse_unknown(values)
        for name, value in values.items():
            if name in self._fields:
                self._fields[name].show(value)
            # What a control cannot show is kept as it was given, with its problem.
            self._texts[name] = value
        self.refresh()
        return self

    def _refuse_unknown(self, options: Mapping[str, Any]) -> None:
        for name in options:
            if name not in self.command.parameters:
                raise unknown_option(self.command.name, name, dict(self.command.parameters))

    def use(self, options: dict[str, Any]) -> CommandForm:
        """Fill in a preset: every option it does not name goes back to its default, files stay."""
        fresh = {p.name: p.default for p in self.command.parameters.values() if not p.is_file}
        return self.set(**{**fresh, **options})

    @property
    def options(self) -> dict[str, Any]:
        """Values that differ from the defaults, without files: the content of a preset."""
        return {
            name: value for name, value in self.values.items() if not self.command.parameters[name].is_file
        }

    @property
    def values(self) -> dict[str, Any]:
        """What differs from the defaults, checked. Raises UserInputError for the first that cannot be used."""
        found = {}
        for name, value in self._texts.items():
            parameter = self.command.parameters[name]
            if value is None or (isinstance(value, str) and not value):
                continue
            checked = parameter.check(value)
            if parameter.is_file or checked != parameter.default:
                found[name] = checked
        return found

    @property
    def problems(self) -> dict[str, str]:
        """Field → problem; empty when the command can run."""
        found = {}
        for name, parameter in self.command.parameters.items():
            value = self._texts[name]
            try:
                if value is not None and value != "":
                    parameter.check(value)
                elif parameter.required:
                    found[name] = f"needed: {parameter.kind_in_words}"
            except UserInputError as error:
                found[name] = error.message
        return found

    @property
    def code(self) -> Code:
        """The Python line that does the same."""
        parts: list[str] = []
        for name, value in self.values.items():
            parameter = self.command.parameters[name]
            text = self.command.as_code(value) if parameter.is_file else repr(value)
            parts.append(text if parameter.is_file and parameter.required and not parts else f"{name}={text}")
        return Code(f"calculation = {self.command.qualified_name}({', '.join(parts)})")

    def run(self) -> Any:
        """Start a calculation with the values of the form and return it."""
        self.calculation = self.command.submit(**self.values)
        return self.calculation

    # ------------------------------------------------------------ how it looks

    def _ipython_display_(self) -> None:
        try:
            # Optional: without ipywidgets the form is text.
            import ipywidgets  # noqa: F401
        except ImportError:
            publish({"text/plain": repr(self)})
            return
        # Start-up time: ipywidgets is loaded when the first form is shown.
        from qcrbox.widgets.command_form.controls import form_widget

        view = {"version_major": 2, "version_minor": 0, "model_id": form_widget(self).model_id}
        # A front end without widgets shows the text.
        publish({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view})

    def __repr__(self) -> str:
        lines = [f"Form of {self.command.qualified_name}"]
        for name, value in self._texts.items():
            lines.append(f"  {name}: {'–' if value is None else self.command.as_code(value)}")
        try:
            lines.append(str(self.code))
        except UserInputError as error:
            lines.append(error.message)
        return "\n".join(lines)
