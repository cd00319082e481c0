"""What the administration pages share: who may see them, their headers, tables, messages, and destructive acts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from qcrbox.contract.errors import QcError, ReasonNeeded, UserInputError
from tornado import httputil, web

from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.accounts.previews import Previews
from qcrbox_hub.accounts.registry import PersonalTokens, RegistryClient
from qcrbox_hub.admin.sections import Power, powers_of, sections_of
from qcrbox_hub.admin.tables import Asked, Column, CursorPage, csv_lines, last_page, pages, read_asked
from qcrbox_hub.admin.words import FILTERS
from qcrbox_hub.platform.banner import Banner

ROOT = "administration"
STATIC = Path(__file__).resolve().parent / "static"
# No inline script or style, nothing from elsewhere, not shown inside another page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LONGEST_REASON = 1000
# Fields of forms that the audit trail keeps. None of them holds a secret.
_AUDITED_FIELDS = (
    "reason",
    "person",
    "people",
    "group",
    "role",
    "data",
    "to",
    "tokens",
    "internet",
    "image",
    "images",
    "request",
    "mode",
)
_MESSAGE = "qcrbox-message"
TOKENS = PersonalTokens()


class TypedNameNeeded(UserInputError):
    """A destructive act was asked for without the name typed, or with another one."""

    status, kind = 422, "typed_name_needed"


class AdminPage(Page):
    """A page of the administration. Whoever has none of its powers gets 404, as for a page that does not exist."""

    path: ClassVar[str] = ""
    powers: ClassVar[frozenset[Power]] = frozenset({Power.ADMINISTRATOR})
    columns: ClassVar[tuple[Column, ...]] = ()
    # What this page changes at the hub, as the audit trail names it: person, group or site; "" when it changes nothing
    # there. The registry audits by itself what it is asked for: those actions are in `audited_there`.
    changes: ClassVar[str] = ""
    audited_there: ClassVar[frozenset[str]] = frozenset({"limits"})
    # With names in it: only these are audited here.
    audited_here: ClassVar[frozenset[str]] = frozenset()
    # What the audit trail keeps of an act besides the fields of its form.
    noted: dict[str, str]
    # Name of the person or group that the page is about.
    name: str = ""

    async def prepare(self) -> None:
        """Answer 404 to everyone without one of the page's powers."""
        self.noted = {}
        await super().prepare()
        if self.current_user is not None and not self.powers & self.held:
            raise web.HTTPError(404)

    def set_default_headers(self) -> None:
        """Headers that keep the page out of caches and other sites' frames."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")

    @property
    def held(self) -> frozenset[Power]:
        """The powers of the person who asks."""
        return powers_of(self.expanded_scopes)

    @property
    def is_administrator(self) -> bool:
        """True for administrators of the whole site."""
        return Power.ADMINISTRATOR in self.held

    @property
    def banner(self) -> Banner:
        """The banner of the site."""
        banner: Banner = self.settings["qcrbox_banner"]
        return banner

    @property
    def root(self) -> str:
        """Path of the administration, without a slash at its end."""
        return f"{self.hub.base_url}{ROOT}"

    @property
    def registry(self) -> RegistryClient:
        """The registry in this person's name."""
        session = self.get_session_cookie() or ""
        token = TOKENS.of(self.current_user, session, frozenset(self.expanded_scopes))
        return RegistryClient(self.settings["qcrbox_registry_url"], token, client_address(self))

    def asked(self, filters: tuple[str, ...] = (), sort: str = "") -> Asked:
        """The table that the address asks for."""
        arguments = {name: self.get_query_argument(name, "") for name in self.request.query_arguments}
        return read_asked(self.request.path, arguments, self.columns, filters, sort)

    @property
    def wants_csv(self) -> bool:
        """True when the address asks for the table as CSV."""
        return self.get_query_argument("format", "") == "csv"

    # ------------------------------------------------------------ answers

    def render_template(self, name: str, sync: bool = False, **values: Any) -> Any:
        """As JupyterHub's, but for pages of errors: JupyterHub's own have inline scripts and styles, which POLICY stops."""
        if "status_code" in values:
            name = "hub-error.html"
            values["reason"] = httputil.responses.get(values["status_code"], values.get("status_message", ""))
            values["me"] = self.current_user.name if self.current_user else ""
        return super().render_template(name, sync=sync, **values)

    async def show_page(self, template: str, *, status: int = 200, **values: Any) -> None:
        """Answer with a template of the administration, and with the message left by the last act."""
        kind, message = self._take_message()
        self.set_status(status)
        values = {"message": "", "problem": "", **values}
        if message:
            values["problem" if kind == "problem" else "message"] = message
        environment = self.settings["jinja2_env"]
        environment.filters.update(FILTERS)
        self.finish(
            await self.render_template(
                f"administration/{template}",
                root=self.root,
                sections=sections_of(self.held),
                here=self.path,
                is_administrator=self.is_administrator,
                may_invite=bool(self.held & {Power.ADMINISTRATOR, Power.GROUPS}),
                me=self.current_user.name,
                banner=self.banner.read().get("text", ""),
                own_passwords=self.authenticator.own_passwords,
                columns=self.columns,
                last_page=last_page,
                shown_name=Previews(self.db).shown,
                **{name: value for name, value in values.items() if name != "own_passwords"},
            )
        )

    def say(self, message: str, *, problem: bool = False) -> None:
        """Show this on the next page. The cookie is signed and this browser's alone."""
        value = json.dumps(["problem" if problem else "message", message[:1500]])
        self.set_secure_cookie(
            _MESSAGE, value, expires_days=None, path=self.root, httponly=True, samesite="Strict"
        )

    def _take_message(self) -> tuple[str, str]:
        value = self.get_secure_cookie(_MESSAGE, max_age_days=1)
        if value is None:
            return "", ""
        self.clear_cookie(_MESSAGE, path=self.root)
        try:
            kind, message = json.loads(value)
        except ValueError:
            return "", ""
        return str(kind), str(message)

    async def show_table(self, name: str, asked: Asked, page: CursorPage, **values: Any) -> None:
        """A table that the registry gives by cursor: a page of it with what `<name>.html` needs, or all of it as CSV."""
        if self.wants_csv:
            await self.send_csv(name, pages(page))
            return
        problem, following = "", None
        rows: list[dict[str, Any]] = []
        try:
            rows, following = await page(asked.after, asked.size)
        except QcError as error:
            problem = error.message
        await self.show_page(
            f"{name}.html", asked=asked, rows=rows, following=following, away=problem, **values
        )

    async def send_csv(self, name: str, portions: AsyncIterator[list[Mapping[str, Any]]]) -> None:
        """Stream a table as CSV, in portions."""
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{name}.csv"')
        heading = True
        async for rows in portions:
            self.write(csv_lines(self.columns, rows, heading=heading))
            heading = False
            await self.flush()
        if heading:
            self.write(csv_lines(self.columns, []))
        self.finish()

    @staticmethod
    async def at_once(rows: list[Any]) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Rows that are all there, as one portion."""
        yield rows

    # ------------------------------------------------------------ acts

    async def act(self, address: str = "") -> None:
        """Carry out the posted action: the method `do_<action>`. Then lead to `address`, or back to this page.

        The one place where acts are confirmed (every action needs a sign-in at most five minutes old), refused and
        audited, for pages, REST and courses. An action returns its message, or None when it has answered itself.
        """
        action = getattr(self, f"do_{self.field('action')}", None)
        if action is None:
            raise web.HTTPError(400, "There is no such action.")
        if not await self.confirmed():
            return
        try:
            message = await action()
        except QcError as error:
            self.db.rollback()
            self.log.info("%s: %s refused: %s", self.current_user.name, self.field("action"), error.message)
            await self._audit(allowed=False)
            self.answer_refused(error, address)
        else:
            unwritten = await self._audit(allowed=True)
            if message is None:
                return
            self.log.info("%s: %s: %s", self.current_user.name, self.root, message)
            self.answer_done(f"{message} {unwritten}".strip(), address)

    def answer_refused(self, error: QcError, address: str) -> None:
        """Say on the next page why nothing was done."""
        self.say(error.message, problem=True)
        self.redirect(address or self.request.uri, status=303)

    def answer_done(self, message: str, address: str) -> None:
        """Say on the next page what was done."""
        self.say(message)
        self.redirect(address or self.request.uri, status=303)

    async def _audit(self, *, allowed: bool) -> str:
        """Write what was done at the hub into the audit trail. What to tell the person when that failed, else ""."""
        action = self.field("action")
        if (
            not self.changes
            or action in self.audited_there
            or (self.audited_here and action not in self.audited_here)
        ):
            return ""
        details = {name: self.field(name)[:LONGEST_REASON] for name in _AUDITED_FIELDS if self.field(name)}
        details |= {name: value[:LONGEST_REASON] for name, value in self.noted.items()}
        return await self.audit(
            action, self.changes, self.name or self.field("name"), details, allowed=allowed
        )

    @property
    def reason(self) -> str:
        """The reason that was typed. Raises ReasonNeeded without one."""
        reason = self.field("reason")
        if not reason:
            raise ReasonNeeded("A reason is needed.", next="It is kept in the audit trail.")
        return reason[:LONGEST_REASON]

    def require_typed(self, name: str) -> None:
        """A destructive act: the name must have been typed. Raises UserInputError."""
        if self.field("typed_name") != name:
            raise TypedNameNeeded(f"Type {name} to confirm; nothing was changed.", where="typed_name")


class Static(web.StaticFileHandler):
    """Style sheet and script of the pages."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers guess no type, and ask again whether the file has changed."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-cache")
