"""Reads an object and checks the right to it. Raises NotFound or NotAllowed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from qcrbox.contract.errors import NotFound

from qcrbox_registry.access.rights import Actor, Grant, Resource, allows, authorize, missing
from qcrbox_registry.store import calculations as calculation_rows
from qcrbox_registry.store import datasets, sessions, shares, uploads
from qcrbox_registry.store.calculations import Calculation
from qcrbox_registry.store.datasets import DataFile, Dataset
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.sessions import Session
from qcrbox_registry.store.teaching import work
from qcrbox_registry.store.uploads import Upload


def dataset(
    conn: Connection, actor: Actor, action: str, dataset_id: str, *, deleted: bool = False
) -> Dataset:
    """The dataset, when the actor may do this with it."""
    try:
        found = datasets.get(conn, dataset_id, deleted=deleted)
    except NotFound:
        raise missing("dataset", dataset_id) from None
    of = [found.calculation_id] if found.calculation_id else []
    _authorize(conn, actor, action, dataset_resource(conn, found), of)
    return found


def data_file(
    conn: Connection, actor: Actor, action: str, file_id: str, *, deleted: bool = False
) -> DataFile:
    """The data file, when the actor may do this with it."""
    try:
        found = datasets.get_file(conn, file_id, deleted=deleted)
    except NotFound:
        raise missing("data_file", file_id) from None
    of = [found.calculation_id] if found.calculation_id else []
    _authorize(conn, actor, action, file_resources(conn, [found])[found.id], of)
    return found


def calculation(conn: Connection, actor: Actor, action: str, calculation_id: str) -> Calculation:
    """The calculation, when the actor may do this with it."""
    try:
        found = calculation_rows.get(conn, calculation_id)
    except NotFound:
        raise missing("calculation", calculation_id) from None
    _authorize(conn, actor, action, calculation_resources(conn, [found])[0], [found.id])
    return found


def calculations(conn: Connection, actor: Actor, action: str, found: Sequence[Calculation]) -> None:
    """Raises unless the actor may do this with each of these calculations."""
    for resource in calculation_resources(conn, found):
        _authorize(conn, actor, action, resource, [resource.id])


def session(conn: Connection, actor: Actor, action: str, session_id: str) -> tuple[Calculation, Session]:
    """The session and its calculation, when the actor may do this with it."""
    found = sessions.get(conn, session_id)
    if found is None:
        raise missing("session", session_id)
    resource = Resource(
        "session",
        session_id,
        found.owner_id,
        found.group_id,
        view_only_allowed=found.view_only_allowed,
    )
    _authorize(conn, actor, action, resource, [session_id])
    return calculation_rows.get(conn, session_id), found


def upload(conn: Connection, actor: Actor, action: str, upload_id: str) -> Upload:
    """The resumable upload, when the actor may do this with it."""
    try:
        found = uploads.get(conn, upload_id)
    except NotFound:
        raise missing("upload", upload_id) from None
    if found.purpose == "output":
        raise missing("upload", upload_id)  # of an agent; it has a separate route
    authorize(actor, action, Resource("upload", upload_id, found.owner_id, found.group_id))
    return found


def _authorize(
    conn: Connection, actor: Actor, action: str, resource: Resource, calculation_ids: Sequence[str]
) -> None:
    """Authorize; the courses of the calculations are looked up only for staff who have no other right."""
    if calculation_ids and actor.manages and not allows(actor, action, resource):
        resource = replace(resource, taught_in=work.groups_of(conn, calculation_ids))
    authorize(actor, action, resource)


# ---------------------------------------------------------------- what the rights need to know


def _grants(held: Sequence[shares.HeldShare]) -> tuple[Grant, ...]:
    return tuple(Grant(share.mode, share.person_id, share.group_id) for share in held)


def dataset_resource(conn: Connection, dataset: Dataset) -> Resource:
    """A dataset with its shares."""
    if dataset.kind == "example":
        return Resource("example", dataset.id)
    held = shares.held(conn, [dataset.id], time.time())[dataset.id]
    return Resource("dataset", dataset.id, dataset.owner_id, dataset.group_id, _grants(held))


def file_resources(conn: Connection, files: Sequence[DataFile]) -> dict[str, Resource]:
    """Data files with their shares, by id; a share of the dataset counts for its files."""
    dataset_ids = [file.dataset_id for file in files if file.dataset_id]
    ids = list(dict.fromkeys([*(file.id for file in files), *dataset_ids]))
    held = shares.held(conn, ids, time.time())
    kinds = datasets.kinds_of(conn, dataset_ids)
    found: dict[str, Resource] = {}
    for file in files:
        if file.dataset_id is not None and kinds.get(file.dataset_id) == "example":
            found[file.id] = Resource("example", file.id)
            continue
        through = held[file.dataset_id] if file.dataset_id else []
        grants = _grants([*held[file.id], *through])
        found[file.id] = Resource("data_file", file.id, file.owner_id, file.group_id, grants)
    return found


def calculation_resources(conn: Connection, found: Sequence[Calculation]) -> list[Resource]:
    """Calculations with their shares."""
    held = shares.held(conn, [calculation.id for calculation in found], time.time())
    return [
        Resource(
            "calculation",
            calculation.id,
            calculation.owner_id,
            calculation.group_id,
            _grants(held[calculation.id]),
        )
        for calculation in found
    ]
