"""From the fields of a form to what the registry is asked: odd numbers, missing fields and hostile text end in words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from qcrbox.contract.errors import QcError
from qcrbox_hub.admin.applications import Application
from qcrbox_hub.admin.calculations import Calculation, Calculations
from qcrbox_hub.admin.launchers import Launchers
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.quotas import Quotas
from qcrbox_hub.admin.storage import Storage

LEFTOVERS = [{"subject": "group", "id": 7, "name": "optics (deleted 2026-03-01)"}]
# Values that str.isdigit takes for numbers, or that int() reads otherwise.
ODD = ["²", "٣", "-1", "--5", "1_000", "5.0", "1e3", "9" * 5000, "x", "<b>", "../me", " "]


class Registry:
    """Writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return {"leftovers": LEFTOVERS, "passes": []}

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        self.asked.append((method, path, body))
        made = {"launcher_pass": {"launcher": "big"}, "code": "secret"}
        return {
            "objects": {"datasets": 2},
            "number": 3,
            "datasets": 1,
            "files": 1,
            "calculations": [],
            **made,
        }


def posted(page: type[AdminPage], action: str, **fields: str) -> tuple[list[tuple[str, str, Any]], str]:
    """What an act of a page asked the registry, and the words of a refusal. A reason is given."""
    client = Registry()
    given = {"reason": "a test", **fields}

    class Posted(page):  # type: ignore[misc,valid-type]
        """The page with a form that was posted, and without a hub around it."""

        def __init__(self) -> None:
            self.row = {"id": 4, "label": "refine 1"}
            self.calculation_id, self.shown = "c1", {}

        registry = property(lambda self: client)
        log = property(lambda self: type("Log", (), {"info": lambda *_: None})())
        settings = property(lambda self: {"qcrbox_addresses": type("Addresses", (), {"hub": "http://hub"})()})

        current_user = property(lambda self: type("User", (), {"name": "ada"})())

        def field(self, name: str) -> str:
            return given.get(name, "")

        def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
            return [given[name]] if name in given else []

        async def show_page(self, template: str, **values: Any) -> None:
            self.shown = values

        async def _show(self, **values: Any) -> None:
            self.shown = values

    refused = ""
    try:
        asyncio.run(getattr(Posted(), f"do_{action}")())
    except QcError as error:
        refused = error.message
    return client.asked, refused


# ---------------------------------------------------------------- numbers

# A page, its act, the fields that are right, the field of the number, and what the registry gets for 5.
NUMBERS: dict[str, tuple[type[AdminPage], str, dict[str, str], str, Any]] = {
    "priority": (Calculation, "priority", {}, "priority", {"priority": 5, "reason": "a test"}),
    "agents kept ready": (Application, "agents", {}, "warm", {"warm": 5, "most_agents": None}),
    "most agents": (Application, "agents", {}, "most_agents", {"most_agents": 5}),
    "minutes of a code": (
        Launchers,
        "invite",
        {"launcher": "big"},
        "minutes",
        {"launcher": "big", "minutes": 5},
    ),
}


@pytest.mark.parametrize(("page", "act", "fields", "name", "body"), NUMBERS.values(), ids=NUMBERS)
def test_number_reaches_the_registry(
    page: type[AdminPage], act: str, fields: dict[str, str], name: str, body: Any
) -> None:
    asked, refused = posted(page, act, **fields, **{name: "5"})
    assert refused == ""
    assert [each[2] for each in asked] == [body]


@pytest.mark.parametrize("text", ODD, ids=[repr(text)[:12] for text in ODD])
@pytest.mark.parametrize(
    ("page", "act", "fields", "name"), [each[:4] for each in NUMBERS.values()], ids=NUMBERS
)
def test_text_that_is_no_number_is_refused_before_the_registry_is_asked(
    page: type[AdminPage], act: str, fields: dict[str, str], name: str, text: str
) -> None:
    asked, refused = posted(page, act, **fields, **{name: text})
    if (act, text) == ("priority", "-1"):
        assert asked[0][2]["priority"] == -1
        return
    assert asked == []
    assert refused
    assert len(refused) < 300


@pytest.mark.parametrize(
    ("text", "is_taken"), [("-100", True), ("100", True), ("-101", False), ("101", False)]
)
def test_priority_has_limits_on_both_sides(text: str, is_taken: bool) -> None:
    asked, refused = posted(Calculation, "priority", priority=text)
    assert (bool(asked), bool(refused)) == (is_taken, not is_taken)


@pytest.mark.parametrize(
    ("text", "is_taken"), [("", True), ("1", True), ("1440", True), ("0", False), ("1441", False)]
)
def test_code_of_a_launcher_holds_for_a_day_at_most(text: str, is_taken: bool) -> None:
    asked, refused = posted(Launchers, "invite", launcher="big", minutes=text)
    assert (bool(asked), bool(refused)) == (is_taken, not is_taken)


# ---------------------------------------------------------------- data of those who are gone


@pytest.mark.parametrize("number", [*ODD, ""], ids=lambda text: repr(text)[:12])
def test_decision_about_no_data_asks_nothing(number: str) -> None:
    asked, refused = posted(
        Storage, "decide", subject="group", id=number, decision="archive", typed_name=LEFTOVERS[0]["name"]
    )
    assert (asked, bool(refused)) == ([], True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"typed_name": "optics"}, "Type optics (deleted 2026-03-01)"),
        ({"typed_name": ""}, "nothing was changed"),
        ({"id": "8"}, "no longer wait"),
        ({"subject": "person"}, "no longer wait"),
        ({"decision": "owners", "subject": "person"}, "Choose what becomes"),
        ({"decision": "burn"}, "Choose what becomes"),
        ({"subject": "../x"}, "Choose what becomes"),
    ],
    ids=str,
)
def test_decision_needs_the_name_as_the_registry_has_it(fields: dict[str, str], words: str) -> None:
    right = {"subject": "group", "id": "7", "decision": "archive", "typed_name": LEFTOVERS[0]["name"]}
    asked, refused = posted(Storage, "decide", **{**right, **fields})
    assert asked == []
    assert words in refused


