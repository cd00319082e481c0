"""The OpenAPI description, true in every respect that a generated client relies on.

FastAPI writes that a wrong request is answered 422 with its own body; ours is 400 in the contract's envelope. Bodies that
a handler reads itself are named with `takes`. What is written is OpenAPI 3.0, which the bundled page and most
generators read, so the few words of 3.1 that pydantic uses are said in those of 3.0.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from qcrbox.contract.models import Failure

_REF = "#/components/schemas/{model}"
_bodies: dict[str, type[BaseModel]] = {"Failure": Failure}
_WORDS = {
    "400": "The request cannot be used as it is.",
    "401": "Not signed in.",
    "403": "You may see this, but not do that with it.",
    "404": "There is no such thing, or it is not yours to see.",
    "409": "That does not fit to how things stand.",
    "413": "Too large.",
    "429": "A quota holds.",
    "500": "An error nobody expected.",
    "503": "A part of the platform does not answer; try again.",
}
_ALWAYS = ("400", "401", "403", "404", "500", "503")
_WRITING = ("409", "413", "429")
_BARE = ("/api/healthz", "/api/readyz")


def takes(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` of a route whose handler reads this JSON body."""
    _bodies[model.__name__] = model
    content = {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
    return {"requestBody": {"required": required, "content": content}}


def sends(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers bytes of one of these media types."""
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}}}


def install(app: FastAPI) -> None:
    """Make `/openapi.json` of this app."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    page = get_openapi(title=app.title, version=app.version, openapi_version="3.0.3", routes=app.routes)
    components = page.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, made = models_json_schema([(model, "validation") for model in _bodies.values()], ref_template=_REF)
    schemas |= made["$defs"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in page["paths"].items():
        for method, operation in methods.items():
            _describe(path, method, operation)
    return _in_words_of_3_0(page)


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    if path in _BARE:
        return
    operation["security"] = [{"token": []}]
    failure = {"application/json": {"schema": {"$ref": _REF.format(model="Failure")}}}
    for code in _ALWAYS + (() if method == "get" else _WRITING):
        answers.setdefault(code, {"description": _WORDS[code], "content": failure})


def _in_words_of_3_0(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_words_of_3_0(one) for one in value]
    if not isinstance(value, dict):
        return value
    said = {key: _in_words_of_3_0(one) for key, one in value.items()}
    if "const" in said:
        said["enum"] = [said.pop("const")]
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(said.get(word), int | float) and not isinstance(said[word], bool):
            said[bound], said[word] = said[word], True
    choices = said.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [one for one in choices if one != {"type": "null"}]
        del said["anyOf"]
        said["nullable"] = True
        if len(others) == 1 and "$ref" not in others[0]:
            said = {**others[0], **said}
        else:
            said["allOf" if len(others) == 1 else "anyOf"] = others
    return said
