"""Booked times of a course: places of the site for a class, proposed, refused with what is free, rehearsed."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from qcrbox.contract.errors import Conflict, NotFound, UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor, allows
from qcrbox_registry.scheduler.rehearsing import Rehearsed
from qcrbox_registry.scheduler.reservations import Reservation, peak
from qcrbox_registry.services.catalogue import KnownApplication
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.teaching import access
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import bookings
from qcrbox_registry.store.teaching.bookings import Booking, NewBooking

LONGEST_S = 12 * 3600.0
MOST_AHEAD_S = 400 * 86400.0
EVERY_S = 120.0  # a student of a lab starts about one calculation in this time
RUSH = 2.0  # and twice as many come at once
UNKNOWN_S = 10.0
REHEARSAL_S = 90.0
SLOW_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A booking as a lecturer asks for it. Times: Unix time, s. places None: as many as are proposed."""

    starts_at: float
    ends_at: float
    students: int
    applications: Sequence[str]
    windows: int = 0
    places: int | None = None


def proposed_places(students: int, windows: int, each_s: float | None) -> int:
    """How many places a class needs: one for each open window, and for calculations the mean number that runs at once,
    students · duration / 120 s, doubled for the rush after "now press Run". each_s: usual duration, s."""
    running = RUSH * students * (UNKNOWN_S if each_s is None else each_s) / EVERY_S
    return min(windows + min(max(math.ceil(running), 1), students), students + windows)


def shown(booking: Booking, *, staff: bool) -> Json:
    """A booking as answers show it; the rehearsal is for the staff."""
    return {
        "id": booking.id,
        "course_id": booking.course_id,
        "starts_at": iso(booking.starts_at),
        "ends_at": iso(booking.ends_at),
        "students": booking.students,
        "windows": booking.windows,
        "places": booking.places,
        "applications": list(booking.applications),
        "rehearsal": booking.rehearsal if staff else None,
    }


