"""Who calls: by secret, by loopback address, by hub token, by cookie."""

from __future__ import annotations

import asyncio
import stat
import traceback
from types import SimpleNamespace

import httpx
import pytest
from qcrbox.contract.errors import NotAllowed, NotSignedIn, Unreachable
from qcrbox_registry.access import identity
from qcrbox_registry.access.identity import (
    CACHE_S,
    COOKIE,
    REFUSED_S,
    STABLE_ID_CACHE_S,
    HubIdentity,
    OnePerson,
    bearer,
    make_identity,
    read_or_make_token,
    service_token,
)
from qcrbox_registry.services.hub_accounts import introduce
from qcrbox_registry.settings import Settings
from starlette.requests import HTTPConnection

USE = ["access:services!service=qcrbox", "custom:qcrbox:use"]


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def request(method="GET", *, host="127.0.0.1:8000", client=("10.0.0.7", 5), kind="http", **headers):
    """A request with these headers; `_` stands for `-`."""
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in named.items() if value is not None]
    return HTTPConnection({"type": kind, "method": method, "path": "/", "headers": raw, "client": client})


# ------------------------------------------------------------ the header


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("token abc", "abc"),
        ("TOKEN  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer  ", None),
        ("abc", None),
        ("", None),
        (None, None),
    ],
)
def test_the_token_of_the_authorization_header(header, token):
    assert bearer(request(authorization=header)) == token


# ------------------------------------------------------------ the secret file


def test_a_missing_secret_is_made_for_this_account_only(tmp_path):
    path = tmp_path / "secrets" / "token"
    token = read_or_make_token(path)
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_token(path) == token


@pytest.mark.parametrize("text", ["", "\n", "  \n"], ids=["empty", "line", "blanks"])
def test_an_empty_secret_opens_nothing(tmp_path, text):
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(0o644)
    token = read_or_make_token(path)
    assert token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_given_secret_is_taken_as_it_is(tmp_path):
    path = tmp_path / "token"
    path.write_text("  s3cret\n")
    assert read_or_make_token(path) == "s3cret"


@pytest.mark.parametrize(
    ("auth", "kind", "secret"),
    [("none", OnePerson, False), ("token", OnePerson, True), ("hub", HubIdentity, False)],
)
def test_the_settings_choose_who_may_come_in(tmp_path, database, auth, kind, secret):
    settings = Settings(data=tmp_path, auth=auth, hub_api_url="http://hub/api")
    assert isinstance(make_identity(settings, database), kind)
    assert (tmp_path / "secrets" / "token").exists() is secret


# ------------------------------------------------------------ one person


@pytest.fixture
def secret(database):
    return OnePerson(database, "s3cret")


async def test_the_secret_opens_everything(secret):
    actor = await secret.actor(request(authorization="Bearer s3cret"))
    assert (actor.name, actor.admin, actor.application_admin, actor.address) == (
        "local",
        True,
        True,
        "10.0.0.7",
    )


@pytest.mark.parametrize("token", [None, "", "S3cret", "s3cret2", "s3cre", "ü"])
async def test_anything_else_opens_nothing(secret, token):
    header = None if token is None else f"Bearer {token}"
    with pytest.raises(NotSignedIn, match="needs its token"):
        await secret.actor(request(authorization=header))


@pytest.mark.parametrize(
    ("method", "headers", "comes_in"),
    [
        ("GET", {}, True),
        ("HEAD", {}, True),
        ("POST", {}, False),
        ("DELETE", {}, False),
        ("POST", {"sec_fetch_site": "same-origin"}, True),
        ("POST", {"sec_fetch_site": "cross-site"}, False),
        ("POST", {"origin": "http://127.0.0.1:8000"}, True),
        ("POST", {"origin": "http://evil.example"}, False),
        ("GET", {"origin": "http://evil.example"}, False),
        ("GET", {"origin": "null"}, False),
    ],
)
async def test_a_cookie_opens_only_what_our_own_page_asks(secret, method, headers, comes_in):
    asked = request(method, cookie=f"{COOKIE}=s3cret", **headers)
    if comes_in:
        assert (await secret.actor(asked)).name == "local"
    else:
        with pytest.raises(NotAllowed):
            await secret.actor(asked)


