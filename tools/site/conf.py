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
# Show defaults as source text: the value of `os.environ` would publish the environment of the build.
autodoc_preserve_defaults = True
# All types are annotations; searching for type comments parses the source of each function again.
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
    # The start and end lines of definitions are needed only for links to source code, which this site does not have.
    Parser.parse_definition = lambda parser: None
    # Sphinx makes a record of each of its many debugging messages, which `-q` then drops.
    logging.getLogger("sphinx").setLevel(logging.INFO)
    return {"parallel_read_safe": True}
