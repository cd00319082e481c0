"""Ways into an account that someone prepared: lists, links, join codes, workshop passwords."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.accounts import bulk
from qcrbox_hub.accounts.authenticator import QCrBoxAuthenticator
from qcrbox_hub.accounts.invitations import Invitations, Kind, Wanted, digest, new_code
from qcrbox_hub.accounts.membership import group_exists
from qcrbox_hub.accounts.service import AccountService
from qcrbox_hub.accounts.tables import InvitationRow
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from conftest import Browser, Hub

PAGE, PASSWORD = "/hub/administration/invitations", "plum-Orchid-42-river"


def groups(browser: Browser) -> set[str]:
    return set(browser.get("/hub/api/user").json()["groups"])


@pytest.fixture(scope="module")
def course(admin: Browser) -> str:
    admin.submit("/hub/administration/groups", action="make", name="summer-school")
    return "summer-school"


@pytest.fixture
def code(admin: Browser, course: str) -> str:
    """A join code for two people."""
    page = admin.submit(PAGE, action="code", group=course, days="1", uses="2").text
    return re.search(r'id="secret">([a-z0-9-]{14})<', page).group(1)  # type: ignore[union-attr]


def join(browser: Browser, code: str, **fields: str) -> str:
    passwords = {"password": PASSWORD, "password_confirmation": PASSWORD}
    return browser.submit(f"/hub/join?code={code}", code=code, **{**passwords, **fields}).text


def withdraw(admin: Browser, text: str) -> None:
    """Withdraw the newest invitation whose row has this text."""
    row = next(each for each in re.findall(r"<tr>.*?</tr>", admin.get(PAGE).text, re.DOTALL) if text in each)
    admin.submit(
        PAGE,
        action="withdraw",
        reason="a test",
        number=re.search(r'name="number" value="(\d+)"', row).group(1),
    )  # type: ignore[union-attr]


# ---------------------------------------------------------------- lists


def test_list_makes_accounts_groups_roles_and_links(hub: Hub, admin: Browser) -> None:
    text = (
        "Name;Group;Role;Password\nberta;class-a;lecturer;\nbruno;class-a;;start-Pass-word-7\nx;;;\nada;;;\n"
    )
    page = admin.submit(PAGE, action="import", people=text, days="3").text
    assert "2 of 4 lines were carried out" in page
    assert "The name ada is taken" in page
    assert "3 to 32 characters" in page
    # Copied twice from a list, with another spelling and blank lines in between.
    copied = admin.submit(PAGE, action="import", people="name\nbastian\n\n  \n Bastian \nmüller\n").text
    assert "1 of 3 lines were carried out" in copied
    assert "bastian stands in line 2 already" in copied

    bruno = hub.browser()
    assert bruno.sign_in("bruno", "start-Pass-word-7").url.path == "/hub/change-password"
    assert groups(bruno) == {"everyone", "class-a"}

    link = re.search(r"join\?code=([\w-]+)", page).group(1)  # type: ignore[union-attr]
    berta = hub.browser()
    assert "berta" in berta.get(f"/hub/join?code={link}").text
    join(berta, link, username="mallory-instead")
    assert berta.get("/hub/api/user").json()["name"] == "berta", "the name is the invited one"
    assert "custom:qcrbox:teach!group=class-a" in berta.get("/hub/api/user").json()["scopes"]
    assert "does not hold" in hub.browser().get(f"/hub/join?code={link}").text, "a link works once"
    assert hub.browser().sign_in("berta").status_code == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name the columns"),
        ("name,colour\na,b\n", "name the columns"),
        ("name,group\nanna\n", "line 2"),
        ('name\n"anna', "not CSV"),
        ("name,role\nanna,king\n", "no role 'king'"),
        ("name,role\nanna,manager\n", "needs a group"),
        ("name\n", "1 to 1000"),
        ("name\n" + "x" * 300_000, "too long"),
        ("name\n" + "".join(f"student-{number}\n" for number in range(1001)), "1 to 1000"),
        # What an editor makes of UTF-16 that it takes for another encoding, and line ends of very old programs.
        ("name\nanna\n".encode("utf-16-le").decode("latin-1"), "name the columns"),
        ("name\ranna\r", "not CSV"),
        ("name;mail\nanna;a@b.org\nbert;a@b.org\n", "name the columns"),
    ],
)
def test_list_that_cannot_be_used_says_where(text: str, said: str) -> None:
    with pytest.raises(UserInputError, match=said):
        bulk.parse(text)


def test_lists_of_spreadsheets_are_read() -> None:
    for text in (
        "\ufeffname\tgroup\r\nAnna\tlab-1\r\n\r\n",
        'name, group\n"anna","lab-1"\n'.replace(", ", ","),
    ):
        (person,) = bulk.parse(text)
        assert (person.line, person.name, person.group, person.role) == (2, "anna", "lab-1", "member")


@pytest.fixture
def service() -> Iterator[AccountService]:
    """The accounts of a hub's database in memory."""
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as session:
        hub: Any = SimpleNamespace(db=session, authenticator=QCrBoxAuthenticator(db=session))
        yield AccountService(hub, "ada")


