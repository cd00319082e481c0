"""The administration pages as a REST interface: the same acts and tables as JSON, for tokens instead of sign-ins.

`GET /hub/api/administration/<page>` answers what the page shows; `POST` takes a JSON object of the form's fields, with
`action`, and answers `{"message": …}`. `qcrbox admin` speaks it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import QcError
from qcrbox.contract.json_objects import read_object
from tornado import web

from qcrbox_hub.admin.acts import acts_of
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.words import as_datetime

LARGEST_BODY = 256 * 1024
# What an answer holds of what a page is made from; the rest is about how it looks.
_SHOWN = frozenset(
    [
        "agents",
        "allowed",
        "away",
        "backup_problem",
        "backup_runs",
        "backups",
        "built_problem",
        "changeable",
        "checks",
        "code",
        "containers",
        "decisions",
        "done",
        "defaults",
        "dry_run",
        "failed_starts",
        "following",
        "found",
        "group",
        "held",
        "hold",
        "holds",
        "images",
        "launcher",
        "launchers",
        "leftovers",
        "limits",
        "lines",
        "lock",
        "log",
        "machine",
        "join_url",
        "outcomes",
        "passes",
        "password",
        "people",
        "person",
        "present",
        "problem",
        "properties",
        "registry_address",
        "requests",
        "retained",
        "restart_for",
        "row",
        "rows",
        "rules",
        "secret",
        "set_banner",
        "settings",
        "shown",
        "site_hold",
        "total",
        "usage",
        "versions",
        "walls_stronger",
        "walls_what",
        "work",
    ]
)

if TYPE_CHECKING:
    Base = AdminPage
else:
    Base = object


class Rest(Base):
    """Mix-in in front of a page. A token opens it, never a cookie, so no page of another site can use it."""

    _accept_cookie_auth = False
    _accept_token_auth = True

    async def prepare(self) -> None:
        """Answer 401 without a token, then read the JSON body of a POST."""
        await super().prepare()
        if self.current_user is None:
            raise web.HTTPError(401, "This needs a token of the hub, as Authorization: Bearer.")
        self._body = self._read_body() if self.request.method == "POST" else {}

    def check_xsrf_cookie(self) -> None:
        """Browsers send no token by themselves."""

    def _read_body(self) -> dict[str, Any]:
        if len(self.request.body) > LARGEST_BODY:
            raise web.HTTPError(413, "The body is too large.")
        body = read_object(self.request.body, LARGEST_BODY)
        if body is None or not isinstance(body.get("action"), str):
            raise web.HTTPError(400, "The body must be a JSON object with a text `action`.")
        return body

    def field(self, name: str) -> str:
        """A field of the form; numbers and true as a form would send them."""
        value = self._body.get(name, "")
        if isinstance(value, bool):
            return "yes" if value else ""
        if isinstance(value, list):
            return " ".join(str(each) for each in value)
        return str(value).strip() if isinstance(value, str | int | float) else ""

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """The values of a field: a list as it is, any other value as a list of itself."""
        value = self._body.get(name, [])
        return [str(each) for each in (value if isinstance(value, list) else [value])]

    async def confirmed(self) -> bool:
        """A token was made by someone who had proved who they are (see `handler_changes`)."""
        return True

    def answer_refused(self, error: QcError, address: str) -> None:
        """The error as the registry answers errors, with its status."""
        self.set_status(error.status)
        self._send(error.envelope())

    def answer_done(self, message: str, address: str) -> None:
        """The message of the action."""
        self._send({"message": message})

    async def show_page(self, template: str, *, status: int = 200, **values: Any) -> None:
        """Answer what the page would show, as JSON."""
        self.set_status(status)
        shown = {name: value for name, value in values.items() if name in _SHOWN}
        self._send(shown | {"acts": acts_of(type(self))})

    def _send(self, values: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(values, default=_plain))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of the hub in the form of the registry's errors."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        reason = str(getattr(error, "log_message", "") or self._reason)
        envelope = QcError.from_envelope({"error": {"code": status_code, "message": reason}}).envelope()
        envelope["error"]["code"] = status_code
        self._send(envelope)

    def get_login_url(self) -> str:
        """Programs are not led to a sign-in page."""
        raise web.HTTPError(401)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        moment = as_datetime(value)
        return moment.isoformat().replace("+00:00", "Z") if moment else None
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def as_rest(page: type[AdminPage]) -> type[AdminPage]:
    """The page as a REST handler."""
    return type(f"{page.__name__}Rest", (Rest, page), {"__doc__": page.__doc__})
