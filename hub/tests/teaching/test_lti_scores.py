"""Marks to a learning platform over HTTP: signed requests for tokens, columns, scores, retries, nothing sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jupyterhub import orm
from qcrbox.contract.errors import NotAllowed, Unreachable, UserInputError
from qcrbox_hub.accounts import lti_launches, tables
from qcrbox_hub.accounts.lti_key import LtiKey
from qcrbox_hub.teaching import lti_scores
from qcrbox_hub.teaching.lti_scores import Access, Score, ScoreService
from qcrbox_hub.teaching.send_marks import Exercise, MarkSender
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from learning_platform import LearningPlatform

CLIENT = "qcrbox-at-the-platform"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
AGS = "https://purl.imsglobal.org/spec/lti-ags"
EXERCISE = "0" * 32


@pytest.fixture
def key(tmp_path: Path) -> LtiKey:
    return LtiKey(tmp_path / "key.pem")


@pytest.fixture
def platform(learning_platform: LearningPlatform, key: LtiKey) -> LearningPlatform:
    learning_platform.tool_keys = lambda: {"keys": [key.public]}
    learning_platform.columns, learning_platform.scores, learning_platform.asked = [], [], []
    learning_platform.busy, learning_platform.refused, learning_platform.tokens = 0, set(), set()
    return learning_platform


@pytest.fixture
def session() -> Iterator[Any]:
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as made:
        yield made


class Waits:
    """Notes how long it was asked to wait; waits not at all."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def launch(platform: LearningPlatform, number: int, **more: Any) -> dict[str, Any]:
    """The claims of a launch, as they are once their signature was checked."""
    return {
        "aud": CLIENT,
        "sub": f"id-{number}",
        f"{CLAIM}/context": {"id": "42", "title": "Crystals"},
        f"{AGS}/claim/endpoint": {
            "scope": [f"{AGS}/scope/lineitem", f"{AGS}/scope/score"],
            "lineitems": platform.line_items,
        },
        **more,
    }


class Desk:
    """A lecturer's view of a class of which `names` came by launches."""

    def __init__(self, session: Any, platform: LearningPlatform, key: LtiKey, names: list[str]) -> None:
        self.session, self.platform, self.key = session, platform, key
        for number, name in enumerate(names):
            lti_launches.record_launch(session, name, launch(platform, number))

    def sent(
        self, exercise: Exercise, *, again: bool = False, clicks: int = 1
    ) -> list[tuple[int, dict[str, str]]]:
        async def click() -> list[tuple[int, dict[str, str]]]:
            async with httpx.AsyncClient(trust_env=False) as http:
                sender = self.sender(http)
                return await asyncio.gather(*(sender.send(exercise, again=again) for _ in range(clicks)))

        return asyncio.run(click())

    def sender(self, http: httpx.AsyncClient) -> MarkSender:
        courses = lti_launches.courses(self.session, {"42"})
        subjects = lti_launches.subjects(self.session, courses)
        return MarkSender(
            self.session, subjects, lambda course: service(self.platform, self.key, http, course.line_items)
        )

    def rows(self, exercise: Exercise) -> dict[str, Any]:
        return {row.name: row for row in self.sender(httpx.AsyncClient()).rows(exercise)}


def service(
    platform: LearningPlatform,
    key: LtiKey,
    http: httpx.AsyncClient,
    line_items: str = "",
    sleep: Any = None,
) -> ScoreService:
    access = Access(platform.token_url, lambda: key.assertion(CLIENT, platform.token_url))
    return ScoreService(access, line_items or platform.line_items, http, sleep or Waits())


def ask(platform: LearningPlatform, key: LtiKey, sleep: Any = None) -> str:
    """A column with one score in it."""

    async def both() -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            speaking = service(platform, key, http, sleep=sleep)
            column = await speaking.column("qcrbox-1", "Quartz", 4.0)
            await speaking.send(column, Score("id-0", 2.5, 4.0, 1_700_000_000.25))
            return column

    return asyncio.run(both())


