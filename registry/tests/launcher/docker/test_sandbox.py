"""Attacks from inside a container that the manager started, on the real daemon; each must fail to do harm.

They run as the application's user in the application's container (`docker exec` gives nothing more than the
program has: same user, capabilities, seccomp profile and limits).
"""

from __future__ import annotations

import asyncio
import json
import socket
import textwrap
from pathlib import Path

import pytest
from qcrbox.contract.messages import Limits
from qcrbox.sandbox import seccomp
from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.catalogue import Catalogue
from qcrbox_registry.launcher.conformance import agents_of, ended
from qcrbox_registry.launcher.managers.docker import MB, DockerManager

pytestmark = pytest.mark.docker


@pytest.fixture
async def manager(make_manager):
    return await make_manager()


@pytest.fixture(scope="module")
def victim(tmp_path_factory, sample_image, sample_folder, plan_of, daemon):
    """A container with an agent in it, for tests that leave it as it was."""
    data = tmp_path_factory.mktemp("victim")
    Approvals(data).approve("sample", "1.0", sample_image, by="test")
    manager = DockerManager(data=str(data), nats_url="nats://127.0.0.1:1")
    sample = Catalogue(data / "approved").approve(sample_folder)
    with asyncio.Runner() as runner:
        runner.run(manager.setup())
        yield daemon.containers.get(runner.run(manager.start(plan_of(sample, "victim"))))
        runner.run(manager.end_platform())


@pytest.fixture
async def own_victim(manager, plan, daemon):
    """One for tests that leave something in it."""
    return daemon.containers.get(await manager.start(plan("victim")))


def inside(container, code: str, **options) -> str:
    """Run Python in the container; what it prints."""
    done = container.exec_run(["python3", "-c", textwrap.dedent(code)], **options)
    return done.output.decode(errors="replace").strip()


def settings(container) -> dict:
    container.reload()
    return container.attrs["HostConfig"]


# ---------------------------------------------------------------- what the container was made with


@pytest.mark.attack(23)
@pytest.mark.attack(25)
def test_the_container_has_the_flags_that_were_promised(victim):
    host = settings(victim)
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    assert host["SecurityOpt"][0] == "no-new-privileges:true"
    assert json.loads(host["SecurityOpt"][1].removeprefix("seccomp=")) == seccomp.profile()
    assert host["NetworkMode"] == "none"
    assert host["IpcMode"] == "private"
    assert not host["PidMode"]
    assert not host["Devices"]
    assert host["Init"] is True
    assert host["PidsLimit"] == 512
    assert host["Memory"] == host["MemorySwap"] == 2000 * MB
    assert host["NanoCpus"] > 0
    assert host["LogConfig"]["Config"]["max-size"]
    assert victim.attrs["Config"]["User"] == "10001:10001"


@pytest.mark.attack(25)
def test_one_folder_is_mounted_and_it_cannot_be_written(victim):
    (bind,) = settings(victim)["Binds"]
    assert bind.endswith(":/run/qcrbox:ro")
    assert sorted(inside(victim, "import os; print(*os.listdir('/run/qcrbox'))").split()) == [
        "nats.sock",
        "registry.sock",
        "token",
    ]
    assert "Read-only" in inside(victim, "open('/run/qcrbox/x', 'w')")


@pytest.mark.attack(22)
def test_the_token_is_in_its_file_alone(victim):
    assert "secret-token" not in str(victim.attrs)
    assert "secret-token" not in inside(
        victim, "print(open('/proc/1/environ').read(), open('/proc/1/cmdline').read())"
    )
    assert "secret-token" not in victim.logs().decode()
    assert "secret-token" not in str(victim.top())
    assert inside(victim, "print(open('/run/qcrbox/token').read())") == "secret-token"


@pytest.mark.attack(22)
async def test_the_token_lies_in_memory_and_goes_with_the_agent(manager, plan):
    handle = await manager.start(plan("a1"))
    file = manager.mounts.root / "a1" / "token"
    assert file.stat().st_mode & 0o077 in (0, 0o044)
    assert manager.mounts.root.stat().st_mode & 0o077 == 0
    await manager.stop(handle, 0)
    assert not file.exists()


@pytest.mark.attack(16)
async def test_a_start_that_asks_for_more_than_the_site_allows_gets_what_it_allows(
    make_manager, plan, daemon
):
    manager = await make_manager(most_memory_bytes=512 * MB, most_cpus=0.5)
    wanted = Limits(memory_bytes=10**13, cpus=10_000, pids=10**6, disk_bytes=10**13)
    host = settings(daemon.containers.get(await manager.start(plan("greedy", wanted))))
    assert host["Memory"] == host["MemorySwap"] == 512 * MB
    assert host["NanoCpus"] == int(0.5e9)
    assert host["PidsLimit"] <= 4096
    assert f"size={256 * MB}" in host["Tmpfs"]["/work"]


