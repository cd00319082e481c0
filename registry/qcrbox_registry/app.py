"""Wires one registry: database, NATS, object store, scheduler, REST."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from fastapi import FastAPI
from qcrbox import spec
from qcrbox.contract.errors import QcError, SpecError
from qcrbox.spec.folder import find_folders, nothing_found, required_spec_of
from sqlalchemy.engine import Connection

from qcrbox_registry.access.identity import make_identity
from qcrbox_registry.access.quota import Quotas, defaults
from qcrbox_registry.api import openapi, responses
from qcrbox_registry.api import routers as api_routers
from qcrbox_registry.api.middleware import RequestMiddleware
from qcrbox_registry.launcher.child import launcher
from qcrbox_registry.messaging import server as nats_server
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.scheduler.scheduler import Scheduler
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.services import housekeeping
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.services.indexing import Indexer
from qcrbox_registry.services.submission import Submissions
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.sessions.idle import IdleSessions
from qcrbox_registry.sessions.tunnels import Tunnels
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import applications, events, schema
from qcrbox_registry.store.applications import Catalogue
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.examples import Examples
from qcrbox_registry.store.objects import ObjectStore

CHECKED_AT_ONCE_BYTES = 128 * 1024 * 1024
log = structlog.get_logger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The registry as an ASGI application; it starts and stops its parts in its lifespan."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings) as core:
            app.state.core = core
            app.state.submissions = Submissions(core)
            app.state.uploads = UploadService(core)
            app.state.tunnels = Tunnels()
            keeper = housekeeping.Housekeeping(core, app.state.uploads)
            keeper.start()
            idle = IdleSessions(core)
            idle.start()
            try:
                yield
            finally:
                await idle.stop()
                await keeper.stop()
                await app.state.uploads.close()
                await core.audits_written()

    app = FastAPI(
        title="QCrBox registry",
        version="0.1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    responses.install(app)
    openapi.install(app)
    for router in api_routers():
        app.include_router(router)
    app.add_middleware(RequestMiddleware, prefix=settings.prefix)
    return app


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Core]:
    """Everything below REST, started in order and stopped in reverse."""
    async with contextlib.AsyncExitStack() as stack:
        secrets = await asyncio.to_thread(Secrets, settings.data)
        database = await asyncio.to_thread(open_database, settings)
        stack.push_async_callback(asyncio.to_thread, database.close)
        nats_url = settings.nats_url
        if not nats_url:
            plan = nats_server.ServerPlan(data=settings.data, power_loss_safe=settings.nats_power_loss_safe)
            server = await asyncio.to_thread(nats_server.start, plan)
            stack.push_async_callback(asyncio.to_thread, server.stop)
            nats_url = server.url
        bus = Bus(nats_url, secrets.user("registry"))
        await bus.connect()
        stack.push_async_callback(bus.close)
        objects = ObjectStore(bus)
        await objects.start()
        core = await _make_core(settings, secrets, database, bus, objects)
        stack.push_async_callback(core.identity.close)
        stack.push_async_callback(core.indexer.close)
        scheduler = core.scheduler
        assert isinstance(scheduler, Scheduler)
        await register_folders(core)
        await scheduler.start()
        if size_of(settings) > CHECKED_AT_ONCE_BYTES:
            core.spawn(check_later(core))
        stack.push_async_callback(scheduler.stop)
        if settings.launcher:
            await stack.enter_async_context(launcher(settings, nats_url))
        stack.callback(core.hub.close)
        yield core


def open_database(settings: Settings) -> Database:
    """The database, checked and of the present schema."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.sql_url)
    before, after = schema.migrate(database)
    if before != after:
        log.info("database_migrated", before=before, after=after)
    if size_of(settings) <= CHECKED_AT_ONCE_BYTES:
        require_sound(database, settings)
    return database


def require_sound(database: Database, settings: Settings) -> None:
    """Raises QcError with what SQLite finds wrong with its file."""
    faults = schema.integrity_faults(database)
    if faults:
        database.close()
        raise QcError(
            "The database is damaged.",
            where=settings.sql_url,
            why="; ".join(faults[:5]),
            next="Restore the newest backup with `qcrbox restore`.",
            details=faults,
        )


def size_of(settings: Settings) -> int:
    """Bytes of the SQLite file; 0 for another database."""
    path = settings.data / "qcrbox.sqlite"
    return path.stat().st_size if not settings.database_url and path.is_file() else 0


async def check_later(core: Core) -> None:
    """The check of a large file, beside the work: reading a gigabyte would keep everybody waiting at the start."""
    faults = await core.db.read(lambda _: schema.integrity_faults(core.db))
    if faults:
        core.missing["database"] = "; ".join(faults[:5])
        log.error(
            "database_damaged", faults=faults[:20], next="Restore the newest backup with `qcrbox restore`."
        )


async def _make_core(
    settings: Settings, secrets: Secrets, database: Database, bus: Bus, objects: ObjectStore
) -> Core:
    hub = EventHub()
    catalogue, quotas = Catalogue(), Quotas(defaults(settings))
    await database.read(catalogue.load)
    await database.read(quotas.load)
    base = settings.public_url.rstrip("/") or f"http://{_reachable(settings.host)}:{settings.port}"
    scheduler = Scheduler(
        database,
        bus,
        SchedulerSettings(running_per_person=settings.running_limit),
        hub,
        secrets=secrets,
        files_base=f"{base}/internal/calculations",
    )
    return Core(
        settings=settings,
        db=database,
        hub=hub,
        objects=objects,
        identity=await asyncio.to_thread(make_identity, settings, database),
        catalogue=catalogue,
        quotas=quotas,
        indexer=Indexer(objects, settings.data / "run" / "cif"),
        scheduler=scheduler,
        signing_key=secrets.signing_key(),
        bus=bus,
        examples=Examples(settings.data),
    )


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host


async def register_folders(core: Core) -> None:
    """Register every application of the folders in the settings. One that is faulty is named, and left out."""
    for root in core.settings.applications:
        found = [root] if root.is_file() else find_folders([root])
        if not found:
            core.missing[f"applications in {root}"] = nothing_found(root)
            log.error("applications_not_found", path=str(root), error=nothing_found(root))
        for folder in found:
            try:
                path = folder if folder.is_file() else required_spec_of(folder)
                loaded = await asyncio.to_thread(spec.load, path)
                await register(core, loaded, path)
            except SpecError as error:
                core.missing[f"application {folder.name}"] = error.message
                log.error("application_refused", path=str(folder), error=error.message)
                continue
            if loaded.left_out:
                core.missing[f"commands of {loaded.slug} {loaded.version}"] = "; ".join(loaded.left_out)
                log.warning("commands_left_out", path=str(path), reasons=loaded.left_out)
    await core.db.read(core.catalogue.load)


async def register(core: Core, loaded: spec.Application, path: Path) -> int:
    """Write one application; its id. Tells the streams when it is new or changed."""
    from qcrbox_registry import __version__

    def write(conn: Connection) -> tuple[int, list[events.Event]]:
        now = time.time()
        application_id, changed = applications.register(
            conn, loaded, now=now, path=str(path), qcrbox_version=__version__
        )
        if not changed:
            return application_id, []
        told = events.Event("application", str(application_id), now, status="registered")
        return application_id, list(events.write(conn, [told]))

    application_id, told = await core.db.write(write)
    core.publish(told)
    core.examples.announce(application_id, path.parent)
    return application_id
