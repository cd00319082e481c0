"""What must hold at the end, whatever happened. Each check returns sentences; none is the wished answer."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from pathlib import Path

import httpx

from tests.faults.application.chaos_commands import content
from tests.faults.fairness import judge
from tests.faults.load import Accepted, Ledger

FINAL = ("successful", "failed", "cancelled")
# Ends that dying machines may bring about; each has to name its reason.
LOST = "The agent was lost"
FULL = "No space left on device"  # the program's own folder was on the full disk


def each_ended_once(database: Path, ledger: Ledger) -> list[str]:
    """Every accepted calculation is there, has exactly one end, and nothing else is there."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = dict(connection.execute("SELECT id, state FROM calculations"))
        ends = Counter(
            found[0]
            for found in connection.execute(
                "SELECT object_id FROM events WHERE kind = 'calculation' AND status IN (?, ?, ?) AND step = 'done'",
                FINAL,
            )
        )
    faults = [
        f"accepted calculation {one} is not in the database" for one in ledger.accepted if one not in rows
    ]
    faults += [f"calculation {one} is still {state}" for one, state in rows.items() if state not in FINAL]
    faults += [f"calculation {one} has {ends[one]} ends" for one in rows if ends[one] != 1]
    faults += [f"the key {key} gave two calculations" for key in ledger.doubled]
    return faults


def ended_rightly(database: Path, ledger: Ledger) -> list[str]:
    """The end is the one that the command has, or names the loss of agents as its reason."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = {
            row[0]: row[1:]
            for row in connection.execute(
                "SELECT id, state, error_msg, losses, dead_letter FROM calculations"
            )
        }
    faults = []
    for one in ledger.accepted.values():
        state, text, losses, dead = rows.get(one.calculation_id, ("missing", "", 0, 0))
        if not _is_right(one, state, text, losses, dead):
            faults.append(
                f"{one.command} {one.calculation_id} ended {state} after {losses} losses: {text[:300]!r}"
            )
    return faults


def _is_right(one: Accepted, state: str, text: str, losses: int, dead: int) -> bool:
    if state == "cancelled":
        return one.cancelled
    if one.command == "fail" and state == "failed" and "always fails" in text:
        return True
    if state == "failed" and one.command == "write" and FULL in text:
        return True
    if state == "failed":
        return bool(dead) and LOST in text and losses >= 2
    return state == "successful" and one.command not in ("fail", "die")


def hashes_match(url: str, ledger: Ledger) -> list[str]:
    """Every file of a successful `write` has the bytes that its number says."""
    faults = []
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        for one in ledger.accepted.values():
            if one.command == "write":
                client.headers["Authorization"] = f"Bearer token-of-{one.owner}"
                faults += _file_of(client, one)
    return faults


def _file_of(client: httpx.Client, one: Accepted) -> list[str]:
    (shown,) = client.get(f"/api/calculations/{one.calculation_id}").json()["payload"]["calculations"]
    if shown["status"] != "successful":
        return []
    dataset = client.get(f"/api/datasets/{shown['output_dataset_id']}").json()["payload"]["datasets"][0]
    (file,) = dataset["data_files"].values()
    got = client.get(f"/api/data-files/{file['qcrbox_file_id']}/download").content
    wanted = content(one.arguments["number"], one.arguments["kilobytes"])
    if hashlib.sha256(got).digest() != hashlib.sha256(wanted).digest():
        return [f"the file of {one.calculation_id} has other bytes ({len(got)} instead of {len(wanted)})"]
    return []


def agents_have_owners(database: Path, agent_pids: list[int]) -> list[str]:
    """No more agent processes than agents that the registry knows."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        known = connection.execute("SELECT count(*) FROM agents WHERE state NOT IN ('gone')").fetchone()[0]
    if len(agent_pids) > known:
        return [f"{len(agent_pids)} agent processes run, the registry knows {known}"]
    return []


def turns_were_fair(database: Path, turns_file: Path) -> list[str]:
    """Nobody was served while somebody who had used less waited; and no start went past the witness."""
    verdict = judge(turns_file.read_text().splitlines())
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        started = [found[0] for found in connection.execute("SELECT id FROM calculations WHERE attempt > 0")]
    faults = verdict.faults[:10]
    if len(verdict.faults) > len(faults):
        faults.append(f"{len(verdict.faults)} turns were unfair in all")
    return faults + [f"nobody saw the turn of {one}" for one in started if one not in verdict.turns]
