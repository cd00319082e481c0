"""From a request to waiting calculations: check everything, then write everything in one transaction.

All single submissions that wait for the writer at one moment are written together.
"""

from __future__ import annotations

import fnmatch
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from qcrbox.contract.errors import Conflict, MissingItemsError, NotAllowed, QcError, UserInputError
from qcrbox.contract.ids import data_file_id, dataset_id
from qcrbox.contract.models import StartSession, SubmitCommand
from qcrbox.spec import check
from sqlalchemy.engine import Connection

from qcrbox_registry.access import audit, rights
from qcrbox_registry.access.quota import Subject, used
from qcrbox_registry.access.rights import Actor, Resource
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.required_items import missing_items
from qcrbox_registry.store import calculations, datasets, events, people, shares, tags
from qcrbox_registry.store.applications import KnownApplication, KnownCommand
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.tables import idempotency, new_id, sessions

MOST_QUEUED_ANSWERS = 24 * 3600.0  # an idempotency key is remembered this long, s
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Wanted:
    """One calculation before its files are looked up."""

    new: NewCalculation
    command: KnownCommand
    files: list[tuple[str, str]]  # (parameter, the id that was given)
    force: bool = False
    private: bool = False  # no home group was asked for, in so many words
    tags: list[str] = field(default_factory=list)
    size: tuple[int | None, int | None] = (None, None)


@dataclass(slots=True)
class _Request:
    """One HTTP request: one or many calculations, all or none."""

    actor: Actor
    wanted: list[_Wanted]
    batch_id: str | None = None
    key: str | None = None
    request_hash: str = ""


@dataclass(slots=True)
class Accepted:
    ids: list[str]
    batch_id: str | None
    repeated: bool = False  # an earlier request with the same idempotency key was answered again
    events: list[events.Event] = field(default_factory=list)
    new: list[NewCalculation] = field(default_factory=list)


