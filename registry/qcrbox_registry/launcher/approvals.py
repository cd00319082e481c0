"""Which image an application may run as: decided by an administrator, kept on the launcher's machine, by content id.

`python -m qcrbox_registry.launcher.approvals --data DIR list | approve SLUG VERSION IMAGE_ID | retire SLUG VERSION`
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import os
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from qcrbox.contract.errors import QcError, UserInputError

_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Approval:
    """The image that an application version may run as."""

    slug: str
    version: str
    image_id: str  # sha256:… of the image's configuration: another content is another id
    image_name: str = ""
    approved_by: str = ""
    approved_at: float = 0.0


class Approvals:
    """DATA/approved_images.json; read at each call, written as a whole."""

    def __init__(self, data: Path) -> None:
        self.path = data / "approved_images.json"

    def all(self) -> list[Approval]:
        """All approvals; none if the file does not exist."""
        with contextlib.suppress(FileNotFoundError):
            return [Approval(**entry) for entry in json.loads(self.path.read_text())]
        return []

    def image(self, slug: str, version: str) -> Approval | None:
        """The approval of an application version, or None."""
        return next(
            (approval for approval in self.all() if (approval.slug, approval.version) == (slug, version)),
            None,
        )

    def approve(
        self, slug: str, version: str, image_id: str, *, image_name: str = "", by: str = ""
    ) -> Approval:
        """Replace what was approved for this application and version.

        Raises UserInputError for anything but an image's id: a name or a tag could mean another image tomorrow.
        """
        if not _IMAGE_ID.fullmatch(image_id):
            raise UserInputError(
                f"{image_id[:80]!r} is not the id of an image.",
                why="A name can be moved to another image after the approval.",
                next="Give the id that `docker image inspect` shows, sha256:… with 64 digits.",
            )
        made = Approval(slug, version, image_id, image_name, by, time.time())
        self._write(
            [approval for approval in self.all() if (approval.slug, approval.version) != (slug, version)]
            + [made]
        )
        return made

    def retire(self, slug: str, version: str) -> bool:
        """No new agent is started for it. False when it was not approved."""
        kept = [approval for approval in self.all() if (approval.slug, approval.version) != (slug, version)]
        changed = len(kept) != len(self.all())
        self._write(kept)
        return changed

    def _write(self, entries: list[Approval]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.write_text(json.dumps([asdict(entry) for entry in entries], indent=1))
        draft.chmod(0o600)
        draft.replace(self.path)


def main(argv: list[str] | None = None) -> int:
    """List, approve or retire images on the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m qcrbox_registry.launcher.approvals")
    parser.add_argument("--data", type=Path, required=True, help="data folder of the platform")
    parser.add_argument("--image-name", default="", help="what people call the image, for lists")
    parser.add_argument("--by", default="", help="who approves; default: the account that runs this")
    parser.add_argument("verb", choices=("list", "approve", "retire"))
    parser.add_argument("about", nargs="*", metavar="SLUG VERSION [IMAGE_ID]")
    given = parser.parse_args(argv)
    approvals = Approvals(given.data)
    try:
        if given.verb == "list":
            sys.stdout.write(json.dumps([asdict(approval) for approval in approvals.all()]) + "\n")
        elif given.verb == "approve" and len(given.about) == 3:
            approvals.approve(*given.about, image_name=given.image_name, by=given.by or getpass.getuser())
        elif given.verb == "retire" and len(given.about) == 2:
            return 0 if approvals.retire(*given.about) else 3
        else:
            parser.error(f"{given.verb} needs SLUG VERSION" + " IMAGE_ID" * (given.verb == "approve"))
    except QcError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
