"""Courses: make a group a course, list, archive; who is in it; its exercises; copies and exports."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from qcrbox.contract import models

from qcrbox_registry.api import teaching_bodies as bodies
from qcrbox_registry.api import teaching_schemas as schemas
from qcrbox_registry.api.dependencies import Caller, HasRoom, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.teaching.exercises import NewVersion
from qcrbox_registry.services.teaching.receipts import LARGEST_NOTEBOOK_BYTES

router = APIRouter(prefix="/api", tags=["teaching"])
# A notebook as JSON text inside JSON: quotes and line ends are written as two bytes.
LARGEST_EXERCISE = 2 * LARGEST_NOTEBOOK_BYTES + 1024 * 1024


def version_of(asked: bodies.NewExercise) -> NewVersion:
    """The version that a body describes."""
    return NewVersion(
        asked.title,
        asked.text,
        asked.minutes,
        asked.tasks,
        asked.notebook,
        asked.notebook_name,
        [(file.data_file_id, file.for_lecturers) for file in asked.files],
        asked.keep_files_of,
    )


@router.get("/courses", response_model=models.Success[schemas.Courses])
async def list_courses(core: TheCore, actor: Caller) -> Response:
    """The courses of your groups, with your role in each."""
    return success({"courses": await core.courses.listed(actor)})


@router.post(
    "/courses",
    status_code=201,
    response_model=models.Success[schemas.Course],
    openapi_extra=takes(bodies.NewCourse),
)
async def create_course(request: Request, core: TheCore, actor: Caller) -> Response:
    """Make a group that you teach a course. Members of the group are its students."""
    asked, _ = await read_body(request, bodies.NewCourse)
    made = await core.courses.create(actor, asked.group, asked.title)
    return success(made, "The course was made.", 201)


@router.get("/courses/{course_id}", response_model=models.Success[schemas.Course])
async def get_course(core: TheCore, actor: Caller, course_id: str) -> Response:
    """One course."""
    return success(await core.courses.get(actor, course_id))


@router.patch(
    "/courses/{course_id}",
    response_model=models.Success[schemas.Course],
    openapi_extra=takes(bodies.ChangeCourse),
)
async def change_course(request: Request, core: TheCore, actor: Caller, course_id: str) -> Response:
    """Rename, archive or restore a course. An archived course can be read and nothing in it changed."""
    asked, _ = await read_body(request, bodies.ChangeCourse)
    asked.require_any()
    return success(await core.courses.change(actor, course_id, asked.title, asked.archived))


@router.get("/courses/{course_id}/people", response_model=models.Success[schemas.CoursePeople])
async def list_people(core: TheCore, actor: Caller, course_id: str) -> Response:
    """Everyone of a course with their role, and who has never signed in."""
    return success({"people": await core.courses.people(actor, course_id)})


@router.get("/courses/{course_id}/exercises", response_model=models.Success[schemas.Exercises])
async def list_exercises(core: TheCore, actor: Caller, course_id: str) -> Response:
    """The exercises of a course; students see those that are published."""
    return success({"exercises": await core.exercises.of_course(actor, course_id)})


@router.post(
    "/courses/{course_id}/exercises",
    status_code=201,
    response_model=models.Success[schemas.ExerciseDetail],
    openapi_extra=takes(bodies.NewExercise),
    dependencies=[HasRoom],
)
async def create_exercise(request: Request, core: TheCore, actor: Caller, course_id: str) -> Response:
    """A new exercise from a notebook, data files of yours and tasks. Students see it once it is published."""
    asked, _ = await read_body(request, bodies.NewExercise, LARGEST_EXERCISE)
    made = await core.exercises.create(actor, course_id, version_of(asked))
    return success(made, "The exercise was made.", 201)


@router.post(
    "/courses/{course_id}/copy",
    status_code=201,
    response_model=models.Success[schemas.Course],
    openapi_extra=takes(bodies.CopyCourse),
)
async def copy_course(request: Request, core: TheCore, actor: Caller, course_id: str) -> Response:
    """A course of another group with the exercises and the shelf of this one; nothing of students is copied."""
    asked, _ = await read_body(request, bodies.CopyCourse)
    made = await core.next_year.copy(actor, course_id, asked.group, asked.title)
    return success(made, "The course was copied.", 201)


@router.get("/courses/{course_id}/research-export", response_model=models.Success[schemas.ResearchExport])
async def research_export(core: TheCore, actor: Caller, course_id: str) -> Response:
    """What students did, for research on teaching: no names, ids, dates or texts. At least five students."""
    return success(await core.next_year.export(actor, course_id))
