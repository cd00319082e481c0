"""What an application's requirements ask for, and whether an environment has it already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

# The distribution that brings the agent, and the extra with what the agent needs of others.
OWN_DISTRIBUTION, OWN_EXTRA = "qcrbox", "agent"


def lines(path: Path) -> list[str]:
    """The requirement lines of a file, without comments, continuation and hashes; [] when there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    joined = re.sub(r"\\\r?\n", " ", text)
    stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [re.sub(r"\s+--hash=\S+", "", line) for line in stripped if line]


def of_agent() -> list[str]:
    """Third-party requirements of the installed agent, as ranges."""
    return [str(requirement) for requirement in _needed(OWN_DISTRIBUTION, {OWN_EXTRA})]


def all_satisfied(wanted: list[str]) -> bool:
    """True when this very environment has every one of `wanted`, with what they need for their extras.

    Options, files and addresses cannot be compared, so they count as not satisfied.
    """
    try:
        return all(_is_satisfied(Requirement(line)) for line in wanted)
    except InvalidRequirement:
        return False


def _is_satisfied(requirement: Requirement, depth: int = 0) -> bool:
    if requirement.url is not None or depth > 20:
        return False
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return True
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    if not requirement.specifier.contains(version, prereleases=True):
        return False
    if not requirement.extras:
        return True
    plain = {str(needed) for needed in _needed(requirement.name, set())}
    more = [needed for needed in _needed(requirement.name, requirement.extras) if str(needed) not in plain]
    return all(_is_satisfied(needed, depth + 1) for needed in more)


def _needed(distribution: str, extras: set[str]) -> Iterator[Requirement]:
    """Requirements of a distribution with `extras`, their markers removed."""
    for text in metadata.requires(distribution) or []:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) == canonicalize_name(distribution):
            continue
        if _applies(requirement, extras):
            requirement.marker = None
            yield requirement


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    try:
        return any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    except UndefinedEnvironmentName:
        return False
