"""What `qcrbox doctor` says of platform.toml."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from qcrbox_hub.cli import doctor_settings
from qcrbox_hub.cli.doctor_settings import (
    check_parts_elsewhere,
    check_settings,
    load_or_none,
    named_files,
)
from qcrbox_hub.platform.data_folder import DataFolder


@pytest.fixture
def write(tmp_path):
    """Write platform.toml; returns the data folder."""

    def write(text: str = "") -> DataFolder:
        if text:
            (tmp_path / "platform.toml").write_text(text)
        return DataFolder(tmp_path)

    return write


def faults(folder: DataFolder) -> list[tuple[str, str]]:
    return [(looked_at, todo) for good, looked_at, todo in check_settings(folder) if not good]


def test_no_file_means_the_defaults_and_they_are_good(write):
    folder = write()
    assert list(check_settings(folder)) == [(True, "settings: the defaults", "")]
    assert load_or_none(folder) is not None


@pytest.mark.parametrize(
    "text",
    ["manager = ", 'colour = "red"', '[public]\nport = "many"', "[public]\nport = 70000"],
)
def test_a_file_that_cannot_be_used_is_one_fault_and_nothing_else_is_looked_at(write, text):
    folder = write(text)
    found = list(check_settings(folder))
    assert [good for good, _, _ in found] == [False]
    assert found[0][1].startswith("settings: ")
    assert load_or_none(folder) is None
    assert list(check_parts_elsewhere(folder)) == []


def test_a_database_url_that_is_none_is_named(write, tmp_path):
    (tmp_path / "db").write_text("no url at all")
    ((looked_at, _),) = faults(write('[database]\nregistry_url_file = "db"'))
    assert looked_at == "settings: This file holds no database URL."


@pytest.mark.parametrize("url", ["postgresql+psycopg://host:port/x", "post gres://x"])
def test_a_database_url_that_cannot_be_parsed_is_shown_with_the_reason(write, tmp_path, url):
    (tmp_path / "db").write_text(url)
    ((looked_at, why),) = faults(write('[database]\nregistry_url_file = "db"'))
    assert looked_at == "settings: a database URL cannot be parsed"
    assert why


def test_people_on_the_origin_of_the_hub_are_a_fault(write):
    usual = '[public]\nurl = "https://x.example.org"\n'
    for people in ('people_url = "https://people.example.net"\n', ""):
        assert not any(looked_at.startswith("names: ") for looked_at, _ in faults(write(usual + people)))
    same = usual + 'people_url = "same"\n'
    assert [looked_at for looked_at, _ in faults(write(same))] == ["names: none"]


@pytest.mark.parametrize(
    ("mode", "good"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o666, False)]
)
def test_a_secret_is_for_its_owner_alone(write, tmp_path, mode, good):
    secret = tmp_path / "mail.password"
    secret.write_text("x")
    secret.chmod(mode)
    folder = write(
        '[mail]\nserver = "mail.example.org"\npassword_file = "mail.password"\nsender = "q@example.org"'
    )
    found = [finding for finding in check_settings(folder) if finding[1].startswith("mail.password_file")]
    assert [each[0] for each in found] == [good]
    assert found[0][2] == f"chmod 600 {secret}"


def test_a_file_that_is_not_there_is_named_with_its_key_and_place(write, tmp_path):
    ((looked_at, why),) = faults(write('hub_config = "extra.py"'))
    assert looked_at == f"hub_config: {tmp_path / 'extra.py'} cannot be used"
    assert why == "No such file or directory."


def test_a_file_without_a_secret_may_be_read_by_others(write, tmp_path):
    (tmp_path / "extra.py").write_text("")
    (tmp_path / "extra.py").chmod(0o644)
    assert faults(write('hub_config = "extra.py"')) == []


def test_only_what_is_in_use_has_to_be_there(write):
    unused = write('[public]\nurl = "https://x.example.org"\ntls_certificate = "c.pem"\ntls_key = "k.pem"\n')
    assert "public.tls_key" not in named_files(load_or_none(unused))
    used = write(
        '[public]\nurl = "https://x.example.org"\ntls = "files"\ntls_certificate = "c.pem"\ntls_key = "k.pem"\n'
    )
    named = named_files(load_or_none(used))
    assert named["public.tls_key"] == (Path("k.pem"), True)
    assert named["public.tls_certificate"] == (Path("c.pem"), False)


def test_the_folder_of_the_signed_heads_has_to_be_there(write, tmp_path):
    folder = write('[audit]\nheads_file = "elsewhere/heads"')
    ((looked_at, _),) = faults(folder)
    assert looked_at == f"audit.heads_file: {tmp_path / 'elsewhere' / 'heads'} can be written"
    (tmp_path / "elsewhere").mkdir()
    assert faults(folder) == []


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_of_others_is_called(write, listening):
    (finding,) = check_parts_elsewhere(write(f'[nats]\nurl = "nats://127.0.0.1:{listening}"'))
    assert finding == (True, "nats.url: 127.0.0.1 answers", "")


def test_a_server_that_does_not_answer_is_a_fault_with_the_reason(write):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        (finding,) = check_parts_elsewhere(write(f'[nats]\nurl = "nats://127.0.0.1:{port}"'))
    good, looked_at, why = finding
    assert (good, looked_at) == (False, "nats.url: 127.0.0.1 does not answer")
    assert "refused" in why


def test_nats_without_a_port_is_called_at_its_usual_one(write, monkeypatch):
    called = []

    def connect(address, timeout):
        called.append((address, timeout))
        raise OSError("not here")

    monkeypatch.setattr(doctor_settings.socket, "create_connection", connect)
    list(check_parts_elsewhere(write('[nats]\nurl = "nats://nats.example.org"')))
    assert called == [(("nats.example.org", 4222), 3.0)]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_manager_with_docker_needs_its_daemon(write, monkeypatch, tmp_path, is_there):
    class Found:
        socket = tmp_path if is_there else tmp_path / "docker.sock"

    monkeypatch.setattr(doctor_settings.Daemon, "found", staticmethod(lambda: Found))
    (finding,) = check_parts_elsewhere(write('manager = "docker"'))
    assert finding[0] is is_there
    assert finding[1] == "manager: docker finds a Docker daemon"


def test_no_daemon_at_all_is_a_fault_too(write, monkeypatch):
    monkeypatch.setattr(doctor_settings.Daemon, "found", staticmethod(lambda: None))
    assert [good for good, _, _ in check_parts_elsewhere(write('manager = "swarm"'))] == [False]


@pytest.mark.slow
def test_the_mail_server_is_tried_as_for_an_email(write, listening):
    """A port that listens is not enough: this one never greets."""
    text = f'[mail]\nserver = "127.0.0.1"\nport = {listening}\nsender = "q@example.org"\n'
    ((good, looked_at, why),) = check_parts_elsewhere(write(text))
    assert not good
    assert looked_at == f"mail.server: 127.0.0.1, port {listening}: no e-mail can be sent"
    assert why.startswith("It closed the connection or gave no answer in time.")
