"""Nothing runs but what was approved, whatever its name means by now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.messages import StartAgent
from qcrbox_registry.launcher import approvals as module
from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.managers.base import StartFailed

pytestmark = [pytest.mark.docker, pytest.mark.attack(17)]


async def test_an_application_without_approval_does_not_start(make_manager, plan):
    manager = await make_manager()
    assert Approvals(Path(manager.data)).retire("sample", "1.0")
    with pytest.raises(StartFailed, match="no approved image"):
        await manager.start(plan("a1"))
    assert await manager.list() == []
    assert not (manager.mounts.root / "a1").exists()


@pytest.mark.parametrize(
    ("slug", "version"), [("Sample", "1.0"), ("sample ", "1.0"), ("sample", "1"), ("sаmple", "1.0")]
)
async def test_a_name_that_only_looks_like_an_approved_one_does_not_start(make_manager, plan, slug, version):
    manager = await make_manager()
    wanted = plan("a1")
    alike = replace(wanted, application=replace(wanted.application, slug=slug, version=version))
    with pytest.raises(StartFailed, match="no approved image"):
        await manager.start(alike)


async def test_a_tag_that_is_moved_after_the_approval_changes_nothing(
    make_manager, plan, daemon, sample_image
):
    manager = await make_manager()
    name = "qcrbox/app-sample:moved"
    daemon.images.get("qcrbox/base:latest").tag(name)
    try:
        container = daemon.containers.get(await manager.start(plan("a1")))
        assert container.attrs["Image"] == sample_image
    finally:
        daemon.images.remove(name, force=True)


@pytest.mark.parametrize(
    "image", ["qcrbox/app-sample:1.0", "sha256:12", "", "sha256:" + "z" * 64, "--privileged"]
)
def test_only_the_content_of_an_image_can_be_approved(tmp_path, image):
    with pytest.raises(UserInputError, match="not the id of an image"):
        Approvals(tmp_path).approve("sample", "1.0", image)
    assert Approvals(tmp_path).all() == []


async def test_an_approved_image_that_is_gone_is_told(make_manager, plan):
    manager = await make_manager()
    Approvals(Path(manager.data)).approve("sample", "1.0", "sha256:" + "0" * 64)
    with pytest.raises(StartFailed, match="not on this machine"):
        await manager.start(plan("a1"))


@pytest.mark.attack(16)
def test_a_request_can_name_an_application_and_limits_and_nothing_else():
    asked = {
        "agent": "a1",
        "application_slug": "sample",
        "application_version": "1.0",
        "enrolment_token": "t",
        "image": "evil",
        "mounts": ["/:/host"],
        "privileged": True,
        "network": "host",
        "environment": {"LD_PRELOAD": "x"},
        "devices": ["/dev/sda"],
        "limits": {"memory_bytes": 1, "cap_add": ["ALL"]},
    }
    request = StartAgent.model_validate(asked)
    assert set(request.model_dump()) == {
        "agent",
        "application_slug",
        "application_version",
        "enrolment_token",
        "limits",
    }
    assert set(request.limits.model_dump()) == {"memory_bytes", "cpus", "pids", "disk_bytes"}


async def test_a_spec_that_asks_for_privileges_gets_none(make_manager, plan, daemon, sample_folder, tmp_path):
    folder = tmp_path / "greedy"
    folder.mkdir()
    text = (sample_folder / "application.yaml").read_text()
    (folder / "application.yaml").write_text(
        "privileged: true\nvolumes: ['/:/host']\nnetwork_mode: host\n" + text
    )
    from qcrbox.spec import load

    assert any("privileged" in note for note in load(folder / "application.yaml").notes)
    manager = await make_manager()
    host = daemon.containers.get(await manager.start(plan("a1"))).attrs["HostConfig"]
    assert not host["Privileged"]
    assert host["NetworkMode"] == "none"
    assert len(host["Binds"]) == 1


def test_the_list_of_approvals_is_private(tmp_path, capsys):
    image = "sha256:" + "a" * 64
    assert module.main(["--data", str(tmp_path), "approve", "sample", "1.0", image]) == 0
    assert (tmp_path / "approved_images.json").stat().st_mode & 0o077 == 0
    assert module.main(["--data", str(tmp_path), "list"]) == 0
    assert image in capsys.readouterr().out
    assert module.main(["--data", str(tmp_path), "retire", "sample", "1.0"]) == 0
    assert module.main(["--data", str(tmp_path), "retire", "sample", "1.0"]) == 3
