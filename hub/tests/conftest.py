"""A hub with its proxy, without the registry: enough for accounts and users' servers."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from qcrbox.client import loopback
from qcrbox_hub.lifecycle import plan as plans
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.addresses import Addresses
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.settings import PlatformSettings
from qcrbox_hub.platform.supervisor import Supervisor, end_marked_processes

if TYPE_CHECKING:
    from learning_platform import LearningPlatform

PASSWORD = "plum-Orchid-42-river"
HUB_ALONE = ("proxy", "relay", "hub")
QUICK_HUB = Path(__file__).with_name("quick_hub.py")


class Browser:
    """An httpx client that fills in forms as a page would."""

    def __init__(self, url: str) -> None:
        self.url, self.password = url, PASSWORD
        self.http = httpx.Client(
            base_url=url, follow_redirects=True, timeout=30, trust_env=False, mounts=loopback.mounts(url)
        )

    def server(self, name: str) -> str:
        """Address of a person's Jupyter server."""
        return f"{Addresses.make(self.url).person_url(name)}/user/{name}"

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def xsrf(self, path: str = "/hub/") -> str:
        """The token that forms carry, from the cookie of the pages below this path; one of them has been opened."""
        return next(
            each.value or "" for each in self.http.cookies.jar if each.name == "_xsrf" and each.path == path
        )

    def submit(self, path: str, **fields: object) -> httpx.Response:
        """Open the page, take its XSRF token, and post to its address."""
        page = self.http.get(path)
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
        assert token, f"{path} has no form: {page.status_code}"
        answer = self.http.post(path, data={**fields, "_xsrf": token.group(1)})
        if 'id="confirm_form"' in answer.text and self.password:
            # The last sign-in is more than five minutes ago.
            fields = {**fields, "_xsrf": token.group(1), "confirm_password": self.password}
            answer = self.http.post(path, data=fields)
        return answer

    def sign_up(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return self.submit("/hub/signup", username=name, password=password, password_confirmation=password)

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        self.http.cookies.clear()
        return self.submit("/hub/login?next=/hub/token", username=name, password=password)


@pytest.fixture(scope="module")
def learning_platform() -> Iterator[LearningPlatform]:
    """A learning platform that speaks LTI 1.3."""
    spec = importlib.util.spec_from_file_location(
        "learning_platform", Path(__file__).with_name("learning_platform.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.LearningPlatform()
    yield made
    made.close()


@pytest.fixture(scope="session")
def make_browser() -> type[Browser]:
    return Browser


@dataclass
class Hub:
    """A running hub."""

    url: str
    data: DataFolder
    code: str
    supervisor: Supervisor

    def browser(self) -> Browser:
        return Browser(self.url)

    def restart(self, name: str = "hub") -> None:
        """Kill a part's process and wait until the supervisor has brought it back."""
        self.kill(name)
        self.bring_back(name)

    def kill(self, name: str) -> None:
        """Kill a part's process; it stays away until `bring_back`."""
        process = self._watched(name).child.process
        assert process is not None
        process.kill()
        process.wait()

    def bring_back(self, name: str) -> None:
        """Let the supervisor start a killed part, and wait until it is ready."""
        watched = self._watched(name)
        process, deadline = watched.child.process, time.monotonic() + 90
        while watched.child.process is process or watched.phase != "ready":
            self.supervisor.tick()
            assert time.monotonic() < deadline, watched.child.log_tail()
            time.sleep(0.05)

    def _watched(self, name: str) -> Any:
        return next(each for each in self.supervisor.watched if each.name == name)


@contextmanager
def running_hub(
    folder: Path,
    settings: PlatformSettings | None = None,
    *,
    parts: tuple[str, ...] = HUB_ALONE,
    **options: object,
) -> Iterator[Hub]:
    """A hub on a data folder below `folder`, with the named parts of the platform; () for all of them."""
    data = DataFolder(folder / "data")
    data.prepare()
    code = data.new_first_admin_code()
    record: list[str] = []
    chosen = {"port": ports.choose(1)[0], "spawner": os.environ["QCRBOX_SPAWNER"], **options}
    settings = (settings or PlatformSettings()).model_copy(update={"hub_config": QUICK_HUB})
    plan = plans.make(plans.Options(mode="hub", settings=settings, **chosen), data)  # type: ignore[arg-type]
    specs = [spec for spec in plan.specs if not parts or spec.name in parts]
    supervisor = Supervisor(specs, data.logs, record.append)
    try:
        supervisor.start(threading.Event())
        yield Hub(plan.url, data, code, supervisor)
    finally:
        supervisor.stop(last=("proxy", "relay"))
        if plan.sockets:
            plan.sockets.remove_all()
        left = end_marked_processes(data.identity, grace_s=2)
    assert not left, f"still running after the stop: {left}"


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_hub(tmp_path_factory.mktemp("platform")) as made:
        yield made


@pytest.fixture(scope="session")
def start_hub() -> Callable[..., AbstractContextManager[Hub]]:
    """Starts a hub with settings of a test's own."""
    return running_hub


@pytest.fixture(scope="session")
def admin(hub: Hub) -> Browser:
    """The first administrator, signed in."""
    browser = hub.browser()
    answer = browser.submit(
        f"/hub/first-admin?code={hub.code}",
        code=hub.code,
        username="ada",
        password=PASSWORD,
        password_confirmation=PASSWORD,
    )
    assert answer.status_code == 200
    return browser


@pytest.fixture
def member(hub: Hub, admin: Browser) -> Callable[[str], Browser]:
    """Makes an approved member who is signed in."""

    def make(name: str) -> Browser:
        browser = hub.browser()
        browser.sign_up(name)
        admin.submit("/hub/administration/people", name=name, action="approve")
        assert browser.sign_in(name).status_code == 200
        return browser

    return make


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """A prepared, empty data folder."""
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder
