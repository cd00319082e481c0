"""What to start for which mode: the children, in what order, with which environment."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from qcrbox.contract.errors import UserInputError
from qcrbox.contract.loopback import is_loopback_host
from qcrbox.sandbox.user_ids import first_user_id

from qcrbox_hub.accounts import roles
from qcrbox_hub.jupyterhub import solo
from qcrbox_hub.jupyterhub.settings import PROXY_VARIABLE, VARIABLE, HubSettings, ProxySettings
from qcrbox_hub.lifecycle import caddy
from qcrbox_hub.platform import paths, ports
from qcrbox_hub.platform.addresses import Addresses, Separation
from qcrbox_hub.platform.child import ChildSpec, Probe, accepting, answering, listening
from qcrbox_hub.platform.data_folder import DataFolder, write_private
from qcrbox_hub.platform.settings import LTI_POSTS, PlatformSettings
from qcrbox_hub.platform.supervisor import MARK
from qcrbox_hub.walls.choice import Choice, choose, everyone_is_trusted
from qcrbox_hub.walls.relay_settings import VARIABLE as RELAY_VARIABLE
from qcrbox_hub.walls.relay_settings import RelaySettings
from qcrbox_hub.walls.socket_folders import SocketFolders

Mode = Literal["hub", "solo", "registry"]
LOOPBACK = "127.0.0.1"
SERVICE_PREFIX = f"/services/{roles.SERVICE}"
# People wait for these, which need little; what people run may keep all processors busy.
URGENT = -5
INNER_PORTS = ("nats", "registry", "hub", "proxy_api", "proxy")


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
    public_url: str = ""
    people_url: str = ""
    spawner: str = "auto"
    settings: PlatformSettings = field(default_factory=PlatformSettings)

    @property
    def own_tls(self) -> bool:
        """Does a Caddy of ours end TLS?"""
        return self.settings.public.tls in ("files", "acme", "internal")

    @property
    def addresses(self) -> Addresses:
        """Raises UserInputError where the platform needs a name and has none."""
        if url := self.public_url or self.settings.public.url:
            return Addresses.make(url, self.people_url)
        if self.tls_in_front or self.own_tls or not is_loopback_host(self.host):
            raise UserInputError(
                "The platform needs its public address.",
                where=f"--host {self.host}",
                why="Each person's server needs its own host name, so that its code cannot act as another person.",
                next="Set `public.url` in platform.toml or --public-url, e.g. https://hub.example.org.",
            )
        return Addresses.make(f"http://hub.localhost:{self.port}", self.people_url)


@dataclass
class Plan:
    """The children of one start, and what a person needs to know about it."""

    options: Options
    data: DataFolder
    ports: dict[str, int]
    specs: list[ChildSpec] = field(default_factory=list)
    url: str = ""
    registry_url: str = ""
    addresses: Addresses | None = None
    choice: Choice | None = None
    sockets: SocketFolders | None = None
    lab_token: str = ""


def make(options: Options, data: DataFolder) -> Plan:
    """Ports, secrets and settings files of a start; starts nothing."""
    plan = Plan(options, data, choose_ports(options, data))
    if options.mode == "registry":
        plan.ports["registry"] = options.port
    plan.registry_url = f"http://{LOOPBACK}:{plan.ports['registry']}"
    plan.url = f"http://{_in_url(options.host)}:{options.port}"
    if options.mode == "hub":
        plan.addresses = options.addresses
        plan.url = plan.addresses.hub
        plan.choice = choose_walls(options, data)
    plan.specs = [*_nats(plan), _registry(plan), _launcher(plan)]
    if options.mode == "hub":
        plan.specs += [_proxy(plan), *_relay(plan), _hub(plan), *_tls(plan)]
        if options.idle_cull_s:
            plan.specs.append(_culler(plan))
    elif options.mode == "solo":
        plan.specs += [_lab(plan)]
    return plan


def choose_walls(options: Options, data: DataFolder) -> Choice:
    """The walls of a start with these options. Raises UserInputError when what is wanted is not to be had."""
    return choose(
        options.spawner,
        everyone_trusted=everyone_is_trusted(data.path),
        image=options.settings.people.image,
        # Programs in containers have the machine's ids.
        subordinate_ids=options.manager == "process",
    )


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


def _nats(plan: Plan) -> list[ChildSpec]:
    """A server of ours, unless the site has its own."""
    if plan.options.settings.nats.url:
        return []
    port = plan.ports["nats"]
    return [
        ChildSpec(
            "nats",
            _python("qcrbox_registry.messaging.server", "--data", str(plan.data.path), "--port", str(port)),
            _environment(plan),
            ready=listening(LOOPBACK, port),
            whole_group=True,
            log_name="nats-start.log",
            niceness=URGENT,
        )
    ]


def _nats_url(plan: Plan) -> str:
    return plan.options.settings.nats.url or f"nats://{LOOPBACK}:{plan.ports['nats']}"


def _registry(plan: Plan) -> ChildSpec:
    """Its settings go through the environment; secrets only as names of files."""
    port, secret = plan.ports["registry"], plan.data.secret_file
    settings = {
        "DATA": str(plan.data.path),
        "HOST": LOOPBACK,
        "PORT": str(port),
        "NATS_URL": _nats_url(plan),
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
            "HUB_URL": f"{_addresses(plan).hub}/hub/",
            "HUB_REDIRECT_URI": f"{_addresses(plan).hub}{SERVICE_PREFIX}/oauth_callback",
            "HUB_TOKEN_FILE": str(secret("hub_service_token")),
        }
    return ChildSpec(
        "registry",
        _python("qcrbox_registry"),
        # Both name a NATS server of the site's own.
        _environment(
            plan,
            **(
                plan.options.settings.registry_environment(plan.data.path)
                | {f"QCRBOX_REGISTRY_{name}": value for name, value in settings.items()}
            ),
        ),
        ready=answering(f"{plan.registry_url}/api/healthz"),
        needs=() if plan.options.settings.nats.url else ("nats",),
        niceness=URGENT,
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
    if plan.options.settings.nats.url:
        command += ["--nats-url", plan.options.settings.nats.url]
    if (traits := plan.data.path / "launcher.json").is_file():
        command += ["--config", str(traits)]
    for folder in _applications(plan):
        command += ["--applications", str(folder)]
    # After the registry, which creates the streams it uses; the processor is busy enough before.
    return ChildSpec("launcher", command, _environment(plan), needs=("registry",))


# ---------------------------------------------------------------- with a hub


def _proxy(plan: Plan) -> ChildSpec:
    # Routes of the last start lead to ports that may be someone else's by now.
    routes = plan.data.run / "routes.json"
    routes.unlink(missing_ok=True)
    options = plan.options
    settings = ProxySettings(
        host=LOOPBACK if options.own_tls else options.host,
        port=plan.ports["proxy"] if options.own_tls else options.port,
        api_port=plan.ports["proxy_api"],
        hub_target=f"http://{LOOPBACK}:{plan.ports['hub']}",
        token_file=plan.data.secret_file("proxy_token"),
        routes_file=routes,
        addresses=_addresses(plan),
        tls_in_front=options.tls_in_front or options.own_tls,
        cross_site_posts=LTI_POSTS if options.settings.sign_in.method == "lti13" else (),
    )
    return ChildSpec(
        "proxy",
        _python("qcrbox_hub.jupyterhub.proxy"),
        _environment(plan, **{PROXY_VARIABLE: settings.model_dump_json()}),
        ready=listening(LOOPBACK, plan.ports["proxy_api"]),
        niceness=URGENT,
    )


def _tls(plan: Plan) -> list[ChildSpec]:
    """Caddy in front of the proxy, where the settings ask for it."""
    options, addresses = plan.options, _addresses(plan)
    if not options.own_tls:
        return []
    token = plan.data.secret_file("certificate_token").read_text().strip()
    public = options.settings.public.model_copy(update={"host": options.host, "port": options.port})
    text = caddy.caddyfile(
        public,
        addresses,
        data=plan.data.path,
        proxy_port=plan.ports["proxy"],
        ask_url=f"http://{LOOPBACK}:{plan.ports['hub']}/hub/host-name?token={token}",
    )
    file = plan.data.run / "Caddyfile"
    write_private(file, text)
    command = [caddy.binary(), "run", "--config", str(file), "--adapter", "caddyfile"]
    return [
        ChildSpec(
            "tls",
            _python("qcrbox.lifeline", "--", *command),
            _environment(plan),
            ready=listening(_in_url(options.host).strip("[]"), options.port),
            needs=("hub",),
            whole_group=True,
        )
    ]


def _relay(plan: Plan) -> list[ChildSpec]:
    """What people's servers reach hub and registry through; none where they are plain processes."""
    assert plan.choice is not None
    if not plan.choice.walls.separate:
        return []
    plan.sockets = SocketFolders(SocketFolders.root_for(plan.data.path, plan.data.identity), first_user_id())
    plan.sockets.remove_all()
    plan.sockets.prepare()
    settings = RelaySettings(
        root=plan.sockets.root,
        uid=plan.sockets.relay_uid,
        hub_port=plan.ports["hub"],
        registry_port=plan.ports["registry"],
    )
    return [
        ChildSpec(
            "relay",
            _python("qcrbox_hub.walls.relay_server"),
            _environment(plan, **{RELAY_VARIABLE: settings.model_dump_json()}),
            ready=accepting(plan.sockets.control),
            niceness=URGENT,
        )
    ]