@pytest.mark.parametrize(
    ("decision", "to", "more"),
    [("archive", "ben", {}), ("group", "xrd", {"to": "xrd"}), ("delete", "", {}), ("owners", "ben", {})],
)
def test_receiver_is_named_where_the_decision_has_one(decision: str, to: str, more: dict[str, str]) -> None:
    asked, refused = posted(
        Storage, "decide", subject="group", id="7", decision=decision, to=to, typed_name=LEFTOVERS[0]["name"]
    )
    body = {"subject": "group", "id": 7, "decision": decision, "reason": "a test", **more}
    assert (refused, asked) == ("", [("POST", "/api/leftovers", body)])


@pytest.mark.attack(6)
@pytest.mark.parametrize(
    "text", ["../../trash/empty", "7/x", "7?a=b", "7#", "", "\x01", "²", "a b", "%2e%2e"]
)
def test_form_leads_to_no_other_address_of_the_registry(text: str) -> None:
    for page, act, name in ((Storage, "undo", "decision"), (Storage, "remove_rule", "rule")):
        asked, refused = posted(page, act, **{name: text})
        assert (asked, bool(refused)) == ([], True)


def test_good_decision_and_rule_are_asked_for_by_their_own_address() -> None:
    assert posted(Storage, "undo", decision="12")[0] == [("POST", "/api/leftovers/decisions/12/undo", None)]
    assert posted(Storage, "remove_rule", rule="3")[0] == [("DELETE", "/api/retention/rules/3", None)]


@pytest.mark.parametrize("days", ["", "x", "nan", "inf", "-1", "36501", "1e9", "٣٠ x"])
def test_trash_is_not_emptied_by_a_number_that_is_none(days: str) -> None:
    asked, refused = posted(Storage, "empty", days=days, typed_name="trash")
    assert (asked, refused) == ([], "Type a number of days.")


@pytest.mark.parametrize(
    ("act", "typed"), [("empty", "trash"), ("retention", "outputs")], ids=["empty the trash", "retention"]
)
@pytest.mark.parametrize("wrong", ["", "Trash", "yes", "trash outputs"])
def test_what_ends_data_for_good_needs_its_word(act: str, typed: str, wrong: str) -> None:
    asked, refused = posted(Storage, act, days="30", typed_name=wrong)
    assert asked == []
    assert f"Type {typed} to confirm" in refused
    assert len(posted(Storage, act, days="30", typed_name=typed)[0]) == 1


def test_dry_run_changes_nothing() -> None:
    (asked,) = posted(Storage, "dry_run", days="30")[0]
    assert asked == ("POST", "/api/trash/empty", {"older_than_days": 30.0, "dry_run": True})
    (asked,) = posted(Storage, "retention_dry_run", days="30", group="xrd")[0]
    assert asked[2] == {"unused_days": 30.0, "dry_run": True, "group": "xrd"}


# ---------------------------------------------------------------- applications, calculations, quotas


@pytest.mark.parametrize(
    ("groups", "sent"),
    [("", None), ("xrd", ["xrd"]), (" xrd, optics;\n nmr ", ["xrd", "optics", "nmr"]), (" , ; ", None)],
)
def test_empty_list_of_groups_lets_everyone_use_an_application(groups: str, sent: list[str] | None) -> None:
    assert posted(Application, "restrict", groups=groups)[0][0][2] == {"restricted_to": sent}


@pytest.mark.parametrize("state", ["", "bought", "FREE"])
def test_state_of_a_licence_is_one_of_the_list(state: str) -> None:
    asked, refused = posted(Application, "licence", licence_state=state)
    assert (asked, refused) == ([], "Choose a state of the licence.")


def test_cancelling_names_what_was_chosen_and_needs_its_word() -> None:
    assert posted(Calculations, "cancel", typed_name="cancel")[1] == "Choose at least one calculation."
    assert "Type cancel" in posted(Calculations, "cancel", calculation="c1")[1]
    asked, _ = posted(Calculations, "cancel", calculation="c1", typed_name="cancel")
    assert asked == [("POST", "/api/calculations/stop", {"calculation_ids": ["c1"], "reason": "a test"})]


@pytest.mark.parametrize(
    ("limit", "sent"),
    [("", None), ("0", 0.0), ("2.5", 2.5), ("nan", "refused"), ("-1", "refused"), ("x", "refused")],
)
def test_limit_is_a_number_from_zero_or_none_at_all(limit: str, sent: Any) -> None:
    asked, refused = posted(Quotas, "set", subject="person", name="ben", quota="gib", limit=limit)
    if sent == "refused":
        assert (asked, bool(refused)) == ([], True)
    else:
        assert asked == [
            ("PUT", "/api/quotas", {"subject": "person", "name": "ben", "quota": "gib", "limit": sent})
        ]


@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        ("set", {"quota": "money", "limit": "1"}, "Choose a quota."),
        ("limits", {"subject": "x"}, "no defaults"),
    ],
)
def test_unknown_quota_or_default_is_refused(act: str, fields: dict[str, str], words: str) -> None:
    asked, refused = posted(Quotas, act, **fields)
    assert asked == []
    assert words in refused


@pytest.mark.parametrize("act", ["disapprove", "hold"])
def test_act_that_takes_something_away_needs_a_reason(act: str) -> None:
    asked, refused = posted(Application, act, reason="")
    assert asked == []
    assert refused.startswith("A reason is needed.")
