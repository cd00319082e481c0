"""A person's server starts without the modules of the hub's own process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys
from qcrbox_hub.jupyterhub.singleuser import without_the_hub
with without_the_hub():
    import jupyterhub.singleuser
    from jupyterhub.scopes import _intersect_expanded_scopes
common = _intersect_expanded_scopes({"read:users!user=ada", "shares"}, {"read:users"})
left_out = [name for name in ("alembic", "sqlalchemy.orm.session", "jupyterhub.apihandlers") if name in sys.modules]
from jupyterhub.orm import User
from jupyterhub.handlers.pages import HealthCheckHandler
print(json.dumps([left_out, sorted(common), User.__tablename__, HealthCheckHandler.__module__]))
"""


@pytest.mark.slow
def test_the_hubs_modules_are_left_out_and_come_when_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    left_out, common, table, module = json.loads(done.stdout)
    assert left_out == []
    assert common == ["read:users!user=ada"], "the scopes of a visitor are judged as ever"
    assert (table, module) == ("users", "jupyterhub.handlers.pages")
