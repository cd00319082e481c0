"""Finding and calling the Python functions a spec names.

Used inside worker processes and by the check of a spec; nothing here knows of the agent.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import os
import sys
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any


def add_folder(folder: str) -> None:
    """Put the folder of the spec first on the module path."""
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)


def find_module(import_path: str, folder: str) -> types.ModuleType:
    """Import a module by name; by file when its name is not an identifier (`configure_crysalis-pro`)."""
    name = import_path.removesuffix(".py").replace("/", ".")
    if all(part.isidentifier() for part in name.split(".")):
        return importlib.import_module(name)
    if name in sys.modules:
        return sys.modules[name]
    path = Path(folder, *name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ModuleNotFoundError(f"No module named {import_path!r} in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def find_callable(import_path: str, callable_name: str, folder: str) -> Callable[..., Any]:
    """Raises ImportError and friends, AttributeError, TypeError (it is no plain function)."""
    module = find_module(import_path, folder)
    try:
        function = getattr(module, callable_name)
    except AttributeError:
        raise AttributeError(f"module '{import_path}' has no function '{callable_name}'") from None
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"'{import_path}.{callable_name}' is not a function")
    return function


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call with keywords, converted to the function's annotations. Coroutines are run to their end."""
    value = function(**annotated(function, arguments))
    if inspect.iscoroutine(value):

        async def finish() -> Any:
            return await value

        return asyncio.run(finish())
    return value


def annotated(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`arguments` converted once more by the annotations: text to Path, int to float and so on."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - an annotation may name anything, e.g. a type imported for checkers only
        hints = getattr(function, "__annotations__", {})
    return {name: _converted(value, hints.get(name)) for name, value in arguments.items()}


def _converted(value: Any, hint: Any) -> Any:
    if value is None or hint is None:
        return value
    for kind in plain_types(hint):
        if isinstance(kind, type) and type(value) is kind:
            return value
    for kind in plain_types(hint):
        if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, PurePath):
            return Path(value)
        if kind is float and type(value) is int:
            return float(value)
        if kind is int and type(value) is float and value.is_integer():
            return int(value)
        if kind is str and isinstance(value, (int, float)):
            return str(value)
    return value


def plain_types(hint: Any) -> list[Any]:
    """The types a hint allows: `Path | None` -> [Path]; Annotated and Optional are unwrapped."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return plain_types(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return [t for arg in typing.get_args(hint) for t in plain_types(arg) if t is not type(None)]
    return [hint]


class BadReturn(TypeError):
    """A callable returned something that is no file."""


def returned_files(value: Any) -> list[tuple[str, str]]:
    """(output name or "", path) of what a callable returned. Raises BadReturn."""
    if value is None or (isinstance(value, (str, list, tuple, dict)) and not value):
        return []
    if isinstance(value, (str, os.PathLike)):
        return [("", _path(value))]
    if isinstance(value, (list, tuple)):
        return [("", _path(item)) for item in value]
    if isinstance(value, Mapping):
        return [(str(name), _path(item)) for name, item in value.items()]
    raise BadReturn(f"The callable returned {type(value).__name__}; the return value must be str or Path.")


def _path(value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)) or isinstance(value, bytes):
        raise BadReturn(
            f"The callable returned {type(value).__name__}; the return value must be str or Path."
        )
    return os.fsdecode(os.fspath(value))
