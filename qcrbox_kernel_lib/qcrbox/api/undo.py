"""`qc.undo()`: takes back the last change that this kernel made in the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from qcrbox.contract.errors import UserInputError
from qcrbox.language import tr
from qcrbox.markup import Table, Text

_MOST = 100


class Undo:
    """Changes with the way back, the last one first out. What another kernel deleted is in `qc.datasets.bin`."""

    def __init__(self) -> None:
        self._done: deque[tuple[str, Callable[[], Any]]] = deque(maxlen=_MOST)

    def note(self, words: str, back: Callable[[], Any]) -> None:
        """Remember what was done, and what takes it back."""
        self._done.append((words, back))

    def last(self) -> Text:
        """Take the last change back and say which it was.

        Raises UserInputError when there is none; a change that cannot be taken back any more stays off the list.
        """
        if not self._done:
            raise UserInputError(
                "There is nothing to undo: this kernel has changed nothing in the store.",
                next="qc.datasets.bin lists what was deleted before.",
            )
        words, back = self._done.pop()
        back()
        return Text(tr("Taken back: {words}.", words=words))

    def table(self) -> Table:
        """What would be undone, next first."""
        return Table(("change",), [(words,) for words, _ in reversed(self._done)], title="Undo")
