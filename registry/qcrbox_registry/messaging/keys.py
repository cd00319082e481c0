"""Seeds and keys in DATA/secrets: made once, readable by this account only, never in argv or a log."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nkeys
from qcrbox.contract.errors import QcError

SIGNING_KEY_BYTES = 32


@dataclass(frozen=True)
class Key:
    """An nkey: the seed signs, the public half names the user or account."""

    seed: bytes

    @property
    def public(self) -> str:
        """The public half, as NATS writes it."""
        public: bytes = nkeys.from_seed(bytearray(self.seed)).public_key
        return public.decode()

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature of these bytes."""
        signature: bytes = nkeys.from_seed(bytearray(self.seed)).sign(data)
        return signature

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        try:
            nkeys.from_seed(bytearray(self.seed)).verify(data, signature)
        except (nkeys.ErrInvalidSignature, ValueError):
            return False
        return True


class Secrets:
    """The folder DATA/secrets. Every file is made on first use with mode 0600."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "secrets"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def account(self) -> Key:
        """The NATS account, which signs the JWTs of its users."""
        return Key(self._kept("nats_account.nk", lambda: _new_seed(nkeys.PREFIX_BYTE_ACCOUNT)))

    def user(self, name: str) -> Key:
        """The seed of a fixed NATS user: `registry`, `system` or `launcher-<name>`."""
        return Key(self._kept(f"nats_{name}.nk", lambda: _new_seed(nkeys.PREFIX_BYTE_USER)))

    def user_file(self, name: str) -> Path:
        """The seed file of a user, made if it is not there; launchers are started with this path."""
        self.user(name)
        return self.folder / f"nats_{name}.nk"

    def launchers(self) -> list[str]:
        """Names of the launchers that have a seed here."""
        return sorted(
            path.stem.removeprefix("nats_launcher-") for path in self.folder.glob("nats_launcher-*.nk")
        )

    def audit(self) -> Key:
        """The key that signs heads of the audit trail."""
        return Key(self._kept("audit.nk", lambda: _new_seed(nkeys.PREFIX_BYTE_USER)))

    def signing_key(self) -> bytes:
        """The key that signs enrolment and file tokens."""
        return self._kept("signing.key", lambda: secrets.token_hex(SIGNING_KEY_BYTES).encode())

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self.folder / name
        try:
            content = path.read_bytes().strip()
        except FileNotFoundError:
            _write_once(path, make())
            content = path.read_bytes().strip()
        if not content:
            raise QcError(
                "A secret is empty.",
                where=str(path),
                why="Everybody could sign with it. A full disk or an incomplete restore leaves such a file.",
                next="Restore the file from a backup, or delete it: a new one is made, and what was signed with the old"
                " one has to join again.",
            )
        return content


def _write_once(path: Path, content: bytes) -> None:
    """Write a new file in one step; when two processes start at once, the first one wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _new_seed(prefix: int) -> bytes:
    return bytes(nkeys.encode_seed(secrets.token_bytes(32), prefix))