class Submissions:
    """Takes commands. One per registry."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def submit(
        self,
        actor: Actor,
        commands: Sequence[SubmitCommand | StartSession],
        *,
        batch: bool = False,
        idempotency_key: str | None = None,
        body: bytes = b"",
        correlation_id: str = "",
    ) -> Accepted:
        """Write the calculations and tell the scheduler; all or none.

        Raises NotFound (application, command, file), UserInputError (arguments), QuotaExceeded, and Conflict for an
        idempotency key that came with another request before.
        """
        batch_id = new_id() if batch else None
        wanted = [self._prepare(actor, one, correlation_id, batch_id) for one in commands]
        request = _Request(actor, wanted, batch_id)
        if idempotency_key is not None:
            request.key = _checked_key(idempotency_key)
            request.request_hash = hashlib.sha256(body).hexdigest()
        accepted: Accepted = await self._core.db.write_grouped(self._write, request)
        if not accepted.repeated:
            self._core.publish(accepted.events)
            self._core.scheduler.submitted(accepted.new)
            first = accepted.new[0]
            log.info(
                "accepted",
                calculation_id=first.id,
                calculations=len(accepted.new),
                command=f"{first.application_slug} {first.application_version} {first.command_name}",
                owner=actor.name,
                correlation_id=first.correlation_id or first.id,
            )
        return accepted

    # ------------------------------------------------------------ before the writer

    def _prepare(
        self,
        actor: Actor,
        body: SubmitCommand | StartSession,
        correlation_id: str,
        batch_id: str | None,
    ) -> _Wanted:
        application, command = self._find(actor, body)
        arguments = check(command.spec, body.command_arguments)
        files = [
            (parameter.name, arguments[parameter.name]["data_file_id"])
            for parameter in command.spec.arguments
            if parameter.is_input_file and arguments.get(parameter.name) is not None
        ]
        new = NewCalculation(
            owner_id=actor.person_id,
            application_id=application.id,
            command_id=command.id,
            application_slug=application.slug,
            application_version=application.version,
            command_name=command.spec.name,
            arguments=arguments,
            group_id=_chosen_group(actor, body.group),
            interactive=command.spec.is_interactive,
            name=body.name,
            correlation_id=correlation_id,
            batch_id=batch_id,
            wall_time_s=command.spec.timeout_s,
        )
        new.force = body.force
        wanted = _Wanted(new, command, files, body.force, private=body.group == "")
        if isinstance(body, SubmitCommand):
            new.priority = body.priority if actor.admin else min(body.priority, 0)
            new.repeat_of = body.repeat_of
            if body.wall_time_s is not None:
                new.wall_time_s = min(body.wall_time_s, new.wall_time_s or body.wall_time_s)
            wanted.tags = [tags.checked(tag) for tag in body.tags]
        else:
            wanted.size = (body.width, body.height)
        return wanted

    def _find(
        self, actor: Actor, body: SubmitCommand | StartSession
    ) -> tuple[KnownApplication, KnownCommand]:
        catalogue = self._core.catalogue
        slug, version = body.application_slug, body.application_version
        application = catalogue.find(
            slug, version, lambda one: rights.allows(actor, "run", application_resource(one))
        )
        if isinstance(body, SubmitCommand):
            return catalogue.find_command(slug, application.version, body.command_name)
        if body.command_name:
            _, command = catalogue.find_command(slug, application.version, body.command_name)
            if not command.spec.is_interactive:
                raise UserInputError(f"{body.command_name} is not an interactive command.")
            return application, command
        interactive = application.interactive_commands
        if not interactive:
            raise UserInputError(f"{application.spec.name} {version} has no interactive command.")
        named = [one for one in interactive if one.spec.name == "interactive_session"]
        if not named and len(interactive) > 1:
            raise UserInputError(
                f"{application.spec.name} has several interactive commands.",
                next=f"Say which, as command_name: {', '.join(one.spec.name for one in interactive)}.",
            )
        return application, (named or interactive)[0]

    # ------------------------------------------------------------ in the writer

    def _write(self, conn: Connection, requests: list[_Request]) -> list[Accepted | Exception]:
        now = time.time()
        rows = _look_up_files(conn, requests)
        answers: list[Accepted | Exception] = []
        accepted: list[tuple[_Request, Accepted]] = []
        queued: dict[Subject, float] = {}
        for request in requests:
            try:
                repeated = _answered_before(conn, request)
                if repeated is None:
                    _resolve_files(conn, request, rows)
                    self._require_quota(conn, request, queued)
                    repeated = Accepted([one.new.id for one in request.wanted], request.batch_id)
                    repeated.new = [one.new for one in request.wanted]
                    accepted.append((request, repeated))
                    _remember_answer(conn, request, repeated, now)
                answers.append(repeated)
            except QcError as error:
                answers.append(error)
        self._create(conn, accepted, now)
        return answers

    def _require_quota(self, conn: Connection, request: _Request, queued: dict[Subject, float]) -> None:
        """Raises QuotaExceeded. `queued`: what waits, with what this very transaction has let in already."""
        actor, quotas = request.actor, self._core.quotas
        groups = {one.new.group_id for one in request.wanted}
        more: dict[Subject, int] = {("person", actor.person_id): len(request.wanted)}
        for group_id in groups - {None}:
            more["group", group_id or 0] = sum(1 for one in request.wanted if one.new.group_id == group_id)
        for group_id in groups:
            for limit in quotas.limits(actor.person_id, group_id, "queued"):
                whose = (limit.subject, limit.subject_id)
                if whose not in queued:
                    queued[whose] = used(conn, *whose, "queued")
                limit.require(queued[whose], more[whose])
            if quotas.limits(actor.person_id, group_id, "cpu_hours"):
                quotas.require(conn, actor.person_id, group_id, "cpu_hours", 0)
            opened = sum(1 for one in request.wanted if one.new.interactive and one.new.group_id == group_id)
            if opened and quotas.limits(actor.person_id, group_id, "sessions"):
                quotas.require(conn, actor.person_id, group_id, "sessions", opened)
        for whose, count in more.items():
            if whose in queued:
                queued[whose] += count

    def _create(self, conn: Connection, accepted: list[tuple[_Request, Accepted]], now: float) -> None:
        wanted = [one for request, _ in accepted for one in request.wanted]
        if not wanted:
            return
        first = iter(calculations.create_many(conn, [one.new for one in wanted], now))
        entries = []
        for request, answer in accepted:
            answer.events = [next(first) for _ in request.wanted]
            entries.append(_audit_entry(request, now))
            for one in request.wanted:
                if one.tags:
                    tags.add(conn, "calculation", one.new.id, one.tags, request.actor.person_id, now)
                if one.new.interactive:
                    answer.events += _open_session(conn, one, now)
        audit.record(conn, entries)


def application_resource(application: KnownApplication) -> Resource:
    return Resource("application", application.slug, restricted_to=application.restricted_to)


def _chosen_group(actor: Actor, name: str | None) -> int | None:
    if not name:
        return None
    if name not in actor.groups:
        raise UserInputError(
            f"You are not in a group {name[:100]!r}.",
            next=f"Your groups: {', '.join(sorted(actor.groups)) or 'none'}.",
        )
    return actor.groups[name]


def _checked_key(key: str) -> str:
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise UserInputError("The Idempotency-Key must be 1 to 255 printable characters.")
    return key


def _look_up_files(conn: Connection, requests: list[_Request]) -> dict[str, Any]:
    ids = {given for request in requests for one in request.wanted for _, given in one.files}
    if not ids:
        return {}
    files = datasets.files_by_id(conn, sorted(ids))
    rows: dict[str, Any] = {given: files[known] for given in ids if (known := data_file_id(given)) in files}
    for given in sorted(ids - set(rows)):
        known = dataset_id(given)
        found = datasets.files_of(conn, [known])[known]
        if found:
            rows[given] = found
    return rows


def _resolve_files(conn: Connection, request: _Request, rows: dict[str, Any]) -> None:
    """Put the files' ids into the arguments after asking for the right to read each."""
    asked: dict[str, Any] = {}
    for one in request.wanted:
        home: int | None = None
        main: Any = None
        for parameter, given in one.files:
            if given not in asked:
                asked[given] = _readable(conn, request.actor, parameter, given, rows.get(given))
            row = asked[given]
            one.new.arguments[parameter] = {"data_file_id": row.id}
            one.new.inputs.append((parameter, row.id))
            home = home or row.group_id
            main = main if main is not None else row
            _require_items(conn, one, parameter, row)
        if main is not None:
            _take_companions(conn, one, main, request.actor)
        if one.new.group_id is None and home in request.actor.group_ids:
            one.new.group_id = home
        elif one.new.group_id is None and not one.files and not one.private and request.actor.groups:
            last = people.last_group(conn, request.actor.person_id)
            one.new.group_id = last if last in request.actor.group_ids else None


