"""Runs a test suite against a registry over the REST contract, and reports it as text and as JUnit XML."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

import httpx
from qcrbox.contract.errors import QcError

from qcrbox_hub.apps.judge import Verdict, judge_cif, judge_status
from qcrbox_hub.apps.suite import Case, Input, Suite

FINAL = ("successful", "failed", "cancelled")


@dataclass
class CaseResult:
    """Verdicts on one case, with its time in seconds and the log of a failure."""

    case: Case
    verdicts: list[Verdict] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""  # the case could not be run at all
    log: str = ""
    left_out: str = ""  # needs a person

    @property
    def passed(self) -> bool:
        """Whether the case was run and every verdict is good."""
        return not self.error and not self.left_out and all(v.passed for v in self.verdicts)


class SuiteRunner:
    """One registry, one suite. `client` is an httpx client whose base URL is the registry."""

    def __init__(
        self, client: httpx.Client, *, timeout_s: float = 600.0, say: Callable[[str], None] = lambda _: None
    ):
        self.client, self.timeout_s, self.say = client, timeout_s, say

    def run(self, suite: Suite) -> list[CaseResult]:
        """Run all cases in turn and report each on the way."""
        results = []
        for number, case in enumerate(suite.cases, 1):
            result = self.run_case(suite, case)
            results.append(result)
            word = "passed" if result.passed else "left out" if result.left_out else "FAILED"
            self.say(f"{number}/{len(suite.cases)} {case.name} … {word} ({result.seconds:.1f} s)")
        return results

    def run_case(self, suite: Suite, case: Case) -> CaseResult:
        """Run one case; a case with a manual precondition is left out."""
        result = CaseResult(case)
        if case.manual_precondition:
            result.left_out = case.manual_precondition
            return result
        begun = time.monotonic()
        try:
            self._run(suite, case, result)
        except (QcError, httpx.HTTPError) as problem:
            result.error = f"{type(problem).__name__}: {problem}"
        result.seconds = time.monotonic() - begun
        return result

    def _run(self, suite: Suite, case: Case, result: CaseResult) -> None:
        try:
            calculation_id = self._submit(suite, case)
        except QcError as refusal:
            # A refused call is this case's failure: suites expect it as status `failed`.
            result.log = refusal.message
            self._judge(case, result, "failed", [], None)
            if any(e.kind != "status" for e in case.expected):
                result.error = refusal.message
            return
        if self._has_window(suite, case):
            self._open_and_close(calculation_id)
        calculation = self._wait(calculation_id)
        last = (calculation["status_events"] or [{}])[-1]
        info = last.get("extra_info") or {}
        result.log = "\n".join(part for part in (info.get("error_msg", ""), last.get("stderr") or "") if part)
        output = self._output(calculation.get("output_dataset_id"))
        self._judge(case, result, calculation["status"], list(info.get("warnings") or []), output)

    def _judge(
        self, case: Case, result: CaseResult, status: str, warnings: list[str], output: bytes | None
    ) -> None:
        for expected in case.expected:
            if expected.kind == "status":
                result.verdicts.append(judge_status(expected, status, warnings))
            else:
                result.verdicts.append(judge_cif(expected, output))

    def _submit(self, suite: Suite, case: Case) -> str:
        arguments = {given.name: self._argument(given) for given in case.inputs}
        body = {
            "application_slug": suite.application_slug,
            "application_version": suite.application_version,
            "command_name": case.command_name,
            "command_arguments": arguments,
        }
        if self._has_window(suite, case):
            return self._call("POST", "/api/interactive-sessions", json=body)["interactive_session_id"]
        return self._call("POST", "/api/commands", json=body)["calculation_id"]

    def _has_window(self, suite: Suite, case: Case) -> bool:
        known = self._call("GET", "/api/applications")["applications"]
        return any(
            command["implemented_as"] == "interactive_session"
            for application in known
            if (application["slug"], application["version"])
            == (suite.application_slug, suite.application_version)
            for command in application["commands"]
            if command["name"] == case.command_name
        )

    def _open_and_close(self, session_id: str) -> None:
        """What of a session runs without a person: prepare, the program's start, and finalise."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            session = self._call("GET", f"/api/interactive-sessions/{session_id}")["interactive_sessions"][0]
            if session["state"] in ("open", "program_ended"):
                self._call("POST", f"/api/interactive-sessions/{session_id}/close", json={"keep": True})
            elif session["status"] not in FINAL:
                time.sleep(0.2)
                continue
            return

    def _argument(self, given: Input) -> object:
        if given.source == "value":
            return given.value
        content = given.path.read_bytes() if given.path else given.text.encode()
        payload = self._call("POST", "/api/data-files", files={"file": (given.upload_filename, content)})
        return {"data_file_id": payload["data_files"][0]["qcrbox_file_id"]}

    def _wait(self, calculation_id: str) -> dict:
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            calculation = self._call("GET", f"/api/calculations/{calculation_id}")["calculations"][0]
            if calculation["status"] in FINAL:
                return calculation
            time.sleep(0.2)
        self._call("POST", f"/api/calculations/{calculation_id}/stop")
        raise QcError(f"The calculation did not end within {self.timeout_s:.0f} s and was cancelled.")

    def _output(self, dataset_id: str | None) -> bytes | None:
        if dataset_id is None:
            return None
        files = self._call("GET", f"/api/datasets/{dataset_id}")["datasets"][0]["data_files"].values()
        for entry in files:
            if entry["filename"].lower().endswith(".cif"):
                answer = self.client.get(f"/api/data-files/{entry['qcrbox_file_id']}/download")
                answer.raise_for_status()
                return answer.content
        return None

    def _call(self, method: str, path: str, **kwargs: object) -> dict:
        answer = self.client.request(method, path, **kwargs)  # type: ignore[arg-type]
        if answer.is_error:
            try:
                raise QcError.from_envelope(answer.json(), answer.status_code)
            except ValueError:
                raise QcError(
                    f"{method} {path} answered {answer.status_code}.", why=answer.text[:200]
                ) from None
        return answer.json()["payload"]


