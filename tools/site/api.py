"""Pages of the Python reference: one for each layer, with every public module, read by autodoc."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

# Modules of other rooms that are for calling, beside every public module of the kernel library.
OTHERS = (
    "qcrbox_agent.progress",
    "qcrbox_registry.access.rights",
    "qcrbox_registry.launcher.conformance",
    "qcrbox_registry.launcher.managers",
)
# Programs of their own and old import paths: not for calling from Python.
LEFT_OUT = ("qcrbox.old_paths", "qcrbox.sandbox")
# A page should not be endless: these are divided by their sub-packages.
DIVIDED = ("qcrbox.widgets", "qcrbox.crystallography", "qcrbox.analysis")


def modules() -> list[str]:
    """Every public module of the reference."""
    return sorted({name for package in ("qcrbox", *OTHERS) for name in _modules(package)})


def api_pages() -> dict[str, str]:
    """File name -> text: a page for each layer, and an index."""
    groups: dict[str, list[str]] = {}
    for name in modules():
        groups.setdefault(_group(name), []).append(name)
    lines = [
        "# Python",
        "",
        "Every public module with its functions and classes. What a person types in a notebook is in `qcrbox.api`;",
        "[the notebook library](../../notebook.md) introduces it.",
        "",
        "| page | holds |",
        "|---|---|",
        *(f"| [{group}]({group}.md) | {_first_line(members[0])} |" for group, members in groups.items()),
        "",
        "```{toctree}",
        ":hidden:",
        "",
        *groups,
        "```",
        "",
    ]
    pages = {f"api/{group}.md": _page(group, members) for group, members in groups.items()}
    return pages | {"api/index.md": "\n".join(lines)}


def _modules(package: str) -> Iterator[str]:
    found = importlib.import_module(package)
    file = Path(found.__file__ or "")
    if file.name != "__init__.py":
        yield package
        return
    for path in sorted(file.parent.rglob("*.py")):
        parts = path.relative_to(file.parent).with_suffix("").parts
        name = ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)])
        private = any(part.startswith("_") for part in name.split("."))
        if not private and not name.startswith(LEFT_OUT):
            yield name


def _group(name: str) -> str:
    parts = name.split(".")
    if parts[0] != "qcrbox":
        return ".".join(parts[:3])
    depth = 3 if ".".join(parts[:2]) in DIVIDED else 2
    group = ".".join(parts[:depth])
    if _is_package(group):
        return group
    return ".".join(parts[: depth - 1])


def _is_package(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def _page(group: str, members: list[str]) -> str:
    lines = [f"# {group}"]
    for name in members:
        heading = [] if name == group else ["", f"## {name}"]
        lines += [*heading, "", "```{eval-rst}", f".. automodule:: {name}", "```"]
    return "\n".join(lines) + "\n"


def _first_line(name: str) -> str:
    spec = importlib.util.find_spec(name)
    text = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n", 1)[0]
    return first.replace("|", "\\|").replace("<", "&lt;")
