"""The REST contract as models: responses and request bodies of the registry.

Names and types of the contract's own fields are fixed; additions follow them and are optional for a
reader, and unknown fields are ignored, so that clients and registries of different versions work together.
"""

from __future__ import annotations

from qcrbox.contract.models.applications import Application, Applications, Command, Commands, Implementation
from qcrbox.contract.models.base import Model, iso
from qcrbox.contract.models.calculations import (
    Calculation,
    CalculationId,
    CalculationIds,
    Calculations,
    StartSession,
    StatusEvent,
    StoppedCalculation,
    SubmitBatch,
    SubmitCommand,
)
from qcrbox.contract.models.data import Appended, DataFile, DataFiles, Dataset, Datasets, NewDataset
from qcrbox.contract.models.envelope import ErrorBody, Failure, Health, Success
from qcrbox.contract.models.lineage import Lineage, LineageEdge, LineageNode
from qcrbox.contract.models.people import Me, Share
from qcrbox.contract.models.projects import (
    Annotation,
    Project,
    ProjectFile,
    ProjectNode,
    Projects,
    ProjectTree,
)
from qcrbox.contract.models.sessions import ClosedSession, ClosedSessions, Session, SessionId, Sessions

__all__ = [
    "Annotation",
    "Appended",
    "Application",
    "Applications",
    "Calculation",
    "CalculationId",
    "CalculationIds",
    "Calculations",
    "ClosedSession",
    "ClosedSessions",
    "Command",
    "Commands",
    "DataFile",
    "DataFiles",
    "Dataset",
    "Datasets",
    "ErrorBody",
    "Failure",
    "Health",
    "Implementation",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "Me",
    "Model",
    "NewDataset",
    "Project",
    "ProjectFile",
    "ProjectNode",
    "ProjectTree",
    "Projects",
    "Session",
    "SessionId",
    "Sessions",
    "Share",
    "StartSession",
    "StatusEvent",
    "StoppedCalculation",
    "SubmitBatch",
    "SubmitCommand",
    "Success",
    "iso",
]