def _hub(plan: Plan) -> ChildSpec:
    settings = HubSettings(
        data=plan.data.path,
        identity=plan.data.identity,
        host=plan.options.host,
        port=plan.options.port,
        addresses=_addresses(plan),
        certificate_token_file=plan.data.secret_file("certificate_token"),
        hub_port=plan.ports["hub"],
        proxy_api_url=f"http://{LOOPBACK}:{plan.ports['proxy_api']}",
        registry_url=plan.registry_url,
        service_token_file=plan.data.secret_file("hub_service_token"),
        proxy_token_file=plan.data.secret_file("proxy_token"),
        **_walls(plan),
        people=plan.options.settings.people,
        mail=plan.options.settings.mail,
        hub_database_file=plan.options.settings.database.hub_url_file,
        hub_config=plan.options.settings.hub_config,
        sign_in=plan.options.settings.sign_in,
        culler_token_file=plan.data.secret_file("culler_token") if plan.options.idle_cull_s else None,
    )
    file = plan.data.run / "hub.json"
    write_private(file, settings.model_dump_json(indent=1))
    environment = _environment(plan, **{VARIABLE: str(file)})
    inside = answering(f"http://{LOOPBACK}:{plan.ports['hub']}/hub/login")
    routed = _route_known(plan)
    return ChildSpec(
        "hub",
        _python("qcrbox_hub.jupyterhub.serve"),
        environment,
        ready=lambda: inside() and routed(),
        niceness=URGENT,
    )


def _walls(plan: Plan) -> dict[str, Any]:
    """The part of the hub's settings that is about walls."""
    assert plan.choice is not None
    sandboxes = plan.choice.sandboxes
    return {
        "walls": plan.choice.walls,
        "walls_what": plan.choice.what,
        "walls_stronger": plan.choice.stronger,
        "sockets": plan.sockets.root if plan.sockets else None,
        "first_user_id": first_user_id() or 0,
        "limits": str(sandboxes.limits) if sandboxes else "none",
    }


def _route_known(plan: Plan) -> Probe:
    """Ready when the proxy knows the way to the registry: a route that the hub sets after it listens."""
    addresses = _addresses(plan)
    host = f"/{addresses.hub_host}" if addresses.separation is not Separation.NONE else ""
    return answering(
        f"http://{LOOPBACK}:{plan.ports['proxy_api']}/api/routes{host}{SERVICE_PREFIX}",
        {"Authorization": f"token {plan.data.secret_file('proxy_token').read_text().strip()}"},
    )


def _addresses(plan: Plan) -> Addresses:
    assert plan.addresses is not None, "only a platform with a hub has public addresses"
    return plan.addresses


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
