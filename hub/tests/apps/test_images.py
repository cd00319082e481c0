"""What images are called, and what a builder says when it cannot build. No daemon is needed but for the last ones."""

from __future__ import annotations

import itertools
import re

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.apps.images import arguments_of, base_of, image_name

# https://pkg.go.dev/github.com/distribution/reference: what Docker takes for a name with a tag.
REFERENCE = re.compile(r"qcrbox/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
ALIKE = ["crysalis", "CrysAlis", "crys_alis", "crys-alis", "crys__alis", "crys--alis", "crysalis_", "_crysalis", "CRYSALIS",
         "crysalis-", "crуsalis", "x" * 200, "x" * 201, "crys-alis_0123456789ab"]  # fmt: skip
VERSIONS = [
    "1.0",
    "1-0",
    "1_0",
    "1.0+a",
    "1.0 a",
    "1.0-a",
    "1.0-A",
    "1.0~a",
    "",
    "é",
    "latest",
    "1" * 130,
    "1" * 131,
]


@pytest.mark.attack(17)
def test_names_that_look_alike_are_different_images():
    names = [image_name(slug, version) for slug, version in itertools.product(ALIKE, VERSIONS)]
    assert len(set(names)) == len(names)
    assert [name for name in names if not REFERENCE.fullmatch(name)] == []


def test_a_plain_name_is_the_name():
    assert image_name("lattice-smoother", "2.1") == "qcrbox/app-lattice-smoother:2.1"


@pytest.mark.attack(17)
@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM debian",
        "FROM qcrbox/base-evil",
        "FROM evil.example/qcrbox/base",
        "FROM qcrbox/base:other",
        "FROM qcrbox/base\nFROM debian",
        "# FROM qcrbox/base",
        "",
        "RUN true",
    ],
)
def test_an_image_that_starts_from_something_else_is_refused(dockerfile: str):
    with pytest.raises(UserInputError, match="neither qcrbox/base nor qcrbox/gui-base"):
        base_of(dockerfile)


def test_arguments_are_those_of_arg_lines():
    dockerfile = 'FROM qcrbox/base\n# ARG NONE\nARG PERIODIC=""\n  arg LEVEL\nRUN echo ARG $LEVEL\n'
    assert arguments_of(dockerfile) == ["PERIODIC", "LEVEL"]
