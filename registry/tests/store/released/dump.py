"""Write down a database as a released version leaves it: `python dump.py 0001`, run with the code of that version.

One small site is played through over REST with practising agents, on SQLite and on PostgreSQL, and dumped as SQL text beside
this file. Done once for each schema that is released; the dumps are never changed afterwards.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import sqlalchemy as sa

HERE = Path(__file__).resolve().parent
TESTS = HERE.parents[1]


def _module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def played(folder: Path, database_url: str = "") -> None:
    """Fill a database: persons, a group, files, calculations that succeeded and failed, a share, tags, a deletion, quotas."""
    from qcrbox_registry.app import create_app
    from qcrbox_registry.messaging.keys import Secrets
    from qcrbox_registry.settings import Settings
    from qcrbox_registry.testing.launcher import DummyLauncher

    parts, hubs = _module(TESTS / "api" / "conftest.py"), _module(TESTS / "api" / "stand_in_hub.py")
    application = folder / "application"
    application.mkdir(parents=True)
    (application / "application.yaml").write_text(parts.APPLICATION)
    (folder / "token").write_text("service")
    hub = hubs.StandInHub("service")
    at_hub = parts.Serving(hub.app).start()
    settings = Settings(
        data=folder / "data", auth="hub", hub_api_url=f"{at_hub.url}/hub/api", hub_token_file=folder / "token",
        applications=[application], database_url=database_url, nats_power_loss_safe=False,
    )  # fmt: skip
    app = create_app(settings)
    serving = parts.Serving(app).start()
    core = app.state.core.context
    launcher = DummyLauncher(
        core.bus.url, Secrets(settings.data).user("launcher-local"), applications=(("practice", "1"),)
    )
    serving.do(launcher.start())
    ada = _client(serving.url, hub.add("ada", groups=("crystals",)))
    bob = _client(serving.url, hub.add("bob"))
    root = _client(serving.url, hub.add("root", "custom:qcrbox:admin"))
    waiting = _act(parts.Acts, parts.CIF, ada, bob, root)
    _with_output(serving, core, waiting, parts.CIF)
    serving.do(core.audits.settle())
    serving.do(launcher.close())
    serving.stop()
    at_hub.stop()


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60, trust_env=False
    )


def _act(do, cif: bytes, ada: httpx.Client, bob: httpx.Client, root: httpx.Client) -> str:
    """The id of a calculation that waits."""
    bob.get("/api/me")
    made = do.upload(ada, group="crystals", name="quartz", description="α-SiO2")
    ada.patch(f"/api/datasets/{made['qcrbox_dataset_id']}", json={"tags": ["good"]})
    for command, arguments in (
        ("read", {"structure": {"data_file_id": do.file_id(made)}}),
        ("fail", {}),
        ("noop", {"x": 3}),
    ):
        do.ended(ada, do.submit(ada, command, **arguments))
    gone = do.upload(ada, "gone.cif", cif + b"# another\n")
    ada.delete(f"/api/datasets/{gone['qcrbox_dataset_id']}")
    ada.post("/api/data-files", files={"file": ("lone.hkl", b"   1   0   0   10.00    1.00\n")})
    ada.post("/api/shares", json={"kind": "dataset", "object_id": made["qcrbox_dataset_id"], "person": "bob"})
    ada.post("/api/uploads", json={"filename": "half.bin", "size": 10})
    session = {"application_slug": "practice", "application_version": "1", "command_arguments": {}}
    opened = ada.post("/api/interactive-sessions", json=session).json()["payload"]["interactive_session_id"]
    ada.post(f"/api/interactive-sessions/{opened}/close", params={"wait": 10})
    root.put("/api/quotas", json={"subject": "person", "name": "bob", "quota": "gib", "limit": 2})
    application = root.get("/api/applications").json()["payload"]["applications"][0]["id"]
    root.post(f"/api/applications/{application}/hold", json={"mode": "hold", "reason": "Licence"})
    do.submit(bob, "noop", x=1)
    return do.submit(ada, "read", structure={"data_file_id": do.file_id(made)})


def _with_output(serving, core, calculation_id: str, cif: bytes) -> None:
    """End a calculation that waits as an agent would, with one output file: those that practise have none."""
    from qcrbox.contract.messages import Finished, OutputFile
    from qcrbox.contract.states import State
    from qcrbox_registry.messaging.tokens import FilesToken, sign
    from qcrbox_registry.store import results, transitions

    async def forget() -> None:
        core.scheduler.state.backlog.remove(calculation_id)

    def assign(conn):
        ledger = transitions.Ledger(conn, [calculation_id])
        attempt = ledger.assign(calculation_id, "agent-of-the-dump")
        ledger.close()
        return attempt

    serving.do(forget())
    attempt = core.db.write_sync(assign)
    claims = FilesToken(calculation_id=calculation_id, attempt=attempt, expires=time.time() + 60)
    client = _client(serving.url, sign(core.signing_key, "files", claims))
    content = cif.replace(b"0.021", b"0.020")
    query = {"name": "refined", "filename": "refined.cif", "sha256": hashlib.sha256(content).hexdigest()}
    stored = client.put(f"/internal/calculations/{calculation_id}/outputs", params=query, content=content)
    output = OutputFile(
        name="refined", filename="refined.cif", filetype="cif", primary=True, **stored.json()["payload"]
    )
    end = Finished(calculation_id=calculation_id, attempt=attempt, status=State.SUCCESSFUL, outputs=[output])
    core.db.write_sync(lambda conn: results.commit_many(conn, [end]))
    client.close()


def main(revision: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        played(Path(folder))
        with sqlite3.connect(Path(folder) / "data" / "qcrbox.sqlite") as direct:
            (HERE / f"{revision}.sqlite.sql").write_text("\n".join(direct.iterdump()) + "\n")
    postgres = _module(TESTS / "postgres_server.py")
    found = postgres.binaries()
    with tempfile.TemporaryDirectory() as folder, postgres.private_server(found) as server:
        admin = sa.create_engine(
            server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as conn:
            conn.exec_driver_sql("CREATE DATABASE released")
        admin.dispose()
        url = f"{server.rpartition('/')[0]}/released"
        played(Path(folder), url)
        words = [str(Path(found) / "pg_dump"), "--inserts", "--no-owner", "--no-privileges", url]
        text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        # Lines for psql alone, and comments.
        kept = [line for line in text.splitlines() if not line.startswith(("\\", "--"))]
        (HERE / f"{revision}.postgres.sql").write_text("\n".join(kept) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
