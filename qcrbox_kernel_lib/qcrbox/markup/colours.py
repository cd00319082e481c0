"""Colours of words in HTML. Lab's themes set the variables (extension/style/base.css); pages without them are light."""

from __future__ import annotations

GOOD = "var(--qcrbox-good-color,#1a7f37)"
BAD = "var(--qcrbox-bad-color,#b42318)"
WARN = "var(--qcrbox-warn-color,#8a6100)"
BUSY = "var(--qcrbox-busy-color,#0b62c4)"
QUIET = "var(--qcrbox-quiet-color,#5f6773)"
