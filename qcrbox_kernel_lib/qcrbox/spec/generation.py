"""Whether a spec file was written for the first generation of registries.

All generations carry the same version text, so a file is known by its keys. The first registries took
the start of a program from Python code beside the file (`configure_<slug>.py`), so their commands do not describe it.
"""

from __future__ import annotations

from typing import Any

from qcrbox.spec.source import Source

_WORDS = frozenset({"cli", "gui"})  # of implemented_as
_KEYS = frozenset(
    {
        "module",
        "function",
        "command",
        "cif_input",
        "cif_output",
        "required_cif_entries",
        "optional_cif_entries",
        "required_cif_entry_sets",
        "optional_cif_entry_sets",
        "merge_cif_su",
        "custom_cif_categories",
        "non-interactive_equivalent",
        "non_interactive_equivalent",
    }
)


def is_first(source: Source) -> bool:
    """True for a file without a spec version, or with keys that only the first generation had."""
    top = source.data if isinstance(source.data, dict) else {}
    return "qcrbox_yaml_spec_version" not in top or any(_is_old(c) for c in _mappings(top.get("commands")))


def slug_of(source: Source) -> str:
    """The slug of a spec; empty when it is missing."""
    return source.text(("slug",)) or ""


def _is_old(command: dict[str, Any]) -> bool:
    cycle = command.get("interactive_lifecycle")
    steps = _mappings(list(cycle.values())) if isinstance(cycle, dict) else []
    parts = [command, *steps]
    return any(
        _KEYS & part.keys() or str(part.get("implemented_as", "")).lower() in _WORDS for part in parts
    ) or any("type" in parameter for parameter in _mappings(command.get("parameters")))


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
