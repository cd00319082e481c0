"""Launchers that join with a code: shown once, used once, within its time, ended when it is revoked."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, ReasonNeeded
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.services.launchers import Invited, LauncherService, digest


@pytest.fixture
def clock():
    return [1_000_000.0]


@pytest.fixture
def service(context, clock):
    return LauncherService(context, lambda: clock[0])


@pytest.fixture
def root(actor):
    return actor("ada", application_admin=True)


async def test_a_code_lets_one_launcher_in_once(service, root, clock):
    made = await service.invite(root, Invited("lab-pc", 30))
    assert made["launcher_pass"]["joined_at"] is None
    clock[0] += 60
    joined = await service.join(made["code"], "10.0.0.7")
    assert (joined["launcher"], joined["nats_url"]) == ("lab-pc", "nats://127.0.0.1:1")
    with pytest.raises(NotFound):
        await service.join(made["code"], "10.0.0.8")
    (shown,) = await service.passes(root)
    assert (shown["address"], shown["by"], shown["revoked_at"]) == ("10.0.0.7", "ada", None)
    assert "code" not in shown


async def test_a_code_ends_with_its_time(service, root, clock):
    made = await service.invite(root, Invited("lab-pc", 30))
    clock[0] += 30 * 60 + 1
    with pytest.raises(NotFound):
        await service.join(made["code"], "")


async def test_a_revoked_pass_lets_nobody_in(service, root):
    made = await service.invite(root, Invited("lab-pc", 30))
    with pytest.raises(ReasonNeeded):
        await service.revoke(root, made["launcher_pass"]["id"], " ")
    await service.revoke(root, made["launcher_pass"]["id"], "the machine was sold")
    with pytest.raises(NotFound):
        await service.join(made["code"], "")
    with pytest.raises(NotFound):
        await service.revoke(root, "none", "x")


@pytest.mark.attack(1)
@pytest.mark.parametrize("code", ["", " ", "----", "x", "a" * 10_000, "' OR 1=1 --", "abcd-efgh-jkmn-pqrs"])
async def test_a_guessed_code_lets_nobody_in(service, root, code):
    await service.invite(root, Invited("lab-pc", 30))
    with pytest.raises(NotFound):
        await service.join(code, "")


async def test_a_code_is_typed_in_any_case_and_with_or_without_dashes(service, root):
    made = await service.invite(root, Invited("lab-pc", 30))
    assert (await service.join(f" {made['code'].upper().replace('-', ' ')} ", ""))["launcher"] == "lab-pc"
    assert digest("ABCD-efgh") == digest("abcdefgh") == digest(" ab cd-EF-GH")
    assert digest("abcdefgh") != digest("abcdefgj")


async def test_a_name_is_used_once(context, service, root):
    await service.invite(root, Invited("lab-pc", 30))
    with pytest.raises(Conflict):
        await service.invite(root, Invited("lab-pc", 30))
    Secrets(context.settings.data).user("launcher-local")
    with pytest.raises(Conflict, match="local has a seed"):
        await service.invite(root, Invited("local", 30))


@pytest.mark.attack(1)
@pytest.mark.parametrize("more", [{}, {"manages": ["crystals"]}, {"curates": ["crystals"]}])
async def test_only_administrators_let_launchers_in(service, actor, root, more):
    me = actor("bob", groups=["crystals"], **more)
    made = await service.invite(root, Invited("lab-pc", 30))
    for act in (
        service.passes(me),
        service.invite(me, Invited("mine", 30)),
        service.revoke(me, made["launcher_pass"]["id"], "x"),
    ):
        with pytest.raises((NotFound, NotAllowed)):
            await act
    assert (await service.join(made["code"], ""))["launcher"] == "lab-pc"


async def test_each_act_is_in_the_trail_and_the_code_is_not(service, root, trail, world):
    made = await service.invite(root, Invited("lab-pc", 30))
    await service.join(made["code"], "10.0.0.7")
    await service.revoke(root, made["launcher_pass"]["id"], "sold")
    acts = [each[:2] for each in await trail()]
    assert acts == [("ada", "make launcher code"), ("launcher lab-pc", "join"), ("ada", "revoke launcher")]
    text = world.ask(lambda conn: str(conn.exec_driver_sql("SELECT * FROM audit").all()))
    assert made["code"] not in text
    assert made["code"].replace("-", "") not in text
