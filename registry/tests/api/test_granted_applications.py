"""16. An application that is for some groups only is not there for anybody else, on whatever way it is asked for."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store.tables import applications as table

pytestmark = pytest.mark.attack(16)


@pytest.fixture
def restricted(registry, person, group):
    """The practice application, for one group only."""

    def set_to(groups):
        registry.write(
            lambda conn: conn.execute(sa.update(table).values(restricted_to=groups if groups else sa.null()))
        )
        registry.serving.do(registry.context.reload())

    person(groups=[group]).get("/api/me")  # so that the group is known
    set_to([group])
    yield group
    set_to(None)


def body(**more):
    return {"application_slug": "practice", "application_version": "1", "command_arguments": {}, **more}


def test_it_is_neither_listed_nor_run_nor_opened(restricted, person):
    stranger = person()
    assert stranger.get("/api/applications").json()["payload"]["applications"] == []
    assert stranger.get("/api/commands").json()["payload"]["commands"] == []
    single = stranger.post("/api/commands", json=body(command_name="noop"))
    batch = stranger.post("/api/commands/batch", json={"commands": [body(command_name="noop")]})
    session = stranger.post("/api/interactive-sessions", json=body())
    assert [single.status_code, batch.status_code, session.status_code] == [404, 404, 404]
    nothing = stranger.post(
        "/api/commands", json={**body(command_name="noop"), "application_slug": "nothing"}
    )
    assert nothing.json()["error"]["message"] == single.json()["error"]["message"].replace(
        "practice", "nothing"
    )


def test_naming_the_group_does_not_help(restricted, person):
    stranger = person()
    answer = stranger.post("/api/commands", json=body(command_name="noop", group=restricted))
    assert answer.status_code in (400, 404)
    assert stranger.get("/api/calculations").json()["payload"]["calculations"] == []


def test_a_member_of_the_group_runs_it(restricted, person, do):
    member = person(groups=[restricted])
    assert do.ended(member, do.submit(member))["status"] == "successful"


def test_one_command_by_its_number_is_hidden_too(restricted, registry, person):
    member, stranger = person(groups=[restricted]), person()
    (first, *_) = member.get("/api/commands").json()["payload"]["commands"]
    assert member.get(f"/api/commands/{first['id']}").status_code == 200
    assert stranger.get(f"/api/commands/{first['id']}").status_code == 404
    assert stranger.get(f"/api/applications/{first['application_id']}").status_code in (404, 405)
