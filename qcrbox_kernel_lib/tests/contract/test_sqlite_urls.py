"""URLs of SQLite files: the file that is opened is the file that was named, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.contract.sqlite_urls import url_of
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url


@pytest.mark.parametrize(
    "name",
    [
        "a.sqlite",
        "with blank.sqlite",
        "50%25.sqlite",
        "what?.sqlite",
        "a#b.sqlite",
        "é λ.sqlite",
        "a&b=c.sqlite",
        "%3F",
        "a;b",
        "x:y@z",
        "'quoted'",
        "+plus+",
    ],
)
def test_the_named_file_is_the_one_that_is_opened(tmp_path, name):
    engine = create_engine(url_of(tmp_path / name))
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        connection.commit()
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_relative_path_stays_relative():
    assert make_url(url_of(Path("data/a?.sqlite"))).database == "data/a?.sqlite"
    assert make_url(url_of(Path("/data/a.sqlite"))).database == "/data/a.sqlite"
