"""What to start for which mode: the children, in what order, with which environment."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from qcrbox_hub.accounts import roles
from qcrbox_hub.jupyterhub import solo
from qcrbox_hub.jupyterhub.settings import VARIABLE, HubSettings
from qcrbox_hub.platform import paths, ports
from qcrbox_hub.platform.child import ChildSpec, answering, listening
from qcrbox_hub.platform.data_folder import DataFolder, write_private
from qcrbox_hub.platform.supervisor import MARK

Mode = Literal["hub", "solo", "registry"]
LOOPBACK = "127.0.0.1"
SERVICE_PREFIX = f"/services/{roles.SERVICE}"
INNER_PORTS = ("nats", "registry", "hub", "proxy_api")


@dataclass(frozen=True)
class Options:
    """What the person asked for."""

    mode: Mode
    host: str = LOOPBACK
    port: int = 8000
    applications: list[Path] = field(default_factory=list)
    folder: Path | None = None
    idle_cull_s: int = 0
    tls_in_front: bool = False
    manager: str = "process"


@dataclass
class Plan:
    """The children of one start, and what a person needs to know about it."""

    options: Options
    data: DataFolder
    ports: dict[str, int]
    specs: list[ChildSpec] = field(default_factory=list)
    url: str = ""
    registry_url: str = ""
    lab_token: str = ""


def make(options: Options, data: DataFolder) -> Plan:
    """Ports, secrets and settings files of a start; starts nothing."""
    plan = Plan(options, data, choose_ports(options, data))
    if options.mode == "registry":
        plan.ports["registry"] = options.port
    plan.registry_url = f"http://{LOOPBACK}:{plan.ports['registry']}"
    plan.url = f"http://{_in_url(options.host)}:{options.port}"
    plan.specs = [_nats(plan), _registry(plan), _launcher(plan)]
    if options.mode == "hub":
        plan.specs += [_proxy(plan), _hub(plan)]
        if options.idle_cull_s:
            plan.specs.append(_culler(plan))
    elif options.mode == "solo":
        plan.specs += [_lab(plan)]
    return plan


def choose_ports(options: Options, data: DataFolder) -> dict[str, int]:
    """The inner ports of the last start where they are free: what outlives a restart finds them again."""
    file = data.run / "ports.json"
    try:
        last = {name: int(port) for name, port in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        last = {}
    fresh = dict(zip(INNER_PORTS, ports.choose(len(INNER_PORTS)), strict=True))
    chosen = {}
    for name in INNER_PORTS:
        port = last.get(name, 0)
        usable = port and port != options.port and ports.is_free(LOOPBACK, port)
        chosen[name] = port if usable else fresh[name]
    write_private(file, json.dumps(chosen))
    return chosen


def _in_url(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


def _environment(plan: Plan, **more: str) -> dict[str, str]:
    return {MARK: plan.data.identity, "QCRBOX_DATA": str(plan.data.path), "PYTHONUNBUFFERED": "1", **more}


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


# ---------------------------------------------------------------- the core


def _nats(plan: Plan) -> ChildSpec:
    port = plan.ports["nats"]
    return ChildSpec(
        "nats",
        _python("qcrbox_registry.messaging.server", "--data", str(plan.data.path), "--port", str(port)),
        _environment(plan),
        ready=listening(LOOPBACK, port),
        whole_group=True,
        log_name="nats-start.log",
    )


def _registry(plan: Plan) -> ChildSpec:
    """Its settings go through the environment; secrets only as names of files."""
    port, secret = plan.ports["registry"], plan.data.secret_file
    settings = {
        "DATA": str(plan.data.path),
        "HOST": LOOPBACK,
        "PORT": str(port),
        "NATS_URL": f"nats://{LOOPBACK}:{plan.ports['nats']}",
        "APPLICATIONS": json.dumps([str(each) for each in _applications(plan)]),
    }
    if plan.options.mode == "registry":
        settings["AUTH"] = "none"
    elif plan.options.mode == "solo":
        settings |= {"AUTH": "token", "TOKEN_FILE": str(secret("solo_token"))}
    else:
        settings |= {
            "AUTH": "hub",
            "PREFIX": SERVICE_PREFIX,
            "HUB_API_URL": f"http://{LOOPBACK}:{plan.ports['hub']}/hub/api",
            "HUB_URL": "/hub/",
            "HUB_TOKEN_FILE": str(secret("hub_service_token")),
        }
    return ChildSpec(
        "registry",
        _python("qcrbox_registry"),
        _environment(plan, **{f"QCRBOX_REGISTRY_{name}": value for name, value in settings.items()}),
        ready=answering(f"{plan.registry_url}/api/healthz"),
        needs=("nats",),
    )


def _applications(plan: Plan) -> list[Path]:
    return paths.application_folders(plan.options.applications)


def _launcher(plan: Plan) -> ChildSpec:
    command = _python(
        "qcrbox_registry.launcher",
        "--data",
        str(plan.data.path),
        "--name",
        "local",
        "--manager",
        plan.options.manager,
    )
    if (traits := plan.data.path / "launcher.json").is_file():
        command += ["--config", str(traits)]
    for folder in _applications(plan):
        command += ["--applications", str(folder)]
    # After the registry, which makes the streams it speaks on; the processor is busy enough before.
    return ChildSpec("launcher", command, _environment(plan), needs=("registry",))


# ---------------------------------------------------------------- with a hub


def _proxy(plan: Plan) -> ChildSpec:
    token = plan.data.secret_file("proxy_token")
    public = f"http://{_in_url(plan.options.host)}:{plan.options.port}"
    environment = _environment(
        plan,
        QCRBOX_PROXY_HOST=plan.options.host,
        QCRBOX_PROXY_PUBLIC=public,
        QCRBOX_PROXY_API=f"http://{LOOPBACK}:{plan.ports['proxy_api']}",
        QCRBOX_PROXY_HUB=f"http://{LOOPBACK}:{plan.ports['hub']}",
        QCRBOX_PROXY_TOKEN_FILE=str(token),
        QCRBOX_PROXY_TLS_IN_FRONT="1" if plan.options.tls_in_front else "0",
    )
    return ChildSpec(
        "proxy",
        _python("qcrbox_hub.jupyterhub.proxy"),
        environment,
        ready=listening(LOOPBACK, plan.ports["proxy_api"]),
    )


def _hub(plan: Plan) -> ChildSpec:
    settings = HubSettings(
        data=plan.data.path,
        identity=plan.data.identity,
        host=plan.options.host,
        port=plan.options.port,
        hub_port=plan.ports["hub"],
        proxy_api_url=f"http://{LOOPBACK}:{plan.ports['proxy_api']}",
        registry_url=plan.registry_url,
        service_token_file=plan.data.secret_file("hub_service_token"),
        proxy_token_file=plan.data.secret_file("proxy_token"),
        culler_token_file=plan.data.secret_file("culler_token") if plan.options.idle_cull_s else None,
    )
    file = plan.data.run / "hub.json"
    write_private(file, settings.model_dump_json(indent=1))
    environment = _environment(plan, **{VARIABLE: str(file)})
    inside = answering(f"http://{LOOPBACK}:{plan.ports['hub']}/hub/login")
    outside = answering(f"{plan.url}/hub/login")
    return ChildSpec(
        "hub", _python("qcrbox_hub.jupyterhub.serve"), environment, ready=lambda: inside() and outside()
    )


def _culler(plan: Plan) -> ChildSpec:
    """Ends users' idle servers. A child of ours, not of the hub, so that it ends with the platform."""
    environment = _environment(plan, JUPYTERHUB_API_TOKEN=plan.data.secret_file("culler_token").read_text())
    command = _python(
        *("qcrbox.lifeline", "--", sys.executable, "-m", "jupyterhub_idle_culler"),
        f"--url=http://{LOOPBACK}:{plan.ports['hub']}/hub/api",
        f"--timeout={plan.options.idle_cull_s}",
        f"--cull-every={max(30, plan.options.idle_cull_s // 4)}",
    )
    return ChildSpec("culler", command, environment, needs=("hub",))


# ---------------------------------------------------------------- without one


def _lab(plan: Plan) -> ChildSpec:
    folder = (plan.options.folder or plan.data.homes / "local").expanduser().resolve()
    plan.lab_token, token_file = solo.new_token(plan.data)
    environment = _environment(
        plan,
        **solo.environment(plan.data, folder, token_file),
        QCRBOX_URL=plan.registry_url,
        QCRBOX_TOKEN_FILE=str(plan.data.secret_file("solo_token")),
    )
    return ChildSpec(
        "lab",
        _python("qcrbox_hub.jupyterhub.solo", str(plan.options.port)),
        environment,
        ready=answering(f"{plan.url}/api"),
    )