async def test_a_header_opens_it_from_any_page(secret):
    """A page that knows the secret could send it from anywhere."""
    foreign = request("POST", authorization="Bearer s3cret", origin="http://elsewhere.example")
    assert (await secret.actor(foreign)).name == "local"


@pytest.mark.parametrize(
    ("host", "comes_in"),
    [
        ("127.0.0.1:8000", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8000", True),
        ("127.0.0.1.evil.example", False),
        ("evil.example", False),
        ("127.0.0.2", False),
        ("localhost.", False),
        ("", False),
        ("[::1", False),
        ("[", False),
        (None, True),
    ],
)
async def test_without_a_secret_only_loopback_names_open_it(database, host, comes_in):
    one = OnePerson(database, None)
    if comes_in:
        assert (await one.actor(request(host=host))).admin
    else:
        with pytest.raises(NotAllowed, match="loopback names only"):
            await one.actor(request(host=host))


async def test_without_a_secret_a_foreign_page_is_refused(database):
    one = OnePerson(database, None)
    with pytest.raises(NotAllowed, match="foreign page"):
        await one.actor(request(origin="http://evil.example"))


async def test_an_address_is_that_of_the_caller_and_may_be_missing(database):
    one = OnePerson(database, None)
    assert (await one.actor(request(client=None))).address == ""
    for number in range(150):
        assert (await one.actor(request(client=(f"10.0.0.{number}", 1)))).address == f"10.0.0.{number}"
    assert len(one._actors) <= 101


@pytest.mark.parametrize(("given", "is_it"), [("s3cret", True), ("", False), ("s3cret ", False)])
def test_the_page_keeps_the_secret_as_its_cookie_and_nothing_else(secret, given, is_it):
    assert secret.cookie_for(given) is is_it


async def test_one_person_has_no_accounts_and_no_cookie_without_a_secret(database):
    one = OnePerson(database, None)
    assert one.cookie_for("") is False
    assert await one.accounts() is None
    await one.close()


# ------------------------------------------------------------ the hub


class Hub:
    """A hub that answers from a table, and the time."""

    def __init__(self) -> None:
        self.users = {}
        self.paths = {}  # path -> answer, before anything else
        self.asked = []
        self.now = 0.0
        self.gate = None

    def add(self, token, name="ada", kind="user", scopes=USE, groups=(), **more):
        model = {"name": name, "kind": kind, "scopes": list(scopes), "groups": list(groups), **more}
        if kind == "user":
            model.setdefault("created", f"{name} was made")
        self.users[token] = model

    async def answer(self, asked):
        if self.gate is not None:
            await self.gate.wait()
        path = asked.url.path.removeprefix("/hub/api")
        token = asked.headers.get("authorization", "").removeprefix("token ")
        self.asked.append((path, token))
        found = self.paths.get(f"{path}?{asked.url.query.decode()}", self.paths.get(path))
        if isinstance(found, Exception):
            raise found
        if found is not None:
            return found
        if path == "/user" and token in self.users:
            return httpx.Response(200, json=self.users[token])
        return httpx.Response(403 if path == "/user" else 404)


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def make_hub_identity(hub, database, tmp_path):
    def make(service="service-token", **settings):
        if service:
            (tmp_path / "service").write_text(service + "\n")
            settings["hub_token_file"] = tmp_path / "service"
        chosen = Settings(data=tmp_path, auth="hub", hub_api_url="http://hub/hub/api/", **settings)
        client = httpx.AsyncClient(transport=httpx.MockTransport(hub.answer))
        return HubIdentity(chosen, database, client=client, clock=lambda: hub.now)

    return make


@pytest.fixture
async def people(make_hub_identity):
    made = make_hub_identity()
    yield made
    await made.close()


async def come(people, token="t", **headers):
    return await people.actor(request(authorization=f"Bearer {token}", **headers))


async def test_a_token_is_its_person_with_groups_and_roles(people, hub):
    hub.add("t", groups=["crystals"], scopes=[*USE, "custom:qcrbox:manage!group=crystals"])
    actor = await come(people)
    assert (actor.name, list(actor.groups), actor.address) == ("ada", ["crystals"], "10.0.0.7")
    assert actor.manages == {actor.groups["crystals"]}
    assert actor.noticed is None


async def test_what_an_administrator_does_is_noticed_for_each_request_apart(people, hub):
    hub.add("t", scopes=[*USE, "custom:qcrbox:admin"])
    first, second = await come(people), await come(people)
    first.noticed.append(("read", "dataset", "d"))
    assert second.noticed == []


async def test_a_service_is_not_a_person_of_the_same_name(people, hub):
    hub.add("t", name="ada")
    hub.add("s", name="ada", kind="service")
    person, service = await come(people), await come(people, "s")
    assert service.name == "service:ada"
    assert service.person_id != person.person_id


async def test_an_account_made_anew_under_the_same_name_is_another_person(people, hub):
    hub.add("t", name="ada", created="2026-01-01")
    hub.add("u", name="ada", created="2027-01-01")
    assert (await come(people)).person_id != (await come(people, "u")).person_id


@pytest.mark.parametrize("before", ["they come themselves", "an administrator names them"])
async def test_a_renamed_account_is_the_same_person(people, hub, database, before):
    hub.add("t", name="cyd", created="2026-01-01")
    first = await come(people)
    hub.add("t", name="cydney", created="2026-01-01")
    hub.paths["/qcrbox/accounts"] = httpx.Response(
        200, json={"groups": [], "people": {"cydney": "2026-01-01", "cyd": "2027-01-01"}}
    )
    if before == "an administrator names them":
        await introduce(SimpleNamespace(identity=people, db=database), "person", "cydney")
    hub.now += CACHE_S + 1
    second = await come(people)
    assert (second.person_id, second.name) == (first.person_id, "cydney")
    hub.add("u", name="cyd", created="2027-01-01")
    assert (await come(people, "u")).person_id != first.person_id


async def test_the_time_of_creation_is_asked_for_when_the_token_does_not_show_it(people, hub):
    hub.add("t", name="ada b", created=None)
    hub.paths["/users/ada b"] = httpx.Response(200, json={"created": "2026-01-01"})
    await come(people)
    assert ("/users/ada b", "service-token") in hub.asked
    hub.now += STABLE_ID_CACHE_S - 1
    await come(people)
    hub.now += CACHE_S + 1
    await come(people)
    assert [path for path, _ in hub.asked].count("/users/ada b") == 2


@pytest.mark.parametrize("service", ["service-token", ""], ids=["refused", "no token of its own"])
async def test_an_account_without_a_known_time_is_still_one_person(make_hub_identity, hub, service):
    people = make_hub_identity(service)
    hub.add("t", created=None)
    first = await come(people)
    hub.now += 1000.0
    assert (await come(people)).person_id == first.person_id


@pytest.mark.parametrize(
    ("scopes", "lacking"),
    [
        ([], "access:services!service=qcrbox"),
        (["custom:qcrbox:use"], "access:services!service=qcrbox"),
        (["access:services!service=other", "custom:qcrbox:use"], "access:services!service=qcrbox"),
        (["access:services!service=qcrbox"], "custom:qcrbox:use"),
        (["access:services", "custom:qcrbox2:use"], "custom:qcrbox:use"),
        (["access:services!service=qcrbox", "users!custom:qcrbox:use"], "custom:qcrbox:use"),
    ],
)
async def test_a_token_needs_access_and_a_scope_of_ours(people, hub, scopes, lacking):
    hub.add("t", scopes=scopes)
    with pytest.raises(NotAllowed) as refused:
        await come(people)
    assert f"It lacks the scope {lacking}." in str(refused.value.why)


@pytest.mark.parametrize("access", ["access:services", "access:services!service=qcrbox"])
@pytest.mark.parametrize("use", ["custom:qcrbox:use", "custom:qcrbox:data!group=crystals"])
async def test_either_form_of_access_does(people, hub, access, use):
    hub.add("t", scopes=[access, use])
    assert (await come(people)).name == "ada"


@pytest.mark.parametrize("headers", [{}, {"cookie": f"{COOKIE}=unknown"}, {"authorization": "Basic x"}])
async def test_without_a_token_nobody_is_signed_in_and_the_hub_is_not_asked(people, hub, headers):
    with pytest.raises(NotSignedIn, match="You are not signed in"):
        await people.actor(request(**headers))
    assert hub.asked == []


async def test_a_cookie_stands_for_the_token_that_is_kept_here(people, hub):
    hub.add("t")
    cookie = people.sign_ins.keep("t")
    assert (await people.actor(request(cookie=f"{COOKIE}={cookie}"))).name == "ada"
    with pytest.raises(NotAllowed):
        await people.actor(request("POST", cookie=f"{COOKIE}={cookie}", origin="http://evil.example"))
    people.sign_ins.forget(cookie)
    with pytest.raises(NotSignedIn):
        await people.actor(request(cookie=f"{COOKIE}={cookie}"))


# ------------------------------------------------------------ what is remembered


async def test_an_answer_holds_for_a_few_seconds(people, hub):
    hub.add("t")
    await come(people)
    hub.users["t"]["scopes"] = []
    hub.now += CACHE_S - 0.1
    await come(people)
    hub.now += 0.1
    with pytest.raises(NotAllowed):
        await come(people)


async def test_a_refused_token_asks_the_hub_now_and_then_only(people, hub):
    for _ in range(5):
        with pytest.raises(NotSignedIn, match="does not know this token"):
            await come(people)
    assert len(hub.asked) == 1
    hub.add("t")
    hub.now += REFUSED_S
    assert (await come(people)).name == "ada"


async def test_a_repeated_refusal_does_not_grow(people):
    depths = []
    for _ in range(20):
        try:
            await come(people)
        except NotSignedIn as error:
            depths.append(len(traceback.extract_tb(error.__traceback__)))
    assert depths[-1] == depths[1]


async def test_requests_with_one_token_at_a_time_ask_once(people, hub):
    hub.add("t")
    hub.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(come(people)) for _ in range(5)]
    await asyncio.sleep(0)
    hub.gate.set()
    assert {actor.name for actor in await asyncio.gather(*waiting)} == {"ada"}
    assert [path for path, _ in hub.asked] == ["/user"]


