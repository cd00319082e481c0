"""The catalogue: which application answers a name and version, to whom, and what a refusal may tell."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox_registry.access.rights import allows
from qcrbox_registry.store import holds
from qcrbox_registry.store.tables import applications, commands


@pytest.fixture
def more(world, catalogue):
    """`more("2", older_versions=["1.5"])`: another version of the application; `row`: its columns."""

    def add(version, slug="practice", row=None, **spec):
        def write(conn):
            first = conn.execute(sa.select(applications)).mappings().first()
            known = {**first["spec"], "slug": slug, "version": version, "older_versions": [], **spec}
            values = {**first, "id": None, "slug": slug, "version": version, "spec": known, **(row or {})}
            values.pop("id")
            added = conn.execute(sa.insert(applications).values(values)).inserted_primary_key[0]
            conn.execute(
                sa.insert(commands).values(
                    application_id=added, name="noop", implemented_as="python_callable", parameters={}
                )
            )
            catalogue.load(conn)
            return added

        return world.write(write)

    return add


def test_the_exact_version_answers_before_one_that_stands_for_it(catalogue, more):
    more("2", older_versions=["1", "1.5"])
    assert catalogue.find("practice", "1").version == "1"
    assert catalogue.find("practice", "1.5").version == "2"


def test_the_newest_of_those_that_stand_for_a_version_answers(catalogue, more):
    more("2", older_versions=["0.5"])
    more("3", older_versions=["0.5"])
    assert catalogue.find("practice", "0.5").version == "3"


@pytest.mark.parametrize(
    ("slug", "version", "after"),
    [
        ("practice", "9", "There is version 1, 2."),
        ("none", "1", "Applications here: practice."),
        ("practice" * 50, "1", "Applications here: practice."),
    ],
)
def test_a_refusal_says_what_there_is(catalogue, more, slug, version, after):
    more("2")
    with pytest.raises(NotFound, match="no application") as refused:
        catalogue.find(slug, version)
    assert refused.value.next == after
    assert len(refused.value.message) < 500


def test_a_refusal_names_nothing_that_the_person_may_not_use(world, catalogue, more, actor):
    more("1", slug="secret", row={"restricted_to": ["powders"]})

    def sees(who):
        return lambda known: allows(who, "run", known.resource)

    assert catalogue.find("secret", "1", sees(actor("ada", groups=["powders"]))).slug == "secret"
    for slug in ("secret", "other"):
        with pytest.raises(NotFound) as refused:
            catalogue.find(slug, "1", sees(actor("bob", groups=["crystals"])))
        assert refused.value.next == "Applications here: practice."


def test_a_group_that_nobody_came_from_yet_opens_nothing_to_others(catalogue, more, actor):
    more("1", slug="secret", row={"restricted_to": ["nowhere"]})
    with pytest.raises(NotFound):
        catalogue.find(
            "secret", "1", lambda known: allows(actor("ada", groups=["crystals"]), "run", known.resource)
        )


def test_a_retired_application_says_so_and_what_is_left(catalogue, more):
    added = more("2", row={"retired_at": 5.0})
    with pytest.raises(UserInputError, match="Practice 2 has been retired") as refused:
        catalogue.find("practice", "2")
    assert refused.value.next == "There is version 1."
    assert [known.version for known in catalogue.all()] == ["1"]
    assert {known.version for known in catalogue.all(retired=True)} == {"1", "2"}
    assert catalogue.by_id(added).retired


def test_an_application_that_is_not_approved_does_not_run(catalogue, more):
    more("2", row={"approved": False}, older_versions=["0.5"])
    for version in ("2", "0.5"):
        with pytest.raises(NotFound):
            catalogue.find("practice", version)


def test_a_hold_is_shown_with_its_reason(world, catalogue):
    hold = holds.Hold("application", str(world.application_id), "hold", "new version tonight")
    world.do(holds.put, hold, world.person["ada"], 1.0)
    world.read(catalogue.load)
    assert catalogue.find("practice", "1").rest["held"] == "new version tonight"


def test_commands_are_found_by_id_and_by_name(world, catalogue):
    practice = catalogue.find("practice", "1")
    _, noop = catalogue.command_of(practice, "noop")
    assert catalogue.command_by_id(noop.id) == (practice, noop)
    assert catalogue.command_by_id(10**6) is None
    assert [command.spec.name for command in practice.interactive_commands] == ["window"]
    with pytest.raises(NotFound, match="no command 'none'") as refused:
        catalogue.command_of(practice, "none")
    assert refused.value.next == "Its commands are: noop, read, window."
