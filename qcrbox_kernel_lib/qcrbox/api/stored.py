"""What datasets, data files, calculations and results have in common: each stands for a stored file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qcrbox.api.stored_files import DataFile


class Stored(ABC):
    """An object of the store that may be given wherever a file is wanted."""

    @abstractmethod
    def _data_file(self, *, cif: bool) -> DataFile:
        """The file meant: the CIF, or the only (or primary) file. Raises when the choice is not clear."""

    @abstractmethod
    def _code(self) -> str:
        """Python that finds the object again."""

    @abstractmethod
    def _lineage_subject(self) -> tuple[str, str]:
        """Kind and id under which the registry knows its lineage."""
