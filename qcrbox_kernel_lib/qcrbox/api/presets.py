"""Named sets of options of a command, stored in the user's home: `qc.refine.refine_iam.presets["quick"]`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from qcrbox.client import preset_file
from qcrbox.client.parameters import unknown_option
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.applications import Command


class Presets(Mapping[str, dict[str, Any]]):
    """Presets by name: `**presets["quick"]` in a call, `form(preset="quick")` in a form. They never contain files."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._key = f"{command.application.slug}.{command.name}"

    def save(self, name: str, /, **options: Any) -> Presets:
        """Keep these options under `name`; an older set of that name is replaced.

        Raises UserInputError for an option the command does not have, or a value that cannot be used.
        """
        if not name.strip():
            raise UserInputError("A preset needs a name.")
        checked = {}
        for option, value in options.items():
            parameter = self._command.parameters.get(option)
            if parameter is None:
                raise unknown_option(self._command.name, option, self._command.parameters)
            if parameter.is_file:
                raise UserInputError(f"{option} is a file; a preset keeps the options that go with any file.")
            checked[option] = parameter.check(value)
        preset_file.keep(self._key, name.strip(), checked)
        return self

    def delete(self, name: str) -> None:
        """Forget a preset. Raises NotFound."""
        self[name]  # raises, naming the one that was meant
        preset_file.forget(self._key, name)

    def __getitem__(self, name: str) -> dict[str, Any]:
        mine = preset_file.of(self._key)
        if name not in mine:
            near = difflib.get_close_matches(name, mine, 1, 0.5)
            there = f"There are: {', '.join(mine) or 'none'}."
            raise NotFound(
                f"{self._command.name}() has no preset {name!r}.",
                next=f"Did you mean {near[0]!r}?" if near else there,
            )
        # Skip options that a newer version of the command no longer has.
        return {option: value for option, value in mine[name].items() if option in self._command.parameters}

    # A Mapping asks for KeyError, where a person reads NotFound.
    def __contains__(self, name: object) -> bool:
        return name in preset_file.of(self._key)

    def get(self, name: str, default: Any = None) -> Any:
        """The options kept under a name; `default` when there are none."""
        try:
            return self[name]
        except NotFound:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter(preset_file.of(self._key))

    def __len__(self) -> int:
        return len(preset_file.of(self._key))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def table(self) -> Table:
        """Names and options."""
        rows = [
            (name, ", ".join(f"{option}={value!r}" for option, value in self[name].items())) for name in self
        ]
        caption = (
            "" if rows else f'None yet: {self._command.qualified_name}.presets.save("quick", …) keeps one.'
        )
        return Table(
            ("preset", "options"), rows, title=f"Presets of {self._command.qualified_name}", caption=caption
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
