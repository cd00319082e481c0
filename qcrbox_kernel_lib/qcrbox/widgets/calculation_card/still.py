"""The card as plain HTML: for saved notebooks, and for front ends without widgets."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.states import state_word
from qcrbox.language import tr
from qcrbox.markup import cell_html, escape, pairs_html
from qcrbox.markup.colours import BAD, BUSY, GOOD, QUIET, WARN
from qcrbox.markup.said import Said, said_html

_ICON = {"submitted": "◷", "running": "▶", "successful": "✓", "failed": "✗", "cancelled": "⊘", "unknown": "?"}
_COLOUR = {"successful": GOOD, "failed": BAD, "cancelled": QUIET, "running": BUSY}
_FRAME = "border:1px solid rgba(128,128,128,.35);border-left:4px solid {colour};border-radius:6px;padding:8px 12px;max-width:44em"


def card_html(state: dict[str, Any]) -> str:
    """The card of a state (see `card_state`) as HTML."""
    status = state["status"]
    colour = WARN if state["doubt"] else _COLOUR.get(status, WARN)
    word = state_word(status)
    sign, word = ("⚠", f"{word}, {state['doubt']}") if state["doubt"] else (_ICON.get(status, "?"), word)
    title = state.get("title") or f"{state['application']}.{state['name']}"
    parts = [
        f"<div><span style='color:{colour};font-weight:600'>{sign} {escape(word)}</span> "
        f"<b>{cell_html(title)}</b> <span style='opacity:.6'>{escape(state['short_id'])}</span></div>"
    ]
    if state["queue"]:
        parts.append(f"<div>{escape(state['queue'])}</div>")
    if state["fraction"] is not None and not state["final"]:
        percent = round(100 * state["fraction"])
        parts.append(
            f"<div><progress max='100' value='{percent}' style='width:100%'></progress> {percent} %</div>"
        )
    if state["text"] and not state["final"]:
        parts.append(f"<div>{escape(state['text'])}</div>")
    if state["figures"]:
        parts.append(pairs_html([(figure["label"], figure["text"]) for figure in state["figures"]]))
    parts.append(said_html(Said(state["warnings"], state["not_applied"], state["notes"])))
    if state["error"]:
        parts.append(f"<pre style='white-space:pre-wrap;margin:6px 0 0'>{escape(state['error'])}</pre>")
    if state["details"]:
        parts.append(
            f"<details><summary>{escape(tr('Details'))}</summary>"
            f"<pre style='white-space:pre-wrap'>{escape(state['details'])}</pre></details>"
        )
    return f"<div style='{_FRAME.format(colour=colour)}'>{''.join(parts)}</div>"