def marks(**points: float | None) -> Exercise:
    """An exercise of four points; None: a task is still to decide."""
    students = [
        {
            "name": name,
            "points": value or 0.0,
            "to_decide": int(value is None),
            "submitted": {"at": "2026-01-01T00:00:00Z"},
        }
        for name, value in points.items()
    ]
    return Exercise(EXERCISE, "Quartz", 4.0, students)


def test_a_score_goes_into_the_column_of_the_exercise(platform: LearningPlatform, key: LtiKey) -> None:
    column = ask(platform, key)
    assert ask(platform, key) == column
    assert [(each["label"], each["scoreMaximum"], each["resourceId"]) for each in platform.columns] == [
        ("Quartz", 4.0, "qcrbox-1")
    ]
    assert platform.scores[0] == {
        "userId": "id-0",
        "scoreGiven": 2.5,
        "scoreMaximum": 4.0,
        "timestamp": "2023-11-14T22:13:20.250000+00:00",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }


def test_a_request_signed_with_another_key_gets_no_token(platform: LearningPlatform, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="gives no access") as refused:
        ask(platform, LtiKey(tmp_path / "another.pem"))
    assert "/hub/lti13/keys" in refused.value.next
    assert platform.scores == []


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    assert LtiKey(file).public == LtiKey(file).public
    assert file.stat().st_mode & 0o077 == 0
    assert set(LtiKey(file).public) == {"kty", "n", "e", "kid", "alg", "use"}


def test_a_busy_platform_is_asked_again_and_a_dead_one_named(platform: LearningPlatform, key: LtiKey) -> None:
    platform.busy, waits = 2, Waits()
    ask(platform, key, waits)
    assert waits.seconds == list(lti_scores.DELAYS_S[:2])
    assert len(platform.scores) == 1
    platform.busy = 100
    with pytest.raises(Unreachable, match="busy"):
        ask(platform, key)


def test_an_expired_token_is_replaced_once(platform: LearningPlatform, key: LtiKey) -> None:
    async def after_a_long_time() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            speaking = service(platform, key, http)
            column = await speaking.column("qcrbox-1", "Quartz", 4.0)
            platform.tokens.clear()
            await speaking.send(column, Score("id-0", 1.0, 4.0, 1.0))

    asyncio.run(after_a_long_time())
    assert platform.asked.count("POST /token") == 2
    assert len(platform.scores) == 1


def test_a_token_goes_to_no_other_host_and_over_https_only(platform: LearningPlatform, key: LtiKey) -> None:
    platform.columns.append({"id": "http://elsewhere.example/1", "resourceId": "qcrbox-1"})
    with pytest.raises(NotAllowed, match="another host"):
        ask(platform, key)
    access = Access("https://platform.example/token", str)
    with pytest.raises(UserInputError, match="https"):
        ScoreService(access, "http://platform.example/lineitems", httpx.AsyncClient())
    safe = ScoreService(access, "https://platform.example/lineitems", httpx.AsyncClient())
    assert safe._of_platform("https://platform.example/lineitems/1").endswith("/1")
    with pytest.raises(NotAllowed, match="another host"):
        safe._of_platform("http://platform.example/lineitems/1")


def test_what_the_platform_has_is_not_sent_again_unasked(session, platform, key: LtiKey) -> None:
    desk = Desk(session, platform, key, ["ada", "bob"])
    assert desk.sent(marks(ada=3.0, bob=None, eve=2.0)) == [(1, {})]
    assert desk.sent(marks(ada=3.0, bob=None, eve=2.0)) == [(0, {})]
    assert desk.sent(marks(ada=3.5, bob=4.0, eve=2.0)) == [(2, {})]
    assert [(each["userId"], each["scoreGiven"]) for each in platform.scores] in (
        [("id-0", 3.0), ("id-0", 3.5), ("id-1", 4.0)],
        [("id-0", 3.0), ("id-1", 4.0), ("id-0", 3.5)],
    )
    assert desk.sent(marks(ada=3.5, bob=4.0), again=True) == [(2, {})]
    rows = desk.rows(marks(ada=3.5, bob=4.0, eve=2.0))
    assert (rows["ada"].sent_points, rows["eve"].known) == (3.5, False)


