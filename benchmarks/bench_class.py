"""A class: students sign in, open an exercise, run a refinement, answer, save and submit, while the lecturer watches.

    python benchmarks/bench_class.py [--json out.json] [--people 60] [--browsers 5] [--no-windows] [--quick]

Everything on loopback, servers in sandboxes, the ready exercise on hydrogens with answers from the store allowed: all run
the same refinement on the same data, as when a lecturer says "now press Run". Each opens a program with a window as well,
when Xtigervnc is there. Some of the students (`--browsers`) sit at real browsers; the others are scripts that send the same
requests. What counts: the slowest answer that anyone gets (limit 5 s), the slowest board (2 s), that nothing is lost (every
student has a receipt and a right task), that what was collected is byte for byte what lies in the student's home, and the
memory of a student's server.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psutil
from bench_hub import ANSWER_LIMIT_S, PASSWORD, Crowd, Hub, Visitor, add_accounts, ours
from class_browsers import Place, Seen, attend
from machine import CHROMIUM, load

BOARD_LIMIT_S = 2.0
WITHIN_S = 60.0
LAST_S = 600.0  # of the whole class
GROUP = "bench"
TEACHER = "class-teacher"
READY = "hydrogens_and_weights"
WINDOW = Path(__file__).resolve().parents[1] / "tests" / "applications" / "window"


@dataclass
class Class:
    """What was measured. Times in s, memory in bytes."""

    crowd: Crowd = field(default_factory=Crowd)
    board: list[float] = field(default_factory=list)
    handed_in: list[float] = field(default_factory=list)
    windows: list[float] = field(default_factory=list)  # from the request to the open window
    browsers: Seen = field(default_factory=Seen)
    kept: dict[str, bytes] = field(default_factory=dict)
    unlike: list[str] = field(default_factory=list)
    receipts: int = 0
    right: int = 0
    before_bytes: int = 0
    after_bytes: int = 0


@dataclass(frozen=True)
class Size:
    """How many students come, how many of them with browsers, and whether they open windows."""

    people: int
    browsers: int
    windows: bool


class Staff:
    """The administrator or the lecturer: forms of the hub's pages."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.browser = hub.browser()
        page = self.browser.get("/hub/login").text
        fields = {"username": name, "password": PASSWORD, "_xsrf": _xsrf(page)}
        assert self.browser.post("/hub/login", data=fields).status_code == 302

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of a page; the page that it leads to."""
        page = self.browser.get(path).text
        answer = self.browser.post(path, data={"_xsrf": _xsrf(page), **fields})
        assert answer.status_code in (302, 303), (path, answer.status_code, answer.text[-500:])
        return self.browser.get(answer.headers["location"])

    def group(self, names: list[str], lecturer: str) -> None:
        """As the administrator: the group, its members and the lecturer's role."""
        self.submit("/hub/administration/groups", action="make", name=GROUP)
        page = f"/hub/administration/groups/{GROUP}"
        self.submit(page, action="add", people="\n".join([lecturer, *names]))
        self.submit(page, action="give_role", person=lecturer, role="lecturer")

    def course(self) -> str:
        """As the lecturer: the course and the published exercise; the exercise's id."""
        page = self.submit("/hub/teaching", action="make", group=GROUP, title="A class").text
        course = re.search(r'href="(/hub/teaching/courses/[0-9a-f]+)"', page)
        assert course, page[-2000:]
        made = self.submit(course[1], action="ready", ready=READY)
        path = urlsplit(str(made.url)).path
        assert "/exercises/" in path, made.text[-2000:]
        self.submit(path, action="publish", published="yes")
        self.submit(path, action="same", answers_from_store="yes")
        return path.rpartition("/")[2]

    def watch(self, exercise: str, found: Class, over: threading.Event) -> None:
        """Load the board again and again, as its page does."""
        while not over.is_set():
            begun = time.perf_counter()
            answer = self.browser.get(f"/hub/teaching/exercises/{exercise}/board?part=rows")
            found.board.append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.status_code
            over.wait(2.0)


