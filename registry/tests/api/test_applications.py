"""What application administrators set: who may use an application, and how its agents are kept."""

from __future__ import annotations

import time

import pytest


@pytest.fixture
def practice(person):
    """The application, changed through `practice.change(...)` and put back afterwards."""

    class Practice:
        keeper = person("applications")

        def __init__(self):
            self.shown = self.keeper.get("/api/applications").json()["payload"]["applications"][0]
            self.path = f"/api/applications/{self.shown['id']}"

        def change(self, **values):
            answer = self.keeper.patch(self.path, json=values)
            assert answer.status_code == 200, answer.text
            return answer.json()["payload"]["applications"][0]

    made = Practice()
    yield made
    made.change(restricted_to=None, approved=True, reuse="same-owner", warm=0, most_agents=None)


NOOP = {
    "application_slug": "practice",
    "application_version": "1",
    "command_name": "noop",
    "command_arguments": {},
}


def test_a_restricted_application_is_there_for_its_groups_only(practice, person, group):
    practice.change(restricted_to=[group])
    member, stranger = person(groups=[group]), person()
    command = member.get("/api/commands").json()["payload"]["commands"][0]["id"]
    assert member.post("/api/commands", json=NOOP).status_code == 201
    assert stranger.get("/api/applications").json()["payload"]["applications"] == []
    assert stranger.get("/api/commands").json()["payload"]["commands"] == []
    hidden, unknown = stranger.get(f"/api/commands/{command}"), stranger.get("/api/commands/999999")
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    answers = [
        stranger.post("/api/commands", json={**NOOP, "application_slug": slug})
        for slug in ("practice", "unheard")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    messages = [answer.json()["error"]["message"] for answer in answers]
    assert messages[0] == messages[1].replace("unheard", "practice")
    session = {name: NOOP[name] for name in ("application_slug", "application_version", "command_arguments")}
    assert stranger.post("/api/interactive-sessions", json=session).status_code == 404
    practice.change(restricted_to=None)
    assert stranger.post("/api/commands", json=NOOP).status_code == 201


def test_who_leaves_the_group_loses_the_application(registry, practice, person, group):
    practice.change(restricted_to=[group])
    member = person(groups=[group])
    assert member.post("/api/commands", json=NOOP).status_code == 201
    registry.hub.users[member.token]["groups"].remove(group)
    for cached in registry.context.identity._cache.values():
        cached.at -= 5.1
    assert member.post("/api/commands", json=NOOP).status_code == 404


def test_an_application_whose_approval_is_taken_is_gone_until_it_is_given_again(practice, ada):
    practice.change(approved=False)
    assert ada.get("/api/applications").json()["payload"]["applications"] == []
    assert ada.post("/api/commands", json=NOOP).status_code == 404
    practice.change(approved=True)
    assert ada.post("/api/commands", json=NOOP).status_code == 201


def test_how_agents_are_kept_reaches_the_scheduler(registry, practice):
    practice.change(reuse="any", warm=1, most_agents=3)
    known = registry.context.scheduler.state.fleet.applications[practice.shown["id"]]
    assert (known.reuse, known.warm, known.most_agents) == ("any", 1, 3)


def test_only_application_administrators_change_one_and_it_is_audited(registry, practice, person, ada):
    assert ada.patch(practice.path, json={"warm": 1}).status_code == 403
    practice.change(warm=0)
    root = person("admin")
    seen = root.get("/api/audit", params={"who": practice.keeper.name}).json()["payload"]["audit"]
    assert [(one["action"], one["kind"]) for one in seen] == [("change", "application")]


@pytest.mark.parametrize(
    "body",
    [{}, {"reuse": "sometimes"}, {"warm": -1}, {"warm": None}, {"restricted_to": "all"}, {"slug": "x"}],
)
def test_bad_changes_are_400(practice, body):
    assert practice.keeper.patch(practice.path, json=body).status_code == 400


# ---------------------------------------------------------------- clients of earlier versions


def asking(version, command="read", **arguments):
    return {
        "application_slug": "practice",
        "application_version": version,
        "command_name": command,
        "command_arguments": arguments,
    }


def test_an_older_version_is_stood_for(ada, do):
    answer = ada.post("/api/commands", json=asking("0.9", "noop"))
    assert answer.status_code == 201, answer.text
    calculation = do.ended(ada, answer.json()["payload"]["calculation_id"])
    assert calculation["application_version"] == "1"
    session = {"application_slug": "practice", "application_version": "0.9", "command_arguments": {}}
    opened = ada.post("/api/interactive-sessions", json=session)
    assert opened.status_code == 201
    ada.post(f"/api/interactive-sessions/{opened.json()['payload']['interactive_session_id']}/discard")


def test_a_version_that_nothing_stands_for_is_unknown(ada):
    answer = ada.post("/api/commands", json=asking("0.8", "noop"))
    assert answer.status_code == 404
    assert "There is version 1." in answer.json()["error"]["message"]


def test_what_one_may_not_see_stands_for_nothing(practice, person, group):
    practice.change(restricted_to=[group])
    messages = [
        person().post("/api/commands", json=asking(version, "noop")).json()["error"]["message"]
        for version in ("0.9", "0.8")
    ]
    assert messages[0] == messages[1].replace("0.8", "0.9")


def test_an_output_cif_is_seen_among_the_parameters_and_can_be_named(ada, do):
    (read,) = [
        command
        for application in ada.get("/api/applications").json()["payload"]["applications"]
        for command in application["commands"]
        if command["name"] == "read"
    ]
    assert read["parameters"]["written"]["dtype"] == "QCrBox.output_cif"
    assert read["parameters"]["written"]["required"] is False
    file_id = do.file_id(do.upload(ada))
    body = asking("1", structure_path={"data_file_id": file_id}, output_cif_name="wished.cif")
    answer = ada.post("/api/commands", json=body)
    assert answer.status_code == 201, answer.text
    shown = do.ended(ada, answer.json()["payload"]["calculation_id"])["command_arguments"]
    assert shown == {"structure": {"data_file_id": file_id}, "table": None, "written": "wished.cif"}


@pytest.fixture
def not_installed(registry):
    """`not_installed(noop="…")`: the launcher reports what is missing for each command; "" stands for all of them."""

    def report(**texts):
        identity = {"slug": "practice", "version": "1"}
        registry.launcher.missing = [
            {**identity, "command": "" if command == "every" else command, "text": text}
            for command, text in texts.items()
        ]
        registry.serving.do(registry.launcher.tell_ready())

    yield report
    report()


def read_application(client):
    return client.get("/api/applications").json()["payload"]["applications"][0]


def until(wanted, seconds=60.0):
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.05)