async def test_a_caller_who_gives_up_takes_the_answer_from_no_other(people, hub):
    hub.add("t")
    hub.gate = asyncio.Event()
    first, second = (asyncio.ensure_future(come(people)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    hub.gate.set()
    assert (await second).name == "ada"


async def test_many_wrong_tokens_are_not_remembered_without_end(people, monkeypatch):
    for number in range(1010):
        people._refused[str(number)] = (0.0, NotSignedIn("no"))
    with pytest.raises(NotSignedIn):
        await come(people)
    assert len(people._refused) == 1


async def test_old_answers_are_dropped_when_there_are_many(people, hub, monkeypatch):
    hub.add("t")
    await come(people)
    kept = next(iter(people._cache.values()))
    people._cache.update({str(number): kept for number in range(10_001)})
    hub.now += CACHE_S
    await come(people)
    assert len(people._cache) == 1


# ------------------------------------------------------------ a hub in trouble


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (httpx.ConnectError("refused"), "The hub does not answer, so callers cannot be identified."),
        (httpx.ReadTimeout("slow"), "The hub does not answer, so callers cannot be identified."),
        (httpx.Response(500), "The hub answered 500."),
        (httpx.Response(502), "The hub answered 502."),
        (httpx.Response(429), "The hub answered 429."),
        (httpx.Response(200, text="<html>be right back</html>"), "no JSON object"),
        (httpx.Response(200, json=["a list"]), "no JSON object"),
    ],
    ids=["refused", "slow", "500", "502", "429", "a page of a proxy", "a list"],
)
async def test_a_hub_that_does_not_answer_refuses_nobody(people, hub, answer, text):
    hub.paths["/user"] = answer
    with pytest.raises(Unreachable, match=text):
        await come(people)
    del hub.paths["/user"]
    hub.add("t")
    assert (await come(people)).name == "ada"


