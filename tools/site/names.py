"""Faster references to Python objects.

Sphinx compares the name of each reference with the end of every name that it knows. Most references are to objects
outside these pages, such as `str` or `Any`, for which the comparison is wasted.
"""

from __future__ import annotations

from collections.abc import Iterable

from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.environment import BuildEnvironment


class Python(PythonDomain):
    """Sphinx' domain, without the search for names that no known object ends with."""

    _known = -1
    _endings: frozenset[str] = frozenset()

    def find_obj(  # the parameters are Sphinx'
        self,
        env: BuildEnvironment,
        modname: str,
        classname: str,
        name: str,
        type: str | None,  # noqa: A002 - Sphinx' name
        searchmode: int = 0,
    ) -> list[tuple[str, ObjectEntry]]:
        """The objects that a name may mean, as Sphinx finds them; [] at once where no object ends with the name."""
        if len(self.objects) != self._known:
            self._known, self._endings = len(self.objects), endings(self.objects)
        if name.removesuffix("()") not in self._endings:
            return []
        return super().find_obj(env, modname, classname, name, type, searchmode)


def endings(names: Iterable[str]) -> frozenset[str]:
    """All suffixes of dotted names: "a.b", "b" for "a.b"."""
    parted = (name.split(".") for name in names)
    return frozenset(".".join(parts[first:]) for parts in parted for first in range(len(parts)))


def install(app: Sphinx) -> None:
    """Use this domain instead of Sphinx' own."""
    app.add_domain(Python, override=True)
