"""Builds application images: the two bases, then one image per application folder.

Where a container registry can be reached, the public Debian image is pulled; where none can, an image of
the same name is made with debootstrap, so the Dockerfiles are the same in both worlds.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import docker
import qcrbox
from docker.errors import APIError, DockerException, ImageNotFound
from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.spec import load
from qcrbox.spec.folder import application_files, required_spec_of

from qcrbox_hub.apps.dockerfile import DEFAULT_DOCKERFILE
from qcrbox_hub.platform.built_images import LABEL

DEBIAN = "debian:bookworm-slim"
BASE = "qcrbox/base:latest"
GUI_BASE = "qcrbox/gui-base:latest"
# The second build of every application: the agent of this version replaces the one the base was built with,
# so a newer agent costs seconds and not the application's packages once more.
_WITH_AGENT = """\
FROM {image}
USER root
COPY packages/ /opt/qcrbox/lib/python3.11/site-packages/
RUN ["/opt/qcrbox/bin/python", "-m", "compileall", "-q", "/opt/qcrbox/lib/python3.11/site-packages/qcrbox", "/opt/qcrbox/lib/python3.11/site-packages/qcrbox_agent", "/opt/application"]
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["/opt/qcrbox/bin/python", "-m", "qcrbox_agent"]
CMD []
"""
SYSTEM_CA = Path("/etc/ssl/certs/ca-certificates.crt")

Say = Callable[[str], None]


class BuildFailed(QcError):
    """A build step failed. Field: log_tail, the last lines of the build."""

    kind = "build_failed"


def image_name(slug: str, version: str) -> str:
    """`qcrbox/app-<slug>:<version>`, made of the characters Docker allows. No two applications share a name, nor two versions."""
    return f"qcrbox/app-{_allowed(slug, _PLAIN_SLUG)}:{_allowed(version, _PLAIN_VERSION)}"


_PLAIN_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PLAIN_VERSION = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*", re.IGNORECASE)


def _allowed(text: str, plain: re.Pattern[str]) -> str:
    """The text itself, or what can be read of it with a hash behind `_`, which no plain one holds."""
    if plain.fullmatch(text) and len(text) <= 100:
        return text
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "x"
    return f"{readable}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class ImageBuilder:
    """Builds with one daemon. `sources` is the folder that holds `base/` and `gui_base/`; `constraints` the agent's pins."""

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        sources: Path,
        constraints: Path,
        say: Say,
        ca: Path | None = None,
    ):
        self.client, self.sources, self.constraints, self.say = client, sources, constraints, say
        self.ca = ca

    # ------------------------------------------------------------ bases

    def ensure_debian(self) -> str:
        """The public base image: kept, pulled, or made of the same name."""
        if self._has(DEBIAN):
            return DEBIAN
        self.say(f"Fetching {DEBIAN} ...")
        try:
            self.client.images.pull(*DEBIAN.split(":"))
        except (APIError, DockerException) as problem:
            self.say(
                f"No container registry answers ({str(problem)[:80]}). Making the image with debootstrap (about a minute) ..."
            )
            self._debootstrap()
        return DEBIAN

    def _debootstrap(self) -> None:
        program = shutil.which("debootstrap", path="/usr/sbin:/usr/bin:/sbin:/bin")
        if program is None:
            raise UserInputError(
                "debootstrap is not installed, and no container registry can be reached.",
                next="Install it (`apt-get install debootstrap`), or load an image named debian:bookworm-slim with `docker load`.",
            )
        with tempfile.TemporaryDirectory(prefix="qcrbox-debootstrap-") as folder:
            root = Path(folder) / "root"
            made = subprocess.run(
                [program, "--variant=minbase", "--include=ca-certificates", "bookworm", str(root)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if made.returncode:
                raise BuildFailed(
                    "debootstrap failed.",
                    why=_tail(made.stdout + made.stderr, 5),
                    next="It needs root and a Debian mirror.",
                    log_tail=_tail(made.stdout + made.stderr, 20),
                )
            shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
            archive = Path(folder) / "root.tar"
            subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
            with archive.open("rb") as stream:
                name, tag = DEBIAN.split(":")
                self.client.api.import_image_from_data(stream, repository=name, tag=tag)

    def build_base(self, *, rebuild: bool = False) -> str:
        """Debian, Python and the agent. Rebuilt when its pins changed; newer agent code is put on top of it later."""
        context = self._base_context()
        stamp = digest({name: part for name, part in context.items() if not name.startswith("packages/")})
        if rebuild or self._built(BASE, stamp) is None:
            self.ensure_debian()
            self._build(BASE, context, {"content": stamp}, "the base image")
        return BASE

    def build_gui_base(self, *, rebuild: bool = False) -> str:
        """Build the base image for programs with a window if it is out of date; returns its name."""
        base = self.build_base(rebuild=rebuild)
        context = {"Dockerfile": (self.sources / "gui_base/Dockerfile").read_bytes()}
        stamp = digest(context) + ":" + self.client.images.get(base).id
        if rebuild or self._built(GUI_BASE, stamp) is None:
            self._build(GUI_BASE, context, {"content": stamp}, "the base image for programs with a window")
        return GUI_BASE

    # ------------------------------------------------------------ applications

    def build_application(
        self, folder: Path, *, rebuild: bool = False, arguments: Mapping[str, str] | None = None
    ) -> tuple[str, str]:
        """Build one application folder. Returns (name, image id).

        arguments: values of the ARG lines of its Dockerfile. The id is that of this build: another user may build under the same
        name at the same time. Raises UserInputError for arguments that the Dockerfile does not have.
        """
        given = dict(arguments or {})
        # Not by YAML alone: it would read the version 2022.10 as the number 2022.1.
        spec = load(required_spec_of(folder))
        slug, version = spec.slug, spec.version
        context = {name: path.read_bytes() for name, path in application_files(folder)}
        context.setdefault("requirements.txt", b"")
        dockerfile = context.setdefault("Dockerfile", DEFAULT_DOCKERFILE.encode()).decode()
        _refuse_unknown(given, dockerfile)
        base = self._base_of(dockerfile, rebuild)
        of_arguments = {f"ARG {name}": value.encode() for name, value in given.items()}
        stamp = digest(context | of_arguments) + ":" + self.client.images.get(base).id
        name = image_name(slug, version)
        program_name = f"{name.partition(':')[0]}-program:{name.partition(':')[2]}"
        program = None if rebuild else self._built(program_name, stamp)
        if program is None:
            program = self._build(program_name, context, {"content": stamp}, f"{slug} {version}", given)
        packages = dict(_agent_packages())
        whole = digest(packages) + ":" + program
        image = None if rebuild else self._built(name, whole)
        if image is None:
            packages["Dockerfile"] = _WITH_AGENT.format(image=program).encode()
            labels = {"content": whole, "application": slug, "version": version}
            image = self._build(name, packages, labels, f"{slug} {version} with the agent")
        return name, image

    def _base_of(self, dockerfile: str, rebuild: bool) -> str:
        build = self.build_gui_base if base_of(dockerfile) == GUI_BASE else self.build_base
        return build(rebuild=rebuild)

    # ------------------------------------------------------------ inside

    def _base_context(self) -> dict[str, bytes]:
        context = {
            "Dockerfile": (self.sources / "base/Dockerfile").read_bytes(),
            "agent.txt": self.constraints.read_bytes(),
            "ca/README": b"Extra certificate authorities, if any.\n",
        }
        ca = self.ca or (SYSTEM_CA if behind_own_ca() else None)
        if ca is not None:
            context.update(certificates(ca))
        return context | dict(_agent_packages())

    def _build(
        self,
        name: str,
        context: dict[str, bytes],
        labels: dict[str, str],
        what: str,
        arguments: Mapping[str, str] | None = None,
    ) -> str:
        """Id of the image that was built; `name` means it from now on."""
        self.say(f"Building {what} ({name}) ...")
        lines: list[str] = []
        image = ""
        stream = self.client.api.build(
            fileobj=_tar(context), custom_context=True, tag=name, rm=True, forcerm=True, decode=True,
            network_mode="host", labels={f"{LABEL}.{key}": value for key, value in labels.items()},
            buildargs=dict(arguments or {}),
        )  # fmt: skip
        for part in stream:
            text = part.get("stream", "").rstrip()
            if text:
                lines.append(text)
            image = (part.get("aux") or {}).get("ID", image)
            if "error" in part:
                tail = "\n".join(lines[-20:])
                raise BuildFailed(
                    f"Building {what} failed: {part['error'].strip()}",
                    why=f"Last lines of the build:\n{tail}",
                    next="Mend the Dockerfile or the requirements and build again.",
                    log_tail=tail,
                )
        return image or self.client.images.get(name).id

    def _has(self, name: str) -> bool:
        try:
            self.client.images.get(name)
        except ImageNotFound:
            return False
        return True

    def _built(self, name: str, stamp: str) -> str | None:
        """Id of the image called `name` when it was built from the content of this stamp."""
        try:
            image = self.client.images.get(name)
        except ImageNotFound:
            return None
        return image.id if image.labels.get(f"{LABEL}.content") == stamp else None


def from_lines(dockerfile: str) -> list[str]:
    """The images that the stages of a Dockerfile start from."""
    return [line.split()[1] for line in dockerfile.splitlines() if re.match(r"(?i)FROM +\S", line)]


def arguments_of(dockerfile: str) -> list[str]:
    """Names of the arguments that a Dockerfile takes."""
    return re.findall(r"(?im)^\s*ARG\s+(\w+)", dockerfile)


def _refuse_unknown(arguments: Mapping[str, str], dockerfile: str) -> None:
    """Docker itself would only warn, and build what was not asked for."""
    known = arguments_of(dockerfile)
    unknown = sorted(arguments.keys() - set(known))
    if unknown:
        raise UserInputError(
            f"The Dockerfile has no argument {', '.join(unknown)}.",
            where="--build-arg",
            next=f"It has {', '.join(known)}." if known else "It takes none: leave the option out.",
        )


def base_of(dockerfile: str) -> str:
    """Which of our two bases a Dockerfile starts from. Raises UserInputError when from neither."""
    froms = from_lines(dockerfile)
    last = froms[-1].removesuffix(":latest") if froms else ""
    for base in (GUI_BASE, BASE):
        if last == base.removesuffix(":latest"):
            return base
    raise UserInputError(
        "The Dockerfile starts from neither qcrbox/base nor qcrbox/gui-base.",
        where="Dockerfile",
        why="The Python that runs the agent would be missing in the image.",
        next="Begin its last stage with `FROM qcrbox/base`, or `FROM qcrbox/gui-base` for a program with a window.",
    )


def _agent_folder(library: Path) -> Path:
    """Where `qcrbox_agent` lies: beside `qcrbox` in a wheel, in its room in a checkout. Not imported: it is another room."""
    spec = find_spec("qcrbox_agent")
    if spec is None or not spec.submodule_search_locations:
        raise UserInputError(
            "The agent's package is not installed.", next="Install qcrbox[agent].", where=str(library)
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _agent_packages() -> Iterator[tuple[str, bytes]]:
    """The two packages an agent consists of, as they are installed here."""
    library = Path(qcrbox.__file__).parent
    for package in (library, _agent_folder(library)):
        for name, path in application_files(package):
            if name.endswith((".py", ".tsv", ".json", ".gz", ".yaml", ".txt")):
                yield f"packages/{package.name}/{name}", path.read_bytes()


def digest(context: dict[str, bytes]) -> str:
    """SHA-256 of names and contents of a build context."""
    total = hashlib.sha256()
    for name in sorted(context):
        total.update(f"{name}\0{len(context[name])}\0".encode())
        total.update(context[name])
    return total.hexdigest()


def _tar(context: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in sorted(context.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if content.startswith(b"#!") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def behind_own_ca() -> bool:
    """A machine may have its own certificate authorities: builds need them to reach the package registries."""
    own = Path("/usr/local/share/ca-certificates")
    return own.is_dir() and any(own.rglob("*.crt"))


def certificates(bundle: Path) -> dict[str, bytes]:
    """`update-ca-certificates` wants one certificate per file."""
    if bundle == SYSTEM_CA:
        files = sorted(Path("/usr/local/share/ca-certificates").rglob("*.crt"))
        return {f"ca/{path.name}": path.read_bytes() for path in files}
    return {"ca/extra.crt": bundle.read_bytes()}


def _tail(text: str, lines: int) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
