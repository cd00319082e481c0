"""A join code works once, until it expires or is revoked; a revoked pass opens nothing."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotFound
from qcrbox_registry.store import launcher_passes, people, schema
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.launcher_passes import NewPass

NOW = 1_750_000_000.0
CODE = "0" * 64


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'passes.sqlite'}")
    schema.migrate(made)
    yield made
    made.close()


@pytest.fixture
def root(database):
    return database.write_sync(lambda conn: people.ensure_person(conn, "root", "2026", NOW))


@pytest.fixture
def make(database, root):
    def add(launcher="gpu", code=CODE, expires=NOW + 900, now=NOW):
        new = NewPass(launcher, code, expires)
        return database.write_sync(lambda conn: launcher_passes.add(conn, new, root, now))

    return add


@pytest.fixture
def use(database):
    return lambda now=NOW + 1, code=CODE: database.write_sync(
        lambda conn: launcher_passes.use_code(conn, code, "10.0.0.7", now)
    )


def is_valid(database, made, launcher="gpu"):
    return database.read_sync(lambda conn: launcher_passes.is_valid(conn, made.id, launcher))


def test_code_works_once(database, make, use):
    made = make()
    assert made.state(NOW) == "open"
    assert not is_valid(database, made), "the code is not used yet"
    used = use()
    assert (used.launcher, used.address, used.state(NOW + 1)) == ("gpu", "10.0.0.7", "joined")
    assert is_valid(database, made)
    with pytest.raises(NotFound, match="does not hold"):
        use()


@pytest.mark.parametrize(("now", "holds"), [(NOW + 899, True), (NOW + 900, False), (NOW + 1e6, False)])
def test_code_expires(make, use, now, holds):
    made = make()
    assert made.state(now) == ("open" if holds else "expired")
    if holds:
        use(now)
    else:
        with pytest.raises(NotFound):
            use(now)


def test_unknown_code_opens_nothing(make, use):
    make()
    with pytest.raises(NotFound):
        use(code="1" * 64)


def test_revoked_pass_ends_code_and_launcher(database, make, use):
    before = make()
    database.write_sync(lambda conn: launcher_passes.revoke(conn, before.id, NOW + 1))
    with pytest.raises(NotFound):
        use()
    after = make("cpu", "2" * 64)
    use(code="2" * 64)
    assert is_valid(database, after, "cpu")
    database.write_sync(lambda conn: launcher_passes.revoke(conn, after.id, NOW + 2))
    assert not is_valid(database, after, "cpu")
    first = database.read_sync(lambda conn: launcher_passes.get(conn, after.id)).revoked_at
    database.write_sync(lambda conn: launcher_passes.revoke(conn, after.id, NOW + 99))
    assert database.read_sync(lambda conn: launcher_passes.get(conn, after.id)).revoked_at == first


def test_pass_is_for_one_launcher(database, make, use):
    made = make()
    use()
    assert not is_valid(database, made, "local")


def test_name_in_use_gets_no_second_pass_until_the_first_is_over(make, use):
    make()
    with pytest.raises(Conflict, match="gpu"):
        make(code="3" * 64)
    assert make(code="3" * 64, now=NOW + 1000, expires=NOW + 2000).launcher == "gpu", (
        "the first code has expired"
    )
    use(NOW + 1500, "3" * 64)
    with pytest.raises(Conflict):
        make(code="4" * 64, now=NOW + 3000)
