"""What a structure view answers to the messages of its browser."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.widgets.structure_view.picture import Camera

if TYPE_CHECKING:
    from qcrbox.widgets.structure_view.view import StructureView

Answer = dict[str, Any] | None
_log = logging.getLogger("qcrbox.widgets")


def answer_to(view: StructureView, content: dict[str, Any]) -> Answer:
    """The answer to a message; None where the browser waits for none. Faults are answered by {"error": reason}.

    A message may come late, about atoms of a scene that was replaced meanwhile.
    """
    do = content.get("do")
    known = _ANSWERS.get(do) if isinstance(do, str) else None
    if known is None:
        return {"error": f"The view does not know {do!r}."}
    try:
        return known(view, content)
    except (QcError, ValueError) as error:
        return {"error": str(error)}
    except (KeyError, IndexError, TypeError) as error:
        _log.debug("a message of the browser cannot be used: %r", content, exc_info=True)
        return {"error": f"The view cannot use this message: {error!r}."}


def _rows(view: StructureView, rows: Any) -> list[int]:
    """Rows of the scene. Raises UserInputError for those that it has not."""
    found = [int(row) for row in rows]
    if any(not 0 <= row < len(view.scene) for row in found):
        raise UserInputError("The view shows other atoms now.", next="Choose the atoms again.")
    return found


def _names(view: StructureView, rows: list[int]) -> str:
    return "–".join(view.scene.labels[row] for row in rows)


def _measure(view: StructureView, content: dict[str, Any]) -> Answer:
    rows = _rows(view, content["rows"])
    found = view.scene.measure(rows)
    if found is None:
        return {"error": f"{_names(view, rows)} have no angle to measure: three of them lie on a line."}
    view.measurements.append(found)
    return {"text": found.value, "kind": found.kind}


def _plane(view: StructureView, content: dict[str, Any]) -> Answer:
    rows = _rows(view, content["rows"])
    found = view.scene.plane(rows, _rows(view, content.get("other", ())))
    if found is None:
        return {"error": f"{_names(view, rows)} lie on a line: no plane is determined."}
    view.measurements.append(found)
    return {"text": found.value, "kind": found.kind, "details": found.details}


def _section(view: StructureView, content: dict[str, Any]) -> Answer:
    rows = _rows(view, content["rows"])
    if view.density is None:
        return {"error": "There is no density to cut."}
    picture = view.cut(rows)
    return {"png": base64.b64encode(picture.image("png")).decode(), "alt": picture.alt}


def _neighbours(view: StructureView, content: dict[str, Any]) -> Answer:
    which = str(content["which"])
    view.show_neighbours(int(which) if which.isdecimal() else which)
    return {"count": len(view.scene)}


def _watch_surface(view: StructureView, content: dict[str, Any]) -> Answer:
    view.watch_surface(bool(content["on"]))
    return None


def _set(view: StructureView, content: dict[str, Any]) -> Answer:
    view.set(**content["options"])
    return {"count": len(view.scene)}


def _grow(view: StructureView, content: dict[str, Any]) -> Answer:
    view.grow(str(content["mode"]))
    return {"count": len(view.scene)}


def _describe(view: StructureView, content: dict[str, Any]) -> Answer:
    (row,) = _rows(view, [content["row"]])
    return {"text": view.scene.description(row)}


def _camera(view: StructureView, content: dict[str, Any]) -> Answer:
    rotation = np.array(content["rotation"], dtype=float).reshape(3, 3)
    x, y = (float(shift) for shift in content.get("shift", (0.0, 0.0)))
    across = float(content["across"])
    if not np.isfinite([*rotation.ravel(), x, y, across]).all():
        raise UserInputError("A camera needs finite numbers.")
    view.follow_camera(Camera(rotation, across, (x, y)))
    return None


def _edits(view: StructureView, content: dict[str, Any]) -> Answer:
    view.selected = tuple(map(str, content.get("selected") or ()))
    view.edits = str(content.get("text") or "")
    return None


def _note(view: StructureView, content: dict[str, Any]) -> Answer:
    view.follow_options(content["options"])
    return None


def _svg(view: StructureView, content: dict[str, Any]) -> Answer:
    width, height = int(content.get("width", 760)), int(content.get("height", 520))
    return {"svg": view.svg(width=width, height=height)}


def _table(view: StructureView, content: dict[str, Any]) -> Answer:
    del content
    rows = [list(row) for row in view.scene.table_rows()]
    return {"heads": list(view.scene.TABLE_HEADS), "rows": rows}


_ANSWERS: dict[str, Callable[[StructureView, dict[str, Any]], Answer]] = {
    "measure": _measure,
    "plane": _plane,
    "section": _section,
    "neighbours": _neighbours,
    "watch surface": _watch_surface,
    "set": _set,
    "grow": _grow,
    "describe": _describe,
    "camera": _camera,
    "edits": _edits,
    "note": _note,
    "svg": _svg,
    "table": _table,
}
