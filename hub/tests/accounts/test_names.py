"""User names for identities of sign-in providers, where strangers may choose what they are called."""

from __future__ import annotations

import re

import pytest
from qcrbox_hub.accounts.names import NAME_PATTERN, RESERVED, safe_name

IDENTITIES = [
    *("ada", "kevin", "kevin@example.org", "kevin@example.com", "kevin.a@example.org", "kevin-a@example.org"),
    *("../etc/passwd", "..", "a.b.*.>", "a/b", "a b", "-rf", "x" * 300, "", "\x00", "0815", "Jäger", "jager"),
]
# Each looks like an account, or becomes it by what Unicode calls lower case or white space.
TAKEOVERS = {
    "Kelvin sign": "\u212aevin",
    "trailing space": "kevin ",
    "leading space": " kevin",
    "em space": "kevin\u2003",
    "no-break space": "kevin\u00a0",
    "line end": "kevin\n",
    "full-width letters": "\uff4bevin",
    "Cyrillic e": "k\u0435vin",
    "combining accent": "kevin\u0301",
    "zero-width joiner": "kev\u200din",
}


@pytest.mark.attack(5)
@pytest.mark.parametrize("identity", TAKEOVERS.values(), ids=TAKEOVERS)
def test_identity_that_looks_like_an_account_is_another(identity: str) -> None:
    assert safe_name(identity) != "kevin"
    assert re.fullmatch(NAME_PATTERN, safe_name(identity))


@pytest.mark.attack(5)
def test_no_two_identities_share_a_name() -> None:
    names = [safe_name(each) for each in (*IDENTITIES, *TAKEOVERS.values())]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(NAME_PATTERN, name)
        assert name not in RESERVED
        assert len(name) <= 32


@pytest.mark.attack(5)
@pytest.mark.parametrize("identity", ["jane.doe@example.org", "Jäger", "hub"])
def test_name_that_was_made_cannot_be_chosen(identity: str) -> None:
    made = safe_name(identity)
    assert made != identity
    assert safe_name(made) != made, "a name made for one identity is not free for another"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_become_others(name: str) -> None:
    assert safe_name(name) != name


def test_plain_names_stay_as_they_are_in_lower_case() -> None:
    assert safe_name("ada") == safe_name("Ada") == safe_name("ADA") == "ada"
    assert safe_name("ada-l_2") == "ada-l_2"


def test_name_stays_readable_and_the_same_at_every_sign_in() -> None:
    assert safe_name("jane.doe@example.org").startswith("jane-doe--")
    assert safe_name("jane.doe@example.org") == safe_name("Jane.Doe@Example.org")


@pytest.mark.attack(5)
def test_digest_is_long_enough_that_no_second_identity_is_found() -> None:
    _, _, digest = safe_name("jane.doe@example.org").rpartition("--")
    assert len(digest) * 5 >= 80
