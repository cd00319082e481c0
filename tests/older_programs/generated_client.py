"""A client made from the interface's description: strict about names and types, deaf to all that is not in it.

Like generated clients it decodes the answers 200, 201, 400, 404 and 500 and gives None for any other code.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

P = TypeVar("P")
Moment = Annotated[datetime, Field(strict=False)]  # text in JSON
DatasetId = Annotated[str, StringConstraints(pattern=r"^qcrbox_ds_0x[0-9a-f]+$")]
FileId = Annotated[str, StringConstraints(pattern=r"^qcrbox_df_0x[0-9a-f]+$")]
Status = Literal["submitted", "running", "successful", "failed", "cancelled", "unknown"]


class Part(BaseModel):
    """Every field is required; further ones are kept aside, as generated models do."""

    model_config = ConfigDict(strict=True, extra="allow")


class Answer(Part, Generic[P]):
    status: Literal["success"]
    message: str
    timestamp: Moment
    payload: P


class Fault(Part):
    code: int
    message: str
    details: str | list[str]


class Failure(Part):
    status: Literal["error"]
    error: Fault


class Command(Part):
    id: int
    application_id: int
    name: str
    cmd_name: str
    application: str
    version: str
    description: str
    implemented_as: Literal["cli_command", "python_callable", "interactive_session"]
    parameters: dict[str, dict[str, Any]]
    merge_cif_su: bool
    doi: str | None


class Application(Part):
    name: str
    slug: str
    version: str
    id: int
    registered_at: Moment
    commands: list[Command]
    description: str | None
    email: str | None
    doi: str | None
    yaml_file_path: str | None
    gui_port: str | None
    url: str
    pyqcrbox_version: str


class StatusEvent(Part):
    calculation_id: str
    status: Status
    stdout: str | None
    stderr: str | None
    output_dataset_id: DatasetId | None
    extra_info: dict[str, Any]
    timestamp: Moment


class Calculation(Part):
    calculation_id: str
    client_private_inbox: str
    application_slug: str
    application_version: str
    command_name: str
    status: Status
    command_arguments: dict[str, Any]
    status_events: list[StatusEvent]
    output_dataset_id: DatasetId | None


class DataFile(Part):
    qcrbox_file_id: FileId
    filename: str
    filetype: str
    qcrbox_dataset_id: DatasetId | None


class Dataset(Part):
    qcrbox_dataset_id: DatasetId
    data_files: dict[str, DataFile]


class Session(Part):
    session_id: str
    client_private_inbox: str
    command_name: str
    arguments: dict[str, Any]
    application_slug: str | None
    application_version: str | None


class Applications(Part):
    applications: list[Application]


class Commands(Part):
    commands: list[Command]


class Calculations(Part):
    calculations: list[Calculation]


class Stopped(Part):
    class One(Part):
        calculation_id: str
        status: str

    calculations: list[One]


class Datasets(Part):
    datasets: list[Dataset]


class DatasetsWithFiles(Datasets):
    data_files: list[DataFile]


class Appended(DatasetsWithFiles):
    appended_file: DataFile


class DataFiles(Part):
    data_files: list[DataFile]


class CalculationId(Part):
    calculation_id: str


class SessionId(Part):
    interactive_session_id: str


class Sessions(Part):
    interactive_sessions: list[Session]


class Closed(Part):
    class One(Part):
        session_id: str
        status: str
        output_dataset_id: str | None = None
        error_msg: str | None = None

    interactive_sessions: list[One]


class Client:
    """One method for each operation of the interface."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = httpx.Client(base_url=base_url, timeout=120, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def _ask(self, shape: type[P], method: str, path: str, ok: int = 200, **more: Any) -> P | Failure | None:
        answer = self._http.request(method, path, **more)
        if answer.status_code == ok:
            return Answer[shape].model_validate_json(answer.content).payload  # type: ignore[valid-type]
        if answer.status_code in (400, 404, 500):
            return Failure.model_validate_json(answer.content)
        return None

    def _bytes(self, path: str) -> bytes | Failure | None:
        answer = self._http.get(path)
        if answer.status_code == 200:
            return answer.content
        return Failure.model_validate_json(answer.content) if answer.status_code in (400, 404, 500) else None

    def _gone(self, path: str) -> Failure | None:
        answer = self._http.delete(path)
        if answer.status_code == 204:
            assert answer.content == b""
            return None
        return Failure.model_validate_json(answer.content)

    def healthz(self) -> bool:
        answer = self._http.get("/api/healthz")
        return answer.status_code == 200 and answer.json() == {"status": "ok"}

    def list_applications(self):
        return self._ask(Applications, "GET", "/api/applications")

    def list_commands(self):
        return self._ask(Commands, "GET", "/api/commands")

    def get_command(self, command_id: int):
        return self._ask(Commands, "GET", f"/api/commands/{command_id}")

    def invoke_command(self, slug: str, version: str, command: str, arguments: dict[str, Any]):
        body = {
            "application_slug": slug,
            "application_version": version,
            "command_name": command,
            "command_arguments": arguments,
        }
        return self._ask(CalculationId, "POST", "/api/commands", 201, json=body)

    def list_calculations(self):
        return self._ask(Calculations, "GET", "/api/calculations")

    def get_calculation(self, calculation_id: str):
        return self._ask(Calculations, "GET", f"/api/calculations/{calculation_id}")

    def stop_calculation(self, calculation_id: str):
        return self._ask(Stopped, "POST", f"/api/calculations/{calculation_id}/stop")

    def create_dataset(self, name: str, content: bytes):
        files = {"file": (name, io.BytesIO(content), "application/octet-stream")}
        return self._ask(DatasetsWithFiles, "POST", "/api/datasets", 201, files=files)

    def list_datasets(self):
        return self._ask(Datasets, "GET", "/api/datasets")

    def get_dataset(self, dataset_id: str):
        return self._ask(DatasetsWithFiles, "GET", f"/api/datasets/{dataset_id}")

    def append_to_dataset(self, dataset_id: str, name: str, content: bytes):
        files = {"file": (name, io.BytesIO(content), "application/octet-stream")}
        return self._ask(Appended, "POST", f"/api/datasets/{dataset_id}/append", 201, files=files)

    def download_dataset(self, dataset_id: str):
        return self._bytes(f"/api/datasets/{dataset_id}/download")

    def delete_dataset(self, dataset_id: str):
        return self._gone(f"/api/datasets/{dataset_id}")

    def create_data_file(self, name: str, content: bytes):
        files = {"file": (name, io.BytesIO(content), "application/octet-stream")}
        return self._ask(DataFiles, "POST", "/api/data-files", 201, files=files)

    def list_data_files(self):
        return self._ask(DataFiles, "GET", "/api/data-files")

    def get_data_file(self, file_id: str):
        return self._ask(DataFiles, "GET", f"/api/data-files/{file_id}")

    def download_data_file(self, file_id: str):
        return self._bytes(f"/api/data-files/{file_id}/download")

    def delete_data_file(self, file_id: str):
        return self._gone(f"/api/data-files/{file_id}")

    def create_session(self, slug: str, version: str, arguments: dict[str, Any]):
        body = {"application_slug": slug, "application_version": version, "command_arguments": arguments}
        return self._ask(SessionId, "POST", "/api/interactive-sessions", 201, json=body)

    def list_sessions(self):
        return self._ask(Sessions, "GET", "/api/interactive-sessions")

    def get_session(self, session_id: str):
        return self._ask(Sessions, "GET", f"/api/interactive-sessions/{session_id}")

    def close_session(self, session_id: str):
        return self._ask(Closed, "POST", f"/api/interactive-sessions/{session_id}/close")


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
