"""Applications as persons and administrators see and change them; faulty folders are named and left out."""

from __future__ import annotations

import pytest
import yaml
from qcrbox.contract.errors import NotAllowed, NotFound, ReasonNeeded
from qcrbox_registry.services.applications import ApplicationService
from qcrbox_registry.services.examples import Examples

SPEC = {
    "name": "Lab",
    "slug": "lab",
    "version": "1",
    "commands": [
        {"name": "noop", "implemented_as": "python_callable", "import_path": "lab_glue", "parameters": []},
        {"name": "more", "implemented_as": "python_callable", "import_path": "lab_glue", "parameters": []},
    ],
}


@pytest.fixture
def service(context, catalogue):
    return ApplicationService(context, Examples(context.settings.data), "1.0")


@pytest.fixture
def keeper(actor):
    return actor("bob", application_admin=True)


def slugs(service, who, **more):
    return [each["slug"] for each in service.applications(who, retired=more.get("retired", False))]


@pytest.mark.attack(1)
async def test_an_application_of_a_group_does_not_exist_for_others(world, service, actor, keeper):
    await service.change(keeper, world.application_id, {"restricted_to": ["crystals"]})
    member, other = actor("ada", groups=["crystals"]), actor("eve", groups=["powders"])
    assert (slugs(service, member), slugs(service, other)) == (["practice"], [])
    (command, *_) = service.commands(member)
    assert service.commands(other) == []
    assert service.command(member, command["id"])["name"] == "noop"
    for who, number in ((other, command["id"]), (member, 10**6)):
        with pytest.raises(NotFound, match=f"no command '{number}'"):
            service.command(who, number)


async def test_a_restriction_to_nobody_leaves_administrators(world, service, actor, keeper):
    await service.change(keeper, world.application_id, {"restricted_to": []})
    assert (slugs(service, actor("ada", groups=["crystals"])), slugs(service, keeper)) == ([], ["practice"])
    await service.change(keeper, world.application_id, {"restricted_to": None})
    assert slugs(service, actor("ada")) == ["practice"]


@pytest.mark.parametrize(
    ("absent", "of_application", "of_noop", "of_read"),
    [
        ({}, "", "", ""),
        ({"": "No licence."}, "No licence.", "No licence.", "No licence."),
        ({"noop": "No compiler."}, "", "No compiler.", ""),
    ],
    ids=["nothing", "the application", "one command"],
)
async def test_what_is_not_installed_is_named(
    context, service, actor, absent, of_application, of_noop, of_read
):
    context.scheduler.absent = absent
    (shown,) = service.applications(actor("ada"), retired=False)
    commands = {each["name"]: each["missing"] for each in shown["commands"]}
    assert (shown["missing"], commands["noop"], commands["read"]) == (of_application, of_noop, of_read)
    noop = next(each for each in service.commands(actor("ada")) if each["name"] == "noop")
    assert service.command(actor("ada"), noop["id"])["missing"] == of_noop


async def test_a_retired_application_is_seen_by_who_can_bring_it_back(world, service, actor, keeper, trail):
    with pytest.raises(ReasonNeeded):
        await service.retire(keeper, world.application_id, " ")
    await service.retire(keeper, world.application_id, "replaced")
    assert slugs(service, keeper) == []
    assert slugs(service, keeper, retired=True) == ["practice"]
    assert slugs(service, actor("ada"), retired=True) == []
    await service.restore(keeper, world.application_id)
    assert slugs(service, actor("ada")) == ["practice"]
    assert [each[1] for each in await trail()] == ["retire", "bring back"]


async def test_a_hold_has_a_reason_that_everybody_reads(world, service, actor, keeper):
    with pytest.raises(ReasonNeeded):
        await service.hold(keeper, world.application_id, "hold", "")
    await service.hold(keeper, world.application_id, "hold", " new version tonight ")
    assert service.applications(actor("ada"), retired=False)[0]["held"] == "new version tonight"
    await service.hold(keeper, world.application_id, None, "")
    assert service.applications(actor("ada"), retired=False)[0]["held"] == ""


@pytest.mark.attack(1)
@pytest.mark.parametrize("more", [{}, {"manages": ["crystals"]}, {"curates": ["crystals"]}])
async def test_only_administrators_change_applications(world, context, service, actor, more):
    me = actor("ada", groups=["crystals"], **more)
    for act in (
        service.change(me, world.application_id, {"restricted_to": ["crystals"]}),
        service.hold(me, world.application_id, "hold", "x"),
        service.retire(me, world.application_id, "x"),
        service.restore(me, world.application_id),
        service.failed_starts(me, world.application_id, 5),
    ):
        with pytest.raises(NotAllowed):
            await act
    with pytest.raises(NotFound):
        await service.change(me, 10**6, {})
    assert slugs(service, me) == ["practice"]


# ---------------------------------------------------------------- registration


def write(folder, **spec):
    folder.mkdir(parents=True)
    (folder / "application.yaml").write_text(yaml.safe_dump({**SPEC, **spec}))
    (folder / "lab_glue.py").write_text("")
    return folder


async def test_a_faulty_folder_is_named_and_the_others_are_registered(context, service, actor, tmp_path):
    write(tmp_path / "apps" / "good")
    (tmp_path / "apps" / "bad").mkdir()
    (tmp_path / "apps" / "bad" / "application.yaml").write_text("commands: [")
    await service.register_folders([tmp_path / "apps"])
    assert sorted(slugs(service, actor("ada"))) == ["lab", "practice"]
    assert list(context.faults) == ["application bad"]


async def test_a_folder_without_applications_is_named(context, service, tmp_path):
    (tmp_path / "empty").mkdir()
    await service.register_folders([tmp_path / "empty"])
    assert list(context.faults) == [f"applications in {tmp_path / 'empty'}"]


async def test_registering_again_lists_only_what_changed(context, service, tmp_path):
    folder = write(tmp_path / "lab")
    await service.register_folders([folder])
    await service.register_folders([folder])
    assert [each.kind for each in context.published] == ["application"]
    (folder / "application.yaml").write_text(yaml.safe_dump({**SPEC, "description": "new"}))
    await service.register_folders([folder])
    assert [each.status for each in context.published] == ["registered", "registered"]
    assert context.faults == {}


async def test_a_command_keeps_its_id_when_its_application_changes(service, actor, tmp_path):
    folder = write(tmp_path / "lab")
    await service.register_folders([folder])

    def ids():
        lab = next(
            each for each in service.applications(actor("ada"), retired=False) if each["slug"] == "lab"
        )
        return {each["name"]: each["id"] for each in lab["commands"]}

    before = ids()
    (folder / "application.yaml").write_text(yaml.safe_dump({**SPEC, "commands": SPEC["commands"][::-1]}))
    await service.register_folders([folder])
    assert ids() == before
