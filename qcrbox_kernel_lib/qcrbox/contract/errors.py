"""The tree of errors. Each states what happened, where, why, and what to do next.

The same classes are raised inside the registry, travel as the REST error envelope, and are raised
again in the notebook, so that the messages are the same everywhere.
"""

from __future__ import annotations

import linecache
from types import TracebackType
from typing import Any, ClassVar


class QcError(Exception):
    """Base of everything this project raises on purpose.

    `what` is one sentence; `where` names file, block, line, parameter or atom; `why` the cause;
    `next` what the user can do. `details` holds longer text (a log, a list of problems).
    """

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "error"
    # Every class with a kind of its own, those of other modules too once they are imported.
    by_kind: ClassVar[dict[str, type[QcError]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            QcError.by_kind[cls.kind] = cls

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        next: str = "",  # noqa: A002 - the word users read
        details: str | list[str] = "",
        **fields: Any,
    ) -> None:
        self.what, self.where, self.why, self.next = what, where, why, next
        self.details = details
        self.fields = fields
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """Where, what, why and next, as one text."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return " ".join(part for part in (head, self.why, self.next) if part)

    def _render_traceback_(self) -> list[str]:
        """The traceback in IPython: the user's line and the message, without frames of this package."""
        lines = [*called_at(self.__traceback__), f"{type(self).__name__}: {self.message}"]
        if self.details and self.details != self.message:
            lines.append(
                "(the details: err.details of `except qc.QcError as err`, or sys.last_value.details)"
            )
        return lines

    def envelope(self) -> dict[str, Any]:
        """The error envelope of the REST contract, with additional fields."""
        return {
            "status": "error",
            "error": {
                "code": self.status,
                "message": self.message,
                "details": self.details or self.message,
                "kind": self.kind,
                "what": self.what,
                "where": self.where,
                "why": self.why,
                "next": self.next,
                "fields": self.fields,
            },
        }

    @staticmethod
    def from_envelope(body: Any, status: int = 500) -> QcError:
        """The error of an envelope; an unknown kind becomes the class of its status."""
        given = body.get("error") if isinstance(body, dict) else None
        # A proxy in between answers in its own form, as {"error": "bad gateway"}.
        error = given if isinstance(given, dict) else {"message": given} if isinstance(given, str) else {}
        cls = QcError.by_kind.get(str(error.get("kind"))) or _class_of_status(error.get("code", status))
        made = cls.__new__(cls)
        fields = error.get("fields")
        QcError.__init__(
            made,
            error.get("what") or error.get("message") or f"The registry answered {status}.",
            where=error.get("where") or "",
            why=error.get("why") or "",
            next=error.get("next") or "",
            details=error.get("details") or "",
        )
        made.fields = dict(fields) if isinstance(fields, dict) else {}
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross processes: what is pickled are the parts, not the message alone."""
        return _remade, (type(self), self.__dict__.copy())


class UserInputError(QcError):
    """An argument, name or value that cannot be used."""

    status, kind = 400, "user_input"


class ReasonNeeded(UserInputError):
    """An act that destroys something was asked for without a reason."""

    status, kind = 422, "reason_needed"


class CifError(UserInputError):
    """A CIF that cannot be read or used. Fields: file, block, line, column, tag."""

    kind = "cif"

    @property
    def file(self) -> str | None:
        """Name of the file."""
        return self.fields.get("file")

    @property
    def block(self) -> str | None:
        """Name of the data block."""
        return self.fields.get("block")

    @property
    def line(self) -> int | None:
        """Line in the file, from 1."""
        return self.fields.get("line")

    @property
    def column(self) -> int | None:
        """Column in the line, from 1."""
        return self.fields.get("column")

    @property
    def tag(self) -> str | None:
        """Name of the item."""
        return self.fields.get("tag")


class MissingItemsError(UserInputError):
    """A command needs CIF items or reflections that the file has not. Field: items."""

    kind = "missing_items"

    @property
    def items(self) -> list[str]:
        """The names that are missing."""
        return list(self.fields.get("items", ()))


class SpecError(UserInputError):
    """An application spec that cannot be accepted. Fields: file, line, problems."""

    kind = "spec"


class NotSignedIn(QcError):
    """The request carries no valid identity."""

    status, kind = 401, "not_signed_in"


class NotAllowed(QcError):
    """The person sees the object but may not do this with it."""

    status, kind = 403, "not_allowed"


class NotFound(QcError):
    """Not there, or not visible to this person: the same answer."""

    status, kind = 404, "not_found"


class Conflict(QcError):
    """The object has changed or exists already."""

    status, kind = 409, "conflict"


class TooLarge(QcError):
    """The body of a request is larger than allowed."""

    status, kind = 413, "too_large"


class QuotaExceeded(QcError):
    """A quota holds. Fields: quota, limit, used, who_can_raise."""

    status, kind = 429, "quota"


class QueueFull(QcError):
    """The queue takes no further calculation; try again later."""

    status, kind = 503, "queue_full"


class Unreachable(QcError):
    """A part of the platform does not answer. Field: part."""

    status, kind = 503, "unreachable"


class StorageFull(QcError):
    """The store has no room for the data."""

    status, kind = 507, "storage_full"


class CalculationFailed(QcError):
    """The program failed. Fields: calculation, reason, log_tail."""

    kind = "calculation_failed"

    @property
    def calculation(self) -> str:
        """Its id: `qc.calculations[err.calculation]`."""
        return str(self.fields.get("calculation", ""))

    @property
    def reason(self) -> str:
        """The message of the program, verbatim."""
        return str(self.fields.get("reason", ""))

    @property
    def log_tail(self) -> str:
        """The last lines of the log."""
        return str(self.fields.get("log_tail", ""))


class CalculationCancelled(QcError):
    """The calculation was cancelled. Field: calculation."""

    status, kind = 409, "calculation_cancelled"


def called_at(traceback: TracebackType | None) -> list[str]:
    """The last line of user code in a traceback, as a list of at most one text."""
    found: list[str] = []
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__", "").partition(".")[0] == "qcrbox" and found:
            break
        name = frame.f_code.co_filename
        if frame.f_globals.get("__name__", "").partition(".")[0] not in _NOT_THEIRS:
            code = linecache.getline(name, traceback.tb_lineno, frame.f_globals).strip()
            where = "" if "ipykernel" in name or name.startswith("<") else f"{name}, "
            found = [
                f"{where}line {traceback.tb_lineno}: {code}" if code else f"{where}line {traceback.tb_lineno}"
            ]
        traceback = traceback.tb_next
    return found


_NOT_THEIRS = frozenset(
    {"qcrbox", "IPython", "ipykernel", "asyncio", "concurrent", "threading", "contextlib"}
)


def _class_of_status(status: Any) -> type[QcError]:
    return _BY_STATUS.get(status, QcError) if isinstance(status, int) else QcError


def _remade(cls: type[QcError], parts: dict[str, Any]) -> QcError:
    made = cls.__new__(cls)
    made.__dict__.update(parts)
    Exception.__init__(made, made.message)
    return made


_BY_STATUS: dict[int, type[QcError]] = {
    400: UserInputError,
    422: UserInputError,
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: QuotaExceeded,
    503: Unreachable,
    507: StorageFull,
}
