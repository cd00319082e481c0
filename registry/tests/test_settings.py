"""Settings of the registry process."""

from __future__ import annotations

import pytest
from qcrbox_registry.settings import Settings
from sqlalchemy import make_url


@pytest.mark.parametrize("name", ["data", "a 100% b?c#d", "a%20b"])
def test_the_database_is_in_the_data_folder_whatever_its_name(tmp_path, name):
    url = Settings(data=tmp_path / name).sql_url
    assert make_url(url).database == str(tmp_path / name / "qcrbox.sqlite")
    assert not make_url(url).query
