"""Presets of Lab's forms: the file of the home that `qc.….presets` of notebooks reads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest
from qcrbox.client import preset_file
from qcrbox.contract.errors import UserInputError
from qcrbox_extension.presets import _preset_of

PATH = "/qcrbox/presets/refine/refine_iam"


def test_a_preset_of_the_form_is_kept_read_and_deleted(browser: httpx.Client, xsrf: dict[str, str]) -> None:
    assert browser.get(PATH).json() == {}
    kept = {"name": " quick look ", "options": {"cycles": 0, "weighting": "keep", "twin": False}}
    found = browser.put(PATH, json=kept, headers=xsrf)
    assert found.json() == {"quick look": kept["options"]}
    assert browser.get(PATH).json() == found.json()
    assert browser.get("/qcrbox/presets/har/refine_har").json() == {}
    gone = browser.delete(PATH, params={"name": "quick look"}, headers=xsrf)
    assert gone.json() == {}
    again = browser.delete(PATH, params={"name": "quick look"}, headers=xsrf)
    assert again.status_code == 404
    assert "no preset 'quick look'" in again.json()["error"]["message"]


def test_without_the_pages_token_or_a_sign_in_nothing_is_kept(browser: httpx.Client, server_url: str) -> None:
    kept = {"name": "a", "options": {}}
    assert browser.put(PATH, json=kept).status_code == 403
    assert httpx.get(f"{server_url}qcrbox/presets/refine/refine_iam", trust_env=False).status_code == 403
    assert browser.get(PATH).json() == {}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "cannot be read"),
        (b"[1]", "cannot be read"),
        (b'{"name": "a"}', "cannot be read"),
        (b'{"name": " ", "options": {}}', "needs a name"),
        (json.dumps({"name": 81 * "n", "options": {}}).encode(), "at most 80"),
        (
            b'{"name": "a", "options": {"structure": {"data_file_id": "1"}}}',
            "structure is neither text nor number",
        ),
        (json.dumps({"name": "a", "options": {"b": 65536 * "x"}}).encode(), "cannot be read"),
    ],
)
def test_what_is_no_preset_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(UserInputError, match=words):
        _preset_of(body)


def test_notebooks_and_forms_share_one_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    preset_file.keep("refine.refine_iam", "quick", {"cycles": 0})
    assert json.loads((tmp_path / "qcrbox" / "presets.json").read_text()) == {
        "refine.refine_iam": {"quick": {"cycles": 0}}
    }
    (tmp_path / "qcrbox" / "presets.json").write_text("{")
    with pytest.raises(UserInputError, match="cannot be read"):
        preset_file.of("refine.refine_iam")


def test_presets_that_are_kept_and_deleted_at_the_same_moment_all_count(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("old 1", "old 2"):
        preset_file.keep("refine.refine_iam", name, {})
    together = Barrier(8)

    def write(number: int) -> None:
        together.wait()
        for each in range(5):
            preset_file.keep("refine.refine_iam", f"{number}.{each}", {"cycles": each})
        if number < 2:
            preset_file.forget("refine.refine_iam", f"old {number + 1}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    assert set(preset_file.of("refine.refine_iam")) == {f"{n}.{m}" for n in range(8) for m in range(5)}


def test_a_preset_that_does_not_exist_changes_nothing(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    preset_file.keep("refine.refine_iam", "quick", {"cycles": 0})
    with pytest.raises(KeyError):
        preset_file.forget("refine.refine_iam", "slow")
    assert preset_file.of("refine.refine_iam") == {"quick": {"cycles": 0}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"name": "a", "options": {"x": NaN}}', "x is neither text nor number"),
        (b'{"name": "a", "options": {"x": Infinity}}', "x is neither text nor number"),
        (b'{"name": "a", "options": {"x": null}}', "x is neither text nor number"),
        (b'{"name": "a", "options": {"x": [1]}}', "x is neither text nor number"),
        (rb'{"name": "\ud800", "options": {}}', "cannot be read"),
        (rb'{"name": "a", "options": {"x": "\udfff"}}', "cannot be read"),
        (b'{"name": "a", "options": {"x": ' + b"[" * 20_000, "cannot be read"),
        (b'{"name": "a", "options": [["x"]]}', "cannot be read"),
    ],
    ids=["NaN", "infinite", "null", "list", "half a character", "half in a value", "deep", "list of options"],
)
def test_what_would_leave_the_file_unreadable_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(UserInputError, match=words):
        _preset_of(body)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "", "text", 10**20])
def test_plain_values_are_kept_as_they_are(value: object) -> None:
    assert _preset_of(json.dumps({"name": "a", "options": {"x": value}}).encode()) == ("a", {"x": value})
