"""A learning platform for tests: signs launches, gives tokens for signed requests, keeps columns and scores.

A browser comes to the tool by its page `/link`, which `/authorize` follows, as at a real platform.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
AGS = "https://purl.imsglobal.org/spec/lti-ags"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
CLIENT = "qcrbox-at-the-platform"
SCOPES = f"{AGS}/scope/lineitem {AGS}/scope/score"


class LearningPlatform:
    """Speaks LTI 1.3 and Assignment and Grade Services over HTTP on loopback.

    tool_keys: fetches the tool's key set. busy: so many of the next requests for marks get 503. refused: ids of people
    whose scores are refused. tool: address of the hub, for `/link`. people: who follows the link -> claims of theirs.
    """

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.tool_keys: Callable[[], dict[str, Any]] = lambda: {"keys": []}
        self.columns: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.used: set[str] = set()
        self.busy = 0
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.tool = ""
        self.people: dict[str, dict[str, Any]] = {}
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.answer(self)

            def do_POST(self) -> None:
                platform.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.token_url, self.line_items = f"{self.url}/token", f"{self.url}/courses/42/lineitems?type_id=3"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # ------------------------------------------------------------ HTTP

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        content = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path in ("/link", "/authorize"):
            self._page(request, path, {name: values[0] for name, values in query.items()})
            return
        if path != "/jwks":
            self.asked.append(f"{request.command} {path}")
        if path == "/jwks":
            found: tuple[int, Any] = 200, {"keys": [self._public()]}
        elif path == "/token":
            found = self._token(parse_qs(content.decode()))
        elif self.busy:
            self.busy -= 1
            found = 503, {"message": "Try later."}
        elif request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            found = 401, {"message": "No such token."}
        else:
            found = self._marks(request, path, query, content)
        _send(request, found[0], "application/json", json.dumps(found[1]))

    def _page(self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
        """A page whose form the browser sends at once: from the course to the tool, and with the signed launch."""
        if path == "/link":
            action = f"{self.tool}/hub/lti13/oauth_login"
            target = query.get("target", f"{self.tool}/hub/")
            fields = {
                "iss": self.url,
                "login_hint": query["who"],
                "target_link_uri": target,
                "client_id": CLIENT,
            }
        else:
            action = query["redirect_uri"]
            token = self.launch(query["nonce"], **self.people[query["login_hint"]])
            fields = {"id_token": token, "state": query["state"]}
        inputs = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in fields.items()
        )
        page = f'<!doctype html><title>Course</title><form method="post" action="{escape(action)}">{inputs}</form>'
        page += "<script>document.forms[0].submit()</script>"
        _send(request, 200, "text/html; charset=utf-8", page)

    def _public(self) -> dict[str, Any]:
        return {
            **jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True),
            "kid": "k1",
            "use": "sig",
        }

    def _token(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        """A token for a statement that the tool signed, that is for us, fresh and not used before."""
        try:
            given = form["client_assertion"][0]
            kid = jwt.get_unverified_header(given)["kid"]
            key = next(each for each in self.tool_keys()["keys"] if each["kid"] == kid)
            claims = jwt.decode(given, jwt.PyJWK(key), algorithms=["RS256"], audience=self.token_url)
            assert claims["iss"] == claims["sub"] == CLIENT
            assert claims["exp"] - claims["iat"] <= 600
            assert claims["jti"] not in self.used
            assert form["grant_type"] == ["client_credentials"]
            assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
            assert set(form["scope"][0].split()) == set(SCOPES.split())
        except (KeyError, StopIteration, AssertionError, jwt.PyJWTError) as error:
            return 400, {"error": "invalid_client", "error_description": repr(error)}
        self.used.add(claims["jti"])
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": SCOPES}

    def _marks(
        self, request: BaseHTTPRequestHandler, path: str, query: dict[str, list[str]], content: bytes
    ) -> tuple[int, Any]:
        sent = request.headers.get("Content-Type", "")
        if path == "/courses/42/lineitems" and request.command == "GET":
            wanted = query.get("resource_id")
            return 200, [each for each in self.columns if wanted in (None, [each["resourceId"]])]
        if path == "/courses/42/lineitems" and sent == "application/vnd.ims.lis.v2.lineitem+json":
            made = {**json.loads(content), "id": f"{self.url}/columns/{len(self.columns)}/lineitem?type_id=3"}
            self.columns.append(made)
            return 201, made
        if path.endswith("/lineitem/scores") and query.get("type_id") == ["3"]:
            score = json.loads(content)
            if sent != "application/vnd.ims.lis.v1.score+json":
                return 415, {"message": sent}
            if score["userId"] in self.refused:
                return 403, {"message": "This person is not in the course."}
            self.scores.append(score)
            return 204, None
        return 404, {"message": path}

    # ------------------------------------------------------------ launches

    def launch(self, nonce: str, key: rsa.RSAPrivateKey | None = None, **more: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "azp": CLIENT,
            "sub": "student-7",
            "email": "jane.doe@uni.example",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            f"{CLAIM}/version": "1.3.0",
            f"{CLAIM}/message_type": "LtiResourceLinkRequest",
            f"{CLAIM}/deployment_id": "1",
            f"{CLAIM}/target_link_uri": "http://hub.localhost/hub/lti13",
            f"{CLAIM}/resource_link": {"id": "1"},
            f"{CLAIM}/roles": [INSTRUCTOR],
            f"{CLAIM}/context": {"id": "42", "title": "Crystals"},
            f"{AGS}/claim/endpoint": {"scope": SCOPES.split(), "lineitems": self.line_items},
            **more,
        }
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": "k1"})


def _send(request: BaseHTTPRequestHandler, status: int, kind: str, text: str) -> None:
    body = text.encode()
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
