"""A faster navigation tree beside every page.

For each page Sphinx copies the tables of contents of all pages with every heading, then drops the headings. That was
most of the time that writing the site took. Here the headings are dropped once, before all pages are written.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx


def install(app: Sphinx) -> None:
    """Give the theme a tree that is made of page titles."""
    kept: dict[str, nodes.bullet_list] = {}

    def replace(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
        if "toctree" not in context:
            return
        if not kept:
            kept.update({name: titles(toc) for name, toc in app.env.tocs.items()})
        whole = context["toctree"]

        def toctree(**options: Any) -> str:
            if not options.get("titles_only"):
                return whole(**options)
            tables, app.env.tocs = app.env.tocs, kept
            try:
                return whole(**options)
            finally:
                app.env.tocs = tables

        context["toctree"] = toctree

    # Before the theme, which asks for the tree at the usual 500.
    app.connect("html-page-context", replace, priority=400)


def titles(table: nodes.bullet_list) -> nodes.bullet_list:
    """A page's table of contents without its headings, as `titles_only` of Sphinx leaves it; the pages below stay."""
    copy = table.deepcopy()
    for title in copy.children:
        assert isinstance(title, nodes.Element)
        if len(title) > 1:
            below = list(title.findall(addnodes.toctree))
            if below:
                headings = title[1]
                assert isinstance(headings, nodes.Element)
                headings.children = []
                headings.extend(below)
            else:
                title.pop(1)
    return copy
