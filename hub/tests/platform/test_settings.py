"""What an administrator writes into platform.toml."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.platform.settings import FILE, PlatformSettings, reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "settings.md"


def load(folder: Path, text: str) -> PlatformSettings:
    (folder / FILE).write_text(text)
    return PlatformSettings.load(folder)


def test_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert PlatformSettings.load(tmp_path) == PlatformSettings()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path, '[public]\nurl = "https://hub.example.org"\n[people]\nspawner = "docker"\nmemory_gib = 8\n'
    )
    assert settings.public.url == "https://hub.example.org"
    assert (settings.people.spawner, settings.people.memory_gib) == ("docker", 8)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[public]\nurll = 'x'\n", "public.urll: there is no such key"),
        ("[publik]\n", "publik: there is no such key"),
        ("[public]\nport = 0\n", "public.port"),
        ("[people]\nspawner = 'none'\n", "people.spawner"),
        ("[public\n", "not valid TOML"),
        ("people = 3\n", "people"),
    ],
)
def test_mistake_is_named_with_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(UserInputError, match=named) as caught:
        load(tmp_path, text)
    assert str(tmp_path / FILE) in str(caught.value)


def test_database_urls_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "db").write_text("postgresql+psycopg://me:secret@db/qcrbox\n")
    settings = load(tmp_path, '[database]\nregistry_url_file = "secrets/db"\n')
    assert settings.registry_database_url(tmp_path) == "postgresql+psycopg://me:secret@db/qcrbox"
    assert settings.hub_database_url(tmp_path) == f"sqlite:///{tmp_path}/hub/jupyterhub.sqlite"
    assert "secret@" not in settings.model_dump_json()


def test_missing_or_wrong_database_file_is_an_error(tmp_path: Path) -> None:
    settings = load(tmp_path, '[database]\nhub_url_file = "db"\n')
    with pytest.raises(UserInputError, match="cannot be read"):
        settings.hub_database_url(tmp_path)
    (tmp_path / "db").write_text("secret-that-is-no-url")
    with pytest.raises(UserInputError) as caught:
        settings.hub_database_url(tmp_path)
    assert "secret-that" not in str(caught.value)


def test_every_key_is_on_the_page() -> None:
    assert PAGE.read_text() == reference(), "run: python -m qcrbox_hub.platform.settings > docs/settings.md"
