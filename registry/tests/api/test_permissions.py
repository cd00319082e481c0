"""Every cell of docs/permissions.md by a request to a running registry: every route, for every kind of caller.

The expected answers come from the table in `api.permissions`; the table of rights itself is held cell by cell in
`access/test_table.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from qcrbox_registry.api import permissions
from qcrbox_registry.api.permissions import CALLERS, PERMISSIONS, WEBSOCKET, answer
from qcrbox_registry.messaging.tokens import FilesToken, sign
from qcrbox_registry.store import transitions
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

# The answers do not depend on the database.
pytestmark = [pytest.mark.attack(1), pytest.mark.parametrize("registry", ["sqlite"], indirect=True)]
PAGE = Path(__file__).parents[3] / "docs" / "permissions.md"
ROLES = {
    "owner": [],
    "same group": [],
    "other group": [],
    "manager": ["manage!group={group}"],
    "data manager": ["data!group={group}"],
    "lecturer": ["teach!group={group}"],
    "application admin": ["applications"],
    "administrator": ["admin"],
    "shared with": [],
}
IN_GROUP = ("owner", "same group", "manager", "data manager", "lecturer")
ATOMS = (
    b"data_a\n_cell_length_a 9\n_cell_length_b 9\n_cell_length_c 9\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
    b"_cell_angle_gamma 90\n_space_group_name_H-M_alt 'P 1'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n"
    b"_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nC1 C 0.1 0.2 0.3\nO1 O 0.2 0.2 0.3\n"
)
NOTEBOOK = (
    '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "raw", "source": "x"}]}'
)
BYTES = {"content-type": "application/offset+octet-stream", "upload-offset": "0"}
CODES = {4401: "401", 4403: "403", 4404: "404", 4409: "yes"}


def test_every_route_has_a_row_and_every_row_a_route(registry):
    assert set(permissions.routes()) == set(PERMISSIONS)


def test_the_page_is_the_one_that_the_code_makes(registry):
    assert PAGE.read_text() == permissions.page(), "run: python tools/permissions_page.py"


def test_every_object_and_action_of_a_row_is_in_the_table_of_rights(registry):
    for permission in PERMISSIONS.values():
        if permission.door == "object":
            assert permission.action in permissions.RULES[permission.kind]


_hours = itertools.count(1)


def booking():
    """A booking of a time that no other one of this file has."""
    begins = datetime.now(UTC) + timedelta(hours=2 * next(_hours))
    ends = begins + timedelta(hours=1)
    return {
        "starts_at": begins.isoformat(),
        "ends_at": ends.isoformat(),
        "students": 2,
        "places": 1,
        "applications": ["practice"],
    }


class Site:
    """Callers with their tokens, and new objects of the owner in their group for each request."""

    def __init__(self, registry, do):
        self.registry, self.do = registry, do
        self._made, self._clients = {}, {}
        self.group, self.foreign = f"g{uuid.uuid4().hex[:8]}", f"f{uuid.uuid4().hex[:8]}"
        self.tokens = {}
        for caller, scopes in ROLES.items():
            groups = [self.group] if caller in IN_GROUP else [self.foreign]
            named = [f"custom:qcrbox:{scope.format(group=self.group)}" for scope in scopes]
            self.tokens[caller] = registry.hub.add(f"{caller} {self.group}", *named, groups=tuple(groups))
        self.tokens["narrow token"] = registry.hub.add(f"narrow {self.group}", access=False)
        for gone in ("expired token", "revoked token"):
            self.tokens[gone] = registry.hub.add(f"{gone} {self.group}")
            client = self.client(gone)
            assert client.get("/api/me").status_code == 200  # it was good once
            del registry.hub.users[self.tokens[gone]]
        registry.context.identity._cache.clear()
        self.owner, self.admin = self.client("owner"), self.client("administrator")
        self.lecturer = self.client("lecturer")
        for caller in ROLES:
            assert self.client(caller).get("/api/me").status_code == 200
        self.application = self.owner.get("/api/applications").json()["payload"]["applications"][0]
        self._hold("hold")
        self.calculation_with_agent = self._handed_out()

    def _hold(self, mode):
        """Calculations must wait, so that every request meets the same state."""
        path = f"/api/applications/{self.application['id']}/hold"
        assert self.admin.post(path, json={"mode": mode, "reason": "a test"}).status_code == 200

    def close(self):
        self._hold(None)
        # Those of the cells are for all groups: they would take the datasets of other files' tests.
        for rule in self.admin.get("/api/retention/rules").json()["payload"]["rules"]:
            path = f"/api/retention/rules/{rule['id']}"
            self.admin.delete(path, params={"reason": "test is over"}).raise_for_status()
        for client in self._clients.values():
            client.close()

    def client(self, caller):
        """One for all requests of a caller: a client and a connection for each would take longer than most answers."""
        if caller not in self._clients:
            self._clients[caller] = self.registry.client(self.tokens.get(caller))
        return self._clients[caller]

    # ------------------------------------------------------------ objects

    def dataset(self):
        made = self.do.upload(self.owner, group=self.group)
        self._share("dataset", made["qcrbox_dataset_id"])
        return made

    def data_file(self):
        # With atoms: it can be drawn.
        made = self.owner.post(
            "/api/data-files", files={"file": ("a.cif", ATOMS)}, data={"group": self.group}
        )
        file_id = made.json()["payload"]["data_files"][0]["qcrbox_file_id"]
        self._share("data_file", file_id)
        return file_id

    def _share(self, kind, object_id):
        body = {"kind": kind, "object_id": object_id, "person": f"shared with {self.group}"}
        made = self.owner.post("/api/shares", json=body)
        assert made.status_code == 201, made.text
        return made.json()["payload"]["shares"][0]["id"]

    def share(self):
        return self._share("dataset", self.do.upload(self.owner, group=self.group)["qcrbox_dataset_id"])

    def submitted(self, path="/api/commands", **more):
        """A calculation that waits: its application is held."""
        body = {
            "application_slug": "practice",
            "application_version": "1",
            "group": self.group,
            **more,
        }
        made = self.owner.post(path, json=body)
        assert made.status_code == 201, made.text
        return next(iter(made.json()["payload"].values()))

    def calculation(self):
        made = self.submitted(command_name="noop", command_arguments={})
        self._share("calculation", made)
        return made

    def session(self):
        return self.submitted("/api/interactive-sessions")

    def upload(self):
        body = {"filename": "a.txt", "size": 10, "group": self.group}
        return self.owner.post("/api/uploads", json=body).json()["payload"]["upload_id"]

    def course(self):
        """The course of the group: there is one."""
        if not hasattr(self, "_course"):
            body = {"group": self.group, "title": "A course"}
            self._course = self.lecturer.post("/api/courses", json=body).json()["payload"]["id"]
        return self._course

    def item(self):
        made = self.lecturer.post(f"/api/courses/{self.course()}/shelf", json=self._shelved())
        assert made.status_code == 201, made.text
        return made.json()["payload"]["id"]

    def _shelved(self):
        """A file that everybody of the group may read, so that only the right to the course decides."""
        return {"data_file_id": self.data_file(), "title": "A script"}

    def booking(self):
        made = self.lecturer.post(f"/api/courses/{self.course()}/bookings", json=booking())
        assert made.status_code == 201, made.text
        return made.json()["payload"]["id"]

    def exercise(self):
        """A published exercise that the owner has opened, with a draft and a calculation that waits."""
        body = {
            "title": "An exercise",
            "tasks": [{"id": "why", "title": "Why?", "kind": "answer"}],
            "notebook": NOTEBOOK,
            "notebook_name": "start.ipynb",
        }
        made = self.lecturer.post(f"/api/courses/{self.course()}/exercises", json=body)
        assert made.status_code == 201, made.text
        exercise = made.json()["payload"]["id"]
        dates = {"published": True, "due_at": "2999-01-01T00:00:00Z"}
        assert self.lecturer.patch(f"/api/exercises/{exercise}", json=dates).status_code == 200
        for caller in ("owner", "same group", "manager", "data manager", "lecturer", "administrator"):
            assert self.client(caller).post(f"/api/exercises/{exercise}/open").status_code == 200
        kept = self.owner.put(
            f"/api/exercises/{exercise}/draft",
            content=NOTEBOOK,
            headers={"content-type": "application/x-ipynb+json"},
        )
        assert kept.status_code == 200, kept.text
        return exercise

    def snapshot(self):
        beside = {"files": [{"filename": "start.ipynb", "content": ""}]}
        made = self.owner.post(f"/api/exercises/{self.exercise()}/submit", json=beside)
        assert made.status_code == 201, made.text
        return made.json()["payload"]["id"]

    def deleted(self, kind):
        path = "datasets" if kind == "dataset" else "data-files"
        object_id = self.dataset()["qcrbox_dataset_id"] if kind == "dataset" else self.data_file()
        assert self.owner.delete(f"/api/{path}/{object_id}").status_code == 204
        return object_id

    def _handed_out(self):
        """A calculation with an agent, for the routes of agents."""
        file_id = self.do.file_id(self.dataset())
        made = self.submitted(command_name="read", command_arguments={"structure": {"data_file_id": file_id}})
        self.input_id = file_id

        def assign(conn):
            ledger = transitions.Ledger(conn, [made])
            attempt = ledger.assign(made, "agent-of-the-test")
            ledger.close()
            return attempt

        self.registry.context.scheduler.state.backlog.remove(made)
        claims = FilesToken(
            calculation_id=made, attempt=self.registry.write(assign), expires=time.time() + 3600
        )
        self.tokens["agent"] = sign(self.registry.context.signing_key, "files", claims)
        return made

    # ------------------------------------------------------------ requests

    def request(self, method, path, *, fresh):
        """(path, arguments of httpx) of a correct request to a route; `fresh`: about a new object."""
        body = self._bodies().get((method, path))
        return self._filled(path, fresh=fresh), body() if body else {}

    def _filled(self, path, *, fresh):
        restores = path.endswith("/restore")
        values = {
            "{command_id}": lambda: self.application["commands"][0]["id"],
            "{application_id}": lambda: self.application["id"],
            "{calculation_id}": lambda: (
                self.calculation_with_agent if path.startswith("/internal") else self.calculation()
            ),
            "{dataset_id}": lambda: (
                self.deleted("dataset") if restores else self.dataset()["qcrbox_dataset_id"]
            ),
            "{file_id}": lambda: (
                self.input_id
                if path.startswith("/internal")
                else self.deleted("data_file")
                if restores
                else self.data_file()
            ),
            "{upload_id}": self.upload,
            "{share_id}": self.share,
            "{project_id}": lambda: "no-such-project",
            "{kind}/{object_id}": lambda: f"dataset/{self.dataset()['qcrbox_dataset_id']}",
            "{session_id}": self.session,
            "{tunnel_id}": lambda: "no-such-tunnel",
            "{agent_id}": lambda: "no-such-agent",
            "{decision_id}": lambda: "no-such-decision",
            "{booking_id}": self.booking,
            "{item_id}": self.item,
            "{course_id}": self.course,
            "{exercise_id}": self.exercise,
            "{snapshot_id}": self.snapshot,
            "{task_id}": lambda: "why",
            "{filename}": lambda: "start.ipynb",
            "{student}": lambda: f"owner {self.group}",
            "{pass_id}": lambda: "no-such-pass",
            "{rule_id}": lambda: 999_999_999,
            "{name}": lambda: "start.js",
        }
        for mark, make in values.items():
            if mark not in path:
                continue
            key = (mark, restores, path.startswith("/internal"))
            if not fresh and key not in self._made:
                self._made[key] = make()
            path = path.replace(mark, str(make() if fresh else self._made[key]))
        return path

    def _bodies(self):
        command = {
            "application_slug": "practice",
            "application_version": "1",
            "command_name": "noop",
            "command_arguments": {},
        }
        upload = {"files": {"file": ("b.txt", b"y")}}
        return {
            ("PATCH", "/api/applications/{application_id}"): lambda: {"json": {"warm": 0}},
            ("POST", "/api/applications/{application_id}/hold"): lambda: {
                "json": {"mode": "hold", "reason": "x"}
            },
            ("POST", "/api/commands"): lambda: {"json": command},
            ("POST", "/api/commands/batch"): lambda: {"json": {"commands": [command]}},
            ("PATCH", "/api/calculations/{calculation_id}"): lambda: {"json": {"tags": ["a"]}},
            ("POST", "/api/calculations/{calculation_id}/priority"): lambda: {"json": {"priority": 1}},
            ("POST", "/api/calculations/stop"): lambda: {"json": {"calculation_ids": [self.calculation()]}},
            ("POST", "/api/datasets"): lambda: upload,
            ("PATCH", "/api/datasets/{dataset_id}"): lambda: {"json": {"name": "new"}},
            ("POST", "/api/datasets/{dataset_id}/append"): lambda: upload,
            ("POST", "/api/datasets/{dataset_id}/attach"): lambda: {
                "json": {"data_file_id": self.data_file()}
            },
            ("POST", "/api/data-files"): lambda: upload,
            ("PATCH", "/api/data-files/{file_id}"): lambda: {"json": {"filename": "new.txt"}},
            ("POST", "/api/trash/empty"): lambda: {"json": {"older_than_days": 30.0}},
            ("POST", "/api/retention"): lambda: {"json": {"unused_days": 30.0}},
            **{
                ("DELETE", path): lambda: {"params": {"reason": "a test"}}
                for path in (
                    "/api/applications/{application_id}",
                    "/api/agents/{agent_id}",
                    "/api/launchers/passes/{pass_id}",
                    "/api/retention/rules/{rule_id}",
                )
            },
            ("POST", "/api/launchers/join"): lambda: {"json": {"code": "no-such-code"}},
            ("POST", "/api/retention/rules"): lambda: {"json": {"unused_days": 30.0, "reason": "full"}},
            ("POST", "/api/launchers/passes"): lambda: {"json": {"launcher": "gpu-of-the-cells"}},
            ("POST", "/api/uploads"): lambda: {"json": {"filename": "a", "size": 3}},
            ("PATCH", "/api/uploads/{upload_id}"): lambda: {"content": b"123", "headers": BYTES},
            ("POST", "/api/shares"): lambda: {
                "json": {
                    "kind": "dataset",
                    "object_id": self.dataset()["qcrbox_dataset_id"],
                    "person": f"shared with {self.group}",
                }
            },
            ("POST", "/api/interactive-sessions"): lambda: {
                "json": {"application_slug": "practice", "application_version": "1"}
            },
            ("POST", "/api/interactive-sessions/{session_id}/close"): lambda: {"json": {"keep": True}},
            ("PATCH", "/api/interactive-sessions/{session_id}"): lambda: {
                "json": {"view_only_allowed": True}
            },
            ("POST", "/api/courses"): lambda: {"json": {"group": f"new{uuid.uuid4().hex[:8]}", "title": "x"}},
            ("PATCH", "/api/courses/{course_id}"): lambda: {"json": {"title": "A course"}},
            ("POST", "/api/courses/{course_id}/copy"): lambda: {
                "json": {"group": f"new{uuid.uuid4().hex[:8]}", "title": "x"}
            },
            ("POST", "/api/courses/{course_id}/shelf"): lambda: {"json": self._shelved()},
            ("POST", "/api/courses/{course_id}/bookings"): lambda: {"json": booking()},
            ("POST", "/api/courses/{course_id}/exercises"): lambda: {"json": {"title": "x"}},
            ("PATCH", "/api/exercises/{exercise_id}"): lambda: {"json": {"published": True}},
            ("POST", "/api/exercises/{exercise_id}/versions"): lambda: {"json": {"title": "x"}},
            ("PUT", "/api/exercises/{exercise_id}/answers/{task_id}"): lambda: {"json": {"value": "x"}},
            ("PUT", "/api/exercises/{exercise_id}/draft"): lambda: {
                "content": NOTEBOOK,
                "headers": {"content-type": "application/x-ipynb+json"},
            },
            ("POST", "/api/exercises/{exercise_id}/notes"): lambda: {"json": {"text": "x"}},
            ("PUT", "/api/exercises/{exercise_id}/extension"): lambda: {
                "json": {"student": f"owner {self.group}", "until": "2999-02-01T00:00:00Z"}
            },
            ("PUT", "/api/exercises/{exercise_id}/marks"): lambda: {
                "json": {"student": f"owner {self.group}", "task_id": "why", "points": 1.0}
            },
            ("POST", "/api/exercises/{exercise_id}/release"): lambda: {"json": {"released": True}},
            ("PUT", "/api/quotas"): lambda: {
                "json": {
                    "subject": "person",
                    "name": f"owner {self.group}",
                    "quota": "queued",
                    "limit": 1e6,
                }
            },
            ("PATCH", "/api/annotations/{kind}/{object_id}"): lambda: {"json": {"note": "n"}},
            ("PUT", "/api/holds"): lambda: {"json": {"kind": "site"}},
            ("POST", "/api/leftovers"): lambda: {
                "json": {"subject": "person", "id": 1, "decision": "archive", "reason": "a test"}
            },
            ("PUT", "/internal/calculations/{calculation_id}/outputs"): lambda: {
                "params": {"filename": "o.txt", "sha256": "0" * 64},
                "content": b"z",
            },
        }

    def send(self, caller, method, path, *, fresh):
        """yes, or the status of the refusal."""
        address, arguments = self.request(method, path, fresh=fresh)
        if method == WEBSOCKET:
            return self._connect(caller, address)
        with self.client(caller).stream(method, address, **arguments) as response:
            status = response.status_code
        if (method, path) == ("DELETE", "/api/applications/{application_id}") and status == 204:
            self.admin.post(f"{address}/restore").raise_for_status()
        # What an allowed request may meet besides success: a conflict, another hash.
        return str(status) if status in (401, 403, 404) else "yes"

    def _connect(self, caller, address):
        token = self.tokens.get(caller)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        url = self.registry.url.replace("http", "ws") + address
        with connect(url, additional_headers=headers, proxy=None) as socket:
            with contextlib.suppress(ConnectionClosed):
                list(socket)  # until the registry closes it
            return CODES.get(socket.close_code, f"closed with {socket.close_code}")


@pytest.fixture(scope="module")
def site(registry, do):
    made = Site(registry, do)
    yield made
    made.close()


NO_SUCH_OBJECT = {  # allowed, and then there is no object of this name
    ("GET", "/api/projects/{project_id}"),  # whose rights are those of what it holds
    ("DELETE", "/api/agents/{agent_id}"),
    ("DELETE", "/api/launchers/passes/{pass_id}"),
    ("POST", "/api/launchers/join"),
    ("DELETE", "/api/retention/rules/{rule_id}"),
    ("POST", "/api/leftovers"),
    ("POST", "/api/leftovers/decisions/{decision_id}/undo"),
    (WEBSOCKET, "/internal/calculations/{calculation_id}/tunnel/{tunnel_id}"),
    ("GET", "/internal/calculations/{calculation_id}/checkpoint"),
}
ELSEWHERE = {  # the sign-in itself, in test_identity.py
    ("GET", "/login"),
    ("GET", "/oauth_callback"),
    ("GET", "/docs"),
}
CELLS = [
    pytest.param(caller, *route, id=f"{route[0]} {route[1]} {caller}")
    for route, caller in itertools.product(PERMISSIONS, CALLERS)
    if route not in ELSEWHERE
]


@pytest.mark.parametrize(("caller", "method", "path"), CELLS)
def test_cell(site, caller, method, path):
    expected = answer(PERMISSIONS[method, path], caller)
    changes = expected == "yes" and method not in ("GET", "HEAD", WEBSOCKET)
    found = site.send(caller, method, path, fresh=changes)
    if expected == "yes" and (method, path) in NO_SUCH_OBJECT:
        expected = "404"
    assert found == expected