# ------------------------------------------------------------ groups and accounts


async def test_without_a_token_of_its_own_the_registry_lists_nothing(make_hub_identity):
    assert await make_hub_identity("").accounts() is None


async def test_our_hub_answers_all_at_once(people, hub):
    hub.paths["/qcrbox/accounts"] = httpx.Response(
        200, json={"groups": ["crystals"], "people": {"ada": "2026-01-01", "bob": None}}
    )
    found = await people.accounts()
    assert found.groups == {"crystals"}
    assert found.people == {"ada": "2026-01-01", "bob": ""}


def paged(hub, path, pages):
    offset = 0
    for number, items in enumerate(pages):
        more = {"next": {"offset": 1} if number + 1 < len(pages) else None}
        answer = httpx.Response(200, json={"items": items, "_pagination": more})
        hub.paths[f"{path}?offset={offset}&limit={identity.PAGE}"] = answer
        offset += len(items)


async def test_another_hub_is_asked_page_by_page(people, hub):
    paged(hub, "/groups", [[{"name": "a"}, {"name": "b"}], [{"name": "c"}]])
    paged(hub, "/users", [[{"name": "ada", "created": "2026"}], [{"name": "bob"}]])
    found = await people.accounts()
    assert (found.groups, found.people) == ({"a", "b", "c"}, {"ada": "2026", "bob": ""})


