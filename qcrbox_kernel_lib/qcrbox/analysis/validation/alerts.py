"""Alerts in the manner of checkCIF, and the notice that goes with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

LEVELS = ("A", "B", "C", "G")
TYPES = {
    1: "construction, syntax, missing or inconsistent data",
    2: "the model may be wrong or deficient",
    3: "the quality may be low",
    4: "improvement or suggestion",
}
SUBSET_NOTICE = (
    "These checks are a subset, made here without sending anything away. They are not checkCIF: before "
    "publication, run the service of the IUCr (checkcif.iucr.org), which tests much more."
)


@dataclass(frozen=True)
class Alert:
    """One finding. level: A serious, B potentially serious, C to check, G to note; type: see `TYPES`.

    test is a stable name; atoms are labels to show; like names the checkCIF test that looks at the same thing.
    """

    test: str
    level: str
    type: int
    text: str
    atoms: tuple[str, ...] = ()
    advice: str = ""
    like: str = ""


@dataclass(frozen=True)
class Validation:
    """All alerts of a block, most serious first, with the tests that ran and those that could not."""

    block: str
    alerts: list[Alert]
    tests_run: list[str]
    not_run: dict[str, str] = field(default_factory=dict)
    notice: str = SUBSET_NOTICE

    def of_level(self, *levels: str) -> list[Alert]:
        return [alert for alert in self.alerts if alert.level in levels]

    @property
    def counts(self) -> dict[str, int]:
        return {level: len(self.of_level(level)) for level in LEVELS}

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "counts": self.counts}

    def to_text(self) -> str:
        """A report to read, grouped by level."""
        lines = [f"Validation of block {self.block}", "", self.notice, ""]
        lines.append("Alerts: " + ", ".join(f"{level} {count}" for level, count in self.counts.items()))
        for level in LEVELS:
            for alert in self.of_level(level):
                atoms = f" [{', '.join(alert.atoms)}]" if alert.atoms else ""
                like = f" (compare {alert.like})" if alert.like else ""
                lines.append(f"{alert.test}_{level} type {alert.type}: {alert.text}{atoms}{like}")
                if alert.advice:
                    lines.append(f"    {alert.advice}")
        lines += ["", f"Tests run: {', '.join(self.tests_run)}"]
        lines += [f"Not run: {name}: {reason}" for name, reason in self.not_run.items()]
        return "\n".join(lines) + "\n"
