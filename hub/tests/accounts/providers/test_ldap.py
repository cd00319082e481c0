"""A real directory (OpenLDAP's slapd)."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.settings import PlatformSettings

if TYPE_CHECKING:
    from conftest import Browser, Hub

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin")
BASE = "dc=example,dc=org"
PASSWORD = "opal-Harbour-17-moss"
CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw admin
directory {folder}/db
"""
ENTRIES = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups
"""


def person(name: str) -> str:
    return (
        f"\ndn: uid={name},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
        f"userPassword: {PASSWORD}\n"
    )


def group(name: str, *members: str) -> str:
    lines = "".join(f"member: uid={member},ou=people,{BASE}\n" for member in members)
    return f"\ndn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{lines}"


@pytest.fixture(scope="module")
def directory() -> Iterator[int]:
    if SLAPD is None or not Path("/etc/ldap/schema/core.schema").exists():
        pytest.skip("slapd is not installed")
    with tempfile.TemporaryDirectory(prefix="slapd") as name:
        folder = Path(name)
        (folder / "db").mkdir()
        (folder / "slapd.conf").write_text(CONFIG.format(folder=folder, base=BASE))
        entries = ENTRIES + person("dorothy") + person("ada.l") + person("eve") + group("xtal", "dorothy")
        entries += group("staff", "ada.l") + group("allowed", "dorothy", "ada.l")
        (folder / "entries.ldif").write_text(entries)
        add = ["-T", "add", "-f", str(folder / "slapd.conf"), "-l", str(folder / "entries.ldif")]
        subprocess.run([SLAPD, *add], check=True, capture_output=True)
        port = ports.choose(1)[0]
        server = subprocess.Popen(
            [SLAPD, "-f", str(folder / "slapd.conf"), "-h", f"ldap://127.0.0.1:{port}", "-d", "0"]
        )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def hub(directory: int, start_hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    def dn(name: str) -> str:
        return f"cn={name},ou=groups,{BASE}"

    settings = PlatformSettings.model_validate(
        {
            "sign_in": {
                "method": "ldap",
                "ldap": {
                    "server": "127.0.0.1",
                    "port": directory,
                    "tls": "insecure",
                    "bind_dn_template": [f"uid={{username}},ou=people,{BASE}"],
                    "groups": [dn("xtal"), dn("staff")],
                    "allowed_groups": [dn("allowed")],
                },
                "claims": [
                    {"value": dn("staff"), "role": "administrator"},
                    {"value": dn("xtal"), "group": "crystallography"},
                ],
            }
        }
    )
    with start_hub(tmp_path_factory.mktemp("ldap"), settings) as made:
        yield made


def sign_in(hub: Hub, name: str, password: str = PASSWORD) -> Browser:
    browser = hub.browser()
    browser.password = PASSWORD
    browser.sign_in(name, password)
    return browser


def test_person_of_the_directory_signs_in_with_its_groups(hub: Hub) -> None:
    about = sign_in(hub, "dorothy").get("/hub/api/user").json()
    assert (about["name"], set(about["groups"])) == ("dorothy", {"everyone", "crystallography"})


def test_administrator_comes_from_a_group_and_the_name_becomes_safe(hub: Hub) -> None:
    about = sign_in(hub, "ada.l").get("/hub/api/user").json()
    assert about["admin"]
    assert about["name"].startswith("ada-l--")


def test_who_is_in_no_allowed_group_stays_out(hub: Hub) -> None:
    assert sign_in(hub, "eve").get("/hub/token").url.path == "/hub/login"


@pytest.mark.attack(8)
@pytest.mark.parametrize("password", ["wrong-password", "", " "])
def test_wrong_and_empty_passwords_open_nothing(hub: Hub, password: str) -> None:
    # A bind with an empty password succeeds as nobody in many directories.
    assert sign_in(hub, "dorothy", password).get("/hub/token").url.path == "/hub/login"


@pytest.mark.attack(8)
@pytest.mark.parametrize("name", ["*", "dorothy)(uid=*", "dorothy,ou=people,dc=example,dc=org", "x\\00"])
def test_names_that_mean_something_to_a_directory_open_nothing(hub: Hub, name: str) -> None:
    assert sign_in(hub, name).get("/hub/token").url.path == "/hub/login"


@pytest.mark.slow
@pytest.mark.attack(4)
def test_proof_is_the_password_of_the_directory(hub: Hub) -> None:
    admin = sign_in(hub, "ada.l")
    hub.restart()
    admin.password = ""
    fields = {"action": "make", "name": "made-here"}
    assert "Confirm that it is you" in admin.submit("/hub/administration/groups", **fields).text
    wrong = admin.submit("/hub/administration/groups", **fields, confirm_password="x" * 12)
    assert "not your password" in wrong.text
