"""Sphinx configuration of the site; `tools.site` lays out the sources."""

from __future__ import annotations

import logging

import qcrbox
from sphinx.pycode.parser import Parser

from tools.site import names, navigation
from tools.site.docstrings import as_rst

project = "QCrBox"
author = "The QCrBox developers"
copyright = author  # noqa: A001 - Sphinx' name
release = version = qcrbox.__version__
root_doc = "docs/index"
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["README.md"]

# Notebooks are shown with the outputs they were saved with; widgets have a static twin.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_mime_priority_overrides = [("html", "text/html", 0)]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

autodoc_default_options = {
    "members": True,
    "undoc-members": False,
    "ignore-module-all": True,
    "member-order": "bysource",
}
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
# Defaults as they are written: the value of `os.environ` is the environment of whoever builds the site.
autodoc_preserve_defaults = True
# Types stand in annotations; looking for others parses the source of every function once more.
autodoc_use_type_comments = False
# A name that several modules have is no fault of an annotation.
suppress_warnings = ["ref.python", "config.cache"]
python_use_unqualified_type_names = True
toc_object_entries = False

html_theme = "furo"
html_title = f"QCrBox {release}"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}


def setup(app):
    """Docstrings are plain English, not reStructuredText; navigation and references are made by faster code."""
    app.connect("autodoc-process-docstring", lambda app, what, name, thing, options, lines: as_rst(lines))
    navigation.install(app)
    names.install(app)
    # Only links to highlighted source, which this site does not have, ask where a definition begins and ends.
    Parser.parse_definition = lambda parser: None
    # Sphinx makes a record of each of its many debugging messages, which `-q` then drops.
    logging.getLogger("sphinx").setLevel(logging.INFO)
    return {"parallel_read_safe": True}
