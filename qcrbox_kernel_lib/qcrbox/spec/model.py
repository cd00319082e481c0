"""The model of an application: commands, parameters and outputs.

Made by `qcrbox.spec.load` from any generation of spec file; plain data, safe to store as JSON
(`model_dump_json`) and to read back (`Application.model_validate_json`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from qcrbox.spec.dtypes import INPUT_FILES, OUTPUT_PARAMETERS, DType, rest_word
from qcrbox.spec.takes import endings, needs_atoms

# A CIF item name, or {"one_of": [name, [name, name], …]}, or the word all_unified.
Entry = str | dict[str, list[str | list[str]]]


class Part(BaseModel):
    """Base of the parts of a spec: immutable."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Implementation(StrEnum):
    """How a command is run."""

    CLI = "cli_command"
    PYTHON = "python_callable"
    INTERACTIVE = "interactive_session"


class ValidValue(Part):
    """Restrictions on a value; all that are given apply. An open end of the range is None."""

    numeric_range: tuple[float | None, float | None] | None = None
    choices: list[str | int | float] | None = None
    regex: str | None = None

    def to_rest(self) -> dict[str, Any]:
        """The rules as plain data, those not set left out."""
        return self.model_dump(exclude_none=True, mode="json")


class CifInput(Part):
    """The CIF entries that a command reads. Meaning of the keys: qcrbox.cif.convert."""

    required_entries: list[Entry] = Field(default_factory=list)
    optional_entries: list[Entry] = Field(default_factory=list)
    required_entry_sets: list[str] = Field(default_factory=list)
    optional_entry_sets: list[str] = Field(default_factory=list)
    merge_su: bool = False
    custom_categories: list[str] = Field(default_factory=list)
    dialect: Literal["unified", "ddl1"] = "unified"

    @property
    def has_keys(self) -> bool:
        """False when no entry is requested; the command then receives the unified file."""
        return bool(
            self.required_entries
            or self.optional_entries
            or self.required_entry_sets
            or self.optional_entry_sets
        )


class CifOutput(CifInput):
    """The CIF entries that an output contributes to the file the command started from."""

    invalidated_entries: list[str] = Field(default_factory=list)
    invalidated_entry_sets: list[str] = Field(default_factory=list)
    output_block: str = "0"


class Parameter(Part):
    """One argument of a command. `default` None with `has_default` False: there is none."""

    name: str
    dtype: DType
    description: str | None = None
    default: str | int | float | bool | None = None
    has_default: bool = False
    required: bool | None = None  # as written; None when absent
    valid_value: ValidValue | None = None
    cif: CifInput | None = None  # of CIF inputs
    cif_output: CifOutput | None = None  # of QCrBox.output_cif parameters
    # Extension, for data files: file name patterns. Without an argument, the only match in the dataset of the CIF input is used.
    companion: tuple[str, ...] = ()
    older_names: tuple[str, ...] = ()  # ours: names under which clients of earlier versions give it
    secondary: bool = False  # a CIF read beside the source; its content never continues into the output
    line: int = 0

    @property
    def is_input_file(self) -> bool:
        """True when the argument is a file."""
        return self.dtype in INPUT_FILES

    @property
    def is_output(self) -> bool:
        """True when the argument names an output file."""
        return self.dtype in OUTPUT_PARAMETERS

    @property
    def is_argument(self) -> bool:
        """False for what only the program itself uses."""
        return self.dtype is not DType.WORK_CIF

    @property
    def optional(self) -> bool:
        """True when a call may leave it out."""
        return (
            self.has_default
            or self.required is False
            or self.is_output
            or self.dtype in (DType.WORK_CIF, DType.FOLDER, DType.INPUT_FOLDER)
        )

    def to_rest(self) -> dict[str, Any]:
        """The parameter as GET /api/applications shows it."""
        shown: dict[str, Any] = {
            "name": self.name,
            "dtype": rest_word(self.dtype),
            "description": self.description,
            "default_value": self.default,
            "required": not self.optional,
            "valid_value": self.valid_value.to_rest() if self.valid_value else None,
        }
        if self.companion:
            shown["companion"] = list(self.companion)
        cif = self.cif or self.cif_output
        return shown | (cif.model_dump(mode="json") if cif else {})


