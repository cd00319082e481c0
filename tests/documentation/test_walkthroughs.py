"""The walk-throughs of `docs/howto`, done as they are written."""

from __future__ import annotations

import shutil

import pytest

from tests.documentation.walkthrough import ROOT, Block, Follower, blocks, copy_of_checkout

PAGES = ROOT / "docs" / "howto"
# What is built and not in git, that the pages build on.
BUILT = ("extension/node_modules", "qcrbox_kernel_lib/js/node_modules")


def test_every_walkthrough_is_followed_by_a_test():
    outside = {"application", "manager"}
    inside = {"check", "panel", "rest_resource", "widget"}
    assert {page.stem for page in PAGES.glob("*.md")} == outside | inside


@pytest.mark.slow
@pytest.mark.parametrize("name", ["application", "manager"])
def test_a_walkthrough_outside_the_code(name, tmp_path):
    Follower(tmp_path).follow(PAGES / f"{name}.md")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["check", "panel", "rest_resource", "widget"])
def test_a_walkthrough_that_changes_the_code(name, tmp_path):
    copy = copy_of_checkout(tmp_path / "checkout", BUILT)
    Follower(copy, copy).follow(PAGES / f"{name}.md")
    shutil.rmtree(copy)


def test_blocks_know_the_file_that_the_text_names():
    page = "Write this. `a/b.py`:\n\n```python\nx = 1\n```\n\nThen\n\n```sh\nls\n```\n"
    assert list(blocks(page)) == [Block("python", "x = 1\n", "a/b.py"), Block("sh", "ls\n")]


def test_a_block_that_is_not_understood_fails(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Some code:\n\n```python\nx = 1\n```\n")
    with pytest.raises(AssertionError, match="nobody knows"):
        Follower(tmp_path).follow(page)
