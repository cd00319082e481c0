"""Which sections of the administration a person's scopes open."""

from __future__ import annotations

import pytest
from qcrbox_hub.accounts import roles
from qcrbox_hub.admin.routes import PAGES
from qcrbox_hub.admin.sections import SECTIONS, Power, powers_of, sections_of

ADMIN = {"admin:users", roles.ADMIN}


def _in_order(values: object) -> str:
    """The same name in every process, which the text of a set has not."""
    return "+".join(sorted(map(str, values))) if isinstance(values, set) else str(values)


@pytest.mark.attack(4)
@pytest.mark.parametrize(
    ("scopes", "powers"),
    [
        (set(), set()),
        ({roles.USE, roles.ACCESS, "self"}, set()),
        (ADMIN, {Power.ADMINISTRATOR}),
        # One alone is a token with less, or a service of the site: no page of ours.
        ({"admin:users"}, set()),
        ({roles.ADMIN}, set()),
        ({roles.APPLICATIONS}, {Power.APPLICATIONS}),
        ({f"{roles.MANAGE}!group=xrd"}, {Power.GROUPS}),
        ({roles.MANAGE}, {Power.GROUPS}),
        ({f"{roles.DATA}!group=xrd"}, set()),
        ({f"{roles.TEACH}!group=xrd"}, set()),
        ({"groups!group=xrd"}, set()),
        ({f"{roles.MANAGE}r!group=xrd"}, set()),
        ({"admin:users!user=ada", roles.ADMIN}, set()),
        (ADMIN | {roles.APPLICATIONS, f"{roles.MANAGE}!group=xrd"}, set(Power)),
    ],
    ids=_in_order,
)
def test_powers_are_those_of_the_scopes(scopes: set[str], powers: set[Power]) -> None:
    assert powers_of(scopes) == powers


@pytest.mark.parametrize(
    ("powers", "titles"),
    [
        (set(), []),
        ({Power.GROUPS}, ["Groups", "Invitations", "Calculations"]),
        ({Power.APPLICATIONS}, ["Applications", "Launchers and agents"]),
        (
            {Power.GROUPS, Power.APPLICATIONS},
            ["Groups", "Invitations", "Calculations", "Applications", "Launchers and agents"],
        ),
    ],
    ids=_in_order,
)
def test_menu_shows_what_the_powers_open_in_its_order(powers: set[Power], titles: list[str]) -> None:
    assert [section.title for section in sections_of(frozenset(powers))] == titles


def test_administrators_see_every_section() -> None:
    assert sections_of(frozenset({Power.ADMINISTRATOR})) == list(SECTIONS)


def test_page_opens_to_nobody_to_whom_its_section_does_not_show() -> None:
    shown = {section.path: section.powers for section in SECTIONS}
    for _, page in PAGES:
        if page.path:  # the overview leads everyone on
            assert page.powers <= shown[page.path], page.__name__