def carried_out(service: AccountService, text: str) -> dict[int, str]:
    """Line -> its problem, "" for those that were carried out."""
    outcomes = asyncio.run(bulk.make_accounts(service, bulk.parse(text)))
    return {each.person.line: each.problem for each in outcomes}


def test_every_line_of_a_list_is_carried_out_or_named(service: AccountService) -> None:
    lines = [
        "anna",
        "",
        "  ANNA ",  # in another spelling
        '"bert"',
        "müller",
        "müller".encode().decode("latin-1"),  # UTF-8 taken for Latin-1
        "\u212aarl",  # begins with the sign of kelvin, whose small letter is k
        "anna@uni.example",
        "<script>alert(1)</script>",
        "a\x00b",
        "root",
        "carl",
    ]
    found = carried_out(service, "\n".join(["name", *lines]))
    assert set(found) == {2, *range(4, 14)}
    assert {line for line, problem in found.items() if not problem} == {2, 5, 13}
    assert "stands in line 2 already" in found[4]
    assert "reserved" in found[12]
    assert all("3 to 32 characters" in found[line] for line in range(6, 12))
    assert sorted(row.name for row in Invitations(service.session).present()) == ["anna", "bert", "carl"]


def test_a_list_that_is_sent_twice_makes_no_second_link(service: AccountService) -> None:
    text = "name,group\n" + "".join(f"student-{number},xrd\n" for number in range(40))
    assert set(carried_out(service, text).values()) == {""}
    again = carried_out(service, f"{text}late,xrd\n")
    assert [line for line, problem in again.items() if not problem] == [42]
    assert "open invitation link for student-0" in again[2]
    invitations = Invitations(service.session)
    assert len(invitations.present()) == 41
    # Withdrawn, it makes room for another one.
    invitations.withdraw(next(row.id for row in invitations.present() if row.name == "student-0"))
    assert carried_out(service, "name\nstudent-0\n") == {2: ""}


@pytest.mark.parametrize("kind", ["link", "code"])
def test_what_an_administrator_hands_out_holds_until_its_date(service: AccountService, kind: Kind) -> None:
    now = [1_000_000.0]
    invitations = Invitations(service.session, "ada", clock=lambda: now[0])
    service.session.add(orm.Group(name="xrd"))
    service.session.commit()
    assert [group_exists(service.session, name) for name in ("xrd", "xr")] == [True, False]
    _, secret = asyncio.run(invitations.make(Wanted(kind, days=2.0, group="xrd", uses=None)))
    now[0] += 2 * 86400.0 - 1.0
    assert invitations.find(secret) is not None
    now[0] += 1.0
    assert invitations.find(secret) is None
    assert invitations.present() == []
    invitations.forget_expired()
    assert service.session.query(InvitationRow).count() == 0


def test_a_line_that_makes_no_account_makes_no_group(service: AccountService) -> None:
    assert carried_out(service, "name,group\nx,new-group\n")[2]
    assert orm.Group.find(service.session, "new-group") is None


# ---------------------------------------------------------------- join codes


def test_code_makes_members_of_the_group_until_it_is_used_up(hub: Hub, course: str, code: str) -> None:
    for name in ("carla", "cyril"):
        browser = hub.browser()
        # As it is copied from a blackboard.
        join(browser, code.upper().replace("-", " "), username=name)
        assert groups(browser) == {"everyone", course}
        assert not any("group=" in scope for scope in browser.get("/hub/api/user").json()["scopes"])
    assert "does not hold" in hub.browser().get(f"/hub/join?code={code}").text


def test_member_joins_with_a_code_and_not_with_a_link(
    hub: Hub, admin: Browser, member: Callable[[str], Browser], course: str, code: str
) -> None:
    clara = member("clara")
    assert "You are in summer-school" in clara.submit(f"/hub/join?code={code}", code=code).text
    assert course in groups(clara)
    page = admin.submit(PAGE, action="import", people="name,group\ncosima,summer-school\n").text
    link = re.search(r"join\?code=([\w-]+)", page).group(1)  # type: ignore[union-attr]
    assert "makes a new account" in clara.submit(f"/hub/join?code={link}", code=link).text


def test_member_who_is_in_the_group_already_takes_no_place_of_others(
    hub: Hub, admin: Browser, member: Callable[[str], Browser], course: str, code: str
) -> None:
    clemens = member("clemens")
    for _ in range(3):
        assert "You are in summer-school" in clemens.submit(f"/hub/join?code={code}", code=code).text
    carola = hub.browser()
    join(carola, code, username="carola")
    assert course in groups(carola), "the second of two places was left"
    assert "does not hold" in hub.browser().get(f"/hub/join?code={code}").text


