"""What administrators allow a group: the internet, another image; and packages of a person's own, in sandboxes and containers.

Who is in no such group gets none of it.
"""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from qcrbox_hub.apps.person_image import PersonImageBuilder
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import connect

from tests.end_to_end.hub_site import HubKernel, Site, running_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
FURTHER = "qcrbox/person-of-a-test:more"
TRIES = """
import json, os, socket, subprocess, sys, urllib.request
def tried(act):
    try:
        return act()
    except Exception as error:
        return f"{type(error).__name__} {getattr(error, 'code', '')} {getattr(error, 'reason', '')}"
def reached():
    with socket.create_connection(("127.0.0.1", 3128), timeout=5):
        return True
print("<<" + json.dumps({
    "proxy": os.environ.get("HTTPS_PROXY", ""),
    "reached": tried(reached),
    "metadata": tried(lambda: urllib.request.urlopen("http://169.254.169.254/latest", timeout=20).status),
    "mark": tried(lambda: open("/opt/mark-of-the-image").read()),
}) + ">>")
"""


@dataclass
class Switched:
    walls: str
    site: Site
    inside: HubKernel  # of gil, whose group may
    outside: HubKernel  # of olga, who is in no group


def shown(kernel: HubKernel, code: str) -> dict[str, object]:
    found = re.search(r"<<(.*)>>", kernel.run(code), re.DOTALL)
    assert found
    return json.loads(found[1])


def build_images(folder: Path) -> None:
    builder = PersonImageBuilder(
        connect(), sources=paths.applications_folder(), constraints=paths.agent_pins(), say=print
    )
    (folder / "Dockerfile").write_text(
        "FROM qcrbox/person\nUSER root\nRUN echo more > /opt/mark-of-the-image\n"
    )
    builder.build_further(folder, FURTHER)


@pytest.fixture(
    scope="module", params=["sandbox", pytest.param("docker", marks=pytest.mark.docker)], autouse=True
)
def switched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "platform.toml").write_text(f'[people]\nimages = ["{FURTHER}"]\n')
    image = ""
    if request.param == "docker":
        build_images(tmp_path_factory.mktemp("image"))
        image = FURTHER
    with running_site(folder, "--spawner", request.param) as site:
        site.ada.submit("/hub/administration/groups", action="make", name="online")
        gil, olga = site.member("gil", "online"), site.member("olga")
        page = "/hub/administration/groups/online"
        site.ada.submit(page, action="switches", internet="yes", image=image)
        kernels = []
        for person in (gil, olga):
            person.start_server()
            kernels.append(HubKernel(person))
        yield Switched(request.param, site, *kernels)
        for kernel in kernels:
            kernel.close()


@pytest.mark.attack(23)
def test_internet_and_image_are_those_of_the_group(switched: Switched) -> None:
    gil, olga = shown(switched.inside, TRIES), shown(switched.outside, TRIES)
    assert gil["reached"] is True
    assert gil["proxy"] == "http://127.0.0.1:3128"
    assert "403" in str(gil["metadata"]), "the proxy leads to public addresses only"
    assert "Refused" in str(olga["reached"])
    assert olga["proxy"] == ""
    assert not str(olga["metadata"]).isdigit()
    if switched.walls == "docker":
        assert gil["mark"] == "more\n"
        assert "FileNotFoundError" in str(olga["mark"])


@pytest.mark.attack(29)
def test_pip_installs_into_the_own_home_and_the_server_loads_none_of_it(switched: Switched) -> None:
    """The package takes the name of a module that the server imports at its start."""
    label = next(each.name for each in (switched.site.data / "homes").iterdir() if "olga" in each.name)
    home = switched.site.data / "homes" / label
    owner = home.stat()
    wheel = home / "tornado_of_olga-1.0-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: tornado-of-olga\nVersion: 1.0\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("of_olga.py", "VALUE = 42\n")
        archive.writestr("tornado/__init__.py", "open('/tmp/loaded-by-the-server', 'w').close()\n")
        archive.writestr("tornado_of_olga-1.0.dist-info/METADATA", about)
        archive.writestr(
            "tornado_of_olga-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tornado_of_olga-1.0.dist-info/RECORD", "")
    os.chown(wheel, owner.st_uid, owner.st_gid)
    said = switched.outside.run(f"%pip install --user --no-index --no-deps ~/{wheel.name}")
    assert "Successfully installed" in said, said
    assert "42" in switched.outside.run(
        "import subprocess; print(subprocess.run(['python', '-c', 'import of_olga; print(of_olga.VALUE)'], capture_output=True, text=True).stdout)"
    )
    olga = switched.outside.person
    switched.outside.close()
    olga.http.delete("/hub/api/users/olga/server", headers={"X-XSRFToken": olga.xsrf("/hub/")})
    deadline = time.monotonic() + 60
    while olga.http.get("/hub/api/users/olga").json()["servers"]:
        assert time.monotonic() < deadline, "the server does not stop"
        time.sleep(0.2)
    olga.start_server()
    switched.outside = HubKernel(olga)
    assert "False" in switched.outside.run("import os; print(os.path.exists('/tmp/loaded-by-the-server'))")
