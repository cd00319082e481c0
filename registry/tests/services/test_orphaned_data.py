"""Data of deleted accounts and groups: decided by administrators, with a reason, and undone."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound, QcError, ReasonNeeded, UserInputError
from qcrbox_registry.services.orphaned_data import Asked, OrphanedDataService
from qcrbox_registry.store import datasets
from qcrbox_registry.store.people import HubAccounts


@pytest.fixture
def service(context):
    return OrphanedDataService(context)


@pytest.fixture
async def left(world, context, service, root):
    """The hub has deleted the account bob, who had a dataset: (id of the account, id of the dataset)."""
    dataset, _ = world.dataset("bob")
    here = {name: name for name in ("ada", "eve")}
    context.identity.known = HubAccounts(frozenset(world.group), here, 1e12)
    (listed,) = await service.listed(root)
    assert (listed["subject"], listed["name"]) == ("person", "bob")
    return listed["id"], dataset


async def test_the_data_of_a_deleted_account_go_to_another_person_and_come_back(
    world, service, root, left, trail
):
    person, dataset = left
    decided = await service.decide(root, Asked("person", person, "person", "ada", " he graduated "))
    assert world.ask(datasets.get, dataset).owner == "ada"
    (row,) = await service.decisions(root)
    assert (row["decision_id"], row["by"], row["reason"]) == (decided["decision_id"], "eve", "he graduated")
    for _ in range(2):  # a second undo does nothing
        await service.undo(root, decided["decision_id"])
    assert world.ask(datasets.get, dataset).owner == "bob"
    acts = [each[1] for each in await trail()]
    assert acts.count("decide leftovers") == acts.count("undo leftovers") == 1


@pytest.mark.parametrize(
    ("decision", "to", "reason", "refusal"),
    [
        ("person", None, "x", UserInputError),
        ("delete", "ada", "x", UserInputError),
        ("person", "zoe", "x", NotFound),
        ("group", "nowhere", "x", NotFound),
        ("person", "ada", "  ", ReasonNeeded),
    ],
    ids=["to nobody", "deleted to someone", "unknown person", "unknown group", "no reason"],
)
async def test_wrong_decisions_move_nothing(world, service, root, left, decision, to, reason, refusal):
    person, dataset = left
    with pytest.raises(refusal):
        await service.decide(root, Asked("person", person, decision, to, reason))
    assert world.ask(datasets.get, dataset).owner == "bob"


@pytest.mark.attack(1)
async def test_the_data_of_someone_who_is_there_are_not_decided_about(world, service, root, left):
    dataset, _ = world.dataset("ada")
    for person in (world.person["ada"], 10**6):
        with pytest.raises(QcError):
            await service.decide(root, Asked("person", person, "delete", None, "x"))
    assert world.ask(datasets.get, dataset).deleted_at is None


@pytest.mark.attack(1)
@pytest.mark.parametrize("more", [{}, {"curates": ["crystals"]}, {"application_admin": True}])
async def test_only_administrators_decide(world, service, actor, left, more):
    person, dataset = left
    me = actor("ada", groups=["crystals"], **more)
    for act in (
        service.listed(me),
        service.decide(me, Asked("person", person, "person", "ada", "mine")),
        service.decisions(me),
        service.undo(me, "none"),
    ):
        with pytest.raises(NotFound, match="no page"):
            await act
    assert world.ask(datasets.get, dataset).owner == "bob"
