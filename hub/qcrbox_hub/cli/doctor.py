"""`qcrbox doctor`: the usual causes of trouble, each with what to do."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import typer
from qcrbox.contract.errors import QcError
from rich.console import Console
from rich.markup import escape
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from qcrbox_hub.apps.person_image import PERSON, PersonImageBuilder
from qcrbox_hub.cli.console import DataOption, data_folder
from qcrbox_hub.cli.doctor_settings import Finding, check_parts_elsewhere, check_settings, load_or_none
from qcrbox_hub.cli.status import platform_state
from qcrbox_hub.platform import packages, paths, ports, sqlite
from qcrbox_hub.platform.built_images import connect
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.settings import PlatformSettings
from qcrbox_hub.platform.supervisor import marked_processes
from qcrbox_hub.walls.choice import choose, everyone_is_trusted


def doctor(data: DataOption = None) -> None:
    """Look for the usual causes of trouble. Exit code 1 when something is wrong."""
    folder = data_folder(data)
    console = Console()
    bad = 0
    for check in CHECKS:
        for good, what, advice in check(folder):
            bad += not good
            console.print(f"{'[green]✓[/]' if good else '[red]✗[/]'} {escape(what)}", highlight=False)
            if not good and advice:
                console.print(f"  {advice}", highlight=False, markup=False)
    raise typer.Exit(1 if bad else 0)


def check_python(_: DataFolder) -> Iterator[Finding]:
    """Python is 3.11 or newer."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield sys.version_info >= (3, 11), f"Python {version}", "QCrBox needs Python 3.11 or newer."


def check_packages(_: DataFolder) -> Iterator[Finding]:
    """The packages of every extra are installed."""
    for extra in ("registry", "extension", "hub"):
        lacking = packages.missing("hub").get(extra, [])
        yield (
            not lacking,
            f"packages of [{extra}]" + (f": {', '.join(lacking)} missing" if lacking else ""),
            f'{sys.executable} -m pip install "qcrbox[{extra}]"',
        )
    for name in ("jupyterhub", "jupyterlab", "jupyter_server"):
        try:
            yield True, f"{name} {importlib.metadata.version(name)}", ""
        except importlib.metadata.PackageNotFoundError:
            continue


def check_extension(_: DataFolder) -> Iterator[Finding]:
    """The Lab extension and its server part are installed in this environment."""
    prefix = Path(sys.prefix)
    lab = prefix / "share" / "jupyter" / "labextensions" / "@qcrbox" / "lab" / "package.json"
    server = prefix / "etc" / "jupyter" / "jupyter_server_config.d" / "qcrbox_extension.json"
    fix = f"{sys.executable} -m qcrbox_extension.develop"
    if paths.in_checkout():
        fix = f"In extension/: npm ci && npm run build. Then: {fix}"
    yield lab.is_file(), "JupyterLab panel installed", fix
    yield server.is_file(), "Jupyter server extension installed", fix


def check_applications(_: DataFolder) -> Iterator[Finding]:
    """Application folders were found."""
    found = [folder.name for folder in paths.application_folders()]
    yield (
        bool(found),
        f"applications: {', '.join(found) or 'none'}",
        f"Expected application folders in {paths.applications_folder()}.",
    )


def check_folder(folder: DataFolder) -> Iterator[Finding]:
    """The data folder is writable, has space and private secrets, and is not of a newer version."""
    if not folder.path.exists():
        yield True, f"data folder {folder.path} (will be made by `qcrbox up`)", ""
        return
    try:
        folder._refuse_newer()
    except QcError as error:
        yield False, error.what, error.next
    writable = os.access(folder.path, os.W_OK)
    yield writable, f"data folder {folder.path} is writable", "Give yourself write permission there."
    free = shutil.disk_usage(folder.path).free / 1024**3
    yield free > 1, f"{free:.1f} GiB free on its disk", "Make some space free; calculations need it."
    if folder.secrets.is_dir():
        loose = [file.name for file in folder.secrets.iterdir() if file.stat().st_mode & 0o077]
        yield (
            not loose,
            "secrets are readable by you only" + (f", but not {', '.join(loose)}" if loose else ""),
            f"chmod 600 {folder.secrets}/*",
        )


