"""From the arguments of a command to the values its program gets: files fetched, CIFs converted, names made paths."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import CifError, MissingItemsError, NotFound
from qcrbox.contract.messages import Command as CommandMessage
from qcrbox.contract.messages import FileRef
from qcrbox.contract.states import Step
from qcrbox.spec.arguments import default_of
from qcrbox.spec.dtypes import DType
from qcrbox.spec.model import Application, Command, Parameter

from qcrbox_agent import archives, conversion
from qcrbox_agent.files import FileRoutes
from qcrbox_agent.workdir import free_name

Tell = Callable[[Step], None]


@dataclass
class Prepared:
    """What the program gets, and what is needed again when it has ended."""

    values: dict[str, Any] = field(default_factory=dict)
    source: bytes | None = None  # the stored CIF whose content is merged into the output
    warnings: list[str] = field(default_factory=list)
    fetched_s: float = 0.0
    converted_s: float = 0.0


class Inputs:
    """Prepares one calculation's folder."""

    def __init__(
        self,
        application: Application,
        command: Command,
        message: CommandMessage,
        routes: FileRoutes,
        folder: Path,
    ) -> None:
        self._application, self._command, self._message = application, command, message
        self._routes, self._folder = routes, folder
        self._refs = {ref.data_file_id: ref for ref in message.files}

    async def prepare(self, tell: Tell) -> Prepared:
        """Raises QcError when a file cannot be had or converted."""
        made = Prepared()
        loop = asyncio.get_running_loop()
        started = loop.time()
        files = [p for p in self._command.parameters if p.is_input_file and self._ref(p) is not None]
        originals: dict[str, Path] = {}
        if files:
            tell(Step.FETCHING)
            for parameter in files:
                originals[parameter.name] = await self._fetch(parameter)
        made.fetched_s = loop.time() - started
        for parameter in self._command.parameters:
            await self._set_value(parameter, originals.get(parameter.name), made, tell)
        for output in self._command.outputs:
            if not output.from_parameter:
                (self._folder / output.filename).parent.mkdir(parents=True, exist_ok=True)
                made.values[output.name] = output.filename
        made.converted_s = loop.time() - started - made.fetched_s
        return made

    def _ref(self, parameter: Parameter) -> FileRef | None:
        value = self._message.arguments.get(parameter.name)
        if value is None:
            return None
        file_id = value.get("data_file_id") if isinstance(value, dict) else value
        if file_id not in self._refs:
            raise NotFound(f"The command does not say where the file of '{parameter.name}' is.")
        return self._refs[file_id]

    def _taken(self) -> set[str]:
        """Names of the outputs: an input of the same name would be overwritten, or taken for what was produced."""
        given = self._message.arguments
        return {
            str((given.get(output.name) if output.from_parameter else None) or output.filename)
            for output in self._command.outputs
        }

    async def _fetch(self, parameter: Parameter) -> Path:
        ref = self._ref(parameter)
        assert ref is not None
        target = free_name(self._folder, ref.filename, self._taken())
        await self._routes.fetch(ref, target)
        return target

    async def _set_value(
        self, parameter: Parameter, original: Path | None, made: Prepared, tell: Tell
    ) -> None:
        name, dtype = parameter.name, parameter.dtype
        given = self._message.arguments.get(name)
        if dtype is DType.CIF_DATA_FILE:
            made.values[name] = (
                None if original is None else await self._convert(parameter, original, made, tell)
            )
        elif dtype is DType.DATA_FILE:
            made.values[name] = original
        elif dtype is DType.INPUT_FOLDER:
            made.values[name] = await asyncio.to_thread(self._unpacked, name, original)
        elif dtype in (DType.FOLDER, DType.OUTPUT_FOLDER):
            made.values[name] = self._folder / (given or name)
            made.values[name].mkdir(exist_ok=True)
        elif dtype is DType.WORK_CIF:
            made.values[name] = self._folder / f"{name}.cif"
        elif dtype is DType.OUTPUT_FILE:
            made.values[name] = self._folder / (given or str(default_of(parameter)))
        elif dtype is DType.OUTPUT_CIF:
            made.values[name] = given or default_of(parameter)
        else:
            made.values[name] = given

    async def _convert(self, parameter: Parameter, original: Path, made: Prepared, tell: Tell) -> Path:
        tell(Step.CONVERTING)
        content = await asyncio.to_thread(original.read_bytes)
        if parameter is self._command.source_cif:
            made.source = content
        assert parameter.cif is not None
        try:
            converted = await asyncio.to_thread(
                conversion.for_command, content, original.name, parameter.cif, self._application
            )
        except (CifError, MissingItemsError) as error:
            if not self._message.force:
                raise
            made.warnings.append(f"Handed over as it is, because you forced it: {error.message}")
            return original
        made.warnings += converted.warnings
        await asyncio.to_thread(original.write_bytes, converted.content)
        return original

    def _unpacked(self, name: str, archive: Path | None) -> Path:
        folder = self._folder / name
        if archive is None:
            folder.mkdir(exist_ok=True)
            return folder
        # The archive may have the parameter's name.
        moved = archive.rename(self._folder / f".{name}.archive")
        archives.unpack(moved, folder)
        moved.unlink()
        return folder
