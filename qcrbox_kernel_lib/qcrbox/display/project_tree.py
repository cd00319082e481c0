"""A project as a tree: text for terminals, nested lists for notebooks. Takes the nodes of the REST interface."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from qcrbox.contract.states import state_word
from qcrbox.display.status_text import day_and_time
from qcrbox.language import tr
from qcrbox.markup import cell_html, escape
from qcrbox.markup.colours import WARN

# Beside the word of a state: never colour alone.
_SIGNS = {
    "successful": "✓",
    "failed": "✗",
    "cancelled": "⊘",
    "submitted": "◷",
    "running": "◌",
    "unknown": "?",
}
_DOUBT = ("⚠", "done, with warnings")
_UNCONVERGED = ("⚠", "done, not converged")
Node = dict[str, Any]


def state_of(node: Node) -> tuple[str, str]:
    """Sign and word for the state of a node; nothing for data."""
    if node.get("doubtful"):
        return _UNCONVERGED if "not converged" in str(node.get("verdict") or "").lower() else _DOUBT
    status = str(node.get("status") or "")
    return (_SIGNS[status], state_word(status)) if status in _SIGNS else ("", "")


def marks_of(node: Node) -> list[str]:
    """What a person has to know of a node beside its title."""
    found = [tr("newest model")] if node.get("newest") else []
    found += [tr("pinned")] if node.get("pinned") else []
    return found


def time_text(iso: str | None) -> str:
    """A time of the registry on this machine's clock: 2026-11-29 18:24."""
    try:
        return day_and_time(datetime.fromisoformat(str(iso).replace("Z", "+00:00")))
    except ValueError:
        return ""


def guides(nodes: Sequence[Node]) -> list[str]:
    """The lines in front of each node: a step that follows alone goes straight on, alternatives branch."""
    children: dict[str | None, list[str]] = {}
    for node in nodes:
        children.setdefault(node["parent"], []).append(node["id"])
    before: dict[str | None, str] = {None: ""}
    found = []
    for node in nodes:
        above = before.get(node["parent"], "")
        siblings = children[node["parent"]]
        is_last = siblings[-1] == node["id"]
        if node["parent"] is None:
            found.append("")
            before[node["id"]] = ""
        elif len(siblings) == 1:
            found.append(above + "└ ")
            before[node["id"]] = above
        else:
            found.append(above + ("└─ " if is_last else "├─ "))
            before[node["id"]] = above + ("   " if is_last else "│  ")
    return found


def tree_text(heading: Sequence[str], nodes: Sequence[Node]) -> str:
    """The tree as lines of text. heading: name, formula and space group of the structure."""
    lines = [" · ".join(heading)]
    for guide, node in zip(guides(nodes), nodes, strict=True):
        sign, word = state_of(node)
        marks = ", ".join([*marks_of(node), *([word] if word not in ("", "done") else [])])
        note = f"  “{' '.join(str(node['note']).split())}”" if node.get("note") else ""
        state = f"{sign} " if sign else ""
        lines.append(
            f"{guide}{state}{' '.join(str(node['title']).split())}  {time_text(node['at'])}{f'  [{marks}]' if marks else ''}{note}"
        )
    return "\n".join(lines)


def tree_html(heading: Sequence[str], nodes: Sequence[Node]) -> str:
    """The tree as a list, for notebooks and saved pages."""
    rows = "".join(_row(guide, node) for guide, node in zip(guides(nodes), nodes, strict=True))
    return (
        f"<div><div style='font-weight:600;padding:2px 0'>{' · '.join(map(cell_html, heading))}</div>"
        f"<ul style='list-style:none;margin:0;padding:0;line-height:1.6'>{rows}</ul></div>"
    )


def _row(guide: str, node: Node) -> str:
    sign, word = state_of(node)
    colour = f"color:{WARN};" if node.get("doubtful") else ""
    state = f"<span style='{colour}' title='{escape(tr(word))}'>{escape(sign)}</span> " if sign else ""
    words = f" <span style='{colour}'>({escape(tr(word))})</span>" if word not in ("", "done") else ""
    weight = "600" if node.get("newest") else "400"
    marks = "".join(
        f" <span style='border:1px solid currentColor;border-radius:8px;padding:0 6px;font-size:85%'>{escape(mark)}"
        "</span>"
        for mark in marks_of(node)
    )
    note = (
        f"<div style='margin-left:2em;opacity:.85'>{escape(node['note'])}</div>" if node.get("note") else ""
    )
    return (
        f"<li><span aria-hidden='true' style='font-family:monospace;white-space:pre'>{escape(guide)}</span>{state}"
        f"<span style='font-weight:{weight}'>{escape(node['title'])}</span>{words}{marks} "
        f"<span style='opacity:.75'>{cell_html(time_text(node['at']))}</span>{note}</li>"
    )