async def test_an_application_gets_the_memory_and_processors_its_spec_asks_for(manager, plan, daemon):
    wanted = Limits(memory_bytes=700 * MB, cpus=0.25)
    host = settings(daemon.containers.get(await manager.start(plan("modest", wanted))))
    assert (host["Memory"], host["NanoCpus"]) == (700 * MB, int(0.25e9))


# ---------------------------------------------------------------- network


@pytest.mark.attack(23)
def test_there_is_no_network_at_all(victim):
    assert inside(victim, "import socket; print(*(n for _, n in socket.if_nameindex()))") == "lo"


@pytest.mark.attack(23)
@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "172.17.0.1", "10.0.0.1", "192.168.0.1", "1.1.1.1", "host.docker.internal"],
)
def test_nothing_outside_can_be_reached(victim, address):
    found = inside(
        victim,
        f"""
        import socket
        try:
            socket.create_connection(({address!r}, 80), timeout=3); print("reached")
        except OSError as error:
            print("refused", error)
        """,
    )
    assert found.startswith("refused")


@pytest.mark.attack(23)
def test_ports_of_the_host_and_of_other_containers_are_not_there(victim):
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        found = inside(
            victim,
            f"""
            import socket
            for host in ("127.0.0.1", "172.17.0.1"):
                try:
                    socket.create_connection((host, {port}), timeout=2); print("reached", host)
                except OSError:
                    pass
            """,
        )
    assert found == ""


@pytest.mark.attack(26)
def test_there_is_no_docker_socket(victim):
    found = inside(
        victim,
        "import os; print([p for p in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd') if os.path.exists(p)])",
    )
    assert found == "[]"


@pytest.mark.attack(23)
async def test_the_agents_of_others_are_not_to_be_seen(manager, plan, own_victim):
    await manager.start(plan("other"))
    assert "other" not in inside(own_victim, "import os; print(os.listdir('/run/qcrbox'))")
    processes = inside(own_victim, "import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))")
    assert int(processes) < 10


# ---------------------------------------------------------------- getting out


@pytest.mark.attack(25)
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/opt/application/application.yaml", "/usr/bin/x", "/opt/qcrbox/bin/python"]
)
def test_the_image_cannot_be_changed(victim, path):
    assert "Error" in inside(victim, f"open({path!r}, 'a')")


@pytest.mark.attack(25)
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("setuid", "import os; os.setuid(0)"),
        ("mount", "import ctypes, os; l = ctypes.CDLL(None, use_errno=True); r = l.mount(b'none', b'/tmp', b'tmpfs', 0, None); assert r == 0, os.strerror(ctypes.get_errno())"),
        ("unshare", "import ctypes, os; l = ctypes.CDLL(None, use_errno=True); r = l.unshare(0x10000000); assert r == 0, os.strerror(ctypes.get_errno())"),
        ("device", "import os, stat; os.mknod('/tmp/disk', stat.S_IFBLK | 0o600, os.makedev(8, 0))"),
        ("kernel settings", "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')"),
        ("sysrq", "open('/proc/sysrq-trigger', 'w').write('b')"),
        ("cgroup", "import os; os.mkdir('/sys/fs/cgroup/memory/x')"),
        ("clock", "import time; time.clock_settime(time.CLOCK_REALTIME, 0)"),
        ("host name", "import socket; socket.sethostname('x')"),
        ("raw socket", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
        ("kernel memory", "open('/dev/mem', 'rb').read(1)"),
        ("kernel module", "import ctypes, os; l = ctypes.CDLL(None, use_errno=True); r = l.syscall(313, -1, b'', 0); assert r == 0, os.strerror(ctypes.get_errno())"),
    ],
)  # fmt: skip
def test_what_only_root_may_is_refused(victim, what, code):
    assert "Error" in inside(victim, code), what


@pytest.mark.attack(25)
def test_no_program_in_the_image_can_raise_its_rights(victim):
    found = inside(
        victim,
        """
        import os, stat
        for root, _, names in os.walk('/usr'):
            for name in names:
                mode = os.lstat(os.path.join(root, name)).st_mode
                if stat.S_ISREG(mode) and mode & 0o6000:
                    break
        print(open('/proc/self/status').read())
        """,
    )
    status = dict(line.split(":", 1) for line in found.splitlines() if ":" in line)
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0


# ---------------------------------------------------------------- using up what others need


@pytest.mark.attack(24)
async def test_a_fork_bomb_ends_at_the_limit_and_others_still_start(make_manager, plan, daemon):
    manager = await make_manager(pids=64)
    victim = daemon.containers.get(await manager.start(plan("bomber")))
    found = inside(
        victim,
        """
        import os, time
        made = 0
        try:
            while made < 5000:
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
                made += 1
        except OSError as error:
            print(made, error)
        """,
    )
    made, error = found.split(" ", 1)
    assert int(made) < 64
    assert "temporarily unavailable" in error
    assert await manager.poll(await manager.start(plan("neighbour"))) is None


