"""Structure views for Lab's own tabs: the widget of the notebook, answered by this server instead of a kernel."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import Any

from qcrbox.contract.errors import NotFound

from qcrbox_extension.file_model import FileModel

Json = dict[str, Any]
MOST_VIEWS = 24


class BrowserWidget:
    """Stands where the notebook's widget stands: keeps its state, and what has to be sent."""

    def __init__(self) -> None:
        self.state: Json = {"scene": {}, "density": {}, "surface": {}, "link": "", "twin": ""}
        self.changed: set[str] = set()
        self.sent: list[Json] = []

    def show_scene(self, scene: Any, title: str) -> None:
        """Replace the scene."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.widgets.structure_view.packing import packed

        self._put("scene", packed(scene, title))

    def send(self, content: Json) -> None:
        """Keep a message for the browser."""
        self.sent.append(content)

    @property
    def density(self) -> Json:
        """The density as the browser draws it; empty for none."""
        return dict(self.state["density"])

    @density.setter
    def density(self, density: Json) -> None:
        self._put("density", density)

    @property
    def surface(self) -> Json:
        """The surface as the browser draws it; empty for none."""
        return dict(self.state["surface"])

    @surface.setter
    def surface(self, surface: Json) -> None:
        self._put("surface", surface)

    def _put(self, name: str, value: Json) -> None:
        self.state[name] = value
        self.changed.add(name)

    def taken(self) -> Json:
        """State that changed and messages since the last time."""
        answer = {"state": {name: self.state[name] for name in sorted(self.changed)}, "messages": self.sent}
        self.changed, self.sent = set(), []
        return answer


class LiveViews:
    """Open structure views by key; the one that was not used for longest goes first."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, tuple[Any, BrowserWidget, FileModel, FileModel | None]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, file: FileModel, fcf: FileModel | None = None) -> Json:
        """A new view of the structure in a file: its key and the state of its widget. Raises QcError."""
        # Start-up time: as above.
        from qcrbox.widgets.structure_view import StructureView

        view, widget = StructureView(file.structure, title=file.filename), BrowserWidget()
        view.attach(widget)
        if file.kind == "cube":
            view.show_density(file.cube.to_draw())
        widget.taken()
        key = secrets.token_hex(16)
        with self._lock:
            self._views[key] = (view, widget, file, fcf)
            while len(self._views) > MOST_VIEWS:
                self._views.popitem(last=False)
        return {"key": key, "state": widget.state}

    def hear(self, key: str, message: Json) -> Json:
        """What a message of the browser changes and answers. Raises NotFound for a view that is gone."""
        with self._lock:
            if key not in self._views:
                raise NotFound("This view is no longer open on the server.", next="Open it again.")
            self._views.move_to_end(key)
            view, widget, file, fcf = self._views[key]
            if message.get("do") == "difference density":
                view.show_density(_difference(file, fcf) if message.get("shown") else None)
            elif message.get("do") == "highlight":
                view.highlight(*map(str, message.get("labels") or ()))
            else:
                view.hear(widget, message)
            return widget.taken()


def _difference(file: FileModel, fcf: FileModel | None) -> Any:
    # Start-up time: as above.
    from qcrbox.display.plots import Plots

    return Plots(file, fcf).difference_density()
