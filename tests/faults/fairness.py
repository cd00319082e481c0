"""Whether turns were given as fair share promises, from what a witness wrote down.

The promise: whenever a place is free, the next calculation is one of the person who has used the least slot time, older
use counting half per half-life, among those who have something waiting. So of all who waited at the moment of a turn
nobody may have used less than the one who got it: the bound is nought, but for rounding. What was used is summed up here
once more, from the charges. Only the order of turns and charges and monotonic time enter: a clock that is set, a stall
or a slow machine changes no verdict, however long somebody waited for it.

For people who work privately on one application with `reuse: any`: elsewhere the owner rule and the mean use of
groups speak too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

ROUNDING = 1e-6


class Judge:
    """Hears the lines of one witness after the other; `faults` are sentences, `turns` ids of calculations."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.turns: set[str] = set()
        self.contested = 0  # turns at which somebody else waited too: the others prove nothing
        self._uses: dict[int, float] = {}
        self._at = 0.0
        self._half_life_s = 1.0

    def hear(self, line: dict[str, Any]) -> None:
        if "life" in line:
            # A registry that was killed may forget the last seconds of use. What it knows now is told anew.
            self._uses, self._at, self._half_life_s = {}, line["at"], line["half_life_s"]
            return
        self._decay(line["at"])
        if "known" in line:
            self._uses[line["known"]] = line["use"]
        elif "charge" in line:
            self._uses[line["charge"]] = max(self._uses[line["charge"]] + line["slot_s"], 0.0)
        else:
            self._turn(line["turn"], line["calculation"], line["waiting"])

    def _decay(self, at: float) -> None:
        factor = 0.5 ** ((at - self._at) / self._half_life_s)
        self._at = at
        for person in self._uses:
            self._uses[person] *= factor

    def _turn(self, person: int, calculation: str, waiting: list[int]) -> None:
        self.turns.add(calculation)
        others = [one for one in waiting if one != person]
        self.contested += bool(others)
        mine = self._uses[person]
        for other in others:
            theirs = self._uses[other]
            if mine > theirs + ROUNDING * (1.0 + theirs):
                self.faults.append(
                    f"calculation {calculation} of person {person}, who had used {mine:.3f} s, was handed out while "
                    f"person {other}, who had used {theirs:.3f} s, waited"
                )


def judge(lines: Iterable[str]) -> Judge:
    verdict = Judge()
    for line in _read(lines):
        verdict.hear(line)
    return verdict


def _read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.strip():
            yield json.loads(line)
