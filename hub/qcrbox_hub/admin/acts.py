"""Which acts of the pages ask for a reason, and which for the typed name too.

The mark is on the method, so that pages, REST and `qcrbox admin` refuse alike, and a test can go through every act.
An act is destructive when no button brings back what it ends: data, a running calculation, a server, a password. What
takes a right or access away, and can be given again, asks for a reason alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import NotAllowed

if TYPE_CHECKING:
    from qcrbox_hub.admin.page import AdminPage

_MARK = "asks"
_PREFIX = "do_"
Act = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class Asks:
    """What an act asks for besides its fields."""

    reason: bool = False
    typed_name: bool = False


def with_reason(act: Act) -> Act:
    """The act needs the field `reason`."""
    return _marked(act, Asks(reason=True), lambda page: None)


def destructive(typed: Callable[[Any], str] | str | None = None) -> Callable[[Act], Act]:
    """The act needs the field `reason`, and in `typed_name` this text. None: the act itself checks what was typed."""

    def mark(act: Act) -> Act:
        def check(page: AdminPage) -> None:
            if typed is not None:
                page.require_typed(typed if isinstance(typed, str) else typed(page))

        return _marked(act, Asks(reason=True, typed_name=True), check)

    return mark


def administrators_only(act: Act) -> Act:
    """The act is refused to everyone else, before anything it asks for is looked at. Goes above the other marks."""

    @wraps(act)
    async def checked(page: AdminPage) -> Any:
        if not page.is_administrator:
            raise NotAllowed("Only an administrator may do this.")
        return await act(page)

    return checked


def _marked(act: Act, asks: Asks, check: Callable[[AdminPage], None]) -> Act:
    @wraps(act)
    async def checked(page: AdminPage) -> Any:
        check(page)
        page.reason  # noqa: B018 - raises without one
        return await act(page)

    setattr(checked, _MARK, asks)
    return checked


def acts_of(page: type[AdminPage]) -> dict[str, Asks]:
    """Name of each act of a page -> what it asks for."""
    names = sorted(name for name in dir(page) if name.startswith(_PREFIX))
    return {name.removeprefix(_PREFIX): getattr(getattr(page, name), _MARK, Asks()) for name in names}
