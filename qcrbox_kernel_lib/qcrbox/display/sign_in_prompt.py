"""The page and code with which a person lets this program in, shown in the notebook or the terminal."""

from __future__ import annotations

import sys
import webbrowser

from qcrbox.client.environment import is_notebook
from qcrbox.language import tr
from qcrbox.markup import escape, publish


def show_code(page: str, code: str) -> None:
    """Show where to type the code; outside a notebook the page is opened in the browser as well."""
    text = tr("Sign in: open {page} and type the code {code} (within 10 minutes).", page=page, code=code)
    if is_notebook():
        words = tr(
            "Sign in: open {page} and type the code {code} (within 10 minutes).",
            page=f'<a href="{escape(page)}" target="_blank" rel="noopener">{escape(page)}</a>',
            code=f"<b style='font-family:monospace;font-size:1.2em'>{escape(code)}</b>",
        )
        html = f"<p>{words} {tr('This cell goes on by itself.')}</p>"
        publish({"text/plain": text, "text/html": html})
        return
    sys.stderr.write(f"{text}\n")
    webbrowser.open(page)
