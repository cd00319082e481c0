"""GPAW as a process that answers requests; the other end of `gpaw_program`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

from qcrbox.contract.errors import CalculationFailed, UserInputError

from qcrbox_har.periodic.interpreter import Interpreter, environment, find, forget
from qcrbox_har.processes import died

OnIteration = Callable[[int, float], None]
_SCRIPT = Path(__file__).with_name("gpaw_program.py")


class GpawProgram:
    """One process for all rounds: it begins from the wavefunctions of the round before. Nothing starts before the first request."""

    def __init__(self, interpreter: Interpreter | None = None) -> None:
        """Raises UserInputError when there is no GPAW."""
        self.interpreter = interpreter or find()
        self._process: subprocess.Popen[str] | None = None
        self._answers: TextIO

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return None if self._process is None else self._process.pid

    def setups(self, symbols: list[str], functional: str) -> dict[str, int]:
        """Valence electrons of each element. Raises UserInputError for those without data in GPAW."""
        found = self._call({"kind": "setups", "symbols": sorted(set(symbols)), "functional": functional})
        missing = sorted(set(symbols) - found.keys())
        if missing:
            raise UserInputError(
                f"GPAW has no {functional} data (PAW setups) for {', '.join(missing)}.",
                where="density",
                next="Install them (Debian: gpaw-data), choose functional='pbe', or density='molecules'.",
            )
        return found

    def density(self, request: dict[str, Any], progress: OnIteration | None = None) -> dict[str, Any]:
        """Compute a density and write it to request["file"]; returns energy, iterations and seconds.

        Raises CalculationFailed when it does not converge or the process dies.
        """
        return self._call({"kind": "density"} | request, progress)

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # the rest of a request to a process that is gone
            self._process.stdin.close()
        self._answers.close()
        self._process = None

    def __enter__(self) -> GpawProgram:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, request: dict[str, Any], progress: OnIteration | None = None) -> Any:
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as end:
            raise self._died() from end
        answer = self._answer(progress)
        if answer["kind"] == "error":
            _fail(answer["name"], answer["text"])
        return answer["value"]

    def _answer(self, progress: OnIteration | None) -> dict[str, Any]:
        try:
            for line in self._answers:
                answer: dict[str, Any] = json.loads(line)
                if answer["kind"] in ("value", "error"):
                    return answer
                if progress is not None:
                    progress(answer["iteration"], answer["energy"])
        except BaseException:
            # Interrupted in between: what it still answers would be taken for the value of the next request.
            self.close()
            raise
        raise self._died()

    def _start(self) -> None:
        read, write = os.pipe()
        self._process = subprocess.Popen(
            [self.interpreter.path, str(_SCRIPT), str(write), str(os.getpid())],
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=(write,),
            env=environment(),
        )
        os.close(write)
        self._answers = os.fdopen(read, encoding="utf-8")

    def _died(self) -> CalculationFailed:
        assert self._process is not None
        code = self._process.wait()
        self.close()
        forget(self.interpreter)
        return died("GPAW", code, "Choose density='molecules'.")


def _fail(name: str, text: str) -> NoReturn:
    if name == "KohnShamConvergenceError":
        raise CalculationFailed(
            "the periodic density did not converge.",
            why="GPAW gave up after 200 iterations.",
            next="Check the structure for atoms that are too close, declare unpaired electrons with multiplicities, or choose "
            "density='molecules'.",
            reason="SCF not converged",
        )
    if name == "MemoryError":
        raise CalculationFailed("there is not enough memory for GPAW.", reason="out of memory")
    raise CalculationFailed(f"GPAW: {name}: {text}", reason="unexpected error")