def test_what_is_not_installed_is_said_of_its_command(ada, not_installed):
    not_installed(noop="practice2 is not installed on this machine.")

    def texts():
        return {each["name"]: each["missing"] for each in read_application(ada)["commands"]}

    until(lambda: texts()["noop"])
    assert texts()["noop"] == "practice2 is not installed on this machine."
    assert not any(text for name, text in texts().items() if name != "noop")
    assert read_application(ada)["missing"] == ""  # its other commands can be run
    listed = ada.get("/api/commands").json()["payload"]["commands"]
    noop = next(each for each in listed if each["name"] == "noop")
    assert noop["missing"] == texts()["noop"]
    single = ada.get(f"/api/commands/{noop['id']}").json()["payload"]["commands"][0]
    assert single["missing"] == texts()["noop"]


def test_an_application_of_which_nothing_can_run_says_so_until_it_is_installed(ada, not_installed):
    not_installed(every="practice 1 has no approved image.")
    until(lambda: read_application(ada)["missing"])
    shown = read_application(ada)
    assert shown["missing"] == "practice 1 has no approved image."
    assert {each["missing"] for each in shown["commands"]} == {shown["missing"]}
    not_installed()
    until(lambda: not read_application(ada)["missing"])


def test_what_is_not_installed_is_refused_and_its_neighbours_are_not(ada, do, not_installed):
    not_installed(noop="practice2 is not installed on this machine.")
    until(lambda: any(each["missing"] for each in read_application(ada)["commands"]))
    body = {"application_slug": "practice", "application_version": "1", "command_arguments": {}}
    refused = ada.post("/api/commands", json={**body, "command_name": "noop"})
    assert refused.status_code == 409
    assert "practice2 is not installed" in str(refused.json()["error"])
    mixed = [{**body, "command_name": name} for name in ("fail", "noop")]
    assert ada.post("/api/commands/batch", json={"commands": mixed}).status_code == 409
    assert do.submit(ada, "fail")
    not_installed()
    until(lambda: not any(each["missing"] for each in read_application(ada)["commands"]))
    assert do.submit(ada, "noop")
