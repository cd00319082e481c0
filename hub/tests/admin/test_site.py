"""Banner, maintenance mode, backups, settings and logs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.admin.logs import find_lines
from qcrbox_hub.platform.banner import Banner

if TYPE_CHECKING:
    from conftest import Browser, Hub

SITE = "/hub/administration/site"


def test_banner_is_on_every_page_and_escaped(ada: Browser, student: Browser) -> None:
    ada.submit(SITE, action="banner", text="Back at 18:00 <script>alert(1)</script>")
    for page in (ada.get(SITE).text, student.get("/hub/token").text):
        assert "Back at 18:00 &lt;script&gt;" in page
        assert "<script>alert(1)" not in page
    ada.submit(SITE, action="banner", text="")
    assert "Back at 18:00" not in student.get("/hub/token").text


def test_maintenance_asks_for_the_typed_word_and_says_why_everywhere(ada: Browser, student: Browser) -> None:
    refused = ada.submit(SITE, action="maintenance", reason="new disk", typed_name="yes")
    assert "nothing was changed" in refused.text
    ada.submit(SITE, action="maintenance", reason="new disk", typed_name="maintenance")
    try:
        assert "Maintenance: new disk" in student.get("/hub/token").text
        assert 'id="hold"' in ada.get(SITE).text
    finally:
        ada.submit(SITE, action="end_maintenance")
    assert "new disk" not in student.get("/hub/token").text


@pytest.mark.slow
def test_backup_is_written_and_listed(platform: Hub, ada: Browser) -> None:
    assert "is being written" in ada.submit(SITE, action="backup").text
    deadline = time.monotonic() + 120
    while "backup_runs" in (page := ada.get(SITE).text):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "backup_problem" not in page, page
    found = re.search(r'<th scope="row">(qcrbox-\d+-\d+)</th>', page)
    assert found
    folder = platform.data.path / "backups" / found.group(1)
    assert {"manifest.json", "registry.tar", "hub.sqlite"} <= {file.name for file in folder.iterdir()}


def test_settings_hold_no_secret(platform: Hub, ada: Browser) -> None:
    page = ada.get(SITE).text
    assert "people.home_gib" in page
    for file in platform.data.secrets.iterdir():
        if file.is_file() and (text := file.read_text(errors="replace").strip()):
            assert text not in page, file.name


def test_logs_of_every_part_are_searched(ada: Browser) -> None:
    # The registry writes this word once, when it makes its database.
    page = ada.get("/hub/administration/logs?q=database_migrated").text
    assert re.search(r'id="found">[1-9]\d* line', page)
    assert "registry.log: " in page
    assert "Type an id" in ada.get("/hub/administration/logs?q=.*").text


def test_lines_of_logs_are_searched_as_plain_text_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "agents").mkdir(parents=True)
    (folder / "registry.log").write_text("one abc.123\ntwo abcx123\n")
    (folder / "agents" / "a.log").write_text("three abc.123\n")
    (tmp_path / "secret.txt").write_text("four abc.123\n")
    (folder / "link.log").symlink_to(tmp_path / "secret.txt")
    assert find_lines(folder, "abc.123") == [
        ("agents/a.log", "three abc.123"),
        ("registry.log", "one abc.123"),
    ]
    for text in ("", "abc", "a b c d e f", "x" * 81):
        with pytest.raises(UserInputError):
            find_lines(folder, text)


def test_broken_banner_file_shows_no_banner(tmp_path: Path) -> None:
    banner = Banner(tmp_path / "banner.json")
    assert banner.as_html() == ""
    banner.file.write_text("{")
    assert banner.as_html() == ""


def test_settings_are_changed_by_a_click_and_wait_for_a_restart(platform: Hub, ada: Browser) -> None:
    page, file = SITE, platform.data.path / "platform.toml"
    assert 'id="restart_for"' not in ada.get(page).text
    refused = ada.submit(page, action="settings", reason="x", **{"people.cpus": "-3"})
    assert "people.cpus" in refused.text
    assert str(platform.data.path) not in refused.text
    assert not file.exists()
    assert "A reason is needed" in ada.submit(page, action="settings", **{"people.cpus": "1.5"}).text
    spawner = ada.submit(page, action="settings", reason="x", **{"people.spawner": "trusted"})
    assert "No setting was changed" in spawner.text
    done = ada.submit(page, action="settings", reason="small machine", **{"people.cpus": "1.5"}).text
    assert "Changed: people.cpus." in done
    assert file.read_text() == "[people]\ncpus = 1.5\n"
    assert re.search(r'id="restart_for">[^\n]*<code>people.cpus</code>', done)
    trail = ada.get("/hub/administration/audit?format=csv&action=settings").text
    assert "small machine" in trail
    assert "2 -> 1.5" in trail
    ada.submit(page, action="settings", reason="as before", **{"people.cpus": "2"})
    assert 'id="restart_for"' not in ada.get(page).text