class Learner(Visitor):
    """A student in an exercise; every answer's time is kept."""

    def learn(self, exercise: str, found: Class) -> None:
        """From the sign-in to the receipt."""
        begun = time.perf_counter()
        with self.hub.browser() as self.browser:
            lab = self.arrive()
            self.root = f"{self.hub.person_url(self.name)}/user/{self.name}"
            self.tail = {"X-XSRFToken": self._token(lab.text)}
            report = self._ok("POST", f"/qcrbox/exercises/{exercise}/fetch").json()
            own = self._ask("GET", f"exercises/{exercise}/own")
            self._run(exercise, own)
            if self.windows:
                found.windows.append(self._window())
            path = report["notebook"]
            self._save(exercise, path)
            answer = {"value": "10"}
            self._ask("PUT", f"exercises/{exercise}/answers/count", json=answer)
            receipt = self._ask("POST", f"exercises/{exercise}/submit")["receipt"]
            assert len(receipt) == 64
            own = self._ask("GET", f"exercises/{exercise}/own")
            found.receipts += 1
            found.right += any(task["state"] == "done" for task in own["tasks"] if task["task_id"] == "count")
            found.kept[self.name] = self._ok("GET", f"/files/{quote(path)}").content
            found.handed_in.append(time.perf_counter() - begun)

    def _run(self, exercise: str, own: dict[str, Any]) -> None:
        dataset = self._ask("GET", f"datasets/{own['dataset_id']}")["datasets"][0]
        files = {name: file["qcrbox_file_id"] for name, file in dataset["data_files"].items()}
        cif = next(file for name, file in files.items() if name.endswith(".cif"))
        body = {
            "application_slug": "refine",
            "application_version": self.version,
            "command_name": "refine_iam",
            "command_arguments": {"structure": {"data_file_id": cif}, "hydrogens": "place"},
        }
        made = self._ask("POST", "commands", json=body)["calculation_id"]
        while True:
            row = self._ask("GET", f"calculations/{made}")["calculations"][0]
            if row["status"] in ("successful", "failed", "cancelled"):
                assert row["status"] == "successful", row
                return
            self._pause(2.0)

    def _window(self) -> float:
        """Open a program with a window and discard it; seconds until it was open."""
        body = {"application_slug": "window", "application_version": "1.0", "command_arguments": {}}
        begun = time.perf_counter()
        made = self._ask("POST", "interactive-sessions", json=body)["interactive_session_id"]
        path = f"interactive-sessions/{made}"
        while True:
            state = self._ask("GET", path)["interactive_sessions"][0]["state"]
            if state == "open":
                break
            assert state != "closed", state
            self._pause(0.5)
        taken = time.perf_counter() - begun
        self._ask("POST", f"{path}/discard", params={"wait": 0})
        return taken

    def _save(self, exercise: str, path: str) -> None:
        """Save the notebook with a cell of the student's own, and wait until the registry has it."""
        address = f"/api/contents/{quote(path)}"
        model = self._ok("GET", address).json()
        cell = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": f"Seen by {self.name}."}
        model["content"]["cells"].append(cell)
        body = {key: model[key] for key in ("type", "format", "content")}
        self._ok("PUT", address, json=body)
        while not self._ask("GET", f"exercises/{exercise}/own")["draft_at"]:
            self._pause(1.0)

    def _pause(self, seconds: float) -> None:
        assert time.perf_counter() < self.until, "the class is over"
        time.sleep(seconds)

    version, until, windows = "", 0.0, False

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return self._ok(method, f"/qcrbox/api/{path}", **more).json()["payload"]  # type: ignore[no-any-return]

    def _ok(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self.timed(method, f"{self.root}{path}", headers=self.tail, **more)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text[:300])
        return answer

    def _token(self, page: str) -> str:
        """The token of the server's own cookie: that of the longest path."""
        found = [each for each in self.browser.cookies.jar if each.name == "_xsrf" and each.value]
        own = [each for each in found if self.name in each.path] or found
        return str(own[-1].value)