def check_databases(folder: DataFolder) -> Iterator[Finding]:
    """The SQLite databases can be read and are intact."""
    for file in (folder.path / "qcrbox.sqlite", folder.hub / "jupyterhub.sqlite"):
        if not file.exists():
            continue
        try:
            with closing(sqlite.open_to_read(file)) as connection:
                answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            answer = str(error)
        yield answer == "ok", f"database {file.name}: {answer}", "Restore the last backup: qcrbox restore."
    yield from _check_servers(folder)


def _check_servers(folder: DataFolder) -> Iterator[Finding]:
    """Databases that are not files: does the server answer, and is it the one that this folder belongs to?"""
    try:
        urls = PlatformSettings.load(folder.path).database_urls(folder.path)
        if folder.path.exists():
            folder.require_databases(urls)
    except QcError as error:
        yield False, f"databases: {error.what}", f"{error.why} {error.next}".strip()
        return
    for part, url in urls.items():
        if sqlite.is_sqlite(url):
            continue
        place = make_url(url).render_as_string(hide_password=True)
        try:
            engine = create_engine(url)
            try:
                engine.connect().close()
            finally:
                engine.dispose()
        except (SQLAlchemyError, ImportError) as error:
            why = str(getattr(error, "orig", None) or error).strip().splitlines()
            yield False, f"database of the {part}, {place}, does not answer", why[0] if why else ""
        else:
            yield True, f"database of the {part}, {place}, answers", ""


def check_walls(folder: DataFolder) -> Iterator[Finding]:
    """The walls between people that this machine gives."""
    try:
        settings = PlatformSettings.load(folder.path)
        found = choose(
            settings.people.spawner,
            everyone_trusted=everyone_is_trusted(folder.path),
            image=settings.people.image,
        )
    except QcError as error:
        yield False, f"walls between people: {error.what}", f"{error.why} {error.next}".strip()
        return
    yield found.walls.separate, f"walls between people: {found.what}", found.stronger
    if found.walls.separate and found.stronger:
        yield True, f"stronger walls: {found.stronger}", ""


def check_person_image(_: DataFolder) -> Iterator[Finding]:
    """The image of people's servers holds the files of this installation: in a checkout they change without a version."""
    try:
        builder = PersonImageBuilder(
            connect(), sources=paths.applications_folder(), constraints=paths.agent_pins(), say=lambda _: None
        )
        current = builder.is_person_current()
    except (QcError, OSError):
        return  # `check_walls` names what is missing
    if current is not None:
        yield (
            current,
            f"the image {PERSON} is "
            + ("of this installation" if current else "older than this installation"),
            "People's servers run what it was built from: `qcrbox image build` takes the present files.",
        )


def check_running(folder: DataFolder) -> Iterator[Finding]:
    """The platform runs, or nothing of it is left over."""
    found = platform_state(folder)
    if found["state"] == "stopped":
        left = marked_processes(folder.identity) if folder.path.exists() else []
        yield (
            not left,
            "nothing of this data folder runs"
            + (f", except processes {', '.join(str(each.pid) for each in left)}" if left else ""),
            "The next `qcrbox up` ends them.",
        )
        settings = load_or_none(folder)
        if settings is not None:
            host, port = settings.public.host, settings.public.port
            yield (
                ports.is_free(host, port),
                f"port {port} of {host} is free",
                "Use another one: `public.port` in platform.toml, or qcrbox up --port.",
            )
        return
    for name, child in found["children"].items():
        yield (
            child["alive"] and child["phase"] == "ready",
            f"{name}: {child['phase']}, {child['rss_mib']} MiB",
            f"See `qcrbox logs {name}`.",
        )
    yield found["registry_answers"], "the registry answers", "See `qcrbox logs registry`."
    if found["registry_answers"]:
        yield not found["missing"], "the registry is ready", "What is missing is named below."
    for part, why in found["missing"].items():
        yield (
            False,
            f"{part}: {why}",
            f"See `qcrbox logs {part if part in found['children'] else 'registry'}`.",
        )


CHECKS: list[Callable[[DataFolder], Iterator[Finding]]] = [
    check_python,
    check_packages,
    check_extension,
    check_applications,
    check_folder,
    check_settings,
    check_parts_elsewhere,
    check_walls,
    check_person_image,
    check_databases,
    check_running,
]
