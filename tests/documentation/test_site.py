"""The documentation is whole: everything that can be set, called or met has its place, and no link leads nowhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from docutils import nodes
from furo.navigation import get_navigation_tree
from qcrbox_hub.cli import COMMANDS, make_app
from qcrbox_hub.platform.settings import reference as settings_page
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.settings import Settings
from sphinx import addnodes
from typer.main import get_command
from typer.testing import CliRunner

from tools.site import links, reference
from tools.site.api import api_pages, modules
from tools.site.names import endings
from tools.site.navigation import Tree, titles

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs"
SPEC_CODE = ROOT / "qcrbox_kernel_lib" / "qcrbox" / "spec"
# They read notebooks of exercises, not specs of applications.
OF_NOTEBOOKS = {"exercise_tags.py", "notebook_merge.py"}
# Methods of `Section` that take keys of a spec file.
GETTERS = {"has", "get", "path_of", "text", "flag", "number", "size", "items", "texts", "sections", "section"}


def tutorials_of(root: Path) -> list[str]:
    """Names of the tutorials: of `notebooks/` in the repository, of `tutorials/` in its documentation."""
    return sorted(
        file.stem for folder in ("notebooks", "tutorials") for file in (root / folder).glob("*.ipynb")
    )


def spec_keys() -> set[str]:
    """Every key that the loader asks for, in any generation of spec file."""
    keys: set[str] = set()
    for file in SPEC_CODE.glob("*.py"):
        if file.name in OF_NOTEBOOKS:
            continue
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in GETTERS
            ):
                of_section = not ast.unparse(node.func.value).startswith(
                    ("os", "re", "source", "section.source")
                )
                keys |= {a.value for a in node.args if of_section and isinstance(a, ast.Constant) and a.value}
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in (
                "_INPUT_KEYS",
                "_OUTPUT_KEYS",
                "_OLDER",
            ):
                keys |= {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    return {key for key in keys if isinstance(key, str) and re.fullmatch(r"[a-z_-]+", key)}


def in_code(page: str) -> set[str]:
    """What stands between backticks on a page."""
    return set(re.findall(r"`([^`\n]+)`", page))


def test_the_loader_is_asked_for_its_keys():
    assert {
        "call_pattern",
        "valid_value",
        "select_block",
        "interactive_lifecycle",
        "older_versions",
    } <= spec_keys()


@pytest.mark.parametrize("key", sorted(spec_keys()))
def test_every_key_of_a_spec_is_explained(key):
    assert key in in_code((PAGES / "application_spec.md").read_text())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name):
    assert f"## qcrbox {name}\n" in reference.commands()


@pytest.mark.slow
def test_every_option_that_help_prints_is_in_the_reference():
    page = {word for words in in_code(reference.commands()) for word in words.split(", ")}
    root = get_command(make_app(*COMMANDS))
    printed: set[str] = set()
    for words in _paths(root, []):
        shown = CliRunner().invoke(make_app(*COMMANDS), [*words, "--help"], terminal_width=200)
        assert shown.exit_code == 0, words
        printed |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", shown.output))
    assert {"--version", "--data", "--spawner", "--no-auth"} <= printed
    assert printed - page == {"--help"}


def _paths(command, words):
    """The words that lead to every command of the command line."""
    yield words
    for name, sub in getattr(command, "commands", {}).items():
        yield from _paths(sub, [*words, name])


def test_every_route_is_in_the_reference():
    page = reference.rest()
    assert "## GET /api/datasets/\\{dataset\\_id}/download" in page
    assert page.count("| answer | body | when |") > 60


def test_every_setting_is_in_the_reference():
    assert (PAGES / "settings.md").read_text() == settings_page()
    page = in_code(reference.processes())
    assert {f"QCRBOX_REGISTRY_{name.upper()}" for name in Settings.model_fields} <= page
    assert set(SchedulerSettings.model_fields) <= page


def test_every_environment_variable_of_the_code_is_in_the_reference():
    used: set[str] = set()
    for room in (
        "hub/qcrbox_hub",
        "app_images/agent/qcrbox_agent",
        "extension/qcrbox_extension",
        "registry/qcrbox_registry",
    ):
        for file in (ROOT / room).rglob("*.py"):
            for line in re.findall(r".*(?:environ|envvar).*", file.read_text()):
                used |= set(re.findall(r"\bQCRBOX_[A-Z_]+[A-Z]\b", line))
    assert used
    missing = used - set(reference.ENVIRONMENT) - {"QCRBOX_REGISTRY_DATABASE_URL", "QCRBOX_REGISTRY_NATS_URL"}
    assert missing == set()


def test_every_trait_has_a_help_text_and_is_in_the_reference():
    page = reference.traits()
    classes = reference.configurable_classes()
    assert {"DockerManager", "ProcessManager", "SandboxSpawner"} <= {cls.__name__ for cls in classes}
    for cls in classes:
        assert f"## {cls.__name__}\n" in page
        for name, trait in reference.own_traits(cls).items():
            assert trait.help, f"{cls.__name__}.{name}"
            assert f"| `{name}` |" in page


def test_every_error_is_in_the_reference():
    page = reference.errors()
    classes = reference.error_classes()
    assert {"QcError", "CifError", "StartFailed", "BuildFailed"} <= {cls.__name__ for cls in classes}
    for cls in classes:
        assert cls.__doc__, cls
        assert f"`{cls.__name__}`" in page
        assert f"`{cls.kind}`" in page


def test_every_cif_item_is_in_the_reference():
    names = [
        line.split("\t")[0] for line in (SPEC_CODE.parent / "cif/data/names.tsv").read_text().splitlines()
    ]
    page = reference.cif_items()
    missing = [name for name in names if name.startswith("_") and f"`{name}`" not in page]
    assert missing == []


def test_every_public_module_is_in_the_reference():
    pages = "".join(api_pages().values())
    assert len(modules()) > 200
    assert [name for name in modules() if f".. automodule:: {name}\n" not in pages] == []


@pytest.mark.slow
def test_tutorials_are_those_of_the_notebooks_with_outputs():
    assert tutorials_of(PAGES) == tutorials_of(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "tools.tutorials", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_page_is_in_the_index():
    listed = [line for line in (PAGES / "index.md").read_text().splitlines() if line and " " not in line]
    pages = {file.stem for file in PAGES.glob("*.md")} - {"index"}
    assert {page for page in pages if not any(fnmatch(page, pattern) for pattern in listed)} == set()


# In the environment of the build, where it has to stay.
SECRET = "a-token-that-no-reader-may-see"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it, warnings being errors."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "tools.site", "--output", str(folder)],
        cwd=ROOT,
        env={**os.environ, "TOKEN_OF_THE_BUILDER": SECRET},
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.mark.slow
def test_no_page_tells_about_the_machine_that_built_it(site):
    private = (SECRET, str(ROOT), str(Path.home() / ".cache"))
    telling = {
        str(page.relative_to(site)): word
        for page in site.rglob("*")
        if page.is_file()
        for word in private
        if word.encode() in page.read_bytes()
    }
    assert telling == {}


@pytest.mark.slow
@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_no_link_is_broken(site):
    assert (site / "index.html").is_file()
    for notebook in tutorials_of(ROOT):
        page = (site / "docs" / "tutorials" / f"{notebook}.html").read_text()
        assert "<img" in page or "<svg" in page or "<table" in page, notebook
    assert "principal_axes" in (site / "docs/reference/api/qcrbox.crystallography.structure.html").read_text()


def test_a_broken_link_and_a_foreign_script_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#x">b</a><script src="https://cdn.example/x.js"></script>'
    )
    (tmp_path / "b.html").write_text('<p id="y"></p><a href="c.html">c</a>')
    assert sorted(links.broken(tmp_path)) == [
        "a.html links to b.html#x: no such place on the page",
        "a.html loads https://cdn.example/x.js",
        "b.html links to c.html: no such file",
    ]
    assert links.report(tmp_path) == 1, "and `make docs` fails"


def test_an_object_is_found_by_every_end_of_its_name():
    assert endings(["a.b.C", "C.d"]) == {"a.b.C", "b.C", "C", "C.d", "d"}


def test_the_tree_of_pages_keeps_the_pages_below_and_no_heading():
    def entry(words, *below):
        text = addnodes.compact_paragraph("", "", nodes.reference("", words, refuri="page"))
        return nodes.list_item("", text, *below)

    below = addnodes.toctree(entries=[(None, "other")])
    headings = nodes.bullet_list("", entry("heading", nodes.bullet_list("", below)))
    table = nodes.bullet_list(
        "", entry("title", headings), entry("alone", nodes.bullet_list("", entry("heading")))
    )
    kept = titles(table)
    assert kept.astext().split() == ["title", "alone"]
    assert [each["entries"] for each in kept.findall(addnodes.toctree)] == [[(None, "other")]]
    assert "heading" in table.astext(), "the page itself keeps its headings"


def tree_as_sphinx_writes_it(here: str) -> str:
    """Two pages, and two more below the first; `here` is where it stands."""

    def entry(level, name, below="", open_=False):
        own = name == here
        link = (
            '<a class="current reference internal" href="#">'
            if own
            else f'<a class="reference internal" href="{name}">'
        )
        mark = " current" if own or open_ else ""
        return f'<li class="toctree-l{level}{mark}">{link}{name}</a>{below}</li>\n'

    def entries(made):
        start = '<ul class="current">' if " current" in made else "<ul>"
        return f"{start}\n{made}</ul>\n"

    below = entries(entry(2, "b.html") + entry(2, "c.html"))
    return entries(entry(1, "a.html", below, here in ("b.html", "c.html")) + entry(1, "d.html"))


@pytest.mark.parametrize("first", ["a.html", "b.html", "nowhere.html"])
def test_pages_are_marked_in_the_tree_of_their_folder_as_the_theme_marks_them(first):
    tree = Tree(get_navigation_tree(tree_as_sphinx_writes_it(first)), first)
    for page in ("c.html", "a.html", "d.html", "b.html", "nowhere.html"):
        assert tree.of(page) == get_navigation_tree(tree_as_sphinx_writes_it(page)), page
    assert 'class="toctree-l2 current current-page"' in tree.of("c.html")