def report_lines(suite: Suite, results: list[CaseResult]) -> Iterator[str]:
    """The plain report: failures in full, then one line of numbers."""
    for result in results:
        if result.passed or result.left_out:
            continue
        yield f"{suite.path.name}:{result.case.line}: {result.case.name}"
        if result.error:
            yield f"  could not run: {result.error}"
        for verdict in result.verdicts:
            if not verdict.passed:
                yield f"  expected: {verdict.expectation}; found: {verdict.found}"
        if result.log:
            yield "  last log lines:"
            yield from (f"    {line}" for line in result.log.splitlines()[-8:])
    for result in results:
        if result.left_out:
            yield f"left out: {result.case.name} (by hand: {result.left_out})"
    passed = sum(r.passed for r in results)
    left_out = sum(bool(r.left_out) for r in results)
    yield f"{passed} passed, {len(results) - passed - left_out} failed, {left_out} left out"


def junit_xml(suite: Suite, results: list[CaseResult]) -> bytes:
    """The report in the form that CI servers read."""
    failures = sum(not r.passed and not r.left_out for r in results)
    root = ElementTree.Element(
        "testsuite",
        name=f"{suite.application_slug} {suite.application_version}",
        tests=str(len(results)),
        failures=str(failures),
        skipped=str(sum(bool(r.left_out) for r in results)),
        time=f"{sum(r.seconds for r in results):.3f}",
    )
    for result in results:
        case = ElementTree.SubElement(
            root,
            "testcase",
            classname=suite.application_slug,
            name=result.case.name,
            time=f"{result.seconds:.3f}",
        )
        if result.left_out:
            ElementTree.SubElement(case, "skipped", message=result.left_out)
        elif not result.passed:
            broken = [f"expected {v.expectation}; found {v.found}" for v in result.verdicts if not v.passed]
            failure = ElementTree.SubElement(case, "failure", message=result.error or "; ".join(broken))
            failure.text = _printable(result.log)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    """XML 1.0 knows no control characters."""
    return "".join(c for c in text if c in "\n\t" or c >= " ")
