"""`qcrbox status`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from qcrbox_hub.cli.console import DataOption, data_folder
from qcrbox_hub.lifecycle.readiness import told_by_registry
from qcrbox_hub.platform.child import answering
from qcrbox_hub.platform.data_folder import DataFolder

STARTING_S = 30.0


def status(
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What runs. Exit code 0: all is well; 1: something is not; 3: nothing runs."""
    folder = data_folder(data)
    found = platform_state(folder)
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        _show(folder, found)
    raise typer.Exit({"running": 0, "degraded": 1, "stopped": 3}[found["state"]])


def platform_state(folder: DataFolder) -> dict[str, Any]:
    """State of the platform on a folder, as `--json` prints it. No secrets."""
    pid, platform = folder.holder(), folder.read_platform()
    if pid is None or platform is None:
        return {"state": "stopped", "data": str(folder.path)}
    children = {
        name: {**child, **_resources(child.get("pid"))} for name, child in platform["children"].items()
    }
    registry_answers = answering(f"{platform['registry_url']}/api/healthz")()
    missing = missing_parts(platform["registry_url"]) if registry_answers else {}
    well = (
        registry_answers
        and not missing
        and all(child["phase"] == "ready" and child["alive"] for child in children.values())
    )
    return {
        "state": "running" if well else "degraded",
        "data": str(folder.path),
        "pid": pid,
        "mode": platform["mode"],
        "url": platform["url"],
        "registry_url": platform["registry_url"],
        "registry_answers": registry_answers,
        "missing": missing,
        "walls": platform.get("walls"),
        "qcrbox": platform["qcrbox"],
        "children": children,
    }


def missing_parts(registry_url: str) -> dict[str, str]:
    """What the registry itself says is missing: part -> why. Just after a start its launcher may still be on its way."""
    try:
        told = told_by_registry(registry_url)
    except (OSError, ValueError):
        return {"registry": "It does not say whether it is ready."}
    missing = dict(told.get("missing") or {})
    if told.get("uptime_s", 0) < STARTING_S:
        missing.pop("launcher", None)
    return missing


def _resources(pid: int | None) -> dict[str, Any]:
    try:
        process = psutil.Process(pid)
        rss = process.memory_info().rss + sum(
            each.memory_info().rss for each in process.children(recursive=True)
        )
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, TypeError):
        return {"alive": False, "rss_mib": 0}
    return {"alive": alive, "rss_mib": round(rss / 1024**2)}


def _show(folder: DataFolder, found: dict[str, Any]) -> None:
    console = Console()
    if found["state"] == "stopped":
        console.print(f"Nothing runs on {folder.path}. Start it with `qcrbox up`.")
        return
    console.print(f"QCrBox {found['qcrbox']} ({found['mode']}) at {found['url']}, process {found['pid']}")
    table = Table("part", "state", "process", "memory", "restarts", box=None)
    for name, child in found["children"].items():
        good = child["phase"] == "ready" and child["alive"]
        table.add_row(
            name,
            "[green]✓ ready[/]" if good else f"[red]✗ {child['phase'].replace('_', ' ')}[/]",
            str(child["pid"] or ""),
            f"{child['rss_mib']} MiB",
            str(child["crashes"] or ""),
        )
    console.print(table)
    if walls := found["walls"]:
        console.print(f"Walls: {walls['walls']}. {escape(walls['what'])}")
        if walls["stronger"]:
            console.print(f"[dim]{escape(walls['stronger'])}[/]")
    for part, why in found["missing"].items():
        console.print(f"[red]✗[/] {escape(part)}: {escape(why)}")
    if not found["registry_answers"]:
        console.print("[red]The registry does not answer.[/] See `qcrbox logs registry`.")
