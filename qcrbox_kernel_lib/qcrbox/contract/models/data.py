"""Datasets and data files."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from qcrbox.contract.models.base import Model


class DataFile(Model):
    """A stored file with what the index knows about it."""

    qcrbox_file_id: str
    filename: str
    filetype: str
    qcrbox_dataset_id: str | None
    # additions to the contract
    sha256: str = ""
    size: int = 0
    created_at: str | None = None
    calculation_id: str | None = None
    index: dict[str, Any] | None = None
    tags: list[str] = Field(default_factory=list)
    owner: str = ""
    deleted_at: str | None = None


class Dataset(Model):
    """A dataset with its files by name."""

    qcrbox_dataset_id: str
    data_files: dict[str, DataFile]
    # additions to the contract
    name: str = ""
    # False: a result whose name is its automatic title, which readers may follow with the time.
    named: bool = True
    # A result with warnings, or one that has not converged.
    doubtful: bool = False
    description: str = ""
    kind: Literal["data", "output", "example"] = "data"
    owner: str = ""
    group: str | None = None
    created_at: str | None = None
    changed_at: str | None = None
    deleted_at: str | None = None
    calculation_id: str | None = None
    application: str | None = None
    read_only: bool = False
    tags: list[str] = Field(default_factory=list)


class Datasets(Model):
    """A page of datasets."""

    datasets: list[Dataset]
    next: str | None = None


class DataFiles(Model):
    """A page of data files."""

    data_files: list[DataFile]
    next: str | None = None


class NewDataset(Model):
    """A dataset that was just stored, with its files."""

    datasets: list[Dataset]
    data_files: list[DataFile]


class Appended(NewDataset):
    """A dataset and the file that was added to it."""

    appended_file: DataFile
