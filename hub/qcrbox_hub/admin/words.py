"""How the pages write times, sizes, durations, failures and doubts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from qcrbox.contract.states import state_word
from qcrbox.display.failure_words import failure_of
from qcrbox.spec.titles import command_phrase

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


def failure_html(text: Any) -> Markup:
    """Why something failed, in words; paths of the server and tracebacks behind *Details*, as in Lab."""
    if not text:
        return Markup("")
    words, details = failure_of(str(text))
    more = Markup("<details><summary>Details</summary><pre>{}</pre></details>").format(details)
    return Markup("{}").format(words) + (more if details else Markup(""))


def doubt(calculation: Mapping[str, Any]) -> str:
    """Why a result that is there needs a look, in words; empty for others. Such a result is amber, as in Lab."""
    if calculation.get("status") != "successful":
        return ""
    warnings = calculation.get("warnings") or []
    metrics = (calculation.get("progress") or {}).get("metrics") or {}
    if metrics.get("converged") == 0 or any("not converged" in text.lower() for text in warnings):
        return "not converged"
    return "with warnings" if warnings else ""


def counted(amount: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`; `many` where the plural is not `one` with an s."""
    return f"{amount} {one if amount == 1 else many or one + 's'}"


def place_words(place: int) -> str:
    """The place of another person's calculation in the queue, as words; 1 is the first."""
    return "next" if place <= 1 else f"{place - 1} before it"


def coded_html(text: Any) -> Markup:
    """A sentence in which `words in backticks` are set as code."""
    parts = str(text or "").split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format(text)  # a backtick without its partner is a sign like others
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else Markup("{}").format(part)
        for number, part in enumerate(parts)
    )


def named(details: str) -> str:
    """The values of a JSON object with their names: `person: jane; role: lecturer`. What is empty is left out."""
    found = {name: value for name, value in json.loads(details).items() if value not in (None, "", [], {})}
    return "; ".join(
        f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in found.items()
    )


FILTERS: dict[str, Callable[..., str]] = {
    "moment": moment_html,
    "duration": duration,
    "size": size,
    "quantity": number,
    "failure": failure_html,
    "counted": counted,
    "place": place_words,
    "coded": coded_html,
    "doubt": doubt,
    "state_word": state_word,
    "command_phrase": command_phrase,
    "named": named,
}
