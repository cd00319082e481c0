"""`python -m qcrbox_hub.jupyterhub.singleuser`: a user's Jupyter server, as the hub starts it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from qcrbox import lifeline
from qcrbox.quick_imports import quick_imports

from qcrbox_hub.jupyterhub.tutorials import FOLDER, offer_tutorials
from qcrbox_hub.platform.shutdown import end_with_platform

# Modules of the hub process that server modules import only for type annotations and for a page that servers do not offer.
OF_THE_HUB = ("jupyterhub.orm", "jupyterhub.handlers", "jupyterhub.handlers.pages")


def run() -> None:
    """Run a person's Jupyter server until it is terminated."""
    end_with_platform()
    # Kernels end with this server; the number would mean another file to them.
    os.environ.pop(lifeline.VARIABLE, None)
    if source := os.environ.pop(FOLDER, ""):
        # By the server itself, with the person's own rights: the platform writes nothing into a home.
        with contextlib.suppress(OSError):
            offer_tutorials(Path(source), Path.home() / "notebooks")
    with quick_imports(), without_the_hub():
        # Start-up time: both shorten it.
        from jupyterhub.singleuser import main
    main()


class _Unused(ModuleType):
    """A placeholder module; each of its attributes is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@contextlib.contextmanager
def without_the_hub() -> Iterator[None]:
    """Inside this block, JupyterHub's server modules are imported without the hub's database, pages and migrations.

    These are 200 modules, 23 MB and a third of a second of a processor in each person's server. Later imports load the real modules.
    """
    unused = {name: _Unused(name) for name in OF_THE_HUB if name not in sys.modules}
    sys.modules.update(unused)
    try:
        yield
    finally:
        for name in unused:
            del sys.modules[name]


if __name__ == "__main__":
    run()
