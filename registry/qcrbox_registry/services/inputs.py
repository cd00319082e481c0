"""The input files of a submission: looked up, authorized one by one, completed with companions."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.contract.ids import data_file_id, dataset_id

from qcrbox_registry.access.rights import Actor, allows, authorize, missing
from qcrbox_registry.services import authorized
from qcrbox_registry.services.catalogue import KnownCommand
from qcrbox_registry.services.required_items import missing_items
from qcrbox_registry.store import datasets, titles
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.datasets import DataFile
from qcrbox_registry.store.engine import Connection

MOST_NAMED = 20


@dataclass(slots=True)
class Inputs:
    """The files that a new calculation names; each by its own id or by that of a dataset with one file."""

    new: NewCalculation
    command: KnownCommand
    named: list[tuple[str, str]]  # (parameter, the id in the request)
    force: bool = False  # hand a CIF over although items are missing


@dataclass(slots=True)
class Found:
    """Rows for the ids in the requests of one transaction."""

    files: dict[str, DataFile] = field(default_factory=dict)
    of_datasets: dict[str, list[DataFile]] = field(default_factory=dict)


def look_up(conn: Connection, ids: Iterable[str]) -> Found:
    """The data files with these ids; an id that is no data file is tried as a dataset."""
    wanted = set(ids)
    if not wanted:
        return Found()
    known = datasets.files_by_id(conn, sorted(data_file_id(given) for given in wanted))
    files = {given: known[file_id] for given in wanted if (file_id := data_file_id(given)) in known}
    others = {given: dataset_id(given) for given in wanted - files.keys()}
    within = datasets.files_of(conn, sorted(others.values())) if others else {}
    return Found(files, {given: within[other] for given, other in others.items()})


def resolve(conn: Connection, actor: Actor, inputs: Sequence[Inputs], found: Found) -> list[int | None]:
    """Put the ids of authorized files into the arguments; the home group of the first file of each calculation.

    Raises NotFound for a file the actor may not read, UserInputError, MissingItemsError.
    """
    checked: dict[str, DataFile] = {}
    groups: list[int | None] = []
    mains: list[tuple[NewCalculation, str]] = []
    for wanted in inputs:
        home: int | None = None
        main: DataFile | None = None
        for parameter, given in wanted.named:
            if given not in checked:
                checked[given] = _readable(conn, actor, parameter, given, found)
            file = checked[given]
            _use(wanted.new, parameter, file)
            home = home or file.group_id
            main = main or file
            _require_items(conn, wanted, parameter, file)
        if main is not None:
            mains.append((wanted.new, main.id))
            _add_companions(conn, actor, wanted, main)
        groups.append(home)
    subjects = titles.subjects_of(conn, (file_id for _, file_id in mains))
    for new, file_id in mains:
        new.subject = subjects.get(file_id, "")
    return groups


def _use(new: NewCalculation, parameter: str, file: DataFile) -> None:
    new.arguments[parameter] = {"data_file_id": file.id}
    new.inputs.append((parameter, file.id))


def _readable(conn: Connection, actor: Actor, parameter: str, given: str, found: Found) -> DataFile:
    file = found.files.get(given)
    if file is None and found.of_datasets.get(given):
        file = _only_file(conn, actor, parameter, dataset_id(given), found.of_datasets[given])
    if file is None or file.deleted_at is not None:
        raise missing("data_file", given)
    authorize(actor, "read", authorized.file_resources(conn, [file])[file.id])
    return file


def _only_file(
    conn: Connection, actor: Actor, parameter: str, within: str, files: Sequence[DataFile]
) -> DataFile:
    authorized.dataset(conn, actor, "read", within)
    if len(files) != 1:
        names = ", ".join(f"{file.id} ({file.filename})" for file in files[:MOST_NAMED])
        raise UserInputError(
            f"{parameter} needs one file; the dataset {within} holds {len(files)}.",
            next=f"Give the data_file_id of one of them: {names}",
        )
    return files[0]


def _add_companions(conn: Connection, actor: Actor, wanted: Inputs, main: DataFile) -> None:
    """Files that the spec takes from the dataset of the first input, such as the .hkl beside a CIF.

    The actor must be allowed to read each: a share of one file opens no other file of its dataset.
    """
    parameters = [
        parameter
        for parameter in wanted.command.spec.arguments
        if parameter.companion and wanted.new.arguments.get(parameter.name) is None
    ]
    if not parameters or main.dataset_id is None:
        return
    beside = [
        file for file in datasets.files_of(conn, [main.dataset_id])[main.dataset_id] if file.id != main.id
    ]
    resources = authorized.file_resources(conn, beside)
    readable = [file for file in beside if allows(actor, "read", resources[file.id])]
    for parameter in parameters:
        fitting = [file for file in readable if _matches(file.filename, parameter.companion)]
        if len(fitting) == 1:
            _use(wanted.new, parameter.name, fitting[0])


def _matches(filename: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(filename.lower(), pattern.lower()) for pattern in patterns)


def _require_items(conn: Connection, wanted: Inputs, parameter: str, file: DataFile) -> None:
    """Refuse a CIF whose stored index lacks items that the command needs."""
    spec = wanted.command.spec.parameter(parameter)
    if wanted.force or spec is None or spec.cif is None or not spec.cif.has_keys:
        return
    names = datasets.names_in(conn, file.id)
    if names is None:
        return
    lacking = missing_items(set(names), spec.cif, wanted.command.entry_sets)
    if lacking:
        raise MissingItemsError(
            f"{wanted.command.spec.name}() needs {', '.join(lacking[:10])}; {file.filename} has no such items.",
            where=parameter,
            next="Choose another file, or send force: true to hand it over as it is.",
            items=lacking,
            file=file.filename,
        )
