"""Names of the hub and of people's servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.platform.addresses import Addresses, Place, Separation, host_label

LOCAL = Addresses.make("http://hub.localhost:8000")
PUBLIC = Addresses.make("https://hub.example.org")
TWO_NAMES = Addresses.make("https://hub.example.org", "https://people.example.net")
ONE_NAME = Addresses.make("https://hub.example.org", "same")


def test_people_are_sites_of_their_own_on_loopback() -> None:
    # A name below hub.localhost could set cookies that browsers send to the hub.
    assert LOCAL.person_url("ada") == "http://lab-ada.localhost:8000"
    assert LOCAL.separation is Separation.PERSON


def test_people_are_below_the_hub_elsewhere() -> None:
    assert PUBLIC.person_url("ada") == "https://ada.hub.example.org"
    assert PUBLIC.person_host("ada") == "ada.hub.example.org"
    assert PUBLIC.secure


def test_two_names_keep_people_away_from_the_hub() -> None:
    assert TWO_NAMES.separation is Separation.PEOPLE
    assert TWO_NAMES.person_url("ada") == TWO_NAMES.person_url("bob") == "https://people.example.net"


def test_one_name_has_to_be_asked_for() -> None:
    assert ONE_NAME.separation is Separation.NONE
    assert ONE_NAME.person_host("ada") == "hub.example.org"


def test_services_stay_on_the_hubs_name() -> None:
    assert PUBLIC.subdomain_hook("qcrbox", "hub.example.org", "service") == "hub.example.org"
    assert PUBLIC.subdomain_hook("ada", "hub.example.org", "user") == "ada.hub.example.org"


@pytest.mark.parametrize(
    ("addresses", "host", "place"),
    [
        (LOCAL, "hub.localhost", Place.HUB),
        (LOCAL, "HUB.localhost.", Place.HUB),
        (LOCAL, "127.0.0.1", Place.ALIAS),
        (LOCAL, "localhost", Place.ALIAS),
        (LOCAL, "::1", Place.ALIAS),
        (LOCAL, "lab-ada.localhost", Place.PERSON),
        (LOCAL, "lab-.localhost", Place.STRANGER),
        (LOCAL, "lab-a.b.localhost", Place.STRANGER),
        (LOCAL, "ada.hub.localhost", Place.STRANGER),
        (LOCAL, "evil.example", Place.STRANGER),
        (LOCAL, "", Place.STRANGER),
        (PUBLIC, "ada.hub.example.org", Place.PERSON),
        (PUBLIC, "hub.example.org.evil.example", Place.STRANGER),
        (PUBLIC, "evilhub.example.org", Place.STRANGER),
        (PUBLIC, ".hub.example.org", Place.STRANGER),
        (TWO_NAMES, "people.example.net", Place.PERSON),
        (TWO_NAMES, "ada.people.example.net", Place.STRANGER),
        (ONE_NAME, "people.example.net", Place.STRANGER),
    ],
)
def test_place_of_a_host_name(addresses: Addresses, host: str, place: Place) -> None:
    assert addresses.place(host) is place


@pytest.mark.parametrize(
    ("hub", "people", "reason"),
    [
        ("hub.example.org", "", "not an address"),
        ("https://hub.example.org/hub", "", "not an address"),
        ("https://*.example.org", "", "holds no"),
        ("https://hub.example.org", "https://hub.example.org", "hub's own address"),
        ("https://hub.example.org", "http://*.hub.example.org", "scheme and the port"),
        ("https://hub.example.org", "https://*.hub.example.org:8443", "scheme and the port"),
        ("https://hub.example.org", "https://people.*.example.org", "may hold one"),
        ("http://192.0.2.7:8000", "", "give the hub a name"),
        ("http://localhost:8000", "", "give the hub a name"),
    ],
)
def test_unusable_addresses_are_refused_with_the_reason(hub: str, people: str, reason: str) -> None:
    with pytest.raises(UserInputError, match=reason):
        Addresses.make(hub, people)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a_b", "a-b"), ("a--b", "a-b"), ("a__b", "a-_b"), ("x" * 41, "x" * 42), ("a-b--0", "a_b--0")],
)
def test_similar_names_have_different_labels(one: str, other: str) -> None:
    assert host_label(one) != host_label(other)


@pytest.mark.slow
@given(st.from_regex(r"[a-z][a-z0-9_-]{1,62}[a-z0-9]", fullmatch=True))
def test_every_user_name_makes_a_host_label(name: str) -> None:
    label = host_label(name)
    assert len(label) <= 63
    assert LOCAL.place(LOCAL.person_host(name)) is Place.PERSON
    assert label == name or "--" in label
