"""Sharing objects with groups and persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.display.project_tree import time_text
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.box import Box


class Shares:
    """`qc.shares`: the shares you have granted."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def share(self, kind: str, object_id: str, with_: str, mode: str = "read") -> None:
        """Give `with_` (a group; `person:name` for one person) the right `mode` ("read" or "write")."""
        if mode not in ("read", "write"):
            raise UserInputError(f'mode must be "read" or "write"; you gave {mode!r}.')
        who = {"person": with_.removeprefix("person:")} if with_.startswith("person:") else {"group": with_}
        self._box.client.post("/api/shares", {"kind": kind, "object_id": object_id, "mode": mode, **who})

    def unshare(self, kind: str, object_id: str, with_: str) -> list[str]:
        """Revoke the shares with this group or person; returns their modes. Raises NotFound."""
        shared = self.of(kind, object_id)
        if with_.startswith("person:"):
            hits = [share for share in shared if share.get("person") == with_.removeprefix("person:")]
        else:
            # A person's name will do where no group is called like this.
            hits = [share for share in shared if share.get("group") == with_]
            hits = hits or [share for share in shared if share.get("person") == with_]
        if not hits:
            raise NotFound(f"It is not shared with {with_!r}.")
        for share in hits:
            self._box.client.delete(f"/api/shares/{share['id']}")
        return [str(share["mode"]) for share in hits]

    def of(self, kind: str, object_id: str) -> list[dict[str, Any]]:
        """The shares of one object."""
        return list(self._box.client.get("/api/shares", kind=kind, object_id=object_id).get("shares", ()))

    def table(self) -> Table:
        """All shares."""
        payload = self._box.client.get("/api/shares").get("shares", ())
        rows = [
            (
                s["kind"],
                s["object_id"][-8:],
                s.get("group") or s.get("person"),
                s["mode"],
                time_text(s.get("expires_at")),
            )
            for s in payload
        ]
        return Table(
            ("kind", "id", "with", "mode", "until"),
            rows,
            title="Shared",
            caption="" if rows else "You share nothing.",
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
