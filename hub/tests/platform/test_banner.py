"""The sentence of an administrator on every page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qcrbox_hub.platform.banner import LONGEST, Banner


@pytest.fixture
def banner(tmp_path: Path) -> Banner:
    return Banner(tmp_path / "banner.json")


def test_banner_stands_until_an_empty_one_takes_it_away(banner: Banner) -> None:
    assert (banner.read(), banner.as_html()) == ({}, "")
    banner.write("Maintenance at noon", "ada", 1000.0)
    assert banner.read() == {"text": "Maintenance at noon", "by": "ada", "at": 1000.0}
    banner.write("", "ben", 2000.0)
    assert banner.read() == {}
    banner.write("", "ben", 3000.0)


@pytest.mark.attack(6)
def test_text_is_escaped_where_the_hub_shows_it_as_it_is(banner: Banner) -> None:
    banner.write('<img src=x onerror="alert(1)"> & more', "ada", 0.0)
    assert banner.as_html() == "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; more"


def test_long_text_is_cut_and_the_file_is_its_owners_alone(banner: Banner) -> None:
    banner.write("x" * (LONGEST + 1), "ada", 0.0)
    assert len(banner.read()["text"]) == LONGEST
    assert banner.file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"text": ""}', '{"by": "ada"}', '["text"]', "\x00"], ids=repr
)
def test_damaged_file_is_no_banner_and_keeps_no_page_from_being_shown(banner: Banner, content: str) -> None:
    banner.file.write_text(content)
    assert (banner.read(), banner.as_html()) == ({}, "")


def test_text_of_another_kind_is_shown_as_text(banner: Banner) -> None:
    banner.file.write_text(json.dumps({"text": ["<b>"]}))
    assert "<b>" not in banner.as_html()
