"""Signed heads of the audit trail: the newest hash, signed and exported, so that a rewritten trail shows.

The chain of hashes alone proves nothing against a person who can write the database: they can recompute it. A head
is signed with a key of DATA/secrets, which the code of users cannot read, and appended to DATA/audit/heads.ndjson,
to a second file (on another disk or machine) and to the system log, where the settings say so.
"""

from __future__ import annotations

import base64
import json
import os
import syslog
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from qcrbox_registry.messaging.keys import Key, Secrets
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import audit
from qcrbox_registry.store.engine import Connection


def heads_of(settings: Settings, secrets: Secrets, *copies: Path) -> AuditHeads:
    """The heads of this data folder, exported as the settings say. copies: further exported files, to be checked."""
    files = [settings.data / "audit" / "heads.ndjson"]
    if settings.audit_heads is not None:
        files.append(settings.audit_heads)
    files += copies
    return AuditHeads(secrets.audit(), files, to_syslog=settings.audit_syslog)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of the trail at a moment (Unix time, s), signed. `key`: the public half of the signing key."""

    seq: int
    hash: str
    at: float
    key: str
    signature: str

    @property
    def signed(self) -> bytes:
        """The bytes under the signature."""
        return f"qcrbox audit head\n{self.seq}\n{self.hash}\n{self.at!r}".encode()


class AuditHeads:
    """Signs and checks heads. `files`: every file that heads are appended to."""

    def __init__(self, key: Key, files: Sequence[Path], *, to_syslog: bool = False) -> None:
        self._key, self._files, self._to_syslog = key, list(files), to_syslog
        self._last: tuple[int, str] | None = None

    def sign(self, conn: Connection, now: float) -> Head | None:
        """Sign and export the present head; None when it was signed before, or the trail is empty. now: Unix time, s."""
        newest = audit.head(conn)
        if newest == self._last or newest[0] == 0:
            return None
        unsigned = Head(*newest, now, self._key.public, "")
        signature = base64.b64encode(self._key.sign(unsigned.signed)).decode()
        head = Head(*newest, now, self._key.public, signature)
        line = json.dumps(asdict(head))
        for file in self._files:
            _append(file, line)
        if self._to_syslog:
            syslog.openlog("qcrbox-registry", facility=syslog.LOG_AUTH)
            syslog.syslog(syslog.LOG_NOTICE, f"audit head {line}")
        self._last = newest
        return head

    def faults(self, conn: Connection) -> list[str]:
        """What does not agree with the exported heads, as texts; empty for a sound trail."""
        found: dict[Path, list[Head]] = {}
        faults: list[str] = []
        for file in self._files:
            heads = found[file] = []
            if file.is_file():
                faults += self._faults_of(conn, file, heads)
        return faults + list(_missing(found))

    def _faults_of(self, conn: Connection, file: Path, heads: list[Head]) -> Iterator[str]:
        with file.open() as lines:
            for number, line in enumerate(lines, 1):
                head = self._verified(line)
                if head is None:
                    yield f"{file}, line {number}: not a head that this registry signed"
                else:
                    heads.append(head)
        hashes = audit.hashes(conn, [head.seq for head in heads])
        for head in heads:
            if head.seq not in hashes:
                yield f"audit entry {head.seq} was signed and is missing"
            elif hashes[head.seq] != head.hash:
                yield f"audit entry {head.seq} was changed after it was signed"

    def _verified(self, line: str) -> Head | None:
        try:
            head = Head(**json.loads(line))
            signature = base64.b64decode(head.signature, validate=True)
        except (ValueError, TypeError):
            return None
        return head if self._key.verify(head.signed, signature) else None


def _missing(found: dict[Path, list[Head]]) -> Iterator[str]:
    """Heads that one file has and another lost. A file may begin later than the others: the setting came later."""
    everywhere = {head.seq for heads in found.values() for head in heads}
    for file, heads in found.items():
        if everywhere and not heads:
            yield f"{file}: there are no signed heads"
            continue
        mine = {head.seq for head in heads}
        for seq in sorted(seq for seq in everywhere - mine if seq > min(mine)):
            yield f"{file}: the signed head of entry {seq} is missing"


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(line + "\n")
        opened.flush()
        os.fsync(opened.fileno())
