"""An Exchange for nbgrader 0.9.6 over the QCrBox store. In nbgrader_config.py:

from qcrbox_extension.nbgrader_exchange import use_store

use_store(c)

Importing this package imports no nbgrader.
"""

from __future__ import annotations

from typing import Any

_CLASSES = {
    "exchange": "Exchange",
    "list": "ExchangeList",
    "release_assignment": "ExchangeReleaseAssignment",
    "fetch_assignment": "ExchangeFetchAssignment",
    "submit": "ExchangeSubmit",
    "collect": "ExchangeCollect",
    "release_feedback": "ExchangeReleaseFeedback",
    "fetch_feedback": "ExchangeFetchFeedback",
}


def use_store(config: Any) -> None:
    """Set all plug-ins of nbgrader's `ExchangeFactory`. config: the `c` of a configuration file."""
    for trait, name in _CLASSES.items():
        setattr(config.ExchangeFactory, trait, f"qcrbox_extension.nbgrader_exchange.plugins.{name}")
