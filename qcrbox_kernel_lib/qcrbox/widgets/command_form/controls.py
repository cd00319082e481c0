"""The form's controls in ipywidgets; imported only when a form is shown."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from qcrbox.client.parameters import Parameter
from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.markup import escape
from qcrbox.markup.colours import BAD
from qcrbox.widgets import bundle

if TYPE_CHECKING:
    from qcrbox.widgets.command_form import CommandForm

_LABEL = {"description_width": "11em"}
_MEANING = {"flex": "1 1 20em", "margin": "2px 0 0 12px"}
_WIDE = {"width": "27em"}


def form_widget(form: CommandForm) -> w.Widget:
    """Fields, preview and button; the preview follows every change, the button waits for a whole form."""
    return _Shown(form).widget


class _Shown:
    """A form as it is shown, kept up to date by `refresh`."""

    def __init__(self, form: CommandForm) -> None:
        self._form = form
        self._preview, self._message, self._output = w.HTML(), w.HTML(), w.Output()
        self._run = w.Button(
            description="Run", button_style="primary", icon="play", tooltip="Start the calculation"
        )
        self._run.on_click(self._start)
        self._notes = {name: w.HTML() for name in form.command.parameters}
        self._copy = _copy_button()
        form.refresh = self.refresh
        self.widget = self._made()
        self.refresh()

    def refresh(self) -> None:
        """Bring notes, preview and button up to date."""
        problems = self._form.problems
        for name, note in self._notes.items():
            wrong = problems.get(name, "")
            # Empty required fields disable the button; red text appears only for wrong values.
            note.value = "" if not wrong or wrong.startswith("needed") else _refused(wrong)
        self._run.disabled = bool(problems)
        code = self._code(problems)
        self._preview.value = (
            f"<pre style='margin:4px 0;user-select:all'>{escape(code)}</pre>"
            if code
            else "<pre style='margin:4px 0;opacity:.6'>(not complete)</pre>"
        )
        if self._copy is not None:
            self._copy.text = code
        missing = [name for name, text in problems.items() if text.startswith("needed")]
        self._message.value = f"Still needed: {escape(', '.join(missing))}" if missing else ""

    def _code(self, problems: dict[str, str]) -> str:
        try:
            return "" if problems else str(self._form.code)
        except QcError:
            return ""

    def _made(self) -> w.Widget:
        command = self._form.command
        title = w.HTML(
            f"<b>{escape(command.phrase)}</b> <code>{escape(command.qualified_name)}</code> – {escape(command.description)}"
        )
        hint = w.HTML("<span style='opacity:.75'>This line of Python does the same.</span>")
        buttons = w.HBox([self._run, *([] if self._copy is None else [self._copy]), self._message])
        parts = [title, _presets(self._form), *self._rows(), hint, self._preview, buttons, self._output]
        return w.VBox(parts, layout={"max_width": "70em"})

    def _rows(self) -> list[w.Widget]:
        parameters = list(self._form.command.parameters.values())
        rows = [self._row(parameter) for parameter in parameters if not parameter.advanced]
        advanced = [self._row(parameter) for parameter in parameters if parameter.advanced]
        if not advanced:
            return rows
        fold = w.Accordion([w.VBox(advanced)], titles=("Advanced",))
        fold.selected_index = None
        return [*rows, fold]

    def _row(self, parameter: Parameter) -> w.Widget:
        form, name = self._form, parameter.name
        field = _Field(form, parameter)
        form._fields[name], form._widgets[name] = field, field.control

        def take(change: dict[str, Any]) -> None:
            form._texts[name] = change["new"]
            self.refresh()

        field.control.observe(take, "value")
        meaning = w.HTML(
            f"<div style='opacity:.75;line-height:1.35'>{escape(_meaning(parameter))}</div>", layout=_MEANING
        )
        return w.VBox([w.HBox([field.control, meaning]), self._notes[name]])

    def _start(self, _: Any) -> None:
        self._output.clear_output()
        with self._output:
            try:
                self._form.run()._ipython_display_()
            except QcError as error:
                self._message.value = _refused(error.message)


def _refused(words: str) -> str:
    return f"<span style='color:{BAD}'>✗ {escape(words)}</span>"


def _copy_button() -> Any:
    """Beside Run; without anywidget the line can still be selected."""
    if not bundle.available("copy_button"):
        return None
    # Optional: without anywidget the line can still be selected.
    from qcrbox.widgets.copy_button import CopyButton

    return CopyButton()


def _presets(form: CommandForm) -> w.Widget:
    """Choose a named set of options, or keep those of the form under a name."""
    presets = form.command.presets
    choice = w.Dropdown(options=["–", *presets], description="preset", style=_LABEL, layout=_WIDE)
    name = w.Text(placeholder="name", layout={"width": "11em"})
    name.add_class("qcrbox-preset-name")
    keep = w.Button(description="Keep", tooltip="Keep the options of the form under this name")
    message = w.HTML()

    def choose(change: dict[str, Any]) -> None:
        if change["new"] in ("–", None):
            return
        try:
            form.use(presets[change["new"]])
            message.value = ""
        except QcError as error:
            message.value = _refused(error.message)

    def store(_: Any) -> None:
        try:
            presets.save(name.value, **form.options)
        except QcError as error:
            message.value = _refused(error.message)
            return
        message.value = f"✓ kept as {escape(name.value.strip())}"
        choice.options = ["–", *presets]
        choice.value = name.value.strip()

    choice.observe(choose, "value")
    keep.on_click(store)
    return w.HBox([choice, name, keep, message])


class _Field:
    """The control of one parameter, in the kind that fits its type."""

    def __init__(self, form: CommandForm, parameter: Parameter) -> None:
        self._parameter = parameter
        self._common = {"description": parameter.name, "style": _LABEL, "layout": _WIDE}
        self.control = self._made(form)
        self.show(form._texts[parameter.name])

    def _made(self, form: CommandForm) -> w.Widget:
        parameter = self._parameter
        if parameter.is_file:
            return w.Dropdown(options=form.command.file_choices(parameter), **self._common)
        if parameter.choices:
            options = [(str(choice), choice) for choice in parameter.choices]
            if not parameter.required and parameter.default is None:
                options.insert(0, ("–", None))
            return w.Dropdown(options=options, **self._common)
        if parameter.dtype == "bool":
            return w.Checkbox(indent=True, **self._common)
        if parameter.dtype == "int" and parameter.default is not None:
            low = -(10**9) if parameter.minimum is None else int(parameter.minimum)
            high = 10**9 if parameter.maximum is None else int(parameter.maximum)
            return w.BoundedIntText(value=parameter.default, min=low, max=high, **self._common)
        return w.Text(placeholder=parameter.kind_in_words, continuous_update=True, **self._common)

    def show(self, value: Any) -> None:
        """Show a value, the default for None; a value that the control cannot show leaves it as it is."""
        control, parameter = self.control, self._parameter
        if isinstance(control, w.Text):
            control.value = "" if value is None else str(value)
            return
        if parameter.is_file:
            if not any(choice is value for _, choice in control.options):
                control.options = [*control.options, (str(getattr(value, "name", value)), value)]
            control.value = value
            return
        with contextlib.suppress(UserInputError):
            fitting = parameter.default if value is None else parameter.check(value)
            control.value = bool(fitting) if isinstance(control, w.Checkbox) else fitting


def _meaning(parameter: Parameter) -> str:
    unit = f" ({parameter.kind_in_words})" if parameter.dtype in ("int", "float") else ""
    return f"{parameter.description}{unit}"
