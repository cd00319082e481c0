"""Loaded before all tests: see qcrbox.cif._gemmi for why the order of imports matters."""

import qcrbox.cif._gemmi  # noqa: F401