def _take_companions(conn: Connection, one: _Wanted, main: Any, actor: Actor) -> None:
    """Files that the spec lets us take from the first input's own dataset, such as the .hkl beside a CIF.

    Only files that the actor may read: one file of a dataset can be shared without the others.
    """
    wanted = [p for p in one.command.spec.arguments if p.companion and one.new.arguments.get(p.name) is None]
    if not wanted or main.dataset_id is None:
        return
    beside = [row for row in datasets.files_of(conn, [main.dataset_id])[main.dataset_id] if row.id != main.id]
    resources = shares.file_resources(conn, beside)
    beside = [row for row in beside if rights.allows(actor, "read", resources[row.id])]
    for parameter in wanted:
        fitting = [
            row
            for row in beside
            if any(
                fnmatch.fnmatchcase(row.filename.lower(), pattern.lower()) for pattern in parameter.companion
            )
        ]
        if len(fitting) == 1:
            one.new.arguments[parameter.name] = {"data_file_id": fitting[0].id}
            one.new.inputs.append((parameter.name, fitting[0].id))


def _readable(conn: Connection, actor: Actor, parameter: str, given: str, row: Any) -> Any:
    if isinstance(row, list):
        rights.authorize(actor, "read", shares.dataset_resource(conn, datasets.get(conn, given)))
        if len(row) != 1:
            raise UserInputError(
                f"{parameter} needs one file; the dataset {given} holds {len(row)}.",
                next="Give the data_file_id of one of them: "
                + ", ".join(f"{f.id} ({f.filename})" for f in row[:20]),
            )
        row = row[0]
    if row is None or row.deleted_at is not None:
        raise rights.missing("data_file", given)
    rights.authorize(actor, "read", shares.file_resources(conn, [row])[row.id])
    return row


