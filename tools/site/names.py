"""References to Python objects, most of which lead nowhere: `str`, `Any`, a class of another project.

For each of them Sphinx compares the name with the end of every name that it knows.
"""

from __future__ import annotations

from collections.abc import Iterable

from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.environment import BuildEnvironment


class Python(PythonDomain):
    """Sphinx' domain, which does not search for what it does not have."""

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
        """The objects that a name may mean: as Sphinx finds them, [] at once where none ends with it."""
        if len(self.objects) != self._known:
            self._known, self._endings = len(self.objects), endings(self.objects)
        if name.removesuffix("()") not in self._endings:
            return []
        return super().find_obj(env, modname, classname, name, type, searchmode)


def endings(names: Iterable[str]) -> frozenset[str]:
    """Every name without nothing, one, two … of its first parts."""
    parted = (name.split(".") for name in names)
    return frozenset(".".join(parts[first:]) for parts in parted for first in range(len(parts)))


def install(app: Sphinx) -> None:
    """Take it in the place of Sphinx' own."""
    app.add_domain(Python, override=True)