@pytest.mark.parametrize("refused", ["/groups", "/users"])
async def test_a_list_that_is_refused_is_no_empty_list(people, hub, refused):
    for path in ("/groups", "/users"):
        if path != refused:
            paged(hub, path, [[{"name": "a"}]])
    assert await people.accounts() is None


# ------------------------------------------------------------ browser sign-in


def test_the_browser_is_sent_to_the_hub_with_what_it_needs(make_hub_identity):
    url = httpx.URL(make_hub_identity(hub_url="/jupyter/hub/").login_url("state-1", "/services/qcrbox/back"))
    assert url.path == "/jupyter/hub/api/oauth2/authorize"
    assert dict(url.params) == {
        "client_id": "service-qcrbox",
        "redirect_uri": "/services/qcrbox/back",
        "response_type": "code",
        "state": "state-1",
    }


@pytest.mark.parametrize(("setting", "uri"), [("", "/own/path"), ("https://a/b", "https://a/b")])
def test_the_address_on_record_comes_before_our_own_path(make_hub_identity, setting, uri):
    assert make_hub_identity(hub_redirect_uri=setting).redirect_uri("/own/path") == uri


def test_without_a_setting_the_hub_is_beside_us(make_hub_identity):
    assert make_hub_identity().login_url("s", "r").startswith("/hub/api/oauth2/authorize?")


async def test_a_code_is_exchanged_for_a_token_that_is_checked_at_once(people, hub):
    hub.add("new")
    hub.paths["/oauth2/token"] = httpx.Response(200, json={"access_token": "new"})
    assert await people.token_for_code("code", "/back") == "new"
    assert [path for path, _ in hub.asked] == ["/oauth2/token", "/user"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(400, json={"error": "invalid_grant"}), NotSignedIn),
        (httpx.Response(200, json={}), NotSignedIn),
        (httpx.Response(200, json={"access_token": ""}), NotSignedIn),
        (httpx.Response(200, text="<html>"), Unreachable),
        (httpx.Response(503), Unreachable),
        (httpx.ConnectError("refused"), Unreachable),
    ],
    ids=["refused", "no token", "empty token", "a page", "503", "no answer"],
)
async def test_a_code_that_is_not_exchanged_signs_nobody_in(people, hub, answer, error):
    hub.paths["/oauth2/token"] = answer
    with pytest.raises(error):
        await people.token_for_code("code", "/back")


async def test_a_token_without_our_scopes_signs_nobody_in(people, hub):
    hub.add("new", scopes=[])
    hub.paths["/oauth2/token"] = httpx.Response(200, json={"access_token": "new"})
    with pytest.raises(NotAllowed):
        await people.token_for_code("code", "/back")


def test_the_services_token_is_read_without_its_line_end(tmp_path):
    (tmp_path / "t").write_text("abc\n")
    assert service_token(Settings(data=tmp_path, auth="none", hub_token_file=tmp_path / "t")) == "abc"
    assert service_token(Settings(data=tmp_path, auth="none")) == ""