class BookingService:
    """The bookings of courses."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, actor: Actor, course_id: str) -> Json:
        """The bookings of a course. Raises NotFound."""

        def read(conn: Connection) -> list[Json]:
            course = access.course(conn, actor, "read", course_id)
            staff = access.is_staff(actor, course.group_id)
            return [shown(each, staff=staff) for each in bookings.of_course(conn, course.id)]

        return {"bookings": await self._context.db.read(read)}

    async def create(self, actor: Actor, course_id: str, asked: Asked) -> Json:
        """Book a time. Raises NotFound, NotAllowed, UserInputError, Conflict with what is free."""
        now = time.time()
        _check_times(asked, now)
        applications = [self._application(actor, slug) for slug in dict.fromkeys(asked.applications)]
        slugs = [each.slug for each in applications]
        places = asked.places
        if places is None:
            ids = [command.id for each in applications for command in each.shown_commands]
            each_s = self._context.scheduler.expected_s(ids)
            places = proposed_places(asked.students, asked.windows, each_s)
        new = NewBooking(asked.starts_at, asked.ends_at, asked.students, asked.windows, places, slugs)
        most = self._context.scheduler.bookable(slugs)

        def write(conn: Connection) -> Booking:
            course = access.course(conn, actor, "teach", course_id)
            access.require_active(course)
            _require_free(new, bookings.ending_after(conn, now), most)
            booking_id = bookings.add(conn, course.id, new, actor.person_id, now)
            entry = audit.entry(
                actor, "book", now, kind="course", object_id=course.id, booking=booking_id, places=places
            )
            record(conn, [entry])
            return bookings.get(conn, booking_id)

        made = await self._context.db.write(write)
        await self._context.scheduler.rules_changed()
        return shown(made, staff=True)

    async def cancel(self, actor: Actor, course_id: str, booking_id: str) -> None:
        """Give the places back. Raises NotFound, NotAllowed."""
        now = time.time()

        def write(conn: Connection) -> None:
            course = access.course(conn, actor, "teach", course_id)
            bookings.cancel(conn, _of(conn, course.id, booking_id).id, now)
            entry = audit.entry(
                actor, "cancel booking", now, kind="course", object_id=course.id, booking=booking_id
            )
            record(conn, [entry])

        await self._context.db.write(write)
        await self._context.scheduler.rules_changed()

    async def rehearse(self, actor: Actor, course_id: str, booking_id: str) -> Json:
        """Begin to start the agents of a booking and measure it; the result stands in the booking afterwards.

        Raises NotFound, NotAllowed, Conflict while other calculations wait: they would be disturbed, and disturb.
        """

        def read(conn: Connection) -> Booking:
            course = access.course(conn, actor, "teach", course_id)
            access.require_active(course)
            return _of(conn, course.id, booking_id)

        await self._context.db.read(read)
        self._require_quiet()
        started = {"running": True, "began": time.time(), "advice": []}

        def write(conn: Connection) -> Booking:
            found = read(conn)
            _require_not_rehearsing(found, time.time())
            bookings.note_rehearsal(conn, found.id, started)
            return found

        booking = await self._context.db.write(write)
        self._context.audit_soon(actor, "rehearse", kind="course", object_id=course_id, booking=booking_id)
        self._context.background.spawn(self._rehearse(booking))
        return {**shown(booking, staff=True), "rehearsal": started}

    def _require_quiet(self) -> None:
        waiting = self._context.scheduler.status()["waiting"]
        if waiting:
            raise Conflict(
                f"{waiting} calculations wait now.",
                why="A rehearsal would take the places that they wait for.",
                next="Rehearse when the site is quiet.",
            )

    async def _rehearse(self, booking: Booking) -> None:
        as_booked = Reservation(booking.id, 0, 0.0, 0.0, booking.places, tuple(booking.applications))
        wanted = {slug: as_booked.places_of(slug) for slug in booking.applications}
        measured = await self._context.scheduler.rehearse(wanted, REHEARSAL_S)
        await self._note(booking.id, report(measured, booking, time.time()))

    async def _note(self, booking_id: str, found: Json) -> None:
        await self._context.db.write(lambda conn: bookings.note_rehearsal(conn, booking_id, found))

    def _application(self, actor: Actor, slug: str) -> KnownApplication:
        """The newest version of an application that the lecturer may use. Raises UserInputError."""
        found = [
            each
            for each in self._context.catalogue.all()
            if each.slug == slug and allows(actor, "run", each.resource)
        ]
        if not found:
            known = sorted(
                {each.slug for each in self._context.catalogue.all() if allows(actor, "run", each.resource)}
            )
            raise UserInputError(
                f"There is no application {slug[:100]!r}.", next=f"Choose of: {', '.join(known)}."
            )
        return max(found, key=lambda each: each.id)


def report(measured: Rehearsed, booking: Booking, at: float) -> Json:
    """What a rehearsal found, in numbers and as advice. at: Unix time, s."""
    ready = len(measured.ready_after_s)
    each_bytes = int(statistics.median(measured.rss_bytes)) if measured.rss_bytes else None
    last = measured.ready_after_s[-1] if ready else None
    advice = []
    missing = measured.asked - measured.already - ready
    if missing > 0:
        reasons = " ".join(measured.waits)
        advice.append(
            f"{missing} of {measured.asked} agents were not ready within {REHEARSAL_S:g} s."
            f" {reasons} Book fewer places, or ask your administrator for more.".replace("  ", " ")
        )
    if last is not None and last > SLOW_START_S:
        advice.append(
            f"The last agent was ready after {last:.0f} s. They are started five minutes before the class begins."
        )
    more = booking.places - measured.already - ready
    free = measured.free_bytes
    if each_bytes and more > 0 and free is not None and more * each_bytes > free:
        advice.append(
            f"{more} more agents need {_gib(more * each_bytes)} GiB; {_gib(free)} GiB are free."
            " Book fewer places, or ask for a machine with more memory."
        )
    if booking.windows > booking.places:
        advice.append("There are more windows than places: some students will wait for a window.")
    if booking.students > 5 * booking.places:
        advice.append(
            f"{booking.students} students share {booking.places} places: let them begin in groups, or allow answers"
            " from the store for identical calculations."
        )
    return {
        "running": False,
        "at": iso(at),
        "asked": measured.asked,
        "already": measured.already,
        "started": ready,
        "first_s": round(measured.ready_after_s[0], 1) if ready else None,
        "last_s": round(last, 1) if last is not None else None,
        "each_bytes": each_bytes,
        "free_bytes": measured.free_bytes,
        "advice": advice or ["Nothing has to be changed."],
    }


def _gib(size: float) -> str:
    return f"{size / 1024**3:.1f}"


def _of(conn: Connection, course_id: str, booking_id: str) -> Booking:
    found = bookings.get(conn, booking_id)
    if found.course_id != course_id:
        raise NotFound(f"There is no booking {booking_id[:64]!r}.")
    return found


def _require_not_rehearsing(booking: Booking, now: float) -> None:
    """Raises Conflict while a rehearsal runs. One that a restart of the registry cut is over after a while."""
    if booking.rehearsal is None or not booking.rehearsal.get("running"):
        return
    if now - float(booking.rehearsal.get("began", 0.0)) < 2 * REHEARSAL_S:
        raise Conflict("A rehearsal of this booking is running.", next="Look again in a minute.")


def _check_times(asked: Asked, now: float) -> None:
    if asked.ends_at <= asked.starts_at:
        raise UserInputError("The end must be after the start.")
    if asked.ends_at <= now:
        raise UserInputError("The booked time is over already.")
    if asked.ends_at - asked.starts_at > LONGEST_S:
        raise UserInputError("A booking is at most 12 hours long.", next="Book each class by itself.")
    if asked.starts_at - now > MOST_AHEAD_S:
        raise UserInputError("A booking begins within the next 400 days.")


def _require_free(new: NewBooking, others: Sequence[Booking], most: int) -> None:
    """Raises Conflict with what is free. The others are named by times and places only: their courses may be hidden."""
    spans = [(each.starts_at, each.ends_at, each.places) for each in others]
    free = max(most - peak(spans, new.starts_at, new.ends_at), 0)
    if new.places <= free:
        return
    overlapping = [span for span in spans if span[0] < new.ends_at and span[1] > new.starts_at]
    taken = "; ".join(f"{places} from {iso(start)} to {iso(end)}" for start, end, places in overlapping[:10])
    why = f"{most} places can be booked for these applications."
    if taken:
        why += f" Booked in this time: {taken}."
    later = _next_start(new, spans, most)
    steps = [f"Book at most {free} places."] if free else []
    if later is not None:
        steps.append(f"{new.places} places are free from {iso(later)}.")
    if not steps:
        steps.append("Book fewer places, or ask your administrator for more.")
    raise Conflict(
        f"{new.places} places are not free in this time: {free} are.",
        why=why,
        next=" ".join(steps),
        free=free,
    )


def _next_start(new: NewBooking, spans: Sequence[tuple[float, float, int]], most: int) -> float | None:
    """The first later time at which a booking of this length fits; None when it never does."""
    if new.places > most:
        return None
    length = new.ends_at - new.starts_at
    for start in sorted(end for _, end, _ in spans if end > new.starts_at):
        if peak(spans, start, start + length) + new.places <= most:
            return start
    return None
