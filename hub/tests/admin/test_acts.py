"""Every act of every page: which ask for a reason, which for the typed name too."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from qcrbox.contract.errors import NotAllowed, ReasonNeeded
from qcrbox_hub.admin.acts import Asks, acts_of, administrators_only, destructive, with_reason
from qcrbox_hub.admin.groups import Group
from qcrbox_hub.admin.invitations import Invitations
from qcrbox_hub.admin.page import AdminPage, TypedNameNeeded
from qcrbox_hub.admin.rest import as_rest
from qcrbox_hub.admin.routes import PAGES

# What no button brings back: data, what runs, a password, a build.
DESTRUCTIVE = {
    "Person": {"lock", "new_password", "sign_out", "make_administrator", "delete"},
    "Group": {"delete"},
    "Calculations": {"cancel"},
    "Calculation": {"cancel"},
    "Application": {"approve_image", "let_go", "retire", "roll_back"},
    "Launchers": {"stop", "revoke"},
    "Storage": {"decide", "empty", "retention"},
    "Site": {"maintenance"},
}
# What takes something away that can be given again, or that others wait for.
WITH_REASON = {
    "People": {"refuse"},
    "Person": {"make_member", "take_applications", "remove_from_group", "take_role"},
    "Group": {"remove", "take_role"},
    "Invitations": {"withdraw"},
    "Calculation": {"priority", "end_session"},
    "Application": {"disapprove", "hold"},
    "Launchers": {"hold"},
    "Storage": {"undo", "add_rule", "remove_rule"},
    "Site": {"settings"},
}
HARMLESS = {
    "People": {"approve", "make"},
    "Person": {"unlock", "give_applications", "add_to_group", "give_role", "limits"},
    "Groups": {"make"},
    "Group": {"add", "give_role", "limits", "switches"},
    "Invitations": {"code", "link", "workshop", "import"},
    "Application": {"approve", "licence", "restrict", "agents", "lift", "restore"},
    "Launchers": {"lift", "invite"},
    "Storage": {"dry_run", "retention_dry_run"},
    "Quotas": {"limits", "set"},
    "Audit": {"verify"},
    "Site": {"banner", "end_maintenance", "backup"},
}


@pytest.mark.parametrize("page", [page for _, page in PAGES], ids=lambda page: page.__name__)
def test_every_act_is_of_one_kind(page: type[AdminPage]) -> None:
    """A new act must be sorted into one of the three."""
    acts, name = acts_of(page), page.__name__
    found = {
        "destructive": {act for act, asks in acts.items() if asks == Asks(reason=True, typed_name=True)},
        "with reason": {act for act, asks in acts.items() if asks == Asks(reason=True)},
        "harmless": {act for act, asks in acts.items() if asks == Asks()},
    }
    assert found == {
        "destructive": DESTRUCTIVE.get(name, set()),
        "with reason": WITH_REASON.get(name, set()),
        "harmless": HARMLESS.get(name, set()),
    }


@pytest.mark.parametrize("page", [page for _, page in PAGES], ids=lambda page: page.__name__)
def test_rest_asks_for_the_same(page: type[AdminPage]) -> None:
    assert acts_of(as_rest(page)) == acts_of(page)


class Pretended:
    """A page with these fields."""

    reason = AdminPage.reason
    require_typed = AdminPage.require_typed

    def __init__(self, *, is_administrator: bool = True, **fields: str) -> None:
        self.fields, self.name, self.done = fields, "ada", 0
        self.is_administrator = is_administrator

    def field(self, name: str) -> str:
        return self.fields.get(name, "")

    @destructive(lambda page: page.name)
    async def do_end(self) -> str:
        self.done += 1
        return f"ended: {self.reason}"

    @with_reason
    async def do_take(self) -> None:
        self.done += 1

    @destructive()
    async def do_by_itself(self) -> None:
        self.done += 1

    @administrators_only
    @destructive(lambda page: page.name)
    async def do_reserved(self) -> None:
        self.done += 1


def run(act: Any) -> Any:
    return asyncio.run(act)


@pytest.mark.parametrize("typed", ["", "Ada", "ada ", "ad", "ada\u200b", "а" + "da"])
def test_wrong_name_does_nothing(typed: str) -> None:
    page = Pretended(typed_name=typed, reason="x")
    with pytest.raises(TypedNameNeeded) as refused:
        run(page.do_end())
    assert (refused.value.status, page.done) == (422, 0)


@pytest.mark.parametrize("act", ["do_end", "do_take", "do_by_itself"])
def test_missing_reason_does_nothing(act: str) -> None:
    page = Pretended(typed_name="ada")
    with pytest.raises(ReasonNeeded) as refused:
        run(getattr(page, act)())
    assert (refused.value.status, page.done) == (422, 0)


def test_with_both_it_is_done_and_answers() -> None:
    page = Pretended(typed_name="ada", reason="left")
    assert run(page.do_end()) == "ended: left"
    assert page.done == 1


def test_long_reason_is_cut_not_refused() -> None:
    page = Pretended(typed_name="ada", reason="x" * 5000)
    assert len(run(page.do_end())) == len("ended: ") + 1000


def test_marks_are_on_methods_not_on_pages() -> None:
    assert acts_of(Pretended) == {  # type: ignore[arg-type]
        "end": Asks(reason=True, typed_name=True),
        "take": Asks(reason=True),
        "by_itself": Asks(reason=True, typed_name=True),
        "reserved": Asks(reason=True, typed_name=True),
    }
    assert acts_of(type("Empty", (SimpleNamespace,), {})) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", [{}, {"typed_name": "ada", "reason": "x"}], ids=["bare", "complete"])
def test_others_are_refused_before_anything_is_asked_for(fields: dict[str, str]) -> None:
    page = Pretended(is_administrator=False, **fields)
    with pytest.raises(NotAllowed):
        run(page.do_reserved())
    assert page.done == 0
    with pytest.raises(TypedNameNeeded):
        run(Pretended().do_reserved())


# What a group's manager reaches, on pages that managers see: everything else is the administrators'.
OF_MANAGERS = {
    "Group": {"add", "remove"},
    "Invitations": {"code", "withdraw"},
}


@pytest.mark.parametrize("page", [Group, Invitations], ids=lambda page: page.__name__)
def test_acts_of_pages_that_managers_see_are_reserved_but_for_theirs(page: type[AdminPage]) -> None:
    reserved = set()
    for name in acts_of(page):
        pretended = Pretended(is_administrator=False)
        try:
            run(getattr(page, f"do_{name}")(pretended))
        except NotAllowed as refused:
            if refused.what == "Only an administrator may do this.":
                reserved.add(name)
        except Exception:  # noqa: BLE001 - the act itself needs more of a page than there is here
            pass
    assert set(acts_of(page)) - reserved == OF_MANAGERS[page.__name__]
