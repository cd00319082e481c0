"""What a launch of a learning platform leaves behind, and where marks of a course may go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox_hub.accounts import lti_launches
from qcrbox_hub.accounts.lti_launches import LINE_ITEM_SCOPE, SCORE_SCOPE, LtiCourse
from qcrbox_hub.accounts.tables import LtiCourseRow, LtiPersonRow, create_missing

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
COLUMNS = "https://moodle.example/courses/42/lineitems"


@pytest.fixture
def session() -> Iterator[Any]:
    made = orm.new_session_factory("sqlite:///:memory:")()
    create_missing(made)
    yield made
    made.close()


def launch(**more: Any) -> dict[str, Any]:
    return {
        "sub": "student-7",
        "aud": "us",
        f"{CLAIM}/context": {"id": "42", "title": "Crystals"},
        ENDPOINT: {"scope": [SCORE_SCOPE, LINE_ITEM_SCOPE], "lineitems": COLUMNS},
        **more,
    }


def courses(session: Any, *contexts: str) -> list[LtiCourse]:
    return lti_launches.courses(session, contexts)


def test_launch_tells_who_is_who_and_where_marks_go(session: Any) -> None:
    lti_launches.record_launch(session, "jane", launch())
    (course,) = courses(session, "42")
    assert course == LtiCourse("us", "42", "Crystals", COLUMNS)
    assert lti_launches.subjects(session, [course]) == {"jane": (course, "student-7")}


@pytest.mark.parametrize(
    "more",
    [
        {"sub": ""},
        {"sub": None},
        {f"{CLAIM}/context": None},
        {f"{CLAIM}/context": {}},
        {f"{CLAIM}/context": "42"},
        {f"{CLAIM}/context": [{"id": "42"}]},
        {f"{CLAIM}/context": {"id": ""}},
    ],
    ids=str,
)
def test_launch_outside_a_course_or_of_nobody_leaves_nothing(session: Any, more: dict[str, Any]) -> None:
    lti_launches.record_launch(session, "jane", launch(**more))
    assert session.query(LtiPersonRow).count() == session.query(LtiCourseRow).count() == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        "text",
        {},
        {"lineitems": COLUMNS},
        {"scope": [SCORE_SCOPE], "lineitems": COLUMNS},
        {"scope": f"{SCORE_SCOPE} {LINE_ITEM_SCOPE}", "lineitems": COLUMNS},
        {"scope": [SCORE_SCOPE, LINE_ITEM_SCOPE], "lineitems": None},
        {"scope": [1, None], "lineitems": COLUMNS},
    ],
    ids=str,
)
def test_course_whose_platform_grants_no_columns_has_none(session: Any, endpoint: Any) -> None:
    lti_launches.record_launch(session, "jane", launch(**{ENDPOINT: endpoint}))
    assert [course.line_items for course in courses(session, "42")] == [""]


def test_next_launch_brings_what_is_true_now(session: Any) -> None:
    lti_launches.record_launch(session, "jane", launch())
    lti_launches.record_launch(
        session,
        "jane",
        launch(sub="new-id", **{ENDPOINT: {}, f"{CLAIM}/context": {"id": "42", "label": "XRD"}}),
    )
    (course,) = courses(session, "42")
    assert (course.title, course.line_items) == ("XRD", "")
    assert lti_launches.subjects(session, [course])["jane"][1] == "new-id"


@pytest.mark.parametrize(
    ("context", "title"),
    [
        ({"id": "42", "title": "A", "label": "B"}, "A"),
        ({"id": "42", "label": "B"}, "B"),
        ({"id": "42"}, "42"),
        ({"id": 42, "title": ""}, "42"),
        ({"id": "42", "title": "<b>" * 200}, ("<b>" * 200)[:255]),
    ],
    ids=["title", "label", "id", "number", "long"],
)
def test_course_has_the_first_name_that_the_platform_gives(
    session: Any, context: dict[str, Any], title: str
) -> None:
    lti_launches.record_launch(session, "jane", launch(**{f"{CLAIM}/context": context}))
    assert [course.title for course in courses(session, "42")] == [title]


@pytest.mark.parametrize(
    ("claims", "client"),
    [
        ({"aud": "one"}, "one"),
        ({"aud": ["one", "two"]}, "one"),
        ({"aud": ["one", "two"], "azp": "two"}, "two"),
        ({"aud": []}, ""),
    ],
    ids=str,
)
def test_client_is_the_authorized_party_else_the_first_audience(
    session: Any, claims: dict[str, Any], client: str
) -> None:
    lti_launches.record_launch(session, "jane", launch(**claims))
    assert [course.client_id for course in courses(session, "42")] == [client]


@pytest.mark.attack(5)
def test_two_clients_with_a_course_of_one_id_are_two_courses(session: Any) -> None:
    lti_launches.record_launch(session, "jane", launch())
    lti_launches.record_launch(session, "mallory", launch(aud="other", sub="student-7"))
    found = {course.client_id: course for course in courses(session, "42")}
    assert set(found) == {"us", "other"}
    assert set(lti_launches.subjects(session, [found["us"]])) == {"jane"}


def test_person_of_several_courses_gets_marks_where_they_launched_last(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, context in ((100.0, "42"), (300.0, "43"), (200.0, "44")):
        monkeypatch.setattr(lti_launches.time, "time", lambda at=at: at)
        lti_launches.record_launch(
            session, "jane", launch(sub=f"id-in-{context}", **{f"{CLAIM}/context": {"id": context}})
        )
    found = lti_launches.subjects(session, courses(session, "42", "43", "44"))
    assert (found["jane"][0].context, found["jane"][1]) == ("43", "id-in-43")
    assert lti_launches.subjects(session, []) == {}


@pytest.mark.parametrize(
    ("rules", "contexts"),
    [
        ([{"group": "xrd", "value": "course:42"}], {"42"}),
        ([{"group": "xrd", "value": "course:42"}, {"group": "xrd", "value": "course:43"}], {"42", "43"}),
        ([{"group": "other", "value": "course:42"}], set()),
        ([{"group": "xrd", "value": "Instructor"}], set()),
        ([{"value": "course:42", "role": "administrator"}], set()),
        ([{"group": "xrd", "value": "course:"}], {""}),
        ([], set()),
    ],
)
def test_courses_of_a_group_are_those_that_a_rule_names(
    rules: list[dict[str, str]], contexts: set[str]
) -> None:
    assert lti_launches.contexts_of("xrd", rules) == contexts


@pytest.mark.attack(5)
def test_deleted_account_is_forgotten_and_no_other(session: Any) -> None:
    for name in ("jane", "joe"):
        lti_launches.record_launch(session, name, launch(sub=name))
    lti_launches.forget(session, "jane")
    assert set(lti_launches.subjects(session, courses(session, "42"))) == {"joe"}