class Output(Part):
    """A file the program writes under `filename` in its working directory."""

    name: str
    dtype: DType
    description: str | None = None
    filename: str
    required_output: bool = True
    missing_is_warning: bool = False  # middle generation: an absent output is not a failure
    from_parameter: bool = False  # its file name is an argument
    older_names: tuple[
        str, ...
    ] = ()  # ours: names under which clients of earlier versions give its file name
    cif: CifOutput | None = None
    line: int = 0

    def to_rest(self) -> dict[str, Any]:
        """The output as GET /api/applications shows it."""
        shown = {
            "name": self.name,
            "dtype": str(self.dtype),
            "description": self.description,
            "filename": self.filename,
            "required_output": self.required_output,
        }
        return shown | (self.cif.model_dump(mode="json") if self.cif else {})

    def to_rest_as_parameter(self) -> dict[str, Any]:
        """An output CIF in the form for older clients: a parameter whose value is the requested file name."""
        shown = {
            "name": self.name,
            "dtype": str(self.dtype),
            "description": self.description,
            "default_value": self.filename,
            "required": False,
            "valid_value": None,
            "is_output": True,
        }
        return shown | (self.cif.model_dump(mode="json") if self.cif else {})


class Call(Part):
    """How a command or a step of a session is started."""

    implemented_as: Implementation
    call_pattern: str | None = None
    import_path: str | None = None
    callable_name: str | None = None
    description: str | None = None
    uses: list[str] | None = None  # names of parameters and outputs it gets; None = all
    line: int = 0


class Lifecycle(Part):
    """The steps of an interactive command."""

    prepare: Call | None = None
    run: Call
    finalise: Call | None = None

    def steps(self) -> Iterable[tuple[str, Call]]:
        """Name and call of each step there is, in order."""
        for name in ("prepare", "run", "finalise"):
            step = getattr(self, name)
            if step is not None:
                yield name, step