@pytest.mark.attack(6)
def test_code_that_was_withdrawn_or_guessed_opens_nothing(hub: Hub, admin: Browser, code: str) -> None:
    withdraw(admin, "Join code")
    for wrong in (code, new_code(), "", "x" * 200):
        answer = hub.browser().submit(
            "/hub/signup", username="xx", password="x", password_confirmation="x"
        )  # sets the XSRF cookie
        assert answer.status_code == 400
        browser = hub.browser()
        page = browser.get("/hub/login").text
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page).group(1)  # type: ignore[union-attr]
        fields = {
            "code": wrong,
            "username": "christa",
            "password": PASSWORD,
            "password_confirmation": PASSWORD,
        }
        answer = browser.http.post("/hub/join", data={**fields, "_xsrf": token})
        assert answer.status_code == 404
        assert "does not hold" in answer.text
        assert hub.browser().sign_in("christa").status_code == 403


@pytest.mark.attack(6)
def test_secrets_of_invitations_are_not_stored(hub: Hub, code: str) -> None:
    # The last changes are in the write-ahead log beside the file.
    database = b"".join(file.read_bytes() for file in sorted(hub.data.hub.glob("jupyterhub.sqlite*")))
    assert code.encode() not in database
    assert code.replace("-", "").encode() not in database
    assert digest(code).encode() in database


@pytest.mark.attack(4)
def test_manager_invites_into_the_own_group_as_members_only(
    hub: Hub, admin: Browser, member: Callable[[str], Browser], course: str
) -> None:
    assert member("dirk").get(PAGE).status_code == 404, "plain members invite nobody"
    dora = member("dora")
    admin.submit(f"/hub/administration/groups/{course}", action="add", people="dora")
    admin.submit(f"/hub/administration/groups/{course}", action="give_role", person="dora", role="manager")
    assert "shown this once" in dora.submit(PAGE, action="code", group=course).text
    withdraw(dora, "Join code")
    admin.submit(PAGE, action="code", group="everyone")
    number = re.search(r'name="number" value="(\d+)"', admin.get(PAGE).text).group(1)  # type: ignore[union-attr]
    for fields in (
        {"action": "code", "group": "everyone"},
        {"action": "workshop", "group": course, "workshop_password": "a-Long-one-for-77"},
        {"action": "import", "people": "name\nmallory-2\n"},
        {"action": "withdraw", "number": number, "reason": "a test"},
    ):
        said = dora.submit(PAGE, **fields).text
        refusals = ("You may not invite", "no longer exists", "Only an administrator")
        assert any(each in said for each in refusals), fields
    withdraw(admin, "Join code")


# ---------------------------------------------------------------- workshops


@pytest.mark.attack(8)
def test_workshop_password_opens_free_names_and_those_it_began(hub: Hub, admin: Browser, course: str) -> None:
    shared = "crystals-In-the-sun-9"
    assert (
        "holds from now on"
        in admin.submit(PAGE, action="workshop", group=course, workshop_password=shared).text
    )
    emil = hub.browser()
    assert emil.sign_in("emil", shared).url.path == "/hub/token"
    assert groups(emil) == {"everyone", course}
    assert hub.browser().sign_in("emil", shared).status_code == 200, "the next day too"

    for name in ("ada", "root", "x", "hub"):
        assert hub.browser().sign_in(name, shared).status_code == 403, f"it opens {name}"
    assert hub.browser().sign_in("emma", shared + "x").status_code == 403

    own = "only-He-knows-it-5"
    emil.password = shared
    emil.submit("/hub/change-password", old_password=shared, password=own, password_confirmation=own)
    assert hub.browser().sign_in("emil", own).status_code == 200
    assert hub.browser().sign_in("emil", shared).status_code == 403, "his own password alone opens it now"

    ernst = hub.browser()
    assert ernst.sign_in("ernst", shared).status_code == 200
    withdraw(admin, "Workshop password")
    assert hub.browser().sign_in("ernst", shared).status_code == 403
    assert hub.browser().sign_in("erika", shared).status_code == 403
    # A later workshop with the same password (and maybe the same number) does not inherit the accounts.
    admin.submit(PAGE, action="workshop", group=course, workshop_password=shared)
    assert hub.browser().sign_in("ernst", shared).status_code == 403
    withdraw(admin, "Workshop password")


def test_workshop_password_has_to_be_a_good_one(admin: Browser, course: str) -> None:
    answer = admin.submit(PAGE, action="workshop", group=course, workshop_password="password")
    assert "at least 10 characters" in answer.text
