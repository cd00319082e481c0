"""Descriptions of the nodes of a lineage."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.states import state_word


def words_of(node: dict[str, Any], labels: dict[str, str]) -> str:
    """Description of a node: command and options of a calculation, dataset of a file."""
    details = node.get("details") or {}
    if node["kind"] == "batch":
        return f"{node['label']}, {details.get('files', 0)} files made"
    if node["kind"] == "calculation":
        command = " ".join(
            str(details[name])
            for name in ("application_slug", "application_version", "command_name")
            if details.get(name)
        )
        options = ", ".join(
            _option(name, value, labels) for name, value in (details.get("arguments") or {}).items()
        )
        return f"calculation {node['label']}, {_ending(details)}: {command}({options})"
    if node["kind"] == "data_file":
        dataset = f" of {details['dataset']}" if details.get("dataset") else ""
        return f"file {node['label']}{dataset}" + (", deleted" if details.get("deleted") else "")
    return str(node["label"])


def _ending(details: dict[str, Any]) -> str:
    """State of a calculation, and why its result should be looked at first."""
    word = state_word(str(details.get("status") or ""))
    if not details.get("doubtful"):
        return word
    is_unconverged = "not converged" in str(details.get("verdict") or "").lower()
    return f"{word}, {'not converged' if is_unconverged else 'with warnings'}"


def _option(name: str, value: Any, labels: dict[str, str]) -> str:
    file_id = value.get("data_file_id") if isinstance(value, dict) else None
    return f"{name}={labels.get(str(file_id), str(file_id)) if file_id else repr(value)}"
