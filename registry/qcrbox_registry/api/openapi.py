"""The OpenAPI description, correct for generated clients.

FastAPI describes faulty requests as 422 with its own body; this registry answers 400 in the envelope of the contract.
Bodies that a handler reads itself are named with `takes`. The description is OpenAPI 3.0, which the bundled page and
most generators read, so the 3.1 terms of pydantic are translated.
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
    "400": "The request is faulty.",
    "401": "Not signed in.",
    "403": "You may see this object but not do this with it.",
    "404": "There is no such object, or you may not see it.",
    "409": "The request conflicts with the present state.",
    "413": "Too large.",
    "429": "A quota is exceeded.",
    "500": "An unexpected error of the registry.",
    "503": "A part of the platform does not answer; try again.",
    "507": "The disk is full.",
}
_ALWAYS = ("400", "401", "403", "404", "500", "503")
_WRITING = ("409", "413", "429", "507")
_BARE = ("/api/healthz", "/api/readyz")


def takes(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` of a route whose handler reads this JSON body."""
    _bodies[model.__name__] = model
    content = {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
    return {"requestBody": {"required": required, "content": content}}


def sends(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers bytes of one of these media types."""
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}}}


# `openapi_extra` of the routes that take a form with files.
UPLOAD_DOCS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string"},
                        "description": {"type": "string"},
                        "group": {"type": "string"},
                    },
                }
            }
        },
    }
}


def install(app: FastAPI) -> None:
    """Make `/openapi.json` of this app."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    page: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, openapi_version="3.0.3", routes=app.routes
    )
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
    described: dict[str, Any] = _as_3_0(page)
    return described


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    if path in _BARE:
        return
    operation["security"] = [{"token": []}]
    failure = {"application/json": {"schema": {"$ref": _REF.format(model="Failure")}}}
    for code in _ALWAYS + (() if method == "get" else _WRITING):
        answers.setdefault(code, {"description": _WORDS[code], "content": failure})


def _as_3_0(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_3_0(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _as_3_0(entry) for key, entry in value.items()}
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(word), int | float) and not isinstance(schema[word], bool):
            schema[bound], schema[word] = schema[word], True
    choices = schema.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [choice for choice in choices if choice != {"type": "null"}]
        del schema["anyOf"]
        schema["nullable"] = True
        if len(others) == 1 and "$ref" not in others[0]:
            schema = {**others[0], **schema}
        else:
            schema["allOf" if len(others) == 1 else "anyOf"] = others
    return schema
