"""From a request to waiting calculations: check everything, then write everything in one transaction.

All single submissions that wait for the writer at the same moment are written together.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from qcrbox.contract.errors import Conflict, QcError, UserInputError
from qcrbox.contract.models import StartSession, SubmitCommand
from qcrbox.spec import check
from qcrbox.spec.titles import what_is_done
from qcrbox.waiting import in_turns

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor, allows
from qcrbox_registry.services import groups, inputs
from qcrbox_registry.services.catalogue import KnownApplication, KnownCommand
from qcrbox_registry.services.context import Context
from qcrbox_registry.store import calculations, events, idempotency, sessions, tags
from qcrbox_registry.store.audit import Entry, record
from qcrbox_registry.store.calculations import NewCalculation
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.quotas import Subject, used
from qcrbox_registry.store.tables import new_id
from qcrbox_registry.store.teaching import same_work, work

log = structlog.get_logger(__name__)
Body = SubmitCommand | StartSession


@dataclass(frozen=True, slots=True)
class Submission:
    """One request: one or many commands, all accepted or none. `content`: the bytes of the request, for its key."""

    actor: Actor
    commands: Sequence[Body]
    is_batch: bool = False
    idempotency_key: str | None = None
    content: bytes = b""
    correlation_id: str = ""


@dataclass(slots=True)
class Accepted:
    """The ids of the calculations. `repeated`: an earlier request with this idempotency key is answered again."""

    ids: list[str]
    batch_id: str | None
    repeated: bool = False
    events: list[events.Event] = field(default_factory=list)
    new: list[NewCalculation] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)  # ids that the store answered


@dataclass(slots=True)
class _Wanted:
    """A calculation before its files are looked up."""

    new: NewCalculation
    inputs: inputs.Inputs
    is_private: bool  # the request chooses no group
    tags: list[str] = field(default_factory=list)
    size: tuple[int | None, int | None] = (None, None)  # of a session's display, pixels


@dataclass(slots=True)
class _Request:
    """A submission that was checked, for the writer."""

    actor: Actor
    wanted: list[_Wanted]
    batch_id: str | None
    key: str | None
    request_hash: str


class SubmissionService:
    """Accepts commands and sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def submit(self, submission: Submission) -> Accepted:
        """Write the calculations and queue them; all or none.

        Raises NotFound (application, command, file), UserInputError (arguments), QuotaExceeded, and Conflict for an
        idempotency key that came with another request before.
        """
        request = await self._checked(submission)
        accepted: Accepted = await self._context.db.write_grouped(self._write, request)
        if not accepted.repeated:
            self._context.publish(accepted.events)
            self._context.scheduler.submitted(
                [each for each in accepted.new if each.id not in accepted.answered]
            )
            _log_accepted(accepted, submission.actor)
        return accepted

    # ------------------------------------------------------------ before the transaction

    async def _checked(self, submission: Submission) -> _Request:
        batch_id = new_id() if submission.is_batch else None
        wanted = await in_turns(lambda body: self._prepare(submission, body, batch_id), submission.commands)
        request = _Request(submission.actor, wanted, batch_id, None, "")
        if submission.idempotency_key is not None:
            request.key = _checked_key(submission.idempotency_key)
            request.request_hash = hashlib.sha256(submission.content).hexdigest()
        return request

    def _prepare(self, submission: Submission, body: Body, batch_id: str | None) -> _Wanted:
        actor = submission.actor
        application, command = self._find(actor, body)
        self._require_installed(application, command)
        arguments = check(command.spec, body.command_arguments)
        new = NewCalculation(
            owner_id=actor.person_id,
            application_id=application.id,
            command_id=command.id,
            application_slug=application.slug,
            application_version=application.version,
            command_name=command.spec.name,
            arguments=arguments,
            group_id=groups.named_group(actor, body.group or ""),
            interactive=command.spec.is_interactive,
            name=body.name,
            done=what_is_done(command.spec, arguments),
            correlation_id=submission.correlation_id,
            batch_id=batch_id,
            wall_time_s=command.spec.timeout_s,
            force=body.force,
        )
        named = [
            (parameter.name, arguments[parameter.name]["data_file_id"])
            for parameter in command.spec.arguments
            if parameter.is_input_file and arguments.get(parameter.name) is not None
        ]
        wanted = _Wanted(new, inputs.Inputs(new, command, named, body.force), is_private=body.group == "")
        if isinstance(body, StartSession):
            wanted.size = (body.width, body.height)
            return wanted
        new.priority = body.priority if actor.admin else min(body.priority, 0)
        new.repeat_of = body.repeat_of
        if body.wall_time_s is not None:
            new.wall_time_s = min(body.wall_time_s, new.wall_time_s or body.wall_time_s)
        wanted.tags = [tags.checked(tag) for tag in body.tags]
        return wanted

    def _find(self, actor: Actor, body: Body) -> tuple[KnownApplication, KnownCommand]:
        catalogue = self._context.catalogue
        slug, version = body.application_slug, body.application_version
        application = catalogue.find(slug, version, lambda known: allows(actor, "run", known.resource))
        if isinstance(body, SubmitCommand):
            return catalogue.command_of(application, body.command_name)
        if not body.command_name:
            return application, _session_command(application)
        _, command = catalogue.command_of(application, body.command_name)
        if not command.spec.is_interactive:
            raise UserInputError(f"{body.command_name} is not an interactive command.")
        return application, command

    def _require_installed(self, application: KnownApplication, command: KnownCommand) -> None:
        """Raises Conflict for a command that no launcher can run: it would wait for ever."""
        absent = self._context.scheduler.missing(application.slug, application.version)
        words = absent.get("") or absent.get(command.spec.name)
        if words:
            raise Conflict(
                f"{application.spec.name} cannot run {command.spec.name} here.",
                why=words,
                next="Choose another program, or ask your administrator.",
            )

    # ------------------------------------------------------------ in the transaction

    def _write(self, conn: Connection, requests: list[_Request]) -> list[Accepted | Exception]:
        now = time.time()
        found = inputs.look_up(
            conn,
            (given for request in requests for wanted in request.wanted for _, given in wanted.inputs.named),
        )
        answers: list[Accepted | Exception] = []
        accepted: list[tuple[_Request, Accepted]] = []
        counted = _Counted(conn)
        for request in requests:
            try:
                answer = _answered_before(conn, request)
                if answer is None:
                    answer = self._accept(conn, request, found, counted)
                    accepted.append((request, answer))
                    _remember(conn, request, answer, now)
                answers.append(answer)
            except QcError as error:
                answers.append(error)
        _create(conn, accepted, now)
        return answers

    def _accept(
        self, conn: Connection, request: _Request, found: inputs.Found, counted: _Counted
    ) -> Accepted:
        homes = inputs.resolve(conn, request.actor, [wanted.inputs for wanted in request.wanted], found)
        for wanted, home in zip(request.wanted, homes, strict=True):
            _choose_group(conn, request.actor, wanted, home)
        self._require_quota(conn, request, counted)
        new = [wanted.new for wanted in request.wanted]
        return Accepted([calculation.id for calculation in new], request.batch_id, new=new)

    def _require_quota(self, conn: Connection, request: _Request, counted: _Counted) -> None:
        """Raises QuotaExceeded; then nothing of the request is counted."""
        person_id, quotas = request.actor.person_id, self._context.quotas
        asked = {
            "queued": request.wanted,
            "sessions": [each for each in request.wanted if each.new.interactive],
        }
        for group_id in {wanted.new.group_id for wanted in request.wanted}:
            quotas.require(conn, person_id, group_id, "cpu_hours", 0)
        more = {quota: _by_subject(person_id, wanted) for quota, wanted in asked.items()}
        for quota, wanted in asked.items():
            for group_id in {each.new.group_id for each in wanted}:
                for limit in quotas.limits(person_id, group_id, quota):
                    whose = (limit.subject, limit.subject_id)
                    limit.require(counted.now(quota, whose), more[quota][whose])
        for quota, by_subject in more.items():
            counted.add(quota, by_subject)


