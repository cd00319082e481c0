"""Secrets of the data folder: made once, for this account alone, and never empty."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from qcrbox.contract.errors import QcError
from qcrbox_registry.messaging.keys import Key, Secrets


@pytest.fixture
def kept(tmp_path):
    return Secrets(tmp_path)


def test_a_secret_is_made_once_and_stays(kept, tmp_path):
    first = kept.user("registry"), kept.account(), kept.audit(), kept.signing_key()
    again = Secrets(tmp_path)
    assert (again.user("registry"), again.account(), again.audit(), again.signing_key()) == first
    assert len({first[0].seed, first[1].seed, first[2].seed, first[3]}) == 4


def test_two_folders_have_other_secrets(tmp_path):
    one, two = Secrets(tmp_path / "one"), Secrets(tmp_path / "two")
    assert one.user("registry") != two.user("registry")
    assert one.signing_key() != two.signing_key()


@pytest.mark.attack(1)
def test_no_other_account_of_the_machine_reads_them(kept):
    old = os.umask(0)
    try:
        paths = [kept.user_file("launcher-lab"), kept.user_file("registry")]
        kept.signing_key()
    finally:
        os.umask(old)
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in kept.folder.iterdir()} == {0o600}
    assert all(path.parent == kept.folder for path in paths)


def test_processes_that_start_at_once_have_one_secret(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Secrets(tmp_path).signing_key(), range(32)))
    assert len(found) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["signing.key"], "no draft is left"


@pytest.mark.attack(1)
@pytest.mark.parametrize("content", [b"", b"\n", b"  \n"])
@pytest.mark.parametrize("name", ["signing.key", "nats_registry.nk"])
def test_an_empty_secret_is_no_secret(kept, content, name):
    """Everybody could sign with an empty key: a file that a full disk or a bad restore left is refused."""
    (kept.folder / name).write_bytes(content)
    with pytest.raises(QcError, match="A secret is empty") as refused:
        kept.signing_key() if name == "signing.key" else kept.user("registry")
    assert refused.value.where == str(kept.folder / name)
    assert refused.value.next


def test_launchers_are_those_with_a_seed(kept):
    for name in ("registry", "system", "launcher-lab-pc", "launcher-a"):
        kept.user(name)
    assert kept.launchers() == ["a", "lab-pc"]


def test_a_signature_is_of_one_key_and_one_text(kept):
    key, other = kept.audit(), kept.user("registry")
    signature = key.sign(b"head")
    assert key.verify(b"head", signature)
    for by, text, given in (
        (other, b"head", signature),
        (key, b"heads", signature),
        (key, b"head", b""),
        (key, b"head", signature[:-1]),
        (key, b"head", bytes(len(signature))),
    ):
        assert not by.verify(text, given)
    assert Key(key.seed).public == key.public != other.public
