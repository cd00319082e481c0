"""Lines of every log that belong to one correlation id: from a click or a cell to the agent that did the work."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from qcrbox.contract.errors import UserInputError
from tornado import web

from qcrbox_hub.admin.page import AdminPage

# Read from the end of each log; what is older has to be searched with a program.
MOST_BYTES = 32 * 1024 * 1024
MOST_LINES = 500
_ID = re.compile(r"[0-9A-Za-z_.:-]{6,80}")


def find_lines(folder: Path, text: str) -> list[tuple[str, str]]:
    """(name of the log, line) of the newest lines that hold `text`, log by log. Raises UserInputError for a short text."""
    if not _ID.fullmatch(text):
        raise UserInputError("Type an id of 6 to 80 letters, digits, -, _, . or :")
    found: list[tuple[str, str]] = []
    wanted = text.encode()
    for file in sorted(folder.rglob("*.log")):
        if file.is_symlink():
            continue
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - MOST_BYTES))
            lines = [line for line in stream if wanted in line]
        name = str(file.relative_to(folder))
        found += [(name, line.decode(errors="replace").rstrip()[:4000]) for line in lines[-MOST_LINES:]]
    return found[:MOST_LINES]


class Logs(AdminPage):
    """Search by correlation id, or by the id of a calculation, a session or an agent."""

    path = "/logs"

    @web.authenticated
    async def get(self) -> None:
        """Show the lines of all logs that hold the searched id."""
        asked, lines, problem = self.asked(), [], ""
        if asked.text:
            try:
                lines = await asyncio.to_thread(
                    find_lines, Path(self.authenticator.data) / "logs", asked.text
                )
            except UserInputError as error:
                problem = error.message
        await self.show_page("logs.html", asked=asked, lines=lines, problem=problem)
