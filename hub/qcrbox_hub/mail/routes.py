"""Adds the page of notifications to the hub, and the task that delivers its e-mails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tornado.ioloop import PeriodicCallback

from qcrbox_hub.accounts.members import Members
from qcrbox_hub.accounts.registry import RegistryClient
from qcrbox_hub.mail.choices import Choices
from qcrbox_hub.mail.delivery import Delivery
from qcrbox_hub.mail.page import Notifications
from qcrbox_hub.mail.sending import MailServer
from qcrbox_hub.mail.tables import create_missing

if TYPE_CHECKING:
    from pathlib import Path

    from qcrbox_hub.platform.settings import Mail

EVERY_S = 20.0
# The hub's one delivery, once it has begun; the page gets this list.
_begun: list[Delivery] = []


def mail_pages() -> list[tuple[Any, ...]]:
    """For the hub: each with its address below /hub."""
    return [(r"/notifications", Notifications, {"delivery": _begun})]


def mail_work(
    mail: Mail, *, data: Path, hub_url: str, registry_url: str, service_token: str
) -> list[Callable[[Members], None]]:
    """What the hub begins with its authenticator."""

    async def ask(after: int | None) -> dict[str, Any]:
        query = {} if after is None else {"after": after}
        return await RegistryClient(registry_url, service_token).get("/internal/hub/ended", **query)

    def begin(members: Members) -> None:
        create_missing(members.db)
        if not mail.server:
            return
        delivery = Delivery(
            choices=Choices(members.db),
            server=MailServer(mail, data, hub_url),
            ask=ask,
            is_approved=members.is_approved,
            hub_url=hub_url,
            least_s=60 * mail.least_minutes,
        )
        _begun[:] = [delivery]
        PeriodicCallback(delivery.turn, EVERY_S * 1000).start()

    return [begin]
