"""JupyterHub's configuration, made from the settings file that `qcrbox up` writes."""

from __future__ import annotations

import os

from qcrbox_hub.accounts import previews, roles
from qcrbox_hub.accounts.configure import choose_authenticator
from qcrbox_hub.accounts.membership import load_roles
from qcrbox_hub.admin.routes import administration_pages
from qcrbox_hub.jupyterhub import handler_changes
from qcrbox_hub.jupyterhub.database import keep_write_ahead_log, name_the_file_that_is_copied
from qcrbox_hub.jupyterhub.settings import HubSettings
from qcrbox_hub.mail.routes import mail_pages, mail_work
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.addresses import Separation
from qcrbox_hub.platform.banner import Banner
from qcrbox_hub.platform.setting_changes import running_values
from qcrbox_hub.teaching.routes import teaching_pages
from qcrbox_hub.walls.choice import Walls

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - traitlets puts it there
settings = HubSettings.load()
state = settings.data / "hub"

# ---------------------------------------------------------------- places
c.JupyterHub.db_url = settings.hub_database_url
keep_write_ahead_log(settings.hub_database_url)
name_the_file_that_is_copied()
c.JupyterHub.upgrade_db = True
c.JupyterHub.cookie_secret_file = str(settings.data / "secrets" / "cookie_secret")
c.JupyterHub.template_paths = [str(paths.TEMPLATES)]
c.JupyterHub.logo_file = str(paths.TEMPLATES / "static" / "logo.svg")
os.chdir(state)

# ---------------------------------------------------------------- addresses
c.JupyterHub.bind_url = f"http://{settings.host}:{settings.port}"
c.JupyterHub.public_url = settings.addresses.hub + "/"
if settings.addresses.separation is not Separation.NONE:
    c.JupyterHub.subdomain_host = settings.addresses.hub
    c.JupyterHub.subdomain_hook = settings.addresses.subdomain_hook
banner = Banner(state / "banner.json")
handler_changes.apply(settings.addresses)
c.JupyterHub.tornado_settings = {
    "qcrbox_addresses": settings.addresses,
    "qcrbox_registry_url": settings.registry_url,
    "qcrbox_banner": banner,
    "qcrbox_service_token": settings.service_token_file.read_text().strip(),
    "qcrbox_servers_in_containers": settings.walls in (Walls.DOCKER, Walls.SWARM),
    "qcrbox_images": settings.people.images,
    "qcrbox_running_settings": running_values(people=settings.people),
    "qcrbox_certificate_token": settings.certificate_token_file.read_text().strip(),
    # How long the page that starts a server waits for it, seconds, before it becomes the page that shows the progress.
    # What is refused at once (a home that is full) still answers the click itself.
    "slow_spawn_timeout": 1,
}
# Code on people's host names could set cookies for the hub's; browsers refuse that for this prefix. It needs
# HTTPS, and host names that people do not share, as such cookies hold for every path.
c.JupyterHub.cookie_host_prefix_enabled = (
    settings.addresses.secure and settings.addresses.separation is Separation.PERSON
)
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_port}"
c.JupyterHub.hub_connect_url = f"http://127.0.0.1:{settings.hub_port}"
# The proxy is a child of `up` beside us: it starts while we import, and outlives a restart of the hub.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = settings.proxy_api_url
c.ConfigurableHTTPProxy.auth_token = settings.proxy_token_file.read_text().strip()
c.JupyterHub.cleanup_proxy = False
c.JupyterHub.cleanup_servers = True

