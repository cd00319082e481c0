"""The files of an attempt: what its token opens, and what a late piece of an older attempt may not change."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
from qcrbox.contract.errors import Conflict, NotFound, NotSignedIn, TooLarge, Unreachable
from qcrbox.contract.messages import CHECKPOINT, Finished, OutputFile
from qcrbox.contract.states import State
from qcrbox_registry.messaging.tokens import FilesToken, sign
from qcrbox_registry.services import contents
from qcrbox_registry.services.agent_files import AgentFileService
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.store import calculations as records
from qcrbox_registry.store import datasets, results, trash, uploads
from qcrbox_registry.store.tables import calculations
from qcrbox_registry.store.uploads import OutputKey


@pytest.fixture
def service(context):
    return AgentFileService(context, ContentService(context))


@pytest.fixture
def token(context):
    def make(calculation_id, attempt=1, purpose="files", expires_s=60.0):
        claims = FilesToken(calculation_id=calculation_id, attempt=attempt, expires=time.time() + expires_s)
        return sign(context.signing_key, purpose, claims)

    return make


def key_of(content, name="written", filename="new.txt"):
    return OutputKey(name, filename, hashlib.sha256(content).hexdigest())


async def bytes_of(found):
    return b"".join([chunk async for chunk in found.chunks])


# ---------------------------------------------------------------- the token


async def test_a_token_opens_its_attempt_while_that_lasts(world, service, token):
    made = world.start()
    first = token(made, world.run(made))
    assert (await service.attempt(made, first)).attempt == 1
    world.write(lambda conn: conn.execute(calculations.update().values(attempt=2)))
    with pytest.raises(Conflict, match="Attempt 1 of this calculation is over"):
        await service.attempt(made, first)
    world.write(lambda conn: conn.execute(calculations.update().values(attempt=1, finished_at=5.0)))
    with pytest.raises(Conflict, match="is over"):
        await service.attempt(made, first)


async def test_what_is_no_token_of_this_calculation_opens_nothing(world, service, token):
    made, other = world.start(), world.start()
    world.run(made)
    for wrong in ("", "x", token(made)[:-2], token(made, purpose="launcher"), token(made, expires_s=-1.0)):
        with pytest.raises(NotSignedIn):
            await service.attempt(made, wrong)
    with pytest.raises(NotFound, match=f"no calculation '{made}'"):
        await service.attempt(made, token(other))
    with pytest.raises(NotFound, match="no calculation 'gone'"):
        await service.attempt("gone", token("gone"))


# ---------------------------------------------------------------- inputs


async def test_an_agent_reads_the_inputs_of_its_calculation_and_no_other_file(world, service, token, file_of):
    mine, other = file_of("ada", content=b"input"), file_of("ada", "b.txt", b"secret")
    made = world.start(inputs=[("structure", mine)])
    attempt = await service.attempt(made, token(made, world.run(made)))
    assert await bytes_of(await service.read_input(attempt, mine, unified=False)) == b"input"
    for wrong in (other, "none"):
        with pytest.raises(NotFound, match="no data file"):
            await service.read_input(attempt, wrong, unified=False)


async def test_an_input_that_was_deleted_since_is_still_an_input(world, service, token, file_of):
    mine = file_of("ada", content=b"input")
    made = world.start(inputs=[("structure", mine)])
    attempt = await service.attempt(made, token(made, world.run(made)))
    world.do(trash.delete_file, mine, world.person["ada"], 1.0)
    assert await bytes_of(await service.read_input(attempt, mine, unified=False)) == b"input"


# ---------------------------------------------------------------- outputs


@pytest.fixture
async def attempt(world, service, token):
    made = world.start()
    return await service.attempt(made, token(made, world.run(made)))


async def test_an_output_that_is_sent_twice_is_one(service, attempt, chunks):
    first = await service.write_output(attempt, key_of(b"one"), chunks(b"o", b"ne"), None)
    assert (first["size"], first["sha256"]) == (3, hashlib.sha256(b"one").hexdigest())
    assert await service.write_output(attempt, key_of(b"one"), chunks(b"whatever"), None) == first
    other = await service.write_output(attempt, key_of(b"one", filename="b.txt"), chunks(b"one"), None)
    assert other["upload_id"] != first["upload_id"]


async def test_other_bytes_than_announced_are_no_output(world, service, attempt, chunks):
    with pytest.raises(Conflict, match="hash"):
        await service.write_output(attempt, key_of(b"one"), chunks(b"two"), None)
    assert world.ask(uploads.output, attempt.id, 1, key_of(b"one")) is None


async def test_an_output_above_the_limit_is_refused_before_and_while_it_arrives(
    context, service, attempt, chunks
):
    context.settings.largest_file_bytes = 10
    with pytest.raises(TooLarge, match=r"'new\.txt' is larger"):
        await service.write_output(attempt, key_of(b"x" * 11), chunks(), 11)
    with pytest.raises(TooLarge):
        await service.write_output(attempt, key_of(b"x" * 11), chunks(b"x" * 6, b"x" * 5), None)


@pytest.mark.parametrize("is_ended", [False, True], ids=["with its agent's uploads", "in its dataset"])
async def test_a_result_that_a_busy_machine_could_not_read_at_once_gets_its_index_and_title(
    world, context, service, token, chunks, monkeypatch, is_ended
):
    goes_on = asyncio.Event()

    async def index(sha256, size, filename):
        await goes_on.wait()
        return {"names": ["_cell_length_a"], "full": {"r1": 0.04}, "r1": 0.04}

    context.indexer.index = index
    monkeypatch.setattr(contents, "INDEX_NOW_S", 0.01)
    made = world.start()
    number = world.run(made)
    world.change(made, State.RUNNING, number)
    key = key_of(b"data_x", filename="new.cif")
    written = await service.write_output(
        await service.attempt(made, token(made, number)), key, chunks(b"data_x"), None
    )
    output = OutputFile(name="written", filename="new.cif", filetype="cif", primary=True, **written)
    end = Finished(calculation_id=made, attempt=number, status=State.SUCCESSFUL, outputs=[output])
    subscription = context.hub.subscribe(lambda event: event.kind == "title")
    if is_ended:
        world.do(results.commit_many, [end])
    goes_on.set()
    await context.background.settle()
    if not is_ended:
        world.do(results.commit_many, [end])
    row = world.ask(records.get, made)
    ((file,),) = world.ask(datasets.files_of, [row.output_dataset_id]).values()
    assert world.ask(datasets.index_of, [file.id]) == {file.id: {"r1": 0.04}}
    assert row.verdict == "R1 0.0400"
    if is_ended:
        (event, *_) = await subscription.get(10)
        assert event.object_id == made


async def test_a_result_that_the_last_registry_could_not_read_any_more_gets_its_index_and_title(
    world, context, service, token, chunks, monkeypatch
):
    async def stopping(sha256, size, filename):
        raise Unreachable("The registry stops.")

    async def index(sha256, size, filename):
        return {"names": ["_cell_length_a"], "full": {"r1": 0.04}, "r1": 0.04}

    made = world.start()
    number = world.run(made)
    world.change(made, State.RUNNING, number)
    monkeypatch.setattr(contents, "INDEX_NOW_BYTES", 0)
    context.indexer.index = stopping
    key = key_of(b"data_x", filename="new.cif")
    attempt = await service.attempt(made, token(made, number))
    written = await service.write_output(attempt, key, chunks(b"data_x"), None)
    await context.background.settle()
    output = OutputFile(name="written", filename="new.cif", filetype="cif", primary=True, **written)
    world.do(
        results.commit_many,
        [Finished(calculation_id=made, attempt=number, status=State.SUCCESSFUL, outputs=[output])],
    )
    assert "R1" not in (world.ask(records.get, made).verdict or "")
    context.indexer.index = index
    await ContentService(context).index_left(time.time() - 60)
    await context.background.settle()
    assert world.ask(records.get, made).verdict == "R1 0.0400"


async def test_an_output_that_is_no_cif_is_read_once(context, service, attempt, chunks):
    asked = []

    async def index(sha256, size, filename):
        asked.append(filename)

    context.indexer.index = index
    await service.write_output(attempt, key_of(b"one", filename="a.cif"), chunks(b"one"), None)
    await context.background.settle()
    assert asked == ["a.cif"]


async def test_the_newest_checkpoint_replaces_the_others(service, attempt, chunks):
    with pytest.raises(NotFound, match="no checkpoint"):
        await service.read_checkpoint(attempt)
    for content in (b"first", b"second"):
        await service.write_output(attempt, key_of(content, CHECKPOINT), chunks(content), None)
    assert await bytes_of(await service.read_checkpoint(attempt)) == b"second"


@pytest.mark.parametrize("end", ["lost", "ended"])
async def test_what_arrives_after_the_end_of_its_attempt_is_not_kept(
    world, service, attempt, token, chunks, end
):
    """The agent was taken for lost while it sent its checkpoint; the next attempt has stored a newer one."""

    async def late():
        yield b"old"
        changes = {"attempt": 2} if end == "lost" else {"finished_at": 5.0}
        await service._context.db.write(lambda conn: conn.execute(calculations.update().values(changes)))
        if end == "lost":
            second = await service.attempt(attempt.id, token(attempt.id, 2))
            await service.write_output(second, key_of(b"new", CHECKPOINT), chunks(b"new"), None)

    with pytest.raises(Conflict, match="Attempt 1 of this calculation is over"):
        await service.write_output(attempt, key_of(b"old", CHECKPOINT), late(), None)
    if end == "lost":
        assert await bytes_of(await service.read_checkpoint(attempt)) == b"new"
    else:
        assert world.ask(uploads.checkpoint, attempt.id) is None


# ---------------------------------------------------------------- checkpoints of earlier calculations


@pytest.fixture
def ended(world, service, token, chunks):
    """`await ended(state, checkpoint)` is a calculation with these arguments that has ended and kept this checkpoint."""

    async def make(state=State.CANCELLED, checkpoint=b"", owner="ada", arguments=None):
        made = world.start(owner, arguments=arguments or {"x": 1})
        number = world.run(made)
        world.change(made, State.RUNNING, number)
        outputs = []
        if checkpoint:
            key = key_of(checkpoint, CHECKPOINT, "state.zip")
            stored = await service.write_output(
                await service.attempt(made, token(made, number)), key, chunks(checkpoint), None
            )
            outputs = [OutputFile(name=CHECKPOINT, filename="state.zip", filetype="unknown", **stored)]
        end = Finished(calculation_id=made, attempt=number, status=state, outputs=outputs)
        world.do(results.commit_many, [end])
        return made

    return make


@pytest.fixture
async def found_by(world, service, token):
    """`await found_by(arguments)`: the checkpoint that a new calculation gets, None where it gets none."""

    async def read(arguments=None, owner="ada"):
        made = world.start(owner, arguments=arguments or {"x": 1})
        attempt = await service.attempt(made, token(made, world.run(made)))
        try:
            return await bytes_of(await service.read_checkpoint(attempt))
        except NotFound:
            return None

    return read


@pytest.mark.parametrize("state", [State.CANCELLED, State.FAILED])
async def test_the_same_call_goes_on_from_the_checkpoint_of_one_that_did_not_succeed(ended, found_by, state):
    await ended(state, b"round 2")
    assert await found_by() == b"round 2"


async def test_a_run_that_stored_nothing_new_hides_no_older_checkpoint(ended, found_by):
    await ended(checkpoint=b"round 1")
    await ended(checkpoint=b"round 3")
    await ended()
    assert await found_by() == b"round 3"


async def test_after_a_success_the_same_call_begins_anew(ended, found_by):
    await ended(checkpoint=b"round 2")
    await ended(State.SUCCESSFUL)
    assert await found_by() is None


async def test_other_arguments_and_other_people_get_no_checkpoint(ended, found_by):
    await ended(checkpoint=b"round 2")
    assert await found_by({"x": 2}) is None
    assert await found_by(owner="bob") is None


async def test_a_checkpoint_that_was_deleted_is_not_continued(world, ended, found_by):
    made = await ended(checkpoint=b"round 2")
    dataset = world.ask(records.get, made).output_dataset_id
    (file,) = world.ask(datasets.files_of, [dataset])[dataset]
    world.do(trash.delete_file, file.id, world.person["ada"], 1.0)
    assert await found_by() is None
