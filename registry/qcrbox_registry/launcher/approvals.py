"""Which image an application may run as: decided by an administrator, kept on the launcher's machine, by content id."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Approval:
    slug: str
    version: str
    image_id: str  # sha256:… of the image's configuration: another content is another id
    image_name: str = ""
    approved_by: str = ""
    approved_at: float = 0.0


class Approvals:
    """DATA/approved_images.json; read anew on each question, written whole."""

    def __init__(self, data: Path) -> None:
        self.path = data / "approved_images.json"

    def all(self) -> list[Approval]:
        with contextlib.suppress(FileNotFoundError):
            return [Approval(**entry) for entry in json.loads(self.path.read_text())]
        return []

    def image(self, slug: str, version: str) -> Approval | None:
        return next((one for one in self.all() if (one.slug, one.version) == (slug, version)), None)

    def approve(
        self, slug: str, version: str, image_id: str, *, image_name: str = "", by: str = ""
    ) -> Approval:
        """Replace what was approved for this application and version."""
        made = Approval(slug, version, image_id, image_name, by, time.time())
        self._write([one for one in self.all() if (one.slug, one.version) != (slug, version)] + [made])
        return made

    def retire(self, slug: str, version: str) -> bool:
        """No new agent is started for it. False when it was not approved."""
        kept = [one for one in self.all() if (one.slug, one.version) != (slug, version)]
        changed = len(kept) != len(self.all())
        self._write(kept)
        return changed

    def _write(self, entries: list[Approval]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.write_text(json.dumps([asdict(entry) for entry in entries], indent=1))
        draft.chmod(0o600)
        draft.replace(self.path)
