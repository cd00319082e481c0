"""Launchers join by a code, connect to NATS with what they got for it, and are cut off when it is revoked."""

from __future__ import annotations

import asyncio
import uuid

import nats
import pytest
from qcrbox_registry.messaging.tokens import LauncherToken, read_launcher

PASSES = "/api/launchers/passes"


@pytest.fixture
def name():
    return f"gpu-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def root(person):
    return person("applications")


def invite(client, name, **more):
    return client.post(PASSES, json={"launcher": name, **more})


def join(registry, code):
    with registry.client() as stranger:
        return stranger.post("/api/launchers/join", json={"code": code})


async def connects(url, token, name):
    """Whether NATS lets this token in, and what it answers to a subject of another launcher."""
    refused = []

    async def on_error(error):
        refused.append(str(error))

    connection = await nats.connect(
        url,
        token=token,
        allow_reconnect=False,
        connect_timeout=5,
        error_cb=on_error,
        inbox_prefix=f"_INBOX_launcher-{name}".encode(),
    )
    try:
        await connection.subscribe(f"launchers.{name}.list")
        await connection.flush()
        assert not refused, refused
        await connection.subscribe("launchers.local.list")
        await connection.publish("launchers.local.stop", b"{}")
        await connection.flush()
        await asyncio.sleep(0.2)
        return refused
    finally:
        await connection.close()


@pytest.mark.attack(21)
def test_launcher_joins_connects_and_hears_its_own_subjects_alone(registry, root, name):
    made = invite(root, name)
    assert made.status_code == 201, made.text
    code = made.json()["payload"]["code"]
    answer = join(registry, code.upper().replace("-", " "))
    assert answer.status_code == 200, answer.text
    given = answer.json()["payload"]
    assert given["launcher"] == name
    refused = registry.serving.do(connects(given["nats_url"], given["token"], name))
    assert len(refused) == 2, refused
    assert all("permissions violation" in each.lower() for each in refused)
    assert join(registry, code).status_code == 404, "a code works once"
    shown = next(each for each in root.get(PASSES).json()["payload"]["passes"] if each["launcher"] == name)
    assert (shown["state"], shown["by"]) == ("joined", root.name)
    assert code not in root.get(PASSES).text


@pytest.mark.attack(21)
def test_revoked_launcher_is_not_let_in(registry, root, name):
    made = invite(root, name).json()["payload"]
    given = join(registry, made["code"]).json()["payload"]
    path = f"{PASSES}/{made['launcher_pass']['id']}"
    assert root.delete(path).status_code == 422
    assert root.delete(path, params={"reason": "machine was stolen"}).status_code == 204
    with pytest.raises(nats.errors.Error):
        registry.serving.do(connects(given["nats_url"], given["token"], name))


@pytest.mark.attack(6)
def test_code_of_a_withdrawn_pass_opens_nothing(registry, root, name):
    made = invite(root, name).json()["payload"]
    root.delete(f"{PASSES}/{made['launcher_pass']['id']}", params={"reason": "typed the wrong name"})
    assert join(registry, made["code"]).status_code == 404


@pytest.mark.parametrize(
    "launcher", ["", "UPPER", "a.b", "a b", "*", "x" * 60, "-a", "\u202egpu", "<b>", "launcher>"]
)
def test_name_that_could_be_a_wildcard_is_refused(root, launcher):
    assert invite(root, launcher).status_code in (400, 422)


def test_name_of_a_launcher_with_a_seed_is_refused(root):
    assert invite(root, "local").status_code == 409


@pytest.mark.parametrize("minutes", [0, -1, 1e9])
def test_code_is_short_lived(root, name, minutes):
    assert invite(root, name, minutes=minutes).status_code in (400, 422)


def test_codes_are_the_application_administrators(person, group, name):
    for other in (person(groups=[group]), person(f"manage!group={group}", groups=[group])):
        assert invite(other, name).status_code in (403, 404)
        assert other.get(PASSES).status_code in (403, 404)
        assert other.delete(f"{PASSES}/x", params={"reason": "x"}).status_code in (403, 404)


def test_making_using_and_revoking_are_audited(registry, root, person, name):
    made = invite(root, name).json()["payload"]
    join(registry, made["code"])
    root.delete(f"{PASSES}/{made['launcher_pass']['id']}", params={"reason": "moved"})
    trail = person("admin").get("/api/audit", params={"object_id": name})
    assert {each["action"] for each in trail.json()["payload"]["audit"]} >= {
        "make launcher code",
        "join",
        "revoke launcher",
    }
    assert made["code"] not in trail.text


def test_token_of_another_purpose_is_no_launcher(registry, file_token):
    with pytest.raises(Exception, match="not made by this registry"):
        read_launcher(registry.context.signing_key, file_token("c", 1))
    assert LauncherToken.model_fields["launcher"].metadata, "a pattern keeps wildcards out of subjects"
