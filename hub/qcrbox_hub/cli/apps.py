"""`qcrbox apps`: applications as a developer makes them and an administrator lets them in."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from qcrbox import spec
from qcrbox.contract.errors import NotFound, QcError, SpecError, UserInputError
from qcrbox.spec.folder import WANTED, is_application, required_spec_of
from rich.console import Console
from rich.table import Table

from qcrbox_hub.apps import check as checks
from qcrbox_hub.apps import images, scaffold, suite
from qcrbox_hub.apps.platform import private_platform
from qcrbox_hub.apps.runner import SuiteRunner, junit_xml, report_lines
from qcrbox_hub.cli.console import DataOption, data_folder, say
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import (
    BuiltImage,
    approved_images,
    built_images,
    choose_image,
    connect,
    keep_image,
    let_go_of_image,
)

apps = typer.Typer(help="Make, check, build, test and approve applications.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Argument(help="Folder of the application, or the name of one that comes with QCrBox.")
]
Rebuild = Annotated[bool, typer.Option("--rebuild", help="Rebuild even if an image exists.")]
BuildArg = Annotated[
    list[str] | None,
    typer.Option(
        "--build-arg",
        metavar="NAME=VALUE",
        help="Value of an ARG of the Dockerfile; may be repeated.",
        show_default=False,
    ),
]
Ca = Annotated[
    Path | None,
    typer.Option("--ca", help="Certificate of an authority that builds must trust.", show_default=False),
]


@apps.command("list")
def list_(
    data: DataOption = None,
    applications: Annotated[list[Path] | None, typer.Option(help="Further application folders.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Applications, whether their images are built, and which image is approved."""
    rows = _rows(data_folder(data).path, applications or [])
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table("application", "version", "image", "size", "approved", "folder", box=None)
    for row in rows:
        size = f"{row['size'] / 1e6:.0f} MB" if row["size"] else ""
        table.add_row(
            row["slug"], row["version"], row["image"] or "not built", size, row["approved"], row["folder"]
        )
    Console().print(table)


@apps.command("new")
def new(
    slug: Annotated[str, typer.Argument(help="Name of the application: letters, digits, _ and -.")],
    into: Annotated[Path, typer.Option("--in", help="Folder to make it in.")] = Path(),
) -> None:
    """Write the folder of a new application; it passes `check` and `test` as it is."""
    print(scaffold.create(into, slug))


@apps.command("check")
def check(folder: Folder) -> None:
    """Report faults with file and line. Exit code 1 when there are any."""
    where = _folder(folder)
    found = checks.check(where)
    for problem in found.problems:
        print(f"problem  {problem}")
    for note in found.notes:
        print(f"note     {note}")
    if found.problems:
        raise typer.Exit(1)
    print(f"{where.name} can be used.")


@apps.command("build")
def build(
    folder: Annotated[
        list[str] | None, typer.Argument(help="Application folders or names; `base`, `gui-base`.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All applications that come with QCrBox.")
    ] = False,
    rebuild: Rebuild = False,
    build_arg: BuildArg = None,
    ca: Ca = None,
) -> None:
    """Build images. An image that was built from the same files and arguments is kept."""
    wanted = [*(folder or []), *(_with_dockerfile() if everything else [])]
    if not wanted:
        raise UserInputError("Nothing to build was named.", next="Give a folder, a name, or --all.")
    arguments = _arguments(build_arg)
    if arguments and (len(wanted) != 1 or wanted[0] in ("base", "gui-base")):
        raise UserInputError(
            "--build-arg is for one application, since every Dockerfile has its own arguments.",
            where="--build-arg",
            next="Name one application, and build the others by a command of their own.",
        )
    builder = _builder(ca)
    for name in wanted:
        if name == "base":
            print(builder.build_base(rebuild=rebuild))
        elif name == "gui-base":
            print(builder.build_gui_base(rebuild=rebuild))
        else:
            folder_of = _folder(Path(name))
            built = builder.build_application(folder_of, rebuild=rebuild, arguments=arguments)
            print("{}  {}".format(*built))


@apps.command("test")
def run_suite(
    folder: Folder,
    manager: Annotated[
        str, typer.Option(help="docker: in its container; process: on this machine, without Docker.")
    ] = "docker",
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML.")] = None,
    timeout: Annotated[float, typer.Option(help="Longest time of one case, s.")] = 600.0,
    build_arg: BuildArg = None,
) -> None:
    """Run tests/suite.yaml of the folder on a private platform. Exit code 1 when a case fails."""
    where = _folder(folder)
    found = checks.check(where)
    if found.problems:
        raise SpecError(
            f"{where.name} has faults.", why="; ".join(found.problems[:5]), problems=found.problems
        )
    tests = suite.load(where / "tests" / "suite.yaml")
    arguments = _arguments(build_arg)
    image = _builder(None).build_application(where, arguments=arguments)[1] if manager == "docker" else ""

    def let_in(data: Path) -> None:
        if image:
            _approvals(data, "approve", tests.application_slug, tests.application_version, image)

    with private_platform(where, manager, let_in) as client:
        results = SuiteRunner(client, timeout_s=timeout, say=say).run(tests)
    for line in report_lines(tests, results):
        print(line)
    if junit is not None:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_bytes(junit_xml(tests, results))
    if any(not result.passed and not result.left_out for result in results):
        raise typer.Exit(1)


