"""The OpenAPI page, without files from other hosts, and the sign-in of browsers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from qcrbox.contract.errors import NotFound, NotSignedIn
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

from qcrbox_registry.access.identity import COOKIE, HubIdentity, OnePerson
from qcrbox_registry.api.dependencies import TheCore, who

router = APIRouter(include_in_schema=False)
_FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>QCrBox registry</title>
<link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body>
</html>
"""
_START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, tryItOutEnabled: true,
  validatorUrl: null, requestInterceptor: request => { request.credentials = "same-origin"; return request; }});
"""


def _base(request: Request) -> str:
    root_path: str = request.scope.get("root_path", "")
    return root_path


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request, core: TheCore) -> Response:
    """The OpenAPI page; with a hub, for signed-in persons."""
    if isinstance(core.context.identity, HubIdentity):
        try:
            await who(request)
        except NotSignedIn:
            return RedirectResponse(f"{_base(request)}/login?next=/docs")
    return HTMLResponse(_PAGE)


@router.get("/docs/{name}")
async def docs_file(name: str) -> Response:
    """A file of the OpenAPI page."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript")
    if name not in _FILES:
        raise NotFound(f"There is nothing at /docs/{name[:100]}.")
    # Start-up time: only this page needs it.
    import swagger_ui_bundle

    return FileResponse(Path(swagger_ui_bundle.swagger_ui_path) / name, media_type=_FILES[name])


@router.get("/")
async def front(request: Request) -> Response:
    """The front page leads to the OpenAPI page."""
    return RedirectResponse(f"{_base(request)}/docs")


# ---------------------------------------------------------------- sign-in


@router.get("/login")
async def login(
    request: Request,
    core: TheCore,
    next_path: Annotated[str, Query(alias="next", max_length=500)] = "/docs",
    token: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """With a hub: to the hub and back. Without: `?token=` becomes a cookie."""
    identity = core.context.identity
    target = _base(request) + _own_path(next_path)
    if isinstance(identity, HubIdentity):
        state = identity.sign_ins.begin(target)
        answer: Response = RedirectResponse(
            identity.login_url(state, identity.redirect_uri(_callback(request)))
        )
        _set_cookie(answer, request, f"{COOKIE}-state", state, 600)
        return answer
    if isinstance(identity, OnePerson) and token is not None and identity.cookie_for(token):
        answer = RedirectResponse(target, status_code=303)
        _set_cookie(answer, request, COOKIE, token, None)
        return answer
    raise NotSignedIn(
        "This registry needs its token.", next="Open the address that was printed at the start."
    )


@router.get("/oauth_callback")
async def callback(
    request: Request,
    core: TheCore,
    code: Annotated[str, Query(max_length=500)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Back from the hub. The state must be the one that this browser was sent away with."""
    identity = core.context.identity
    if not isinstance(identity, HubIdentity):
        raise NotFound("There is nothing at /oauth_callback.")
    target = identity.sign_ins.finish(state) if state == request.cookies.get(f"{COOKIE}-state") else None
    if target is None or not code:
        raise NotSignedIn(
            "This sign-in was not begun in this browser, or too long ago.",
            next="Start again from the page you wanted.",
        )
    token = await identity.token_for_code(code, identity.redirect_uri(_callback(request)))
    answer = RedirectResponse(target, status_code=303)
    _set_cookie(answer, request, COOKIE, identity.sign_ins.keep(token), None)
    answer.delete_cookie(f"{COOKIE}-state", path=_base(request) or "/")
    return answer


@router.post("/logout", status_code=204)
async def logout(request: Request, core: TheCore) -> Response:
    """End the sign-in of this browser."""
    identity = core.context.identity
    await who(request)
    if isinstance(identity, HubIdentity):
        identity.sign_ins.forget(request.cookies.get(COOKIE, ""))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path=_base(request) or "/")
    return answer


def _callback(request: Request) -> str:
    return f"{_base(request)}/oauth_callback"


def _own_path(path: str) -> str:
    """The path; one that a browser could read as another host becomes the front page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if plain and path.isprintable() and ":" not in path.split("?")[0] else "/docs"


def _set_cookie(answer: Response, request: Request, name: str, value: str, max_age: int | None) -> None:
    secure = request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip() == "https"
    # Lax: the hub sends the browser back here from its own address.
    answer.set_cookie(
        name, value, max_age=max_age, path=_base(request) or "/", httponly=True, secure=secure, samesite="lax"
    )
