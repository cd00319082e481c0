"""For lecturers and assistants: the board, students' work, notes, more time, collection and marks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from qcrbox.contract import models
from starlette.responses import StreamingResponse

from qcrbox_registry.api import teaching_bodies as bodies
from qcrbox_registry.api import teaching_schemas as schemas
from qcrbox_registry.api.dependencies import Caller, Present, TheCore, optional_body, read_body
from qcrbox_registry.api.downloads import file_response
from qcrbox_registry.api.openapi import sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.api.streams import event_stream
from qcrbox_registry.services.teaching.marking import GivenMark

router = APIRouter(prefix="/api", tags=["teaching"])
LARGEST_MARK = 64 * 1024


@router.get("/exercises/{exercise_id}/board", response_model=models.Success[schemas.Board])
async def get_board(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Students × tasks with the state of each, those who are stuck first."""
    return success(await core.board.board(actor, exercise_id))


@router.get(
    "/exercises/{exercise_id}/board/events",
    response_class=StreamingResponse,
    responses=sends("text/event-stream"),
)
async def board_events(request: Request, core: TheCore, presence: Present, exercise_id: str) -> Response:
    """An event `changed` whenever something on the board may have changed. It carries no data."""
    ticks = await core.board.ticks(presence, exercise_id)
    return event_stream(request, ticks, lambda changed: b"event: changed\ndata: {}\n\n" if changed else b"")


@router.get("/exercises/{exercise_id}/students/{student}", response_model=models.Success[schemas.StudentWork])
async def get_student(core: TheCore, actor: Caller, exercise_id: str, student: str) -> Response:
    """One student: tasks, answers, calculations, submissions."""
    return success(await core.board.student(actor, exercise_id, student))


@router.get(
    "/exercises/{exercise_id}/students/{student}/notebook",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def student_notebook(
    request: Request, core: TheCore, actor: Caller, exercise_id: str, student: str
) -> Response:
    """The newest saved notebook of a student, as a download that runs nowhere."""
    return await file_response(await core.board.notebook(actor, exercise_id, student), request)


@router.get(
    "/snapshots/{snapshot_id}/notebook",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def snapshot_notebook(request: Request, core: TheCore, actor: Caller, snapshot_id: str) -> Response:
    """The notebook of a submission, byte for byte: for its student and the staff of the course."""
    return await file_response(await core.board.snapshot_notebook(actor, snapshot_id), request)


@router.get(
    "/snapshots/{snapshot_id}/files/{filename}",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def snapshot_file(
    request: Request, core: TheCore, actor: Caller, snapshot_id: str, filename: str
) -> Response:
    """A file that was submitted beside the notebook: for its student and the staff of the course."""
    return await file_response(await core.board.snapshot_file(actor, snapshot_id, filename), request)


@router.post(
    "/exercises/{exercise_id}/notes",
    status_code=201,
    response_model=models.Success[schemas.SentNote],
    openapi_extra=takes(bodies.GivenNote),
)
async def send_note(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Send a note to one student or to everyone of the exercise."""
    asked, _ = await read_body(request, bodies.GivenNote)
    return success(await core.board.note(actor, exercise_id, asked.student, asked.text), "Sent.", 201)


@router.put(
    "/exercises/{exercise_id}/extension",
    response_model=models.Success[schemas.Extension],
    openapi_extra=takes(bodies.GivenExtension),
)
async def extend(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Give one student more time."""
    asked, _ = await read_body(request, bodies.GivenExtension)
    until = bodies.moment(asked.until)
    return success(await core.board.extend(actor, exercise_id, asked.student, until, asked.reason))


@router.post(
    "/exercises/{exercise_id}/free-queue",
    response_model=models.Success[schemas.Number],
    openapi_extra=takes(bodies.FreeQueue, required=False),
)
async def free_queue(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Cancel every calculation of the exercise that has not ended."""
    asked = await optional_body(request, bodies.FreeQueue)
    return success(await core.board.free_queue(actor, exercise_id, asked.reason))


# ---------------------------------------------------------------- collection and marks


@router.post("/exercises/{exercise_id}/collect", response_model=models.Success[schemas.Number])
async def collect(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Freeze the work of all students now. At the deadline that happens by itself."""
    return success({"number": await core.collection.collect_now(actor, exercise_id)})


@router.post("/exercises/{exercise_id}/grade", response_model=models.Success[schemas.Graded])
async def grade(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Run the automatic checks (again) on what was submitted or collected. Marks given by people stay."""
    return success(await core.marking.grade(actor, exercise_id))


@router.get("/exercises/{exercise_id}/marks", response_model=models.Success[schemas.Marks])
async def list_marks(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """The marks of all students."""
    return success(await core.marking.listed(actor, exercise_id))


@router.put(
    "/exercises/{exercise_id}/marks",
    response_model=models.Success[schemas.GivenMark],
    openapi_extra=takes(bodies.GiveMark),
)
async def give_mark(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Give points and a comment by hand; they count instead of those of the checks."""
    asked, _ = await read_body(request, bodies.GiveMark, LARGEST_MARK)
    mark = GivenMark(
        asked.task_id, asked.points, asked.comment, frozenset(asked.model_fields_set), asked.criteria
    )
    return success(await core.marking.give(actor, exercise_id, asked.student, mark))


@router.post(
    "/exercises/{exercise_id}/release",
    response_model=models.Success[schemas.Released],
    openapi_extra=takes(bodies.Release),
)
async def release(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Show students their marks and comments, or hide them again."""
    asked, _ = await read_body(request, bodies.Release)
    return success(await core.marking.release(actor, exercise_id, asked.released))