@pytest.mark.attack(24)
async def test_a_memory_bomb_ends_itself_and_not_its_agent_or_the_machine(manager, plan, daemon):
    victim = daemon.containers.get(await manager.start(plan("bomber", Limits(memory_bytes=512 * MB))))
    done = victim.exec_run(["python3", "-c", "x = [bytearray(b'x' * 10**8) for _ in range(100)]"])
    assert done.exit_code == 137
    # What the kernel counted for this container alone: others use memory at the same time.
    memory = victim.stats(stream=False, one_shot=True)["memory_stats"]
    assert memory["limit"] == 512 * MB
    assert memory.get("max_usage", memory["usage"]) <= memory["limit"]
    victim.reload()
    assert victim.status == "running"


@pytest.mark.attack(24)
async def test_a_container_that_used_too_much_memory_says_how_much_it_had(manager, plan):
    # Too little for the agent itself.
    end = await ended(manager, await manager.start(plan("small", Limits(memory_bytes=16 * MB))))
    assert end.oom_killed
    assert end.reason == "it used more than the 16 MB of memory that were allowed"


@pytest.mark.attack(24)
@pytest.mark.parametrize("folder", ["/work", "/tmp", "/home/qcrbox", "/dev/shm"])
async def test_a_disk_filler_fills_its_own_folder_only(manager, plan, daemon, folder):
    victim = daemon.containers.get(
        await manager.start(plan("filler", Limits(memory_bytes=1000 * MB, disk_bytes=100 * MB)))
    )
    found = inside(
        victim,
        f"""
        written = 0
        try:
            with open('{folder}/x', 'wb') as file:
                while written < 2 * 10**9:
                    written += file.write(bytes(10**6)); file.flush()
        except OSError as error:
            print(written, error)
        """,
    )
    assert "No space left" in found
    assert int(found.split()[0]) <= 257 * MB * 1.05
    # Nothing of it is on the machine's disk.
    (told,) = daemon.api.containers(size=True, filters={"id": victim.id})
    assert told.get("SizeRw", 0) < MB


@pytest.mark.attack(24)
def test_an_inode_filler_fills_its_own_folder_only(own_victim):
    found = inside(
        own_victim,
        """
        made = 0
        try:
            while made < 300_000:
                open(f'/tmp/{made}', 'w').close(); made += 1
        except OSError as error:
            print(made, error)
        """,
    )
    assert "No space left" in found
    assert int(found.split()[0]) <= 52_000


@pytest.mark.attack(24)
def test_a_log_flood_is_cut(own_victim):
    inside(
        own_victim,
        """
        with open('/proc/1/fd/1', 'wb') as out:
            for _ in range(60):
                out.write((b'x' * 999 + b'\\n') * 1000)
        """,
    )
    own_victim.reload()
    logs = Path(own_victim.attrs["LogPath"])
    assert sum(path.stat().st_size for path in logs.parent.glob("*-json.log*")) < 12 * MB


@pytest.mark.attack(24)
def test_sockets_end_at_the_limit(victim):
    found = inside(
        victim,
        """
        import socket
        kept = []
        try:
            while len(kept) < 10_000:
                kept.append(socket.socket())
        except OSError as error:
            print(len(kept), error)
        """,
    )
    assert int(found.split()[0]) <= 4096
    assert "Too many open files" in found


@pytest.mark.attack(24)
async def test_a_door_takes_so_many_connections_and_no_more(make_manager, plan, daemon):
    async def greet(reader, writer):
        writer.write(b"INFO {}\r\n")
        await reader.read()
        writer.close()

    nats = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = nats.sockets[0].getsockname()[1]
    manager = await make_manager(nats_url=f"nats://127.0.0.1:{port}")
    victim = daemon.containers.get(await manager.start(plan("many")))
    # In a thread: the door that is knocked at is in this process.
    found = await asyncio.to_thread(
        inside,
        victim,
        """
        import socket
        kept, greeted = [], 0
        for _ in range(300):
            s = socket.socket(socket.AF_UNIX); s.settimeout(30)
            s.connect('/run/qcrbox/nats.sock'); kept.append(s)
            try:
                greeted += s.recv(4) == b"INFO"
            except ConnectionResetError:
                pass
        print(len(kept), greeted)
        """,
    )
    kept, greeted = map(int, found.split())
    assert kept == 300
    assert 32 <= greeted <= 64, "the agent has some of the 64 itself"
    nats.close()


@pytest.mark.attack(24)
async def test_nothing_is_left_after_all_that(manager, own_victim):
    assert await agents_of(manager) == ["victim"]
    own_victim.kill()
    assert (await ended(manager, own_victim.id)).exit_code == 137
    assert await agents_of(manager) == []
    assert not (manager.mounts.root / "victim").exists()