class _Counted:
    """What persons and groups use of a quota, with the requests that were accepted in this transaction so far: their
    rows are written at its end."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._accepted: Counter[tuple[str, Subject]] = Counter()
        self._written: dict[tuple[str, Subject], float] = {}

    def now(self, quota: str, whose: Subject) -> float:
        key = (quota, whose)
        if key not in self._written:
            self._written[key] = used(self._conn, *whose, quota)
        return self._written[key] + self._accepted[key]

    def add(self, quota: str, more: Counter[Subject]) -> None:
        for whose, count in more.items():
            self._accepted[quota, whose] += count


def _by_subject(person_id: int, wanted: Sequence[_Wanted]) -> Counter[Subject]:
    """How many calculations count for the person and for each of the groups."""
    found: Counter[Subject] = Counter({("person", person_id): len(wanted)})
    found.update(("group", each.new.group_id) for each in wanted if each.new.group_id is not None)
    return found


def _session_command(application: KnownApplication) -> KnownCommand:
    """The command that opens the session of an application when the request names none."""
    interactive = application.interactive_commands
    if not interactive:
        raise UserInputError(f"{application.spec.name} {application.version} has no interactive command.")
    named = [command for command in interactive if command.spec.name == "interactive_session"]
    if not named and len(interactive) > 1:
        names = ", ".join(command.spec.name for command in interactive)
        raise UserInputError(
            f"{application.spec.name} has several interactive commands.",
            next=f"Choose one as command_name: {names}.",
        )
    return (named or interactive)[0]


def _choose_group(conn: Connection, actor: Actor, wanted: _Wanted, home: int | None) -> None:
    """Without a group in the request: the group of the first input, else the one used last."""
    if wanted.new.group_id is not None:
        return
    if home in actor.group_ids:
        wanted.new.group_id = home
    elif not wanted.inputs.named and not wanted.is_private:
        wanted.new.group_id = groups.last_group(conn, actor)


def _checked_key(key: str) -> str:
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise UserInputError("The Idempotency-Key must be 1 to 255 printable characters.")
    return key


def _answered_before(conn: Connection, request: _Request) -> Accepted | None:
    if request.key is None:
        return None
    answered = idempotency.find(conn, request.actor.person_id, request.key)
    if answered is None:
        return None
    if answered.request_hash != request.request_hash:
        raise Conflict(
            "This Idempotency-Key was used for another request.", next="Use a new key for a new request."
        )
    return Accepted(answered.answer["ids"], answered.answer["batch_id"], repeated=True)


def _remember(conn: Connection, request: _Request, answer: Accepted, now: float) -> None:
    if request.key is not None:
        body = {"ids": answer.ids, "batch_id": answer.batch_id}
        answered = idempotency.Answered(request.actor.person_id, request.key, request.request_hash, body)
        idempotency.remember(conn, answered, now)


def _create(conn: Connection, accepted: list[tuple[_Request, Accepted]], now: float) -> None:
    """Write the calculations of all accepted requests."""
    new = [wanted.new for request, _ in accepted for wanted in request.wanted]
    if not new:
        return
    first = iter(calculations.create_many(conn, new, now))
    for request, answer in accepted:
        answer.events = [next(first) for _ in request.wanted]
        for wanted in request.wanted:
            if wanted.tags:
                tagged = tags.Tagged("calculation", wanted.new.id, request.actor.person_id, now)
                tags.add(conn, tagged, wanted.tags)
            if wanted.new.interactive:
                answer.events += sessions.create(conn, _new_session(wanted), now)
    tagged_as = {wanted.new.id: wanted.tags for request, _ in accepted for wanted in request.wanted}
    taught = work.attach(conn, new, tagged_as, now)
    same_work.note_keys(conn, [each for each in new if each.id in taught])
    written, answered = same_work.answer_new(conn, sorted(taught), now)
    for _, answer in accepted:
        mine = {each.id for each in answer.new}
        answer.answered = answered & mine
        answer.events += [event for event in written if event.object_id in mine]
    record(conn, [_audit_entry(request, now) for request, _ in accepted])


def _new_session(wanted: _Wanted) -> sessions.NewSession:
    new = wanted.new
    return sessions.NewSession(new.id, new.owner_id, new.group_id, new.application_slug, *wanted.size)


def _command_of(new: NewCalculation) -> str:
    return f"{new.application_slug} {new.application_version} {new.command_name}"


def _audit_entry(request: _Request, now: float) -> Entry:
    first = request.wanted[0].new
    return audit.entry(
        request.actor,
        "submit",
        now,
        kind="calculation",
        object_id=first.id,
        command=_command_of(first),
        calculations=len(request.wanted),
    )


def _log_accepted(accepted: Accepted, actor: Actor) -> None:
    first = accepted.new[0]
    log.info(
        "accepted",
        calculation_id=first.id,
        calculations=len(accepted.new),
        command=_command_of(first),
        owner=actor.name,
        correlation_id=first.correlation_id or first.id,
    )
