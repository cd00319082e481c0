"""A Docker daemon of a test's own, that may be stopped, killed and started: the machine's own one is left alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException


class SecondDaemon:
    """`url` is where it listens. Needs root and dockerd, else the test is skipped."""

    def __init__(self, *options: str) -> None:
        if os.geteuid() != 0 or shutil.which("dockerd") is None:
            pytest.skip("a Docker daemon of our own needs root and dockerd")
        self.folder = Path(tempfile.mkdtemp(prefix="qcrbox-dockerd-", dir="/var/tmp"))
        self.url = f"unix://{self.folder}/docker.sock"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self._seen: dict[Path, Path] = {}  # layer of another daemon -> where this one has it
        self._to_copy: list[tuple[docker.DockerClient, str]] = []

    def start(self) -> SecondDaemon:
        folder = self.folder
        # In a network namespace of its own: a daemon without a bridge deletes docker0, which is another daemon's.
        command = ["unshare", "--net", *self._mounting("ip link set lo up")]
        command += ["dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
        command += ["--pidfile", str(folder / "pid"), "-H", self.url, "--bridge", "none", "--iptables=false"]
        with (folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, *self.options], stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                docker.DockerClient(base_url=self.url).ping()
            except DockerException:
                time.sleep(0.1)
                continue
            while self._to_copy:
                self._copy(*self._to_copy.pop())
            return self
        pytest.fail(f"the second daemon did not start: {(folder / 'log').read_text()[-2000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # Its containerd waits for ever for the one that was killed; elsewhere it is a service of its own. Where nobody
        # reaps it, its successor would take its number for its life.
        containerd = self.folder / "exec" / "containerd" / "containerd.pid"
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(containerd.read_text()), signal.SIGKILL)
            containerd.unlink()

    def load(self, source: docker.DockerClient, image: str) -> None:
        """Give the daemon an image of another one, without its names. Before the daemon starts.

        It sees the layers of the other one, for reading alone. Saving and loading them takes minutes; that is left to
        daemons which keep them in another way.
        """
        about, wanted = source.info(), source.images.get(image)
        if about["Driver"] != "overlay2":
            self._to_copy.append((source, wanted.id))
            return
        kept, own = Path(about["DockerRootDir"]), self.folder / "data"
        copied, chain = [f"image/overlay2/imagedb/content/{wanted.id.replace(':', '/')}"], ""
        for layer in wanted.attrs["RootFS"]["Layers"]:
            chain = f"sha256:{hashlib.sha256(f'{chain} {layer}'.encode()).hexdigest()}" if chain else layer
            about_layer = f"image/overlay2/layerdb/{chain.replace(':', '/')}"
            folder = f"overlay2/{(kept / about_layer / 'cache-id').read_text()}"
            copied += [about_layer, f"overlay2/l/{(kept / folder / 'link').read_text()}"]
            copied += [f"{folder}/{name}" for name in ("link", "lower") if (kept / folder / name).exists()]
            (own / folder / "diff").mkdir(parents=True, exist_ok=True)
            self._seen[kept / folder / "diff"] = own / folder / "diff"
        subprocess.run(["cp", "--archive", "--parents", *copied, str(own)], cwd=kept, check=True)

    def _mounting(self, first: str) -> list[str]:
        """Words in front of the daemon's own: `first`, and the mounts that it alone sees and that end with it."""
        steps, data = [first], self.folder / "data"
        if self._seen:
            # Docker mounts over the layers, which hides them, unless the folder is already a shared mount.
            steps += ["mount --make-rslave /", f"mount --bind {data} {data}", f"mount --make-shared {data}"]
            steps += [f"mount --bind --options ro {layer} {own}" for layer, own in self._seen.items()]
        words = ["sh", "-c", " && ".join([*steps, 'exec "$@"']), "sh"]
        return ["--mount", *words] if self._seen else words

    def _copy(self, source: docker.DockerClient, image: str) -> None:
        client = docker.DockerClient(base_url=self.url, timeout=300)
        with tempfile.TemporaryFile(dir="/var/tmp") as archive:
            for chunk in source.images.get(image).save():
                archive.write(chunk)
            archive.seek(0)
            client.images.load(archive)

    def sleeper(self) -> str:
        """Id of a tiny image that does nothing: made of this machine's own `sleep`, so nothing is copied for minutes."""
        program = shutil.which("sleep")
        assert program is not None
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        files = {program, *re.findall(r"(/\S+)", linked)}
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
                for path in sorted(files):
                    tar.add(path)
            archive.seek(0)
            client = docker.DockerClient(base_url=self.url, timeout=60)
            change = f'ENTRYPOINT ["{program}", "3600"]'
            client.api.import_image_from_data(archive.read(), repository="sleeper", changes=[change])
        return client.images.get("sleeper").id

    def end(self) -> None:
        """Stop it, with all its containers, and remove what it kept."""
        if self.process is not None:
            with contextlib.suppress(DockerException):
                client = docker.DockerClient(base_url=self.url)
                for container in client.containers.list(all=True):
                    with contextlib.suppress(DockerException):
                        container.remove(force=True)
            self.stop()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([one for one in mounts if one.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
