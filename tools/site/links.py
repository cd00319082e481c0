"""Links of the site: those to source files become plain text, all others have to lead somewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\(([^)\s]+)\)")


def outside_as_code(page: Path, source: Path, root: Path) -> str:
    """The text of a page; a link to a file of the repository that is no page becomes its path."""

    def replaced(match: re.Match[str]) -> str:
        text, target = match.groups()
        path = target.partition("#")[0]
        if not path or "://" in target or target.startswith("mailto:"):
            return match.group(0)
        where = (page.parent / path).resolve()
        if where.is_dir() and (where / "index.md").is_file():
            return f"[{text}]({path.rstrip('/')}/index.md)"
        in_repository = root / where.relative_to(source)
        if (where.suffix == ".md" and where.name != "README.md") or not in_repository.exists():
            return match.group(0)
        return (
            f"{text} (`{where.relative_to(source)}`)" if text != target else f"`{where.relative_to(source)}`"
        )

    return _LINK.sub(replaced, page.read_text(encoding="utf-8"))


class Page(HTMLParser):
    """Anchors and references of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect ids, links, and what the browser loads by itself."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name == "href" and value and tag == "a":
                self.links.append(value)
            elif name in ("src", "href") and value and tag in ("script", "link", "img", "iframe", "source"):
                self.loaded.append(value)


def broken(html: Path) -> Iterator[str]:
    """Every link inside the site that leads nowhere, and everything that is loaded from elsewhere."""
    pages = {file: Page(file) for file in html.rglob("*.html")}

    @cache  # The pages of a folder lead to the same ones: beside each stands the tree of all.
    def led_to(folder: Path, path: str) -> tuple[Path, bool]:
        target = (folder / unquote(path)).resolve()
        return target, target.exists()

    for file, page in pages.items():
        for link in page.loaded:
            if urlsplit(link).netloc:
                yield f"{file.relative_to(html)} loads {link}"
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target, there = led_to(file.parent, parts.path) if parts.path else (file, True)
            if not there:
                yield f"{file.relative_to(html)} links to {link}: no such file"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{file.relative_to(html)} links to {link}: no such place on the page"


def report(html: Path) -> int:
    """Print what is broken; exit code 1 when something is."""
    found = sorted(set(broken(html)))
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0
