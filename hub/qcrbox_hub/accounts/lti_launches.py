"""What launches of a learning platform (LTI 1.3) say that is needed to send marks back: who is who there, and where
the scores of a course go."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from qcrbox_hub.accounts.tables import LtiCourseRow, LtiPersonRow

_LTI = "https://purl.imsglobal.org/spec/lti/claim"
_ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
LINE_ITEM_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"


@dataclass(frozen=True, slots=True)
class LtiCourse:
    """A course at the learning platform. line_items: where its columns of marks are, "" where it lets us have none."""

    client_id: str
    context: str
    title: str
    line_items: str


def record_launch(session: Session, name: str, claims: Mapping[str, Any]) -> None:
    """Keep who launched, and where the marks of their course go. claims: of a launch whose signature was checked."""
    context = claims.get(f"{_LTI}/context")
    context = context if isinstance(context, Mapping) else {}
    context_id, subject = str(context.get("id") or ""), str(claims.get("sub") or "")
    if not context_id or not subject:
        return
    client_id = _client_of(claims)
    now = time.time()
    person = session.get(LtiPersonRow, (client_id, context_id, name))
    if person is None:
        person = LtiPersonRow(client_id=client_id, context=context_id, name=name)
        session.add(person)
    person.subject, person.at = subject, now
    course = session.get(LtiCourseRow, (client_id, context_id))
    if course is None:
        course = LtiCourseRow(client_id=client_id, context=context_id)
        session.add(course)
    endpoint = claims.get(_ENDPOINT)
    endpoint = endpoint if isinstance(endpoint, Mapping) else {}
    scopes = endpoint.get("scope") or []
    may = isinstance(scopes, list) and {SCORE_SCOPE, LINE_ITEM_SCOPE} <= set(map(str, scopes))
    course.title = str(context.get("title") or context.get("label") or context_id)[:255]
    course.line_items = str(endpoint.get("lineitems") or "")[:2000] if may else ""
    course.at = now
    session.commit()


def _client_of(claims: Mapping[str, Any]) -> str:
    audience = claims.get("aud")
    first = audience[0] if isinstance(audience, list) and audience else audience
    return str(claims.get("azp") or first or "")


def contexts_of(group: str, rules: Iterable[Mapping[str, Any]]) -> set[str]:
    """The courses of the learning platform whose people the site's rules put into a group."""
    prefix = "course:"
    values = (str(rule["value"]) for rule in rules if rule.get("group") == group)
    return {value.removeprefix(prefix) for value in values if value.startswith(prefix)}


def courses(session: Session, contexts: Iterable[str]) -> list[LtiCourse]:
    """What is known of these courses."""
    wanted = sorted(contexts)
    rows = session.query(LtiCourseRow).filter(LtiCourseRow.context.in_(wanted)).all() if wanted else []
    return [LtiCourse(row.client_id, row.context, row.title, row.line_items) for row in rows]


def subjects(session: Session, courses: Sequence[LtiCourse]) -> dict[str, tuple[LtiCourse, str]]:
    """User name -> the course of their newest launch and their id there."""
    found: dict[str, tuple[float, LtiCourse, str]] = {}
    for course in courses:
        rows = session.query(LtiPersonRow).filter_by(client_id=course.client_id, context=course.context)
        for row in rows:
            if row.name not in found or found[row.name][0] < row.at:
                found[row.name] = (row.at, course, row.subject)
    return {name: (course, subject) for name, (_, course, subject) in found.items()}


def forget(session: Session, name: str) -> None:
    """Forget a deleted account: a later one of the same name is another person."""
    session.query(LtiPersonRow).filter_by(name=name).delete()
    session.commit()
