"""The settings that a space group symbol may mean, for searching."""

from __future__ import annotations


def settings_of(symbol: str) -> list[str]:
    """Symbols of the settings, as the index of CIFs writes them: `Pnma` is `P n m a`; empty for an unknown one.

    A symbol that leaves the unique axis, the axes or the origin open (`P21/c`, `R-3c`, `Fd-3m`) has several.
    """
    # Loads gemmi: only searches by space group need it.
    from qcrbox.crystallography.hermann_mauguin import find_by_hm, has_setting, split_setting

    entries = find_by_hm(symbol)
    setting = split_setting(symbol)[1]
    return [entry.xhm() for entry in entries if has_setting(entry, setting)]