# ---------------------------------------------------------------- people
authenticator = choose_authenticator(c, settings.sign_in, settings.data, settings.addresses.hub)
authenticator.more_pages = [*administration_pages(), *teaching_pages(), *mail_pages()]
authenticator.more_work = mail_work(
    settings.mail,
    data=settings.data,
    hub_url=settings.addresses.hub,
    registry_url=settings.registry_url,
    service_token=settings.service_token_file.read_text().strip(),
)
c.JupyterHub.authenticator_class = authenticator
c.NativeAuthenticator.minimum_password_length = settings.minimum_password_length
c.JupyterHub.template_vars = {"announcement": banner.as_html, "own_passwords": authenticator.own_passwords}
c.Members.group = settings.group
c.Members.home_gib = settings.people.home_gib
c.Members.archive_days = settings.people.archive_days
c.Members.data = str(settings.data)
c.Members.first_admin_file = str(settings.data / "secrets" / "first_admin.json")
c.Members.one_person = settings.walls is Walls.ONE_PERSON
c.Members.trusted = settings.walls is Walls.TRUSTED
c.Members.walls_what = settings.walls_what
c.Members.walls_stronger = settings.walls_stronger

c.JupyterHub.custom_scopes = roles.SCOPES
c.JupyterHub.load_roles = [
    *load_roles(settings.hub_database_url, settings.group),
    *previews.load_roles(settings.hub_database_url),
]
c.JupyterHub.load_groups = {settings.group: {"users": []}}
c.JupyterHub.admin_access = False

# ---------------------------------------------------------------- the registry
c.JupyterHub.services = [
    {
        "name": roles.SERVICE,
        "url": settings.registry_url,
        "api_token": settings.service_token_file.read_text().strip(),
        "display": True,
        "oauth_client_allowed_scopes": [roles.ACCESS, *roles.ALL],
        # It is part of the product: asking people whether they trust it would only teach them to click.
        "oauth_no_confirm": True,
        # The registry has its own supervisor: people sign in while it starts (JupyterHub would wait for 30 s).
        "timeout": 1,
    }
]
c.JupyterHub.service_check_interval = 0

# ---------------------------------------------------------------- users' servers
if settings.walls is Walls.SANDBOX:
    from qcrbox_hub.jupyterhub.spawners.sandbox import SandboxSpawner as ChosenSpawner

    c.SandboxSpawner.limits = settings.limits
elif settings.walls is Walls.DOCKER:
    from qcrbox_hub.jupyterhub.spawners.container import DockerPersonSpawner as ChosenSpawner
elif settings.walls is Walls.SWARM:
    from qcrbox_hub.jupyterhub.spawners.swarm import SwarmPersonSpawner as ChosenSpawner
else:
    from qcrbox_hub.jupyterhub.spawners.trusted import TrustedSpawner as ChosenSpawner

c.JupyterHub.spawner_class = ChosenSpawner
if settings.walls.separate:
    c.SeparateServer.sockets = str(settings.sockets)
    c.SeparateServer.first_user_id = settings.first_user_id
c.ContainerServer.person_image = settings.people.image
c.ContainerServer.images = settings.people.images
c.PersonServer.data = str(settings.data)
c.PersonServer.mark = settings.identity
c.PersonServer.registry_url = settings.registry_url
c.PersonServer.quota_gib = settings.people.home_gib
c.PersonServer.internet = settings.people.internet
c.PersonServer.archive_days = settings.people.archive_days
c.PersonServer.processes = settings.people.processes
c.Spawner.mem_limit = int(settings.people.memory_gib * 1024**3) or None
c.Spawner.cpu_limit = settings.people.cpus or None
c.PersonServer.host_cookies = settings.addresses.separation is Separation.PERSON
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.Spawner.oauth_client_allowed_scopes = [roles.USE]  # not of preview accounts: see `PersonServer`
c.JupyterHub.concurrent_spawn_limit = 100

if settings.culler_token_file:
    c.JupyterHub.services.append(
        {"name": "idle-culler", "api_token": settings.culler_token_file.read_text().strip()}
    )
    c.JupyterHub.load_roles.append(
        {
            "name": "idle-culler",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": ["idle-culler"],
        }
    )

# ---------------------------------------------------------------- the site's own
if settings.hub_config is not None:
    load_subconfig(  # type: ignore[name-defined]  # noqa: F821 - traitlets puts it there
        str(settings.hub_config if settings.hub_config.is_absolute() else settings.data / settings.hub_config)
    )