def _xsrf(page: str) -> str:
    found = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def memory() -> int:
    """Memory of everything that this program started, each page counted once, bytes."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += child.memory_full_info().pss
    return total


def hold_class(hub: Hub, size: Size) -> Class:
    """The whole class, from the first sign-in to the collection."""
    found = Class()
    assert hub.data is not None
    everyone = [f"class-{number:03d}" for number in range(size.people)]
    names, seated = everyone[size.browsers :], everyone[: size.browsers]
    add_accounts(hub.data, [TEACHER, *everyone])
    hub.make([TEACHER, *everyone])
    Staff(hub, "ada").group(everyone, TEACHER)
    lecturer = Staff(hub, TEACHER)
    exercise = lecturer.course()
    found.before_bytes = memory()
    over = threading.Event()
    begun = time.perf_counter()
    Learner.version, Learner.until, Learner.windows = _version_of_refine(), begun + LAST_S, size.windows
    place = Place(hub.url, exercise, size.windows, Learner.until)

    def come(number: int) -> None:
        time.sleep(number * WITHIN_S / max(len(names), 1))
        try:
            Learner(hub, names[number], found.crowd).learn(exercise, found)
        except (httpx.HTTPError, AssertionError, OSError, KeyError) as problem:
            found.crowd.failed.append(repr(problem)[:400])

    with ThreadPoolExecutor(len(names) + 2) as pool:
        watching = pool.submit(lecturer.watch, exercise, found, over)
        learning = [pool.submit(come, number) for number in range(len(names))]
        if seated:
            found.browsers = pool.submit(attend, seated, place, found.crowd).result()
        for each in learning:
            each.result()
        over.set()
        watching.result(timeout=60)
    found.after_bytes = memory()
    lecturer.submit(f"/hub/teaching/exercises/{exercise}/marks", action="collect")
    for name, kept in found.kept.items():
        got = lecturer.browser.get(f"/hub/teaching/exercises/{exercise}/draft/{name}/notebook")
        if got.content != kept:
            found.unlike.append(name)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hub.stop, everyone))
    return found


def _version_of_refine() -> str:
    text = (Path(__file__).resolve().parents[1] / "app_images/refine/application.yaml").read_text()
    found = re.search(r"^version:\s*[\"']?([^\"'\s]+)", text, re.MULTILINE)
    assert found
    return found[1]


def lines(found: Class, size: Size) -> list[str]:
    """The rows of the table."""
    people = size.people - size.browsers
    answers = sorted(found.crowd.answers) or [(0.0, "")]
    slowest, asked = answers[-1]
    board = sorted(found.board) or [0.0]
    each = (found.after_bytes - found.before_bytes) / max(size.people, 1) / 1024**2
    lost = people - found.receipts

    def verdict(good: bool) -> str:
        return "met" if good else "MISSED"

    p99 = answers[int(0.99 * (len(answers) - 1))][0]
    failed = f" ({found.crowd.failed[0]})" if found.crowd.failed else ""
    return [
        "| what | measured | limit | |",
        "|---|---|---|---|",
        f"| slowest of {len(answers)} answers, s | {slowest:.2f} ({asked}); 99 % {p99:.2f} | {ANSWER_LIMIT_S:g} | {verdict(slowest <= ANSWER_LIMIT_S)} |",
        f"| slowest of {len(board)} boards, s | {board[-1]:.2f}; median {board[len(board) // 2]:.2f} | {BOARD_LIMIT_S:g} | {verdict(board[-1] <= BOARD_LIMIT_S)} |",
        f"| from sign-in to receipt, s | median {sorted(found.handed_in or [0.0])[len(found.handed_in) // 2]:.0f}, last {max(found.handed_in, default=0):.0f} | {LAST_S:g} | {verdict(bool(found.handed_in) and max(found.handed_in) <= LAST_S)} |",
        f"| students without receipt{failed} | {lost} of {people} | 0 | {verdict(not lost)} |",
        f"| students whose answer was not right on their page | {people - found.right} | 0 | {verdict(found.right == people)} |",
        f"| notebooks that are not byte for byte those of the home | {len(found.unlike)} of {len(found.kept)} | 0 | {verdict(not found.unlike)} |",
        *_window_lines(found),
        *(found.browsers.lines(size.browsers) if size.browsers else ()),
        f"| memory per student, agents included, MiB (each page counted once) | {each:.0f} | | |",
    ]


def _window_lines(found: Class) -> list[str]:
    if not found.windows:
        return []
    times = sorted(found.windows)
    return [
        f"| windows: from the request to the open window, s | median {times[len(times) // 2]:.1f}, last {times[-1]:.1f}; {len(times)} | | |"
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--browsers", type=int, default=5, help="so many of them sit at real browsers")
    parser.add_argument("--no-windows", action="store_true", help="leave out programs with windows")
    parser.add_argument("--quick", action="store_true", help="four people, one of them with a browser")
    options = parser.parse_args()
    people, browsers = (4, 1) if options.quick else (options.people, min(options.browsers, options.people))
    if not shutil.which("bwrap"):
        print("Without bubblewrap there are no sandboxes: nothing is measured.", file=sys.stderr)
        return 1
    if browsers and not CHROMIUM.exists():
        print(f"Chromium is not installed ({CHROMIUM}): the class runs without browsers.", file=sys.stderr)
        browsers = 0
    windows = not options.no_windows and shutil.which("Xtigervnc") is not None
    size = Size(people, browsers, windows)
    print(
        f"{people} students, {browsers} with browsers, {'with' if windows else 'without'} windows, load {load()}, "
        f"{psutil.virtual_memory().total / 1024**3:.0f} GiB.\n",
        flush=True,
    )
    more = ["--applications", str(WINDOW)] if windows else []
    with ours("sandbox", *more) as hub:
        found = hold_class(hub, size)
    table = lines(found, size)
    print("\n".join(table), flush=True)
    if options.json:
        options.json.write_text(json.dumps({"people": people, "table": table}, indent=1) + "\n")
    return 1 if any("MISSED" in line for line in table) else 0


if __name__ == "__main__":
    sys.exit(main())
