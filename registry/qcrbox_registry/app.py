"""Wires a registry together: database, NATS, object store, scheduler, services, REST interface."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import structlog
from fastapi import FastAPI
from qcrbox import __version__
from qcrbox.background import BackgroundTasks
from qcrbox.contract.errors import QcError

from qcrbox_registry.access.audit_heads import heads_of
from qcrbox_registry.access.identity import make_identity
from qcrbox_registry.access.quota import Quotas, defaults
from qcrbox_registry.api import openapi, responses
from qcrbox_registry.api.dependencies import set_core
from qcrbox_registry.api.middleware import RequestMiddleware
from qcrbox_registry.api.routes import ROUTERS
from qcrbox_registry.launcher.child import launcher
from qcrbox_registry.messaging import server as nats_server
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.scheduler.scheduler import Scheduler
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.services.catalogue import Catalogue
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.core import Core, make_core
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.services.indexing import Indexer
from qcrbox_registry.sessions.idle import IdleSessions
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import schema
from qcrbox_registry.store.disk import DiskRoom
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.objects import ObjectStore

CHECKED_AT_ONCE_BYTES = 128 * 1024 * 1024
log = structlog.get_logger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The registry as an ASGI application; its lifespan starts and stops the parts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings) as core:
            set_core(app, core)
            yield

    app = FastAPI(
        title="QCrBox registry",
        version="0.1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    responses.install(app, ROUTERS)
    openapi.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(RequestMiddleware, prefix=settings.prefix)
    return app


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Core]:
    """Everything below the REST interface, started in order and stopped in reverse."""
    async with contextlib.AsyncExitStack() as stack:
        secrets = await asyncio.to_thread(Secrets, settings.data)
        database = await asyncio.to_thread(open_database, settings)
        stack.push_async_callback(asyncio.to_thread, database.close)
        nats_url = await _nats_url(settings, stack)
        bus = Bus(nats_url, secrets.user("registry"))
        await bus.connect()
        stack.push_async_callback(bus.close)
        context, scheduler = await _make_context(settings, secrets, database, bus)
        stack.push_async_callback(context.identity.close)
        stack.push_async_callback(context.indexer.close)
        core = make_core(context, __version__)
        await core.applications.register_folders(settings.applications)
        await scheduler.start()
        stack.push_async_callback(scheduler.stop)
        if settings.launcher:
            await stack.enter_async_context(launcher(settings, nats_url))
        stack.callback(context.hub.close)
        stack.push_async_callback(context.audits.settle)
        stack.push_async_callback(context.background.cancel)
        await stack.enter_async_context(_loops(core, settings))
        yield core


async def _nats_url(settings: Settings, stack: contextlib.AsyncExitStack) -> str:
    """The NATS server of the settings, or one that is started as a child."""
    if settings.nats_url:
        return settings.nats_url
    plan = nats_server.ServerPlan(data=settings.data, power_loss_safe=settings.nats_power_loss_safe)
    server = await asyncio.to_thread(nats_server.start, plan)
    stack.push_async_callback(asyncio.to_thread, server.stop)
    return server.url


@contextlib.asynccontextmanager
async def _loops(core: Core, settings: Settings) -> AsyncIterator[None]:
    """Run the periodic work beside the requests."""
    context = core.context
    idle = IdleSessions(context.db, context.scheduler, context.publish, settings.session_idle_s)
    loops: list[Coroutine[Any, Any, None]] = [
        core.housekeeping.index_left(),
        core.housekeeping.store_examples(),
        core.housekeeping.mark_departed(),
        core.housekeeping.sweep_again(),
        core.housekeeping.sign_audit(),
        core.readiness.watch(),
        core.collection.run(),
        idle.run(),
    ]
    if size_of(settings) > CHECKED_AT_ONCE_BYTES:
        loops.append(check_later(context))
    tasks = BackgroundTasks(lambda error: log.error("loop_failed", error=repr(error)))
    for loop in loops:
        tasks.spawn(loop)
    try:
        yield
    finally:
        await tasks.cancel()


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
    """Raises QcError with the faults that SQLite finds in its file."""
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


async def check_later(context: Context) -> None:
    """Check a large database while it is used: reading a gigabyte would delay the start. A fault is reported by readyz."""
    faults = await context.db.read(lambda _: schema.integrity_faults(context.db))
    if faults:
        context.faults["database"] = "; ".join(faults[:5])
        log.error(
            "database_damaged", faults=faults[:20], next="Restore the newest backup with `qcrbox restore`."
        )


async def _make_context(
    settings: Settings, secrets: Secrets, database: Database, bus: Bus
) -> tuple[Context, Scheduler]:
    objects = ObjectStore(bus, room=DiskRoom(settings.data) if settings.nats_is_here else None)
    await objects.start()
    catalogue, quotas, hub = Catalogue(), Quotas(defaults(settings)), EventHub()
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
    context = Context(
        settings=settings,
        db=database,
        hub=hub,
        objects=objects,
        identity=await asyncio.to_thread(make_identity, settings, database),
        catalogue=catalogue,
        quotas=quotas,
        indexer=Indexer(objects, settings.data / "run" / "cif"),
        scheduler=scheduler,
        bus=bus,
        signing_key=secrets.signing_key(),
        audit_heads=heads_of(settings, secrets),
    )
    return context, scheduler


def _reachable(host: str) -> str:
    """An address for agents of this machine: a wildcard address is reached at the loopback address."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