@apps.command("approve")
def approve(
    folder: Annotated[list[Path] | None, typer.Argument(help="Application folders or names.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that come with QCrBox and are built.")
    ] = False,
    image: Annotated[
        str, typer.Option(help="Tag or id of the image; without it the newest one.", show_default=False)
    ] = "",
    data: DataOption = None,
) -> None:
    """Let people use an application: its newest image, or the one of --image, by its content is what will run.

    A tag qcrbox/approved:… keeps the image when others are pruned.
    """
    where = data_folder(data).path
    client = connect()
    built = built_images(client)
    wanted = [*(folder or []), *map(Path, _with_dockerfile() if everything else [])]
    if image and len(wanted) != 1:
        raise UserInputError(
            "--image names the image of one application.", next="Name that application alone."
        )
    for name in wanted:
        application = spec.load(required_spec_of(_folder(name)))
        identity = (application.slug, application.version)
        there = [each for each in built if (each.slug, each.version) == identity]
        if not there and everything and name not in (folder or []):
            continue
        found = choose_image(built, *identity, image)
        keep_image(client, found.id, where)
        _approvals(where, "approve", *identity, found.id, "--image-name", found.name)
        others = f"; {len(there) - 1} other images of it are left alone" if len(there) > 1 else ""
        built_at = datetime.fromtimestamp(found.built_at, UTC).strftime("%Y-%m-%d %H:%M")
        print(f"{' '.join(identity)} runs as {found.id[:19]} ({found.name}, built {built_at} UTC{others})")


@apps.command("retire")
def retire(folder: Folder, data: DataOption = None) -> None:
    """Take an approval back: no new container of this application is started, and its image is no longer kept."""
    application = spec.load(required_spec_of(_folder(folder)))
    where = data_folder(data).path
    approval = approved_images(where).get((application.slug, application.version), {})
    _approvals(where, "retire", application.slug, application.version)
    if image_id := approval.get("image_id"):
        try:
            let_go_of_image(connect(), image_id, where)
        except QcError as error:
            say(f"{error.what} The image keeps its tag.")
    print(f"{application.slug} {application.version} is not approved any more")


# ---------------------------------------------------------------- what they share


def _folder(given: Path) -> Path:
    """A folder, or one of ours by its name."""
    known = paths.applications_folder() / given.name
    for candidate in (given, known):
        if is_application(candidate) and (candidate is given or len(given.parts) == 1):
            return candidate.resolve()
    raise NotFound(
        f"{str(given)!r} is no application.",
        why=f"There is no {WANTED} in it.",
        next="Name a folder with one, or see `qcrbox apps list`.",
    )


def _arguments(given: list[str] | None) -> dict[str, str]:
    """Names and values of `--build-arg`."""
    found = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (equals and name.isidentifier()):
            raise UserInputError(
                f"{text!r} is no NAME=VALUE.",
                where="--build-arg",
                next="Write for example --build-arg PERIODIC='gpaw gpaw-data'.",
            )
        found[name] = value
    return found


def _with_dockerfile() -> list[str]:
    return [str(folder) for folder in paths.application_folders()]


def _builder(ca: Path | None) -> images.ImageBuilder:
    return images.ImageBuilder(
        connect(),
        sources=paths.applications_folder(),
        constraints=paths.agent_pins(),
        say=say,
        ca=ca,
    )


def _approvals(data: Path, *words: str) -> str:
    """The launcher's own list, through its own program: it is another room."""
    done = subprocess.run(
        [sys.executable, "-m", "qcrbox_registry.launcher.approvals", "--data", str(data), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        raise NotFound(f"{words[1]} {words[2]} was not approved.")
    if done.returncode:
        raise UserInputError(done.stderr.strip() or "The approval could not be written.")
    return done.stdout


def _rows(data: Path, more: list[Path]) -> list[dict[str, Any]]:
    approved = {
        (entry["slug"], entry["version"]): entry for entry in json.loads(_approvals(data, "list") or "[]")
    }
    try:
        built = _newest(built_images(connect()))
    except QcError as error:
        say(f"{error.what} Images are not shown.")
        built = {}
    rows = []
    for folder in paths.application_folders(more):
        try:
            application = spec.load(required_spec_of(folder))
        except SpecError as error:
            rows.append(_row(folder, folder.name, "", None, f"faulty: {error.what}"))
            continue
        identity = (application.slug, application.version)
        image, approval = built.pop(identity, None), approved.pop(identity, None)
        rows.append(_row(folder, *identity, image, _approved(image, approval)))
    for identity in dict.fromkeys([*built, *approved]):
        image = built.get(identity)
        rows.append(_row("", *identity, image, _approved(image, approved.get(identity))))
    return rows


def _newest(images: list[BuiltImage]) -> dict[tuple[str, str], BuiltImage]:
    """The newest image of each application."""
    return {(image.slug, image.version): image for image in reversed(images)}


def _approved(image: BuiltImage | None, approval: dict[str, Any] | None) -> str:
    if approval is None:
        return "no"
    return "yes" if image and image.id == approval["image_id"] else "another image"


def _row(folder: Path | str, slug: str, version: str, image: BuiltImage | None, approved: str) -> dict:
    return {
        "slug": slug,
        "version": version,
        "folder": str(folder),
        "image": image.id[:19] if image else "",
        "size": image.size if image else 0,
        "approved": approved,
    }
