"""What a program produced: found in its folder, checked, merged back into the source CIF, uploaded."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import CalculationFailed, MissingItemsError, QcError
from qcrbox.contract.messages import OutputFile
from qcrbox.spec.arguments import safe_file_name
from qcrbox.spec.dtypes import DType
from qcrbox.spec.model import Application, CifInput, Command, Output

from qcrbox_agent import archives, conversion
from qcrbox_agent.files import FileRoutes
from qcrbox_agent.inputs import Prepared
from qcrbox_agent.workdir import numbered


@dataclass
class Produced:
    """One file to store."""

    path: Path
    filename: str
    name: str = ""  # of the output in the spec; "" for a file only returned
    primary: bool = False


@dataclass
class Collected:
    """Output files of a program and the warnings that arose while they were collected."""

    files: list[Produced] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def collect(
    command: Command,
    folder: Path,
    returned: list[tuple[str, str]],
    values: Mapping[str, Any],
    wishes: Mapping[str, Any] | None = None,
) -> Collected:
    """The files to store, primary first.

    wishes: file names to store declared outputs under, by the output's name; the program writes its own names.
    Raises CalculationFailed: a required output or a returned file is not there.
    """
    made = Collected()
    declared = {output.name: _declared_path(output, folder, values) for output in command.outputs}
    for index, (name, text) in enumerate(returned):
        path = _returned_path(text, folder)
        name = name or _name_of(path, declared)
        made.files.append(Produced(path, _filename(path, declared.get(name)), name, primary=index == 0))
    output_cif = command.output_cif
    if (
        output_cif is not None
        and made.files
        and not made.files[0].name
        and not declared[output_cif.name].exists()
    ):
        # The callable returned its CIF under another name than the declared one.
        made.files[0].name = output_cif.name
    taken = {produced.name for produced in made.files if produced.name}
    for output in command.outputs:
        if output.name not in taken:
            _add_declared(made, output, declared[output.name], folder)
    if made.files and not any(produced.primary for produced in made.files):
        first = next((p for p in made.files if output_cif and p.name == output_cif.name), None)
        if first is not None:
            first.primary = True
            made.files.remove(first)
            made.files.insert(0, first)
    _rename_as_wished(made.files, command, wishes or {})
    _make_names_differ(made.files)
    return made


def present(command: Command, folder: Path) -> Collected:
    """Declared outputs that are there, as they are: of an attempt that did not come to its end."""
    found = [
        Produced(path, safe_file_name(path.name) or output.name, output.name)
        for output in command.outputs
        if output.dtype is not DType.OUTPUT_FOLDER
        and (path := folder / output.filename).is_file()
        and path.resolve().is_relative_to(folder.resolve())
    ]
    return Collected(found)


def _declared_path(output: Output, folder: Path, values: Mapping[str, Any]) -> Path:
    return folder / str(values.get(output.name) or output.filename)


def _returned_path(text: str, folder: Path) -> Path:
    path = folder / text
    if not path.is_file():
        raise CalculationFailed(f"The callable returned '{text}', which is no file.")
    return path


def _name_of(path: Path, declared: Mapping[str, Path]) -> str:
    for name, candidate in declared.items():
        if candidate.exists() and os.path.samefile(candidate, path):
            return name
    return ""


def _filename(path: Path, declared: Path | None) -> str:
    if declared is not None and declared.is_file() and os.path.samefile(declared, path):
        path = declared
    return safe_file_name(path.name) or "output"


def _add_declared(made: Collected, output: Output, path: Path, folder: Path) -> None:
    if output.dtype is DType.OUTPUT_FOLDER:
        archive = folder / f".{output.name}.zip"
        if path.is_dir() and archives.pack(path, archive):
            made.files.append(Produced(archive, f"{safe_file_name(path.name)}.zip", output.name))
        return
    # A link could lead to any file the agent can read.
    inside = path.is_file() and path.resolve().is_relative_to(folder.resolve())
    if inside:
        made.files.append(Produced(path, safe_file_name(path.name) or output.name, output.name))
    elif output.required_output and not output.missing_is_warning:
        raise CalculationFailed(
            f"The command did not produce its declared required output '{output.name}' ({output.filename})."
        )
    elif output.required_output:
        made.warnings.append(f"The command did not produce its output '{output.name}' ({output.filename}).")


def _rename_as_wished(files: list[Produced], command: Command, wishes: Mapping[str, Any]) -> None:
    fixed = {output.name for output in command.outputs if not output.from_parameter}
    for produced in files:
        wished = safe_file_name(str(wishes.get(produced.name) or "")) if produced.name in fixed else ""
        if wished:
            # Without its ending a file would have no type.
            ending = "" if Path(wished).suffix else Path(produced.filename).suffix
            produced.filename = wished + ending


def _make_names_differ(files: list[Produced]) -> None:
    seen: set[str] = set()
    for produced in files:
        produced.filename = next(name for name in numbered(produced.filename) if name not in seen)
        seen.add(produced.filename)


def entries_for(produced: Produced, command: Command) -> CifInput | None:
    """The CIF keys by which a produced file is merged into the source; None: it is stored as it is."""
    output = command.output(produced.name) if produced.name else None
    if output is not None and output.cif is not None:
        return output.cif
    has_output_cif = command.output_cif is not None
    source = command.source_cif
    if (
        produced.primary
        and output is None
        and not has_output_cif
        and source is not None
        and source.cif is not None
    ):
        is_cif = produced.path.suffix.lower() in (".cif", ".mcif", ".fcf")
        return source.cif if source.cif.has_keys and is_cif else None
    return None


async def merge_back(
    collected: Collected, command: Command, application: Application, prepared: Prepared, folder: Path
) -> None:
    """Replace output CIFs by the source with the command's changes.

    What cannot be merged is stored as the program wrote it, with a warning: its work must not be lost.
    Raises CalculationFailed when items are missing that the output promises.
    """
    for number, produced in enumerate(collected.files):
        entries = entries_for(produced, command)
        if entries is None:
            continue
        output = command.output(produced.name) if produced.name else None
        content = await asyncio.to_thread(produced.path.read_bytes)
        try:
            merged = await asyncio.to_thread(
                conversion.merged_back,
                content,
                produced.filename,
                prepared.source,
                entries,
                application,
                missing_is_warning=output is not None and output.missing_is_warning,
            )
        except MissingItemsError as error:
            raise CalculationFailed(
                f"The CIF the command wrote ({produced.filename}) cannot be merged with its input: {error.message}"
            ) from error
        except QcError as error:
            collected.warnings.append(
                f"{produced.filename} is stored as the program wrote it, not merged with its input: {error.message}"
            )
            continue
        collected.warnings += merged.warnings
        # Not over the program's own file: two outputs may name the same one.
        target = folder / f".merged-{number}"
        await asyncio.to_thread(target.write_bytes, merged.content)
        produced.path = target


async def upload(collected: Collected, routes: FileRoutes) -> list[OutputFile]:
    """Upload the collected files; returns their ids, hashes and sizes (bytes) for the final event."""
    stored = []
    for produced in collected.files:
        upload_id, digest, size = await routes.store(produced.path, produced.name, produced.filename)
        stored.append(
            OutputFile(
                name=produced.name,
                filename=produced.filename,
                filetype="unknown",  # the registry knows types by file name
                sha256=digest,
                size=size,
                upload_id=upload_id,
                primary=produced.primary,
            )
        )
    return stored