def test_sixty_clicks_send_each_mark_once(session, platform, key: LtiKey) -> None:
    desk = Desk(session, platform, key, ["ada", "bob"])
    sent = desk.sent(marks(ada=3.0, bob=1.0), clicks=60)
    assert sorted(number for number, _ in sent) == [0] * 59 + [2]
    assert len(platform.scores) == 2


def test_one_refused_student_is_named_and_stops_nobody(session, platform, key: LtiKey) -> None:
    desk = Desk(session, platform, key, ["ada", "bob", "cyd"])
    platform.refused = {"id-1"}
    [(number, failed)] = desk.sent(marks(ada=3.0, bob=1.0, cyd=2.0))
    assert (number, list(failed)) == (2, ["bob"])
    refusal = "The learning platform refused. It answered 403: This person is not in the course."
    assert desk.rows(marks(bob=1.0))["bob"].problem == refusal, "its words, once and without its JSON"
    platform.refused = set()
    assert desk.sent(marks(ada=3.0, bob=1.0, cyd=2.0)) == [(1, {})]
    assert desk.rows(marks(bob=1.0))["bob"].problem == ""


def test_a_launch_without_the_right_to_marks_has_no_address(session, platform) -> None:
    read_only = {
        f"{AGS}/claim/endpoint": {"scope": [f"{AGS}/scope/lineitem.readonly"], "lineitems": "https://x/"}
    }
    lti_launches.record_launch(session, "ada", launch(platform, 0, **read_only))
    lti_launches.record_launch(session, "bob", {"sub": "id-1"})
    lti_launches.record_launch(session, "cyd", {"sub": "id-2", f"{CLAIM}/context": "hostile"})
    (course,) = lti_launches.courses(session, {"42"})
    assert course.line_items == ""
    assert set(lti_launches.subjects(session, [course])) == {"ada"}
    lti_launches.forget(session, "ada")
    assert lti_launches.subjects(session, [course]) == {}


def test_contexts_of_a_group_are_those_of_the_sites_rules() -> None:
    rules = [
        {"value": "course:42", "group": "xrd"},
        {"value": "course:43", "group": "other"},
        {"value": "Instructor", "group": "xrd", "role": "lecturer"},
    ]
    assert lti_launches.contexts_of("xrd", rules) == {"42"}


def test_our_tables_are_made_where_an_older_hub_has_none() -> None:
    engine = create_engine("sqlite://")
    with Session(engine) as session:
        tables.create_missing(session)
        assert session.query(tables.LtiScoreRow).count() == 0


@pytest.mark.parametrize("address", ["https://[", "https://[::1/columns", "https://a\x00b/columns"])
def test_address_that_is_none_is_refused_in_words_where_a_launch_named_it(address: str) -> None:
    access = Access("https://moodle.example/token", lambda: "signed")

    async def use() -> None:
        async with httpx.AsyncClient() as http:
            await ScoreService(access, address, http, Waits()).column("k", "x", 1.0)

    with pytest.raises((UserInputError, NotAllowed, Unreachable)) as error:
        asyncio.run(use())
    assert error.value.message


@pytest.mark.parametrize(
    "answered", ["https://[", "//[", "https://evil.example/columns/1", "javascript:alert(1)"]
)
def test_token_goes_to_no_address_but_the_platforms(answered: str) -> None:
    asked: list[str] = []

    def platform(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "t"})
        return httpx.Response(200, json=[{"resourceId": "k", "id": answered}])

    async def use() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(platform)) as http:
            access = Access("https://moodle.example/token", lambda: "signed")
            await ScoreService(access, "https://moodle.example/columns", http, Waits()).column("k", "x", 1.0)

    with pytest.raises((UserInputError, NotAllowed)):
        asyncio.run(use())
    assert set(asked) == {"moodle.example"}
