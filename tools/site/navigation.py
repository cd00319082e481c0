"""A faster navigation tree beside every page.

For each page Sphinx copies the tables of contents of all pages with every heading and drops the headings, and the theme
parses what comes of it. That was a third of the time that writing the site took. Here the headings are dropped once, the
tree is made once for each folder, whose pages have the same links, and a page is marked in the tree of its folder.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from typing import Any

from bs4 import BeautifulSoup, Tag
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

MARKS = {"current", "current-page"}


class Tree:
    """The theme's navigation tree for a folder. `made` is the tree of one of its pages, whose file name is `page`."""

    def __init__(self, made: str, page: str) -> None:
        self._soup = BeautifulSoup(made, "html.parser")
        self._links: dict[str, list[Tag]] = defaultdict(list)
        for tag in self._soup.find_all(["ul", "li", "a", "input"]):
            _unmark(tag)
            if tag.name == "a":
                if tag["href"] == "#":
                    tag["href"] = page
                self._links[str(tag["href"])].append(tag)

    def of(self, page: str) -> str:
        """The tree for one page, marked as Sphinx and the theme mark it: its entry is current, its parents are expanded."""
        marked = []
        for link in self._links.get(page, ()):
            link["class"] = ["current", *link["class"]]
            link["href"] = "#"
            for above in (link, *link.parents):
                marked.append(above)
                if above.name == "li":
                    first, *more = above["class"]
                    above["class"] = [first, "current", *more]
                    if box := above.find("input", recursive=False):
                        box["checked"] = ""
                        marked.append(box)
                elif above.name == "ul":
                    above["class"] = ["current"]
        if marked:
            marked[1]["class"].append("current-page")
        made = str(self._soup)
        for tag in marked:
            _unmark(tag)
            if tag.get("href") == "#":
                tag["href"] = page
        return made


def _unmark(tag: Tag) -> None:
    left = [each for each in tag.get("class") or () if each not in MARKS]
    if left:
        tag["class"] = left
    else:
        del tag["class"]
    del tag["checked"]


def install(app: Sphinx) -> None:
    """Build the navigation tree from page titles once per folder and use it for all pages of the folder."""
    kept: dict[str, nodes.bullet_list] = {}
    trees: dict[str, Tree] = {}

    def replace(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
        if "toctree" not in context:
            return
        if not kept:
            kept.update({name: titles(toc) for name, toc in app.env.tocs.items()})
        whole = context["toctree"]

        def toctree(**options: Any) -> str:
            if not options.get("titles_only"):
                return whole(**options)
            if posixpath.dirname(page) in trees:
                return ""  # `mark` has it
            tables, app.env.tocs = app.env.tocs, kept
            try:
                return whole(**options)
            finally:
                app.env.tocs = tables

        context["toctree"] = toctree

    def mark(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
        if "toctree" not in context:
            return
        folder, name = posixpath.split(page)
        if folder not in trees:
            trees[folder] = Tree(context["furo_navigation_tree"], f"{name}.html")
        context["furo_navigation_tree"] = trees[folder].of(f"{name}.html")

    # The theme asks for the tree at the usual 500.
    app.connect("html-page-context", replace, priority=400)
    app.connect("html-page-context", mark, priority=600)


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
