"""The tester, the plug-in and the web site, in front of the generated client."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .generated_client import Calculation, Client, Command, Failure

LIMIT_S = 180.0


class Refused(Exception):
    """What such a program shows when an answer is an error, or none that it knows."""


def needed(answer: Any) -> Any:
    if answer is None or isinstance(answer, Failure):
        raise Refused(str(answer))
    return answer


@dataclass
class Tester:
    """Uploads, posts a command, asks every half second until it is successful or failed, downloads text, deletes."""

    client: Client

    def run(
        self, slug: str, version: str, command: str, files: dict[str, bytes], **values: Any
    ) -> tuple[str, str]:
        """(status, text of the output): as the tester, which knows one file only."""
        arguments, uploaded = dict(values), []
        for name, content in files.items():
            filename = f"{name}.cif"
            made = needed(self.client.create_dataset(filename, content)).datasets[0]
            uploaded.append(made.qcrbox_dataset_id)
            arguments[name] = {"data_file_id": made.data_files[filename].qcrbox_file_id}
        calculation_id = needed(self.client.invoke_command(slug, version, command, arguments)).calculation_id
        ended = self.wait(calculation_id)
        for dataset_id in uploaded:
            assert self.client.delete_dataset(dataset_id) is None
        if ended.status != "successful" or not ended.output_dataset_id:
            return "failed", "\n".join(str(event.extra_info) for event in ended.status_events)
        content = needed(self.client.download_dataset(ended.output_dataset_id))
        assert self.client.delete_dataset(ended.output_dataset_id) is None
        return "successful", content.decode("utf-8")

    def wait(self, calculation_id: str) -> Calculation:
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            for one in needed(self.client.get_calculation(calculation_id)).calculations:
                if one.status in ("successful", "failed"):
                    return one
            time.sleep(0.5)
        raise Refused("it does not end")


@dataclass
class PlugIn:
    """Lists commands, fills in what a parameter's dtype says, opens windows at a port it believes in."""

    client: Client
    window_port: int = 12004
    commands: list[Command] = field(default_factory=list)
    states: dict[int, dict[str, Any]] = field(default_factory=dict)

    def load(self) -> None:
        for application in needed(self.client.list_applications()).applications:
            self.commands += [one for one in application.commands if not one.name.startswith("__")]
        for command in self.commands:
            self.states[command.id] = {}
            for name, about in command.parameters.items():
                usual = about.get("default_value", "")
                if about.get("dtype") == "QCrBox.output_cif" and not usual:
                    usual = "output"
                self.states[command.id][name] = "" if usual is None else usual

    def command(self, application: str, name: str) -> Command:
        return next(one for one in self.commands if (one.application, one.name) == (application, name))

    @staticmethod
    def writes_a_cif(command: Command) -> bool:
        return any(about.get("dtype") == "QCrBox.output_cif" for about in command.parameters.values())

    @staticmethod
    def is_interactive(command: Command) -> bool:
        return "interactive" in command.name.lower()

    def run(self, command: Command, filename: str, content: bytes, **values: Any) -> str:
        """Start it with the present structure; the id of the calculation or session."""
        arguments = self._arguments(command, filename, content, values)
        if self.is_interactive(command):
            made = needed(self.client.create_session(command.application, command.version, arguments))
            return made.interactive_session_id
        made = self.client.invoke_command(command.application, command.version, command.name, arguments)
        return needed(made).calculation_id

    def _arguments(
        self, command: Command, filename: str, content: bytes, values: dict[str, Any]
    ) -> dict[str, Any]:
        uploaded = needed(self.client.create_dataset(filename, content)).datasets[0].data_files[filename]
        state = self.states[command.id] | values
        arguments = {}
        for name, about in command.parameters.items():
            if about.get("dtype") == "QCrBox.cif_data_file":
                state[name] = {"data_file_id": uploaded.qcrbox_file_id}
            if state.get(name) is None or state.get(name) == "":
                if about.get("required", False):
                    raise Refused(f"Missing required parameter: {name}")
                continue
            arguments[name] = state[name]
        return arguments

    def window(self) -> str:
        """The address that it opens in the browser."""
        host = urlsplit(self.client.base_url).hostname
        query = {
            "path": "vnc",
            "autoconnect": "true",
            "resize": "remote",
            "reconnect": "true",
            "show_dot": "true",
        }
        return f"http://{host}:{self.window_port}/vnc.html?{urlencode(query)}"

    def result(self, calculation_id: str) -> str:
        """The text of the output, of which it expects one file."""
        found = needed(self.client.get_calculation(calculation_id)).calculations[0]
        if found.status != "successful" or not found.output_dataset_id:
            raise Refused(f"Cannot retrieve results - calculation status is: {found.status}")
        return needed(self.client.download_dataset(found.output_dataset_id)).decode("utf-8")


@dataclass
class WebSite:
    """Remembers ids of datasets, tells kinds of ids apart, starts everything as a command, makes forms from dtypes."""

    client: Client
    FORM = frozenset(
        {
            "str",
            "float",
            "int",
            "bool",
            "QCrBox.cif_data_file",
            "QCrBox.data_file",
            "QCrBox.output_path",
            "QCrBox.output_cif",
        }
    )

    def can_show(self, command: Command) -> bool:
        """Whether it has a form field for every parameter; else the page fails."""
        return all(about["dtype"] in self.FORM for about in command.parameters.values())

    def upload(self, filename: str, content: bytes) -> str:
        return needed(self.client.create_dataset(filename, content)).datasets[0].qcrbox_dataset_id

    def append(self, dataset_id: str, filename: str, content: bytes) -> str:
        return needed(
            self.client.append_to_dataset(dataset_id, filename, content)
        ).appended_file.qcrbox_file_id

    def send(self, command: Command, parameters: dict[str, Any]) -> str:
        """The id of what was started; a dataset's id becomes the one of its file first."""
        made = dict(parameters)
        for name, value in parameters.items():
            if isinstance(value, dict) and value["data_file_id"].split("_")[1] != "df":
                dataset = needed(self.client.get_dataset(value["data_file_id"])).datasets[0]
                made[name] = {"data_file_id": next(iter(dataset.data_files.values())).qcrbox_file_id}
        started = self.client.invoke_command(command.application, command.version, command.name, made)
        return needed(started).calculation_id

    def poll(self, calculation_id: str) -> str | None:
        """The dataset that came out, None while it runs."""
        found = needed(self.client.get_calculation(calculation_id)).calculations[0]
        if found.status in ("submitted", "running"):
            return None
        if found.status != "successful":
            raise Refused(found.status)
        return needed(self.client.get_dataset(found.output_dataset_id)).datasets[0].qcrbox_dataset_id

    def gui_url(self, session_id: str) -> str | None:
        sessions = needed(self.client.get_session(session_id)).interactive_sessions
        return (sessions[0].model_extra or {}).get("gui_url")

    def end(self, session_id: str) -> str | None:
        """The dataset that a session leaves behind."""
        closed = needed(self.client.close_session(session_id)).interactive_sessions[0]
        assert closed.status == "successful", closed
        return closed.output_dataset_id