class Command(Part):
    """One command of an application."""

    name: str
    implemented_as: Implementation
    description: str | None = None
    title: str | None = None  # pattern of what a call does, for titles of calculations; see `titles`
    doi: list[str] = Field(default_factory=list)
    parameters: list[Parameter] = Field(default_factory=list)
    outputs: list[Output] = Field(default_factory=list)  # includes those made of output parameters
    merge_cif_su: bool = False
    call: Call | None = None
    lifecycle: Lifecycle | None = None
    hidden: bool = False
    repeats: str | None = None  # of a GUI: the hidden command that does the same without it
    toparams: str | None = None  # of a GUI: the hidden command that writes the results
    timeout_s: float | None = None
    memory_bytes: int | None = None
    cpus: float | None = None
    gpu: int | None = None
    progress: str | None = None  # regular expression with groups named fraction, text or metrics
    checkpoint: str | None = (
        None  # a file that the program updates while it runs and restarts from when it exists
    )
    estimate: str | None = None  # ours: the command that says what a call would cost, for forms
    line: int = 0

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of this name; None when there is none."""
        return next((p for p in self.parameters if p.name == name), None)

    def output(self, name: str) -> Output | None:
        """The output of this name; None when there is none."""
        return next((o for o in self.outputs if o.name == name), None)

    @property
    def arguments(self) -> list[Parameter]:
        """The parameters a call may give."""
        return [p for p in self.parameters if p.is_argument]

    @property
    def cif_inputs(self) -> list[Parameter]:
        """The parameters that take a CIF."""
        return [p for p in self.parameters if p.dtype is DType.CIF_DATA_FILE]

    @property
    def source_cif(self) -> Parameter | None:
        """The input whose content continues into the output CIF: the first declared one."""
        return next((p for p in self.cif_inputs if not p.secondary), None)

    @property
    def output_cif(self) -> Output | None:
        """The first output that is a CIF; None when there is none."""
        return next((o for o in self.outputs if o.dtype is DType.OUTPUT_CIF), None)

    @property
    def is_interactive(self) -> bool:
        """True for a program with a window."""
        return self.implemented_as is Implementation.INTERACTIVE

    def to_rest(self, application: Application) -> dict[str, Any]:
        """The command as GET /api/applications shows it."""
        return {
            "name": self.name,
            "cmd_name": self.name,
            "application": application.slug,
            "version": application.version,
            "description": self.description or "",
            "title": self.title or "",
            "implemented_as": str(self.implemented_as),
            "parameters": self._rest_parameters(application),
            "merge_cif_su": self.merge_cif_su,
            "doi": ", ".join(self.doi) or None,
            "outputs": {o.name: o.to_rest() for o in self.outputs if not o.from_parameter},
            **({"repeat_command": self.repeats} if self.repeats else {}),
            "estimate": self.estimate or "",
            "checkpoint": self.checkpoint or "",
        }

    def _rest_parameters(self, application: Application) -> dict[str, dict[str, Any]]:
        shown = {p.name: p.to_rest() for p in self.arguments}
        for parameter in self.arguments:
            if parameter.is_input_file:
                shown[parameter.name]["takes"] = _takes(parameter, application)
        output = self.output_cif
        if output is not None and not output.from_parameter:
            # Older clients look among the parameters for whether a command writes a CIF.
            shown[output.name] = output.to_rest_as_parameter()
        return shown


def _takes(parameter: Parameter, application: Application) -> dict[str, Any]:
    """Which files fit: endings of their names (none: any), and whether a CIF without atoms does not."""
    if parameter.cif is None:
        return {"endings": endings(parameter.description or "", parameter.companion), "atoms": False}
    of_sets = [application.entry_sets.get(name, {}) for name in parameter.cif.required_entry_sets]
    required = [
        *parameter.cif.required_entries,
        *(each for one in of_sets for each in one.get("required", ())),
    ]
    return {"endings": [".cif"], "atoms": needs_atoms(required)}


class EntrySet(Part):
    """A named set of CIF entries."""

    name: str
    required: list[Entry] = Field(default_factory=list)
    optional: list[Entry] = Field(default_factory=list)


class Application(Part):
    """An application as its spec describes it."""

    name: str
    slug: str
    version: str
    description: str | None = None
    url: str | None = None
    email: str | None = None
    licence: str | None = None  # ours: of the program, and what it asks of those who install it
    doi: list[str] = Field(default_factory=list)
    commands: list[Command] = Field(default_factory=list)
    cif_entry_sets: list[EntrySet] = Field(default_factory=list)
    older_versions: list[str] = Field(default_factory=list)  # ours: versions that this one stands for
    reuse: str = "same-owner"  # never | same-owner | any: who may get an agent that has worked already
    notes: list[str] = Field(default_factory=list)  # guesses of the loader, for administrators
    left_out: list[str] = Field(default_factory=list)  # commands of the file that cannot be run, and why

    def command(self, name: str) -> Command | None:
        """The command of this name; None when there is none."""
        return next((c for c in self.commands if c.name == name), None)

    @property
    def listed_commands(self) -> list[Command]:
        """Those a person may call."""
        return [c for c in self.commands if not c.hidden]

    @property
    def entry_sets(self) -> dict[str, dict[str, list[Entry]]]:
        """In the form of qcrbox.cif.convert: name -> {required, optional}."""
        return {s.name: {"required": s.required, "optional": s.optional} for s in self.cif_entry_sets}

    def to_rest(self) -> dict[str, Any]:
        """The part of `GET /api/applications` that comes from the spec, without ids and times."""
        return {
            "name": self.name,
            "slug": self.slug,
            "version": self.version,
            "description": self.description,
            "url": self.url or "",
            "email": self.email,
            "licence": self.licence or "",
            "doi": ", ".join(self.doi) or None,
            "commands": [command.to_rest(self) for command in self.listed_commands],
        }
