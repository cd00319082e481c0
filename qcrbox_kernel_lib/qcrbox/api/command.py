"""One command as a Python function: signature, docstring and completion are those of its spec."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from qcrbox.api.presets import Presets
from qcrbox.client.parameters import Parameter, missing_arguments, too_many_arguments, unknown_option
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.python_names import identifier
from qcrbox.markup import Code, Table, escape

if TYPE_CHECKING:
    from qcrbox.api.applications import Application
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.results import Result


class Command:
    """One command of an application. Calling it starts a calculation and returns at once.

    `.run(…)` waits and returns the result, `.form()` shows a form, `.params` the options as a table.
    """

    name: str
    application: Application
    parameters: dict[str, Parameter]
    record: dict[str, Any]

    def __call__(self, *args: Any, **options: Any) -> Calculation:
        raise NotImplementedError  # each command has its own class, made by `make_command`

    def submit(
        self, *args: Any, force: bool = False, idempotency_key: str | None = None, **options: Any
    ) -> Calculation:
        """Start a calculation. `force` submits it even if items that the command needs are missing."""
        arguments = self._bind(args, options)
        return self.application.box.calculations.submit(
            self, arguments, force=force, idempotency_key=idempotency_key
        )

    def run(self, *args: Any, timeout: float | None = None, **options: Any) -> Result:
        """Start a calculation, wait for it and return its result."""
        return self(*args, **options).result(timeout)

    def _bind(self, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Checked arguments by name, before anything is sent."""
        called = self.name
        positional = [p.name for p in self.parameters.values() if p.is_file]
        if len(args) > len(positional):
            raise too_many_arguments(called, len(positional), len(args))
        given = dict(zip(positional, args, strict=False))
        for name, value in options.items():
            if name not in self.parameters:
                raise unknown_option(called, name, self.parameters)
            if name in given:
                raise UserInputError(f"{called}() got {name!r} twice.", parameter=name)
            given[name] = value
        missing = [p for p in self.parameters.values() if p.required and given.get(p.name) is None]
        if missing:
            raise missing_arguments(called, missing)
        return {
            name: self.parameters[name].check(value) for name, value in given.items() if value is not None
        }

    # ------------------------------------------------------------ looking at it

    @property
    def description(self) -> str:
        """The description of the spec."""
        return str(self.record.get("description") or "").strip()

    @property
    def interactive(self) -> bool:
        """True for a program with a window."""
        return self.record.get("implemented_as") == "interactive_session"

    @property
    def qualified_name(self) -> str:
        """The command as it is typed: `qc.refine.refine_iam`."""
        return f"qc.{identifier(self.application.slug)}.{identifier(self.name)}"

    @property
    def params(self) -> Table:
        """The options as a table: name, what it takes, default, meaning."""
        rows = [
            (
                p.name,
                re.sub(r"^an? ", "", p.kind_in_words),
                "required" if p.required else "–" if p.default is None else repr(p.default),
                p.description,
            )
            for p in self.parameters.values()
        ]
        return Table(("option", "takes", "default", "meaning"), rows, title=self.qualified_name)

    def example(self) -> Code:
        """A call with every default spelt out; it runs unchanged where an example dataset fits."""
        examples = self.application.box.examples
        fitting = [dataset for dataset in (*examples.of(self.application), *examples) if dataset.has_one_cif]
        first = fitting[0]._code() if fitting else 'qc["name"]'
        parts = [first if p.is_cif else f"{p.name}=…" for p in self.parameters.values() if p.is_file]
        parts += [
            f"{p.name}={p.default!r}"
            for p in self.parameters.values()
            if not p.is_file and not p.required and p.default is not None
        ]
        return Code(f"calculation = {self.qualified_name}({', '.join(parts)})")

    @property
    def presets(self) -> Presets:
        """Named sets of options: `.presets.save("quick", cycles=2)`, then `**….presets["quick"]` in a call."""
        return Presets(self)

    def form(self, *args: Any, preset: str | None = None, **options: Any) -> Any:
        """A form with every option, the Python line it will run, and a button that runs it.

        preset: start from the options kept under this name.
        """
        # Start-up time: widgets are loaded when the first form is asked for.
        from qcrbox.api.form_source import form_source
        from qcrbox.widgets.command_form import CommandForm

        if preset is not None:
            options = {**self.presets[preset], **options}
        return CommandForm(form_source(self), *args, **options)

    def __copy__(self) -> Command:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Command:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Its class is made for it alone, and cannot be found by its name.
        return _command_again, (self.application, self.name)

    def __repr__(self) -> str:
        return f"{self.qualified_name}{inspect.signature(self)}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        text = f"{self!r}\n\n{self.__doc__}"
        doc = escape(self.description)
        return {
            "text/plain": text,
            "text/html": f"<div><code>{escape(self.qualified_name)}</code>"
            f"<div>{doc}</div>{self.params.html()}</div>",
        }


def make_command(application: Application, record: dict[str, Any]) -> Command:
    """A command whose signature, docstring and completion are those of its spec."""
    parameters = {
        name: Parameter.from_json(name, described)
        for name, described in (record.get("parameters") or {}).items()
    }
    shown = [p for p in parameters.values() if not p.is_output]
    files_first = sorted(shown, key=lambda p: not p.is_file)
    # A required parameter may not follow an optional one by position; only required files are positional.
    signature = inspect.Signature(
        [p.as_signature(positional=p.is_file and p.required) for p in _positional_first(files_first)]
    )
    name = str(record.get("cmd_name") or record.get("name"))

    def call(self: Command, *args: Any, **options: Any) -> Calculation:
        return self.submit(*args, **options)

    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    call.__signature__ = signature.replace(parameters=[itself, *signature.parameters.values()])  # type: ignore[attr-defined]
    call.__name__ = "__call__"
    call.__doc__ = None
    kind = type(
        identifier(name),
        (Command,),
        {"__call__": call, "__doc__": _docstring(record, files_first, application)},
    )
    command = kind()
    command.name, command.application, command.record = name, application, record
    command.parameters = {p.name: p for p in files_first}
    command.__signature__ = signature
    command.__name__ = command.__qualname__ = identifier(name)
    return command


def _command_again(application: Application, name: str) -> Command:
    return application[name]


def _positional_first(parameters: list[Parameter]) -> list[Parameter]:
    return sorted(parameters, key=lambda p: not (p.is_file and p.required))


def _docstring(record: dict[str, Any], parameters: list[Parameter], application: Application) -> str:
    parts = [str(record.get("description") or record.get("name")).strip()]
    if parameters:
        parts.append("Parameters\n----------\n" + "\n".join(p.docstring() for p in parameters))
    parts.append(
        "Returns\n-------\nCalculation\n    at once; `await` it, or ask `.result()`, for the result."
    )
    if record.get("doi"):
        parts.append(f"Reference: doi {record['doi']}")
    parts.append(f"{application.name} {application.version}")
    return "\n\n".join(parts)
