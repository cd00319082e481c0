"""An exercise: its manifest and files, the student's work in it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from qcrbox.contract import models

from qcrbox_registry.api import teaching_bodies as bodies
from qcrbox_registry.api import teaching_schemas as schemas
from qcrbox_registry.api.courses import LARGEST_EXERCISE, version_of
from qcrbox_registry.api.dependencies import Caller, HasRoom, TheCore, body_bytes, optional_body, read_body
from qcrbox_registry.api.downloads import file_response
from qcrbox_registry.api.openapi import sends, takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.teaching.exercises import ExerciseChange
from qcrbox_registry.services.teaching.handed_files import decoded
from qcrbox_registry.services.teaching.receipts import LARGEST_NOTEBOOK_BYTES
from qcrbox_registry.services.teaching.student_data import Draft

router = APIRouter(prefix="/api", tags=["teaching"])
_NOTEBOOK_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/x-ipynb+json": {"schema": {"type": "string", "format": "binary"}}},
    }
}


AsStudent = Annotated[
    bool, Query(description="for the staff: what a student gets once the exercise is published and open")
]


@router.get("/exercises/{exercise_id}", response_model=models.Success[schemas.ExerciseDetail])
async def get_exercise(
    core: TheCore, actor: Caller, exercise_id: str, as_student: AsStudent = False
) -> Response:
    """One exercise with its tasks; for students without targets and accepted answers."""
    return success(await core.exercises.get(actor, exercise_id, as_student=as_student))


@router.patch(
    "/exercises/{exercise_id}",
    response_model=models.Success[schemas.ExerciseDetail],
    openapi_extra=takes(bodies.ChangeExercise),
)
async def change_exercise(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Publish or hide an exercise, set its dates, allow answers from the store."""
    # Dates come as text.
    body, _ = await read_body(request, bodies.ChangeExercise)
    body.require_any()
    change = ExerciseChange(
        body.published,
        bodies.moment(body.opens_at),
        bodies.moment(body.due_at),
        bodies.moment(body.late_until),
        body.answers_from_store,
        frozenset(body.model_fields_set),
    )
    return success(await core.exercises.change(actor, exercise_id, change))


@router.post(
    "/exercises/{exercise_id}/versions",
    status_code=201,
    response_model=models.Success[schemas.ExerciseDetail],
    openapi_extra=takes(bodies.NewExercise),
    dependencies=[HasRoom],
)
async def add_version(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """A new version. Students who have the exercise get it merged into their copy when they fetch it again."""
    asked, _ = await read_body(request, bodies.NewExercise, LARGEST_EXERCISE)
    made = await core.exercises.add_version(actor, exercise_id, version_of(asked))
    return success(made, "The version was written.", 201)


@router.get(
    "/exercises/{exercise_id}/files/{filename}",
    response_class=StreamingResponse,
    responses=sends("application/octet-stream"),
)
async def exercise_file(  # noqa: PLR0913 - query parameters of the REST contract
    request: Request,
    core: TheCore,
    actor: Caller,
    exercise_id: str,
    filename: str,
    version: Annotated[
        int | None,
        Query(ge=1, le=1_000_000, description="an earlier version: for the staff, and for who has it"),
    ] = None,
    as_student: AsStudent = False,
) -> Response:
    """The notebook or a data file of an exercise."""
    found = await core.exercises.content(actor, exercise_id, filename, version, as_student=as_student)
    return await file_response(found, request)


# ---------------------------------------------------------------- the student's work


@router.post("/exercises/{exercise_id}/open", response_model=models.Success[schemas.OwnExercise])
async def open_exercise(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Begin an exercise, or take its newest version: its data become a private dataset of yours."""
    return success(await core.student.open(actor, exercise_id))


@router.get("/exercises/{exercise_id}/own", response_model=models.Success[schemas.OwnExercise])
async def own_exercise(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Your tasks, deadline, submissions and notes; marks once they are released."""
    return success(await core.student.state(actor, exercise_id))


@router.delete("/exercises/{exercise_id}/own", status_code=204)
async def discard_preview(core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Discard your own copy as lecturer or assistant. Work of students is never removed."""
    await core.student.discard_preview(actor, exercise_id)
    return Response(status_code=204)


@router.put(
    "/exercises/{exercise_id}/answers/{task_id}",
    response_model=models.Success[schemas.OwnExercise],
    openapi_extra=takes(bodies.GivenAnswer),
)
async def put_answer(
    request: Request, core: TheCore, actor: Caller, exercise_id: str, task_id: str
) -> Response:
    """Answer a question of an exercise; the newest answer counts."""
    asked, _ = await read_body(request, bodies.GivenAnswer)
    return success(await core.student.answer(actor, exercise_id, task_id, asked.value))


@router.put(
    "/exercises/{exercise_id}/draft",
    response_model=models.Success[schemas.Draft],
    openapi_extra=_NOTEBOOK_BODY,
    dependencies=[HasRoom],
)
async def put_draft(
    request: Request,
    core: TheCore,
    actor: Caller,
    exercise_id: str,
    problem: Annotated[str, Query(max_length=500, description="why the notebook is not as it was")] = "",
) -> Response:
    """Keep a saved notebook, whatever state it is in: the newest one is collected at the deadline."""
    content = await body_bytes(request, LARGEST_NOTEBOOK_BYTES)
    return success(await core.student.keep_draft(actor, exercise_id, Draft(content, problem)))


@router.post(
    "/exercises/{exercise_id}/submit",
    status_code=201,
    response_model=models.Success[schemas.Snapshot],
    openapi_extra=takes(bodies.Submit, required=False),
)
async def submit_exercise(request: Request, core: TheCore, actor: Caller, exercise_id: str) -> Response:
    """Hand in what you have; the answer is the receipt. You may submit again until the end."""
    if request.headers.get("content-length", "0") not in ("", "0"):
        asked, _ = await read_body(request, bodies.Submit, LARGEST_EXERCISE)
    else:
        asked = await optional_body(request, bodies.Submit)
    draft = Draft((asked.notebook or "").encode(), asked.problem)
    files = decoded([(file.filename, file.content) for file in asked.files])
    return success(await core.student.submit(actor, exercise_id, draft, files), "Submitted.", 201)
