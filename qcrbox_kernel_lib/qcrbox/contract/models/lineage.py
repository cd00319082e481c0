"""The graph of files and calculations around an object."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from qcrbox.contract.models.base import Model


class LineageNode(Model):
    """A file or calculation in a lineage; `hidden` when the person may not see it."""

    kind: Literal["data_file", "calculation", "hidden"]
    id: str
    label: str
    depth: int
    details: dict[str, Any] = Field(default_factory=dict)


class LineageEdge(Model):
    """An edge from an input to what was made from it."""

    source: str
    target: str
    role: str = ""  # parameter or output name


class Lineage(Model):
    """The graph of files and calculations around an object."""

    nodes: list[LineageNode]
    edges: list[LineageEdge]
    truncated: bool = False
