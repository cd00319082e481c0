"""How the pages write times, sizes and durations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def moment(value: Any) -> str:
    """A point in time as ISO date and minute, UTC: of a datetime, ISO text, or Unix time in s."""
    when = as_datetime(value)
    return "" if when is None else when.strftime("%Y-%m-%d %H:%M")


def as_datetime(value: Any) -> datetime | None:
    """A datetime, ISO text or Unix time (s) as a datetime in UTC; None for nothing."""
    if value in (None, ""):
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def duration(seconds: Any) -> str:
    """A length of time in its largest whole units."""
    if seconds is None:
        return ""
    left = int(seconds)
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min"
    if left < 48 * 3600:
        return f"{left // 3600} h {left % 3600 // 60} min"
    return f"{left // 86400} days"


def size(value: Any) -> str:
    """Bytes in binary units."""
    if value is None:
        return ""
    amount = float(value)
    for unit in _UNITS:
        if abs(amount) < 1024 or unit == _UNITS[-1]:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError


def number(value: Any) -> str:
    """A number without needless digits."""
    if value is None:
        return ""
    if not isinstance(value, int | float):
        return str(value)
    if 0 < abs(value) < 0.01:
        return "< 0.01"
    return f"{value:,.10g}" if value == int(value) else f"{value:,.2f}"


def moment_html(value: Any) -> Markup:
    """A point in time for a page: UTC without scripts; with them the reader's time and locale, ISO when hovered."""
    when = as_datetime(value)
    if when is None:
        return Markup("")
    iso = when.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" title="{0}">{1} UTC</time>').format(iso, moment(when))


FILTERS: dict[str, Callable[..., str]] = {
    "moment": moment_html,
    "duration": duration,
    "size": size,
    "quantity": number,
}
