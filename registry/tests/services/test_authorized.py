"""Objects read with the right to them: shares of now, the staff of a course, and one answer for hidden and missing."""

from __future__ import annotations

import time

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound
from qcrbox_registry.access.rights import PreviewOf
from qcrbox_registry.services import authorized
from qcrbox_registry.services.teaching import access
from qcrbox_registry.store import shares, trash, uploads
from qcrbox_registry.store.tables import exercise_calculations
from qcrbox_registry.store.teaching import courses, exercises, work

FIND = {
    "dataset": authorized.dataset,
    "data_file": authorized.data_file,
    "calculation": authorized.calculation,
}


@pytest.fixture
def objects(world):
    """An object of ada of each kind: a calculation and its output."""
    made = world.start()
    dataset, (file,) = world.dataset(kind="output", calculation_id=made)
    return {"dataset": dataset, "data_file": file, "calculation": made}


@pytest.fixture
def exercise(world, objects):
    """An exercise of the group crystals to which the calculation belongs."""

    def write(conn):
        course = courses.create(conn, world.group["crystals"], "XRD", world.person["eve"], 1.0)
        made = exercises.create(conn, course, "Quartz", world.person["eve"], 1.0)
        work.note(conn, made, world.person["ada"], opened_at=1.0)
        row = {
            "exercise_id": made,
            "calculation_id": objects["calculation"],
            "person_id": world.person["ada"],
        }
        conn.execute(exercise_calculations.insert().values(row))
        return made

    return world.write(write)


def reads(world, kind, who, object_id, action="read", **more):
    return world.read(lambda conn: FIND[kind](conn, who, action, object_id, **more))


@pytest.mark.attack(1)
@pytest.mark.parametrize("kind", FIND)
def test_a_hidden_object_and_a_missing_one_have_one_answer(world, actor, objects, kind):
    texts = []
    for object_id in (objects[kind], "none"):
        with pytest.raises(NotFound) as refused:
            reads(world, kind, actor("bob"), object_id)
        texts.append(refused.value.message.replace(object_id, "…"))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("kind", ["dataset", "data_file"])
def test_what_is_in_the_trash_is_found_by_who_asks_for_it(world, actor, objects, kind):
    world.do(trash.delete_dataset, objects["dataset"], world.person["ada"], 5.0)
    with pytest.raises(NotFound):
        reads(world, kind, actor("ada"), objects[kind])
    assert reads(world, kind, actor("ada"), objects[kind], deleted=True).deleted_at == 5.0
    with pytest.raises(NotFound):
        reads(world, kind, actor("bob"), objects[kind], deleted=True)


@pytest.mark.parametrize("kind", FIND)
@pytest.mark.parametrize(
    ("expires", "revoked", "is_open"),
    [(None, False, True), (60.0, False, True), (-60.0, False, False), (None, True, False)],
    ids=["holds", "holds for a minute", "expired", "revoked"],
)
def test_a_share_opens_while_it_holds(world, actor, objects, kind, expires, revoked, is_open):
    until = None if expires is None else time.time() + expires
    new = shares.NewShare(
        kind, objects[kind], "read", world.person["ada"], None, world.group["crystals"], until
    )
    share = world.do(shares.give, new, 1.0)
    if revoked:
        world.do(shares.revoke, share, 2.0)
    member, other = actor("bob", groups=["crystals"]), actor("eve", groups=["powders"])
    if is_open:
        assert reads(world, kind, member, objects[kind]).id == objects[kind]
    else:
        with pytest.raises(NotFound):
            reads(world, kind, member, objects[kind])
    with pytest.raises(NotFound):
        reads(world, kind, other, objects[kind])


@pytest.mark.attack(1)
@pytest.mark.parametrize("kind", FIND)
@pytest.mark.parametrize(
    ("manages", "is_open"),
    [(["crystals"], True), (["powders"], False), ([], False)],
    ids=["staff", "of another", "student"],
)
def test_the_staff_of_a_course_read_its_work_and_change_nothing(
    world, actor, objects, exercise, kind, manages, is_open
):
    who = actor("bob", groups=["crystals"], manages=manages)
    if not is_open:
        with pytest.raises(NotFound):
            reads(world, kind, who, objects[kind])
        return
    assert reads(world, kind, who, objects[kind]).id == objects[kind]
    for action in ("share", "tag", "delete"):
        with pytest.raises(NotAllowed):
            reads(world, kind, who, objects[kind], action)


@pytest.mark.attack(1)
def test_an_output_of_an_agent_is_no_upload_of_its_owner(world, actor, objects):
    new = uploads.NewOutput(objects["calculation"], 1, world.person["ada"], "o", "o.txt", "0" * 64, 1, None)
    output = world.do(uploads.add_output, new, 1.0)
    for upload_id in (output.id, "none"):
        with pytest.raises(NotFound, match=f"no upload '{upload_id}'"):
            world.read(
                lambda conn, upload_id=upload_id: authorized.upload(conn, actor("ada"), "read", upload_id)
            )


# ---------------------------------------------------------------- courses and exercises


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    ("more", "published", "hidden"),
    [
        ({"groups": ["crystals"]}, "read do", ""),
        ({"groups": ["crystals"], "manages": ["crystals"]}, "read do supervise", "read do supervise"),
        ({"manages": ["crystals"], "teaches": True}, "read do supervise teach", "read do supervise teach"),
        ({"groups": ["powders"], "manages": ["powders"]}, "", ""),
        ({"admin": True}, "read do supervise teach", "read do supervise teach"),
        ({"application_admin": True}, "", ""),
        ({"groups": ["crystals"], "preview": True}, "read do", "read do"),
    ],
    ids=[
        "student",
        "assistant",
        "lecturer",
        "stranger",
        "administrator",
        "of applications",
        "preview account",
    ],
)
def test_who_may_do_what_with_an_exercise(world, actor, exercise, more, published, hidden):
    crystals = world.group["crystals"]
    if more.pop("teaches", False):
        more = {**more, "teaches": frozenset({crystals})}
    if more.pop("preview", False):
        more = {**more, "preview": PreviewOf("eve", "crystals", crystals)}
    who = actor("bob", **more)
    for is_published, allowed in ((True, published), (False, hidden)):
        world.do(exercises.change, exercise, {"published": is_published}, 2.0)
        done = []
        for action in ("read", "do", "supervise", "teach"):
            try:
                world.read(lambda conn, action=action: access.exercise(conn, who, action, exercise))
                done.append(action)
            except NotAllowed:
                assert allowed, "a refusal tells that the exercise is there"
            except NotFound:
                assert not allowed
        assert done == allowed.split()


@pytest.mark.attack(1)
@pytest.mark.parametrize(
    ("find", "kind"),
    [(access.course, "course"), (access.exercise, "exercise"), (access.snapshot, "snapshot")],
)
def test_what_is_not_there_is_named(world, actor, find, kind):
    for who in (actor("ada"), actor("ada", admin=True)):
        with pytest.raises(NotFound, match=f"no {kind} 'none'"):
            world.read(lambda conn, who=who: find(conn, who, "read", "none"))
