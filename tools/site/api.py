"""Pages of the Python reference: one for each public module, read by autodoc."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

# Package -> what its part of the reference is called.
PACKAGES = {
    "qcrbox": "Kernel library",
    "qcrbox_agent.progress": "Progress reports of applications",
    "qcrbox_registry.launcher.managers": "Managers",
    "qcrbox_registry.launcher.conformance": "Tests that every manager passes",
    "qcrbox_registry.access.rights": "The table of rights",
}
# Programs of their own and old import paths: not for calling from Python.
LEFT_OUT = ("qcrbox.old_paths", "qcrbox.sandbox", "qcrbox.cif.__main__")


def modules() -> list[str]:
    """Every public module of the reference."""
    return sorted({name for package in PACKAGES for name in _modules(package)})


def _modules(package: str) -> Iterator[str]:
    found = importlib.import_module(package)
    file = Path(found.__file__ or "")
    if file.name != "__init__.py":
        yield package
        return
    for path in sorted(file.parent.rglob("*.py")):
        parts = path.relative_to(file.parent).with_suffix("").parts
        name = ".".join([package, *(parts[:-1] if parts[-1] == "__init__" else parts)])
        private = any(part.startswith("_") for part in name.split(".")) or "__main__" in name
        if not private and not name.startswith(LEFT_OUT):
            yield name


def api_pages() -> dict[str, str]:
    """File name -> text: a page for each module, an index that groups them by package."""
    names = modules()
    pages = {f"api/{name}.md": _page(name) for name in names}
    groups: dict[str, list[str]] = {}
    for name in names:
        parts = name.split(".")
        group = ".".join(parts[:2]) if parts[0] == "qcrbox" else "other rooms"
        groups.setdefault(group, []).append(name)
    lines = [
        "# Python",
        "",
        "Every public module with its functions and classes. What a person types in a notebook is in ",
    ]
    lines += ["`qcrbox.api`; [the notebook library](../../notebook.md) introduces it.", ""]
    for group, members in groups.items():
        lines += ["", f"## {group}", "", "| module | holds |", "|---|---|"]
        lines += [f"| [{name}]({name}.md) | {_first_line(name)} |" for name in members]
    lines += ["", "```{toctree}", ":hidden:", "", *names, "```", ""]
    return pages | {"api/index.md": "\n".join(lines)}


def _page(name: str) -> str:
    return f"# {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n"


def _first_line(name: str) -> str:
    file = importlib.util.find_spec(name)
    text = Path(file.origin or "").read_text(encoding="utf-8") if file else ""
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n", 1)[0]
    return first.replace("|", "\\|").replace("<", "&lt;")
