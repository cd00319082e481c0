"""/hub/notifications: choose e-mails, confirm the address, stop them."""

from __future__ import annotations

from qcrbox.contract.errors import UserInputError
from tornado import web

from qcrbox_hub.accounts.brake import Attempts
from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.mail.choices import Choices
from qcrbox_hub.mail.delivery import Delivery

# E-mails to addresses that someone types, and codes that someone guesses.
ASKED_PER_PERSON = Attempts(limit=5, window_s=3600)
CODES_PER_PERSON = Attempts(limit=10, window_s=3600)
SUBJECT = "QCrBox: confirm your address"


class Notifications(Page):
    """The choice of the person who is signed in."""

    # Set where the site has an SMTP server.
    delivery: Delivery | None = None

    def initialize(self, delivery: list[Delivery]) -> None:
        """delivery: empty where the site sends no e-mails."""
        self.delivery = delivery[0] if delivery else None

    @web.authenticated
    async def get(self) -> None:
        """Show the choice, with the code of an e-mail's link filled in."""
        await self._page(code=self.get_query_argument("code", "")[:100])

    async def _page(self, *, problem: str = "", message: str = "", code: str = "", status: int = 200) -> None:
        choice = Choices(self.db).of(self.current_user.name)
        await self.show(
            "notifications.html",
            status=status,
            can_send=self.delivery is not None,
            choice=choice,
            problem=problem or (choice.problem if choice else ""),
            message=message,
            code=code,
        )

    @web.authenticated
    async def post(self) -> None:
        """Ask for a code, confirm it, or stop."""
        acts = {"ask": self._ask, "confirm": self._confirm, "stop": self._stop}
        act = acts.get(self.field("action"))
        if act is None or (self.delivery is None and act != self._stop):
            raise web.HTTPError(400)
        try:
            message = act()
        except UserInputError as error:
            await self._page(problem=error.message, status=400)
            return
        await self._page(message=message)

    def _ask(self) -> str:
        name = self.current_user.name
        if ASKED_PER_PERSON.wait_s(name):
            raise UserInputError("Too many e-mails were asked for.", next="Wait an hour.")
        ASKED_PER_PERSON.count(name)
        assert self.delivery is not None
        address = self.field("address")
        code = Choices(self.db).ask(name, address)
        link = f"{self.delivery.hub_url}/hub/notifications?code={code}"
        text = (
            f"{name} wants e-mails of QCrBox at this address when calculations end.\n\n"
            f"Is that you? Then open {link}\nor type the code {code} there. It counts for a day.\n\n"
            "If not, do nothing: there will be no further e-mail.\n"
        )
        self.delivery.queue(name, address, SUBJECT, text)
        self.db.commit()
        return f"An e-mail with a code is on its way to {address}."

    def _confirm(self) -> str:
        name = self.current_user.name
        if CODES_PER_PERSON.wait_s(name):
            raise UserInputError("Too many codes were tried.", next="Wait an hour.")
        CODES_PER_PERSON.count(name)
        Choices(self.db).confirm(name, self.field("code")[:100])
        return "Your address is confirmed."

    def _stop(self) -> str:
        Choices(self.db).forget(self.current_user.name)
        return "You get no e-mails any more, and your address is deleted."
