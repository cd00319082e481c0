"""`qcrbox admin`: what it asks of the hub, and what it prints."""

from __future__ import annotations

import json

import httpx
import pytest
from qcrbox.contract.errors import NotAllowed, QcError, Unreachable, UserInputError
from qcrbox_hub.cli import admin as command
from qcrbox_hub.cli.admin import admin, read_token

HUB = "https://hub.example.org"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def hub(monkeypatch):
    """A hub that answers `hub.answer` and remembers what it was asked."""

    class Hub:
        def __init__(self) -> None:
            self.seen: list[httpx.Request] = []
            self.answer = httpx.Response(200, json={"rows": []})

        def handle(self, request: httpx.Request) -> httpx.Response:
            self.seen.append(request)
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    made = Hub()
    client = httpx.Client

    def stand_in(**options):
        options["mounts"] = None
        return client(**options, transport=httpx.MockTransport(made.handle))

    monkeypatch.setattr(command.httpx, "Client", stand_in)
    return made


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("overview", "/hub/api/administration"),
        ("people", "/hub/api/administration/people"),
        ("people/ada", "/hub/api/administration/people/ada"),
        ("people/a?b#c", "/hub/api/administration/people/a%3Fb%23c"),
        ("applications/x 1", "/hub/api/administration/applications/x%201"),
    ],
)
def test_a_page_is_asked_for_by_its_path(hub, token_file, page, path):
    admin(page, url=HUB, token_file=token_file)
    (request,) = hub.seen
    assert (request.method, request.url.raw_path.decode()) == ("GET", path)
    assert request.headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("url", [HUB, f"{HUB}/", f"{HUB}/hub", f"{HUB}/hub/"])
def test_the_address_may_be_that_of_the_browser(hub, token_file, url):
    admin("people", url=url, token_file=token_file)
    assert str(hub.seen[0].url) == f"{HUB}/hub/api/administration/people"


def test_a_filter_goes_into_the_query_and_a_table_comes_back_whole_as_csv(hub, token_file, capsys):
    hub.answer = httpx.Response(200, text="name,state\nada,active\n")
    admin("people", query=["q=ada & co", "state=active"], csv=True, url=HUB, token_file=token_file)
    assert dict(hub.seen[0].url.params) == {"q": "ada & co", "state": "active", "format": "csv"}
    assert capsys.readouterr().out == "name,state\nada,active\n"


def test_an_action_is_sent_with_its_fields_and_its_answer_is_one_sentence(hub, token_file, capsys):
    hub.answer = httpx.Response(200, json={"message": "ada is locked."})
    admin("people/ada", "lock", ["reason=left = gone", "group=a", "group=b"], url=HUB, token_file=token_file)
    (request,) = hub.seen
    assert request.method == "POST"
    assert json.loads(request.content) == {"action": "lock", "reason": "left = gone", "group": ["a", "b"]}
    assert capsys.readouterr().out == "ada is locked.\n"


def test_a_page_is_printed_as_json_with_its_letters(hub, token_file, capsys):
    hub.answer = httpx.Response(200, json={"people": ["Åse"]})
    admin("people", url=HUB, token_file=token_file)
    out = capsys.readouterr().out
    assert "Åse" in out
    assert json.loads(out) == {"people": ["Åse"]}


def test_a_refusal_is_that_of_the_hub(hub, token_file):
    hub.answer = httpx.Response(403, json=NotAllowed("Administrators only.").envelope())
    with pytest.raises(QcError, match="Administrators only") as error:
        admin("people", url=HUB, token_file=token_file)
    assert error.value.status == 403


def test_an_answer_that_is_none_of_ours_says_where_to_look(hub, token_file):
    hub.answer = httpx.Response(502, text="<h1>Bad gateway</h1>")
    with pytest.raises(QcError, match="answered 502") as error:
        admin("people", url=HUB, token_file=token_file)
    assert "qcrbox logs hub" in error.value.next


def test_a_hub_that_does_not_answer_is_unreachable_with_its_address(hub, token_file):
    hub.answer = httpx.ConnectError("connection refused")
    with pytest.raises(Unreachable) as error:
        admin("people", url=HUB, token_file=token_file)
    assert (error.value.where, error.value.why) == (HUB, "connection refused")


@pytest.mark.parametrize("field", ["reason", "=x", ""])
def test_a_field_has_a_name_and_a_value(hub, token_file, field):
    with pytest.raises(UserInputError, match="name=value"):
        admin("people/ada", "lock", [field], url=HUB, token_file=token_file)
    assert hub.seen == []


def test_without_a_token_nothing_is_asked(hub):
    with pytest.raises(UserInputError, match="token is needed"):
        admin("people", url=HUB)
    assert hub.seen == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_token_that_others_can_read_is_not_used(token_file, mode):
    token_file.chmod(mode)
    with pytest.raises(UserInputError, match="Others can read") as error:
        read_token(token_file)
    assert error.value.next == f"Run: chmod 600 {token_file}"


def test_a_token_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(UserInputError, match="No such file"):
        read_token(tmp_path / "none")
