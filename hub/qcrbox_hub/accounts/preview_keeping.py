"""Removes preview accounts that have to go: the owner ends one, loses the role, the course ends, or a day without use.

The right to open one is withdrawn at once; then its server is stopped and the account deleted as any account is, so
its home goes to the archive. The registry moves its data to the trash when it sees that the account is gone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from jupyterhub import orm
from qcrbox.contract.errors import Conflict, QcError
from sqlalchemy import event
from sqlalchemy.orm import Session
from tornado.ioloop import IOLoop, PeriodicCallback

from qcrbox_hub.accounts.previews import Previews, follow_previews, shown_as
from qcrbox_hub.accounts.registry import HubAct, RegistryClient, record_act
from qcrbox_hub.accounts.service import AccountService
from qcrbox_hub.accounts.tables import PreviewRow

log = logging.getLogger("jupyterhub.qcrbox")
LOOK_EVERY_S = 60.0
# After a change of groups or roles; the change itself has to be committed first.
LOOK_SOON_S = 0.3


class AppAccess:
    """What `AccountService` needs of the hub, of the application in place of a request."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.db, self.authenticator, self.users = app.db, app.authenticator, app.users

    def find_user(self, name: str) -> Any:
        """The hub's object for a user of its database, otherwise None."""
        found = orm.User.find(self.db, name)
        return None if found is None else self.users[found]

    def user_from_username(self, name: str) -> Any:
        """As `find_user`: nothing is made here."""
        return self.find_user(name)

    async def stop_single_user(self, user: Any, server_name: str = "") -> None:
        """Close the way to the server, then stop it. Raises Conflict while it starts or stops."""
        spawner = user.spawners[server_name]
        if spawner.pending:
            raise Conflict(
                f"The server of {user.name} is pending: {spawner.pending}.", next="Try again in a minute."
            )
        spawner._stop_pending = True  # as the hub's own handlers do: no start in between
        try:
            await self.app.proxy.delete_user(user, server_name)
            await user.stop(server_name)
        finally:
            spawner._stop_pending = False


class PreviewKeeper:
    """Looks every minute, and soon after changes that may end a preview account. app: the hub's application."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.previews = Previews(app.db)
        self._looking = asyncio.Lock()
        self._soon = False

    def start(self, common_group: str) -> None:
        """Listen to the hub's database session, and look again and again on the hub's loop."""

        @event.listens_for(self.app.db, "before_flush")
        def follow(session: Session, *_: Any) -> None:
            with session.no_autoflush:
                touched = follow_previews(session, common_group)
            if touched:
                self.look_soon()

        PeriodicCallback(self.look, LOOK_EVERY_S * 1000).start()

    def look_soon(self) -> None:
        """Look once within a second, however often this is called meanwhile."""
        if not self._soon:
            self._soon = True
            IOLoop.current().call_later(LOOK_SOON_S, self._look_now)

    async def _look_now(self) -> None:
        self._soon = False
        await self.look()

    async def look(self) -> None:
        """Remove every preview account that has to go; what cannot be removed now is tried again the next time."""
        # What is known from here alone is withdrawn before anything is waited for, other removals included.
        for row in self.previews.all():
            self._why(row, None)
        async with self._looking:
            if not self.previews.all():
                return
            courses = await self._courses()
            for row in self.previews.all():
                if why := self._why(row, courses):
                    await self._remove(row, why)

    def _why(self, row: PreviewRow, courses: frozenset[str] | None) -> str:
        why = self.previews.ending(row, self.app.authenticator.is_approved, courses)
        if why:
            self.previews.withdraw(row, why)
        return why

    async def _courses(self) -> frozenset[str] | None:
        """Groups with a course that is not archived; None when the registry does not answer."""
        try:
            found = await RegistryClient(*self._registry).get("/internal/hub/courses")
        except QcError as error:
            log.info("the registry did not tell which courses go on: %s", error.message)
            return None
        return frozenset(map(str, found["groups"]))

    @property
    def _registry(self) -> tuple[str, str]:
        settings = self.app.tornado_settings
        return settings["qcrbox_registry_url"], settings["qcrbox_service_token"]

    async def _remove(self, row: PreviewRow, why: str) -> None:
        hub, name = AppAccess(self.app), row.name
        act = HubAct(
            who=row.owner,
            address="",
            action="end preview",
            kind="person",
            name=name,
            allowed=True,
            details={"account": shown_as(row), "why": why},
        )
        try:
            if hub.find_user(name) is not None:
                await AccountService(hub, by="").delete(name)
        except QcError as error:
            log.info("%s stays for now: %s", shown_as(row), error.message)
            return
        except Exception:
            # Whatever a spawner raises: the next look tries again, and the other accounts are not kept by it.
            log.exception("%s could not be removed", shown_as(row))
            return
        log.info("%s is removed: %s", shown_as(row), why)
        self.previews.forget(row)
        try:
            await record_act(*self._registry, act)
        except QcError as error:
            log.error("not in the audit trail: the end of %s: %s", act.details["account"], error.message)
