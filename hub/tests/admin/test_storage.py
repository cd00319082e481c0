"""Storage by clicking: tables of the registry, and rules that run every day."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Browser

STORAGE = "/hub/administration/storage"
HOSTILE = "<b>loud<b>.cif"


@pytest.fixture(scope="module")
def files(make_person: Callable[..., Browser], rest: Callable[..., Any]) -> Browser:
    """Gil has files of different sizes, one of them with a hostile name, in the group storage-lab."""
    gil = make_person("gil-stores", "storage-lab")
    for name, size in (("small.txt", 10), ("large.txt", 50_000), (HOSTILE, 300), ("=cmd.txt", 20)):
        made = rest(
            gil, "POST", "/api/datasets", files={"file": (name, b"x" * size)}, data={"group": "storage-lab"}
        )
        assert made.status_code == 201, made.text
    return gil


def cells(page: str) -> list[str]:
    """The first column of the table."""
    return [html.unescape(name) for name in re.findall(r'<tr><th scope="row">(.*?)</th>', page)]


def test_files_are_sorted_and_searched_by_the_server(ada: Browser, files: Browser) -> None:
    path = f"{STORAGE}/files?owner=gil-stores"
    assert cells(ada.get(path).text)[0] == "large.txt"
    assert cells(ada.get(f"{path}&sort=bytes").text)[0] == "small.txt"
    assert cells(ada.get(f"{path}&q=mall").text) == ["small.txt"]
    assert "4 rows" in ada.get(f"{STORAGE}/files?group=storage-lab").text
    assert "Nothing matches" in ada.get(f"{path}&q=%25").text


def test_hostile_file_name_is_text_on_the_page_and_no_formula_in_csv(ada: Browser, files: Browser) -> None:
    page = ada.get(f"{STORAGE}/files?owner=gil-stores").text
    assert "<b>loud" not in page
    assert any("_b_loud_b_.cif" in name for name in cells(page)), cells(page)
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{STORAGE}/files?format=csv&owner=gil-stores").text)))
    assert {row["name"] for row in rows} >= {"'=cmd.txt", "large.txt"}
    assert {row["owner"] for row in rows} == {"gil-stores"}


def test_holders_by_person_and_group(ada: Browser, files: Browser) -> None:
    page = ada.get(f"{STORAGE}/holders?q=storage-lab&subject=group").text
    assert "/groups/storage-lab" in page
    assert "1 row" in page
    assert "Nothing matches" in ada.get(f"{STORAGE}/holders?q=storage-lab&gone=true").text
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{STORAGE}/holders?format=csv").text)))
    assert {"person", "group"} <= {row["subject"] for row in rows}


@pytest.mark.parametrize("path", ["/files", "/holders", ""])
def test_tables_are_the_administrators(manager: Browser, student: Browser, files: Browser, path: str) -> None:
    for browser in (manager, student, files):
        assert browser.get(STORAGE + path).status_code == 404


def test_rule_is_switched_on_seen_and_removed(ada: Browser, files: Browser) -> None:
    fields = {"action": "add_rule", "days": "90", "group": "storage-lab"}
    assert "A reason is needed" in ada.submit(STORAGE, **fields).text
    assert "number of days" in ada.submit(STORAGE, **{**fields, "days": "3"}, reason="x").text
    assert "There is no group" in ada.submit(STORAGE, **{**fields, "group": "nothing"}, reason="x").text
    reason = "disk <b>full</b>"
    assert "runs every day, from tomorrow on" in ada.submit(STORAGE, **fields, reason=reason).text
    assert "already" in ada.submit(STORAGE, **fields, reason=reason).text
    page = ada.get(STORAGE).text
    assert "disk &lt;b&gt;full&lt;/b&gt;" in page
    assert "not yet" in page
    number = re.search(r'name="rule" value="(\d+)"', page)
    assert number
    assert "A reason is needed" in ada.submit(STORAGE, action="remove_rule", rule=number.group(1)).text
    done = ada.submit(STORAGE, action="remove_rule", rule=number.group(1), reason="they asked")
    assert "The rule is removed" in done.text
    trail = ada.get("/hub/administration/audit?format=csv&action=remove retention rule").text
    assert "they asked" in trail


def test_decision_needs_the_name_that_the_registry_has(ada: Browser) -> None:
    fields = {"action": "decide", "subject": "person", "id": "999999", "decision": "delete", "reason": "x"}
    answer = ada.submit(STORAGE, **fields, name="me", typed_name="me")
    assert "no longer wait for a decision" in answer.text
    assert json.dumps("me") not in answer.text
