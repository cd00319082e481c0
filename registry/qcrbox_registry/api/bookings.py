"""Booked times of courses: places that are kept for a class."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from qcrbox.contract import models

from qcrbox_registry.api import teaching_bodies as bodies
from qcrbox_registry.api import teaching_schemas as schemas
from qcrbox_registry.api.dependencies import Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.teaching.bookings import Asked

router = APIRouter(prefix="/api", tags=["teaching"])


@router.get("/courses/{course_id}/bookings", response_model=models.Success[schemas.Bookings])
async def list_bookings(core: TheCore, actor: Caller, course_id: str) -> Response:
    """The booked times of a course."""
    return success(await core.bookings.listed(actor, course_id))


@router.post(
    "/courses/{course_id}/bookings",
    status_code=201,
    response_model=models.Success[schemas.Booking],
    openapi_extra=takes(bodies.NewBooking),
)
async def create_booking(request: Request, core: TheCore, actor: Caller, course_id: str) -> Response:
    """Book places of the site for a class. 409 with what is free when there are not enough."""
    asked, _ = await read_body(request, bodies.NewBooking)
    wanted = Asked(
        bodies.moment(asked.starts_at) or 0.0,
        bodies.moment(asked.ends_at) or 0.0,
        asked.students,
        asked.applications,
        asked.windows,
        asked.places,
    )
    return success(await core.bookings.create(actor, course_id, wanted), "The time is booked.", 201)


@router.delete("/courses/{course_id}/bookings/{booking_id}", status_code=204)
async def cancel_booking(core: TheCore, actor: Caller, course_id: str, booking_id: str) -> Response:
    """Give the places back."""
    await core.bookings.cancel(actor, course_id, booking_id)
    return Response(status_code=204)


@router.post(
    "/courses/{course_id}/bookings/{booking_id}/rehearsal",
    status_code=202,
    response_model=models.Success[schemas.Booking],
)
async def rehearse_booking(core: TheCore, actor: Caller, course_id: str, booking_id: str) -> Response:
    """Start the agents of a booking now and measure it. The result stands in the booking a minute later."""
    started = await core.bookings.rehearse(actor, course_id, booking_id)
    return success(started, "The rehearsal has begun.", 202)
