"""What a Python callable of an application imports to report its progress: `qcrbox.contract.progress`, by its public name."""

from qcrbox.contract.progress import not_applied, note, report, say, send_to, tell, warn

__all__ = ["not_applied", "note", "report", "say", "send_to", "tell", "warn"]
