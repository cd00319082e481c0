"""What our handlers in a Jupyter server have in common."""

from __future__ import annotations

import json

from jupyter_server.base.handlers import APIHandler
from qcrbox.contract.errors import QcError


class Handler(APIHandler):
    """A route under `qcrbox/`, for users who may use this server's `qcrbox` resource."""

    auth_resource = "qcrbox"

    def refuse(self, error: QcError) -> None:
        """Answer a fault in the registry's error envelope."""
        self.set_status(error.status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(error.envelope()))
