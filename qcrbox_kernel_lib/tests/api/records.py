"""Records as the registry gives them, and a box on a small server that has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..small_server import Raw, SmallServer

REFINE = {
    "name": "Refine",
    "slug": "refine",
    "version": "1.0",
    "id": 1,
    "registered_at": "2026-11-24T06:00:00Z",
    "description": "Least squares refinement.",
    "url": None,
    "email": None,
    "doi": None,
    "yaml_file_path": None,
    "gui_port": None,
    "pyqcrbox_version": "0.1.0",
    "commands": [
        {
            "id": 1,
            "application_id": 1,
            "name": "refine_iam",
            "cmd_name": "refine_iam",
            "application": "refine",
            "version": "1.0",
            "description": "Refine an independent-atom model.",
            "implemented_as": "python_callable",
            "merge_cif_su": False,
            "doi": None,
            "parameters": {
                "input_cif": {
                    "name": "input_cif",
                    "dtype": "QCrBox.cif_data_file",
                    "description": "Structure to refine",
                    "default_value": None,
                    "required": True,
                    "valid_value": None,
                },
                "ls_cycles": {
                    "name": "ls_cycles",
                    "dtype": "int",
                    "description": "Most cycles to run",
                    "default_value": 10,
                    "required": False,
                    "valid_value": {"numeric_range": [0, None]},
                },
                "hydrogens": {
                    "name": "hydrogens",
                    "dtype": "str",
                    "description": "Treatment of hydrogen atoms",
                    "default_value": "riding",
                    "required": False,
                    "valid_value": {"choices": ["riding", "free", "none"]},
                },
                "gridspacing": {
                    "name": "gridspacing",
                    "dtype": "float",
                    "description": "Grid",
                    "default_value": 0.2,
                    "required": False,
                    "valid_value": {"numeric_range": [0.05, 0.5]},
                    "unit": "Å",
                },
                "anharmonic": {
                    "name": "anharmonic",
                    "dtype": "bool",
                    "default_value": False,
                    "required": False,
                },
                "hkl": {
                    "name": "hkl",
                    "dtype": "QCrBox.data_file",
                    "description": "Reflections",
                    "default_value": None,
                    "required": False,
                    "valid_value": None,
                },
            },
        },
        {
            "id": 2,
            "application_id": 1,
            "name": "solve-it",
            "cmd_name": "solve-it",
            "application": "refine",
            "version": "1.0",
            "description": "Solve <b>it</b>.",
            "implemented_as": "cli_command",
            "merge_cif_su": False,
            "doi": None,
            "parameters": {},
        },
    ],
}

WHEN = "2026-11-29T12:30:00Z"


def file_record(name: str, **more: Any) -> dict[str, Any]:
    kind = name.rpartition(".")[2]
    return {"qcrbox_file_id": f"file-{name}", "filename": name, "filetype": kind, "created_at": WHEN, **more}


def dataset_record(name: str, *files: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    records = [file_record(each) if isinstance(each, str) else each for each in files]
    return {
        "qcrbox_dataset_id": f"dataset-{name}",
        "name": name,
        "kind": "data",
        "tags": [],
        "owner": "eva",
        "created_at": WHEN,
        "data_files": {record["filename"]: record for record in records},
        **more,
    }


def calculation_record(calculation_id: str, status: str = "successful", **more: Any) -> dict[str, Any]:
    return {
        "calculation_id": calculation_id,
        "application_slug": "refine",
        "application_version": "1.0",
        "command_name": "refine_iam",
        "command_arguments": {},
        "status": status,
        "title": f"title of {calculation_id}",
        "submitted_at": WHEN,
        "status_events": [{"status": status, "timestamp": WHEN}],
        **more,
    }


class Store:
    """What a small server has to answer with: `store.add(record)` for a dataset, a calculation, the bytes of a file."""

    def __init__(self, server: SmallServer) -> None:
        self.server = server
        self.datasets: list[dict[str, Any]] = []
        self.calculations: list[dict[str, Any]] = []
        server["GET /api/applications"] = lambda _: {"applications": [REFINE]}
        server["GET /api/datasets"] = self._listed_datasets
        server["GET /api/calculations"] = lambda _: {"calculations": self.calculations}
        server["GET /api/me"] = {"name": "eva", "groups": [], "roles": {}}

    def _listed_datasets(self, request: Any) -> dict[str, Any]:
        query = request.query
        found = [
            each
            for each in self.datasets
            if query.get("kind") in (None, each["kind"]) and query.get("name") in (None, each["name"])
        ]
        return {"datasets": found[: int(query.get("limit", 1000))]}

    def dataset(
        self, name: str, files: Mapping[str, bytes | str] | None = None, **more: Any
    ) -> dict[str, Any]:
        contents = dict(files or {})
        record = dataset_record(name, *contents, **more)
        self.datasets.append(record)
        self.server[f"GET /api/datasets/{record['qcrbox_dataset_id']}"] = {"datasets": [record]}
        for filename, content in contents.items():
            self.server[f"GET /api/data-files/file-{filename}/download"] = Raw(content, kind="text/plain")
            self.server[f"GET /api/data-files/file-{filename}"] = {
                "data_files": [record["data_files"][filename]]
            }
        return record

    def calculation(self, calculation_id: str, status: str = "successful", **more: Any) -> dict[str, Any]:
        record = calculation_record(calculation_id, status, **more)
        self.calculations.append(record)
        self.server[f"GET /api/calculations/{calculation_id}"] = {"calculations": [record]}
        return record


def sse(name: str, data: Mapping[str, Any], number: int = 0) -> str:
    """One server-sent event."""
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
