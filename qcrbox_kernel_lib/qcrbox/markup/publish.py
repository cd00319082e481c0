"""Output of a notebook cell."""

from __future__ import annotations

from typing import Any


def publish(bundle: dict[str, Any], **options: Any) -> None:
    """Show data (MIME type → data) as the output of the running cell; `options` are those of IPython's function."""
    # Optional: IPython is there in a notebook; scripts do without it.
    from IPython.display import publish_display_data

    publish_display_data(bundle, **options)
