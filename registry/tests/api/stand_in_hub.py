"""The little of JupyterHub's API that the registry asks: who a token is, when an account was made, OAuth codes.

Persons, tokens and scopes are plain data that a test may change at any moment.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ACCESS = "access:services!service=qcrbox"
USE = "custom:qcrbox:use"


class StandInHub:
    def __init__(self, service_token: str) -> None:
        self.service_token = service_token
        self.users: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, str] = {}
        self.deleted_groups: set[str] = set()
        self.asked = 0
        self.asked_about: Counter[str] = Counter()
        self.is_down = False
        self.app = Starlette(
            routes=[
                Route("/hub/api/user", self._who),
                Route("/hub/api/users", self._list),
                Route("/hub/api/groups", self._list),
                Route("/hub/api/users/{name}", self._about),
                Route("/hub/api/qcrbox/groups/{name}/members", self._members),
                Route("/hub/api/oauth2/token", self._exchange, methods=["POST"]),
            ]
        )

    def add(
        self,
        name: str,
        *scopes: str,
        groups: tuple[str, ...] = (),
        created: str = "",
        access: bool = True,
        token: str = "",
    ) -> str:
        """Add a person and return their token. `created`: when the account was made; by default each name has a time of its own.

        Where two accounts have one time, the registry asks the hub at each new person whether an account was renamed.
        """
        created = created or f"2026-01-01T00:00:00.{zlib.crc32(name.encode()):010d}Z"
        all_scopes = [*([ACCESS, USE] if access else []), *scopes]
        token = token or f"token-{name}"
        self.users[token] = {
            "kind": "user", "name": name, "groups": list(groups), "scopes": all_scopes, "admin": False, "created_at_hub": created,
        }  # fmt: skip
        return token

    @staticmethod
    def _token(request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("token ").strip()

    async def _who(self, request: Request) -> JSONResponse:
        self.asked += 1
        self.asked_about[self._token(request)] += 1
        if self.is_down:
            return JSONResponse({"message": "down"}, 503)
        user = self.users.get(self._token(request))
        if user is None:
            return JSONResponse({"message": "Forbidden"}, 403)
        return JSONResponse({key: value for key, value in user.items() if key != "created_at_hub"})

    async def _about(self, request: Request) -> JSONResponse:
        if self._token(request) != self.service_token:
            return JSONResponse({"message": "Forbidden"}, 403)
        for user in self.users.values():
            if user["name"] == request.path_params["name"]:
                return JSONResponse({"name": user["name"], "created": user["created_at_hub"]})
        return JSONResponse({"message": "Not Found"}, 404)

    def groups(self) -> list[str]:
        """Every group that somebody is in or has a role for, without those that were deleted."""
        found = {group for user in self.users.values() for group in user["groups"]}
        scopes = (scope for user in self.users.values() for scope in user["scopes"])
        found |= {scope.partition("!group=")[2] for scope in scopes if "!group=" in scope}
        return sorted(found - self.deleted_groups)

    def delete_group(self, name: str) -> None:
        self.deleted_groups.add(name)
        for user in self.users.values():
            user["groups"] = [group for group in user["groups"] if group != name]
            user["scopes"] = [scope for scope in user["scopes"] if not scope.endswith(f"!group={name}")]

    async def _list(self, request: Request) -> JSONResponse:
        """Users or groups, page by page."""
        if self.is_down:
            return JSONResponse({"message": "down"}, 503)
        if self._token(request) != self.service_token:
            return JSONResponse({"message": "Forbidden"}, 403)
        if request.url.path.endswith("/groups"):
            items: list[dict[str, Any]] = [{"kind": "group", "name": name} for name in self.groups()]
        else:
            items = [{"name": u["name"], "created": u["created_at_hub"]} for u in self.users.values()]
        offset, limit = int(request.query_params["offset"]), int(request.query_params["limit"])
        after = {"offset": offset + limit} if offset + limit < len(items) else None
        return JSONResponse({"items": items[offset : offset + limit], "_pagination": {"next": after}})

    async def _members(self, request: Request) -> JSONResponse:
        """The members of a group with their roles for it."""
        if self._token(request) != self.service_token:
            return JSONResponse({"message": "Forbidden"}, 403)
        name = request.path_params["name"]
        kinds = {"manage": "manager", "teach": "lecturer", "data": "data_manager"}
        members = [
            {
                "name": user["name"],
                "created": user["created_at_hub"],
                "roles": [
                    kind
                    for scope, kind in kinds.items()
                    if f"custom:qcrbox:{scope}!group={name}" in user["scopes"]
                ],
            }
            for user in self.users.values()
            if name in user["groups"]
        ]
        return JSONResponse({"members": members})

    async def _exchange(self, request: Request) -> JSONResponse:
        form = await request.form()
        token = self.codes.pop(str(form.get("code")), None)
        if token is None or form.get("client_secret") != self.service_token:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": token, "token_type": "Bearer"})