def _require_items(conn: Connection, one: _Wanted, parameter: str, row: Any) -> None:
    """Refuse at once what the stored index already tells: a CIF without items that the command needs."""
    spec = one.command.spec.parameter(parameter)
    if one.force or spec is None or spec.cif is None or not spec.cif.has_keys:
        return
    names = datasets.names_in(conn, row.id)
    if names is None:
        return
    lacking = missing_items(set(names), spec.cif, one.command.entry_sets)
    if lacking:
        raise MissingItemsError(
            f"{one.command.spec.name}() needs {', '.join(lacking[:10])}; {row.filename} has no such items.",
            where=parameter,
            next="Choose another file, or send force: true to hand it over as it is.",
            items=lacking,
            file=row.filename,
        )


def _answered_before(conn: Connection, request: _Request) -> Accepted | None:
    if request.key is None:
        return None
    row = conn.execute(
        sa.select(idempotency).where(
            idempotency.c.owner_id == request.actor.person_id, idempotency.c.key == request.key
        )
    ).first()
    if row is None:
        return None
    if row.request_hash != request.request_hash:
        raise Conflict(
            "This Idempotency-Key was used for another request.", next="Use a new key for a new request."
        )
    return Accepted(row.answer["ids"], row.answer["batch_id"], repeated=True)


def _remember_answer(conn: Connection, request: _Request, answer: Accepted, now: float) -> None:
    if request.key is not None:
        conn.execute(
            sa.insert(idempotency).values(
                owner_id=request.actor.person_id,
                key=request.key,
                request_hash=request.request_hash,
                answer={"ids": answer.ids, "batch_id": answer.batch_id},
                at=now,
            )
        )


def forget_old_answers(conn: Connection, now: float) -> int:
    """Idempotency keys older than a day; how many they were."""
    return conn.execute(sa.delete(idempotency).where(idempotency.c.at < now - MOST_QUEUED_ANSWERS)).rowcount


def _audit_entry(request: _Request, now: float) -> audit.Entry:
    first = request.wanted[0].new
    return audit.entry(
        request.actor,
        "submit",
        now,
        kind="calculation",
        object_id=first.id,
        command=f"{first.application_slug} {first.application_version} {first.command_name}",
        calculations=len(request.wanted),
    )


def _open_session(conn: Connection, one: _Wanted, now: float) -> list[events.Event]:
    new = one.new
    conn.execute(
        sa.insert(sessions).values(
            calculation_id=new.id,
            owner_id=new.owner_id,
            group_id=new.group_id,
            state="starting",
            width=one.size[0],
            height=one.size[1],
        )
    )
    opened = events.Event(
        kind="session",
        object_id=new.id,
        at=now,
        status="starting",
        owner_id=new.owner_id,
        group_id=new.group_id,
        payload={"application": new.application_slug},
    )
    return list(events.write(conn, [opened]))


def require_member(actor: Actor, group_id: int | None) -> None:
    """Raises NotAllowed when a group is not one of the actor's."""
    if group_id is not None and group_id not in actor.group_ids and not actor.admin:
        raise NotAllowed("You are not in that group.")
