"""Our key at a learning platform: it signs requests for access tokens; the platform reads its public half."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jupyterhub.handlers import BaseHandler

from qcrbox_hub.platform.data_folder import write_private

FILE = "lti13_key.pem"
LASTS_S = 300


class LtiKey:
    """An RSA key in a file that its owner alone reads; made the first time."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            plain = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_private(file, plain.decode())
        key = serialization.load_pem_private_key(file.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{file} holds no RSA key.")
        self._key = key

    @property
    def public(self) -> dict[str, Any]:
        """The public half as a JSON Web Key; its `kid` is made of the key."""
        plain = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        needed = {name: plain[name] for name in ("e", "kty", "n")}
        text = json.dumps(needed, sort_keys=True, separators=(",", ":"))
        return {
            **needed,
            "kid": hashlib.sha256(text.encode()).hexdigest()[:32],
            "alg": "RS256",
            "use": "sig",
        }

    def assertion(self, client_id: str, audience: str) -> str:
        """A signed statement that we are this client, good once and for five minutes."""
        now = int(time.time())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now + LASTS_S,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self.public["kid"]})


@cache
def key_of(data: Path) -> LtiKey:
    """The key of a data folder. Read once: anyone may ask for its public half, and reading it checks its numbers."""
    return LtiKey(data / "secrets" / FILE)


class Keys(BaseHandler):
    """`/hub/lti13/keys`: the public key set, which the learning platform is given as an address."""

    def get(self) -> None:
        """Answer the key set; it holds no secret."""
        key = key_of(Path(self.authenticator.data))
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"keys": [key.public]}))
