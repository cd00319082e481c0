"""Periodic work: what a round removes, what it leaves, and that a failing round is not the last."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
from qcrbox_registry.services import housekeeping as module
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.examples import Examples
from qcrbox_registry.services.housekeeping import Housekeeping
from qcrbox_registry.services.resumable_uploads import Announced, ResumableUploadService
from qcrbox_registry.services.retention import RetentionService
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.store import datasets, trash, uploads

DAY = 86400.0


@pytest.fixture
def resumable(context):
    contents = ContentService(context)
    return ResumableUploadService(context, contents, UploadService(context, contents))


@pytest.fixture
def service(context, resumable):
    examples = Examples(context.settings.data)
    return Housekeeping(context, ContentService(context), resumable, examples, RetentionService(context))


async def test_a_quiet_registry_loses_nothing(service, world):
    dataset, _ = world.dataset()
    await service.sweep()
    assert world.ask(datasets.get, dataset)


async def test_what_was_deleted_goes_when_its_time_is_over_and_its_bytes_with_the_last_owner(
    context, service, world, file_of
):
    mine, theirs = file_of("ada", content=b"shared"), file_of("bob", content=b"shared")
    digest, now = hashlib.sha256(b"shared").hexdigest(), time.time()
    world.do(trash.delete_file, mine, world.person["ada"], now)
    undo_s = context.settings.undo_days * DAY
    assert (await service.sweep(now + undo_s - 60))["files"] == 0
    assert (await service.sweep(now + undo_s + 60))["files"] == 1
    assert digest in context.objects.known, "bob still has them"
    world.do(trash.delete_file, theirs, world.person["bob"], now)
    for later in (8, 9):  # bytes that nobody has are kept for a while
        await service.sweep(now + undo_s + later * DAY)
    assert digest not in context.objects.known
    assert set((await service.sweep(now + undo_s + 10 * DAY)).values()) == {0}


async def test_an_upload_that_nobody_continues_is_forgotten_with_its_bytes(
    context, service, resumable, actor, world
):
    announced = Announced("a.txt", 10, None, "dataset", None, "", "", "")
    upload = await resumable.begin(actor("ada"), announced)
    path = resumable._path(upload)
    now = time.time()
    assert (await service.sweep(now + 6 * DAY))["uploads"] == 0
    assert (await service.sweep(now + 8 * DAY))["uploads"] == 1
    assert not path.exists()
    assert world.ask(uploads.number_open, world.person["ada"]) == 0


@pytest.mark.parametrize(
    ("loop", "pause"),
    [
        ("sweep_again", "SWEEP_S"),
        ("mark_departed", "DEPARTURES_S"),
        ("sign_audit", "AUDIT_S"),
        ("store_examples", "EXAMPLES_S"),
    ],
)
async def test_any_fault_of_one_round_leaves_the_next(context, service, monkeypatch, loop, pause):
    """A loop that ended would leave the disk to fill, or deleted accounts unnoticed, until the next restart."""
    rounds = asyncio.Queue()

    async def faulty(*_):
        rounds.put_nowait("round")
        raise RuntimeError("something that nobody thought of")

    monkeypatch.setattr(module, pause, 0.0)
    monkeypatch.setattr(module, "mark_departed", faulty)
    monkeypatch.setattr(service, "sweep", faulty)
    monkeypatch.setattr(context.db, "read", faulty)
    service._examples._waiting[1] = context.settings.data
    monkeypatch.setattr(service._examples, "store", faulty)
    running = asyncio.ensure_future(getattr(service, loop)())
    for _ in range(3):
        await asyncio.wait_for(rounds.get(), 60)
    assert not running.done()
    running.cancel()
