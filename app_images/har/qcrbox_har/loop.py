"""Hirshfeld atom refinement: wavefunction, form factors, least squares, until nothing moves any more."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.progress import report, say
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har import acceleration, checkpoint, estimate, experience, molecules, planning
from qcrbox_har.form_factors import Computer, OnProgress, TableOptions
from qcrbox_har.loop_state import Progress, Round
from qcrbox_har.method import Accuracy
from qcrbox_har.options import Options
from qcrbox_har.periodic import estimate as periodic_estimate
from qcrbox_har.periodic.computer import PeriodicComputer
from qcrbox_har.periodic.program import GpawProgram
from qcrbox_har.processes import Child

Array = NDArray[np.float64]
QUANTUM = "The wavefunction program"
LEAST_SQUARES = "The least-squares program"
# The first round moves atoms by tens of s.u. and the second by one or two: more than an exact wavefunction would matter.
_EARLY = {1: Accuracy(1e-4, 0, 1, 1e-4), 2: Accuracy(1e-5)}


class Refinement:
    """One Hirshfeld atom refinement from a CIF and its reflections.

    sites (s, 3): fractional coordinates as they stand; computer: makes the tables; cost: what it was estimated to take,
    None where it goes on from a checkpoint.
    """

    def __init__(
        self, options: Options, refine_options: dict[str, Any], quantum: Child, least_squares: Child
    ) -> None:
        self.options, self.refine_options = options, refine_options
        self.quantum, self.least_squares = quantum, least_squares
        self.sites: Array
        self.computer: Computer
        self.cost: estimate.Cost | None = None
        # It is looked for before anything is computed, and started when it is needed.
        self.gpaw = GpawProgram() if options.is_periodic else None
        self._key = ""
        self._remarks: dict[str, Any] = {}  # on the input, for the checkpoint
        self._moves: list[Array] = []

    def __enter__(self) -> Refinement:
        return self

    def __exit__(self, *_: object) -> None:
        if self.gpaw is not None:
            self.gpaw.close()

    def run(self, structure: str, hkl: str | None, iam_cif: str = "iam.cif", last_cif: str = "") -> Progress:
        """Refine to convergence, from the checkpoint in the working directory where there is one.

        last_cif: where the last good model is kept after every round. Raises what the parts raise; checkpoint and
        last model stay.
        """
        self._key = self._fingerprint(structure, hkl)
        started = time.perf_counter()
        state, indices = self._resumed(hkl, iam_cif) or self._begun(structure, hkl, iam_cif)
        while len(state.rounds) < self.options.rounds and not self._is_converged(state):
            number = len(state.rounds) + 1
            self._round(state, number, indices)
            self._keep(state, iam_cif, last_cif)
        state.converged = self._is_converged(state)
        if state.table is None:
            # Converged in an earlier attempt that did not live to write its results.
            self._round(state, len(state.rounds) + 1, indices)
        was_foreseen = self.computer.was_foreseen and not self.computer.is_fixed
        if state.converged and self.cost is not None and was_foreseen:
            experience.add(self.cost.kind, self.cost.model_seconds, time.perf_counter() - started)
        return state

    def _begun(self, structure: str, hkl: str | None, iam_cif: str) -> tuple[Progress, NDArray[np.int64]]:
        report(fraction=0.01, text="Refining with spherical atoms")
        begun = self.least_squares.call(
            "qcrbox_har.refine_side:start", structure, hkl, self.refine_options, iam_cif
        )
        self._remarks = begun["remarks"]
        state = self.prepare(Structure.from_cif(Path(iam_cif)), begun["summary"])
        self.computer = self.make_computer(state)
        self.cost = self.check_cost(state, state.structure.sites.fract, len(begun["hkl"]))
        self.sites = self._first_hydrogens(state)
        self.least_squares.call("qcrbox_har.refine_side:treat_hydrogens", self.options.hydrogens)
        return state, begun["hkl"]

    def _resumed(self, hkl: str | None, iam_cif: str) -> tuple[Progress, NDArray[np.int64]] | None:
        """The state of an earlier attempt with the same input and settings."""
        found = checkpoint.read(Path(checkpoint.FILE), self._key, Path())
        if found is None:
            return None
        if Path(iam_cif) != Path("iam.cif"):
            Path("iam.cif").replace(iam_cif)
        begun = self.least_squares.call(
            "qcrbox_har.refine_side:resume", "model.cif", hkl, self.refine_options, found.remarks
        )
        state = self.prepare(Structure.from_cif(Path("model.cif")), found.iam)
        self._remarks, state.rounds = found.remarks, found.rounds
        self.sites = state.structure.sites.fract.copy()
        self.computer = self.make_computer(state)
        given = {
            m.number: i for m, i in zip(state.plan.molecules, self.computer.inputs(self.sites), strict=True)
        }
        if (path := Path("density.npz").resolve()).exists():
            self.quantum.call("qcrbox_har.quantum.task:restore", str(path), given, state.method)
        say(f"Continuing after round {len(found.rounds)} of an earlier attempt.")
        return state, begun["hkl"]

    def _keep(self, state: Progress, iam_cif: str, last_cif: str) -> None:
        """Write the checkpoint and the last good model, for the next attempt."""
        self.least_squares.call("qcrbox_har.refine_side:write_model", "model.cif")
        if last_cif:
            Path(last_cif).write_bytes(Path("model.cif").read_bytes())
        files = {
            "model.cif": Path("model.cif"),
            "iam.cif": Path(iam_cif),
            "density.npz": Path("density.npz"),
        }
        reached = checkpoint.Reached(state.iam, state.rounds, self._remarks)
        checkpoint.write(Path(checkpoint.FILE), self._key, reached, files)

    def _fingerprint(self, structure: str, hkl: str | None) -> str:
        """What a checkpoint must agree with to be continued: files and settings, but not limits."""
        settings = asdict(self.options) | {"rounds": 0, "tolerance": 0, "most_hours": 0}
        digest = hashlib.sha256(json.dumps([settings, self.refine_options], sort_keys=True).encode())
        for file in (structure, hkl):
            digest.update(Path(file).read_bytes() if file else b"")
        return digest.hexdigest()

    def prepare(self, structure: Structure, iam: dict[str, Any]) -> Progress:
        """Molecules, charges and level of theory of a structure that may be refined; all of it is said."""
        were_placed = self.refine_options.get("hydrogens") == "place"
        state = planning.prepare(structure, self.options, iam, were_placed=were_placed)
        for molecule in state.plan.molecules:
            say(
                f"Molecule {molecule.name}: charge {molecule.charge:+d} ({molecule.charge_source}), "
                f"multiplicity {molecule.multiplicity}, {molecule.copies:g} in the unit cell"
            )
        say(f"Level of theory: {state.method.in_words}")
        for note in state.notes:
            say(f"Note: {note}")
        for doubt in state.warnings:
            say(f"Warning: {doubt}")
        return state

    def check_cost(self, state: Progress, sites: Array, reflections: int) -> estimate.Cost:
        """Say what the refinement will cost. Raises UserInputError when that is more than there is or may be."""
        if self.gpaw is not None:
            cost = periodic_estimate.estimate(state, self.gpaw, self.quantum)
        else:
            cost = estimate.estimate(
                state,
                self.computer.inputs(sites),
                self.quantum,
                crystal_field=self.options.crystal_field != "isolated",
                reflections=reflections,
            )
        say(f"Estimate: {cost}")
        report(fraction=0.02, text=f"Estimate: {cost}", estimated_s=round(cost.seconds))
        estimate.refuse_beyond(cost, self.options.most_hours)
        return cost

    def make_computer(self, state: Progress) -> Computer:
        """A computer of form factors for the structure and plan of `state`."""
        options = self.options
        isolated = options.crystal_field == "isolated"
        made_with = TableOptions(
            options.partition, options.grid, None if isolated else options.field_radius, options.wavefunction
        )
        parts = (state.structure, state.plan, state.method, self.quantum, made_with)
        return Computer(*parts) if self.gpaw is None else PeriodicComputer(*parts, gpaw=self.gpaw)

    def _first_hydrogens(self, state: Progress) -> Array:
        """X-H distances by GFN2, in the model of the least squares as well. Returns all sites, fractional."""
        report(fraction=0.03, text="Hydrogen distances by GFN2-xTB")
        structure = state.structure
        sites = structure.sites.fract.copy()
        computer = self.computer
        if self.gpaw is not None:
            beside = planning.molecules_beside(structure) or molecules.Plan([], {}, [])
            computer = Computer(structure, beside, state.method, self.quantum)
        for molecule, given in zip(computer.plan.molecules, computer.inputs(sites), strict=True):
            pairs = hydrogen_pairs(molecule)
            if not pairs:
                continue
            positions = self.quantum.call("qcrbox_har.quantum.task:hydrogen_distances", given, pairs)
            fract = structure.cell.to_fractional(positions)
            for hydrogen, _ in pairs:
                row = int(molecule.site[hydrogen])
                sites[row] = _to_own_place(structure, molecule, hydrogen, fract[hydrogen])
        moved = {
            structure.sites.label[row]: tuple(sites[row])
            for row in np.flatnonzero(structure.sites.is_hydrogen).tolist()
        }
        self.least_squares.call("qcrbox_har.refine_side:move", moved)
        return sites

    def _round(self, state: Progress, number: int, hkl: NDArray[np.int64]) -> None:
        started = time.perf_counter()
        sites = self._predicted_sites()
        table = self.computer.table(
            sites, hkl, accuracy=self._accuracy(number), progress=self.watcher(number)
        )
        self.quantum.call("qcrbox_har.quantum.task:save", str(Path("density.npz").resolve()))
        scf_s = time.perf_counter() - started
        found = self.least_squares.call(
            "qcrbox_har.refine_side:round_",
            table.labels(state.structure),
            table.hkl,
            table.values,
            self.refine_options.get("cycles", 10),
            number > 1,
        )
        state.table = table
        iterations = sum(result.iterations for result in table.molecules)
        state.rounds.append(
            Round(
                number,
                found["summary"],
                found["moved"],
                iterations,
                {
                    "wavefunctions": scf_s,
                    "least squares": found["seconds"],
                    "one step": found["step_seconds"],
                },
            )
        )
        self._tell(state.rounds[-1])
        self.sites = _with(self.sites, state.structure, found["sites"])
        self._moves.append(state.structure.cell.to_cartesian(self.sites - sites))

    def _predicted_sites(self) -> Array:
        """Where the next wavefunction is made. The least squares measure their changes from there as well."""
        share = acceleration.share_ahead(self._moves)
        if share == 0.0:
            return self.sites
        found = self.least_squares.call("qcrbox_har.refine_side:look_ahead", share)
        return _with(self.sites, self.computer.structure, found)

    def _accuracy(self, number: int) -> Accuracy:
        """Of a round; the last one that may be done, and one whose densities come from files, are exact."""
        is_last = number >= self.options.rounds or self.computer.is_fixed
        return Accuracy() if is_last else _EARLY.get(number, Accuracy())

    def watcher(self, number: int, expected: int = 3) -> OnProgress:
        """What to tell while the wavefunctions of one round are made."""

        def watch(molecule: molecules.Molecule, news: dict[str, Any]) -> None:
            fraction = min(0.05 + 0.9 * (number - 1) / expected, 0.9)
            if news["stage"] == "scf":
                text = (
                    f"Round {number}: wavefunction of {molecule.name}, iteration {news['iteration']}, "
                    f"E {news['energy']:.6f} hartree"
                )
                report(fraction=fraction, text=text, round=number, scf_iteration=news["iteration"])
            else:
                report(
                    fraction=fraction, text=f"Round {number}: form factors of {molecule.name}", round=number
                )

        return watch

    def _tell(self, done: Round) -> None:
        summary, moved = done.summary, done.moved
        say(
            f"Round {done.number}: R1 {summary['R1']:.4f}  wR2 {summary['wR2']:.4f}  S {summary['S']:.3f}  "
            f"largest shift {moved['distance']:.4f} Å ({moved['farthest']}), {moved['ratio']:.2f} s.u. "
            f"({moved['worst']}); {done.scf_iterations} SCF iterations, {done.seconds['wavefunctions']:.1f} s, "
            f"least squares {done.seconds['least squares']:.1f} s"
        )
        report(
            fraction=min(0.05 + 0.3 * done.number, 0.92),
            text=f"Round {done.number}: R1 {summary['R1']:.4f}",
            round=done.number,
            R1=round(summary["R1"], 5),
            wR2=round(summary["wR2"], 5),
            shift_su=round(moved["ratio"], 4),
        )

    def _is_converged(self, state: Progress) -> bool:
        """Whether the next round would move nothing by more than `tolerance` s.u.

        Shifts shrink by about one factor a round, because the density depends linearly on them. After a predicted round they are
        smaller than by that factor and the next are not, so the larger one of the last two rounds counts.
        """
        if not state.rounds:
            return False
        if self.computer.is_fixed:
            return True
        last = state.rounds[-1].moved["ratio"]
        if len(state.rounds) < 2:
            return False
        if last < self.options.tolerance:
            return True
        ratios = [done.moved["ratio"] for done in state.rounds[-3:]]
        factor = max(after / max(before, 1e-9) for before, after in pairwise(ratios))
        return factor < 0.5 and last * factor < self.options.tolerance


def _with(sites: Array, structure: Structure, places: dict[str, tuple[float, float, float]]) -> Array:
    """The same fractional coordinates (s, 3) with others for some atoms, by label."""
    moved = sites.copy()
    for row, label in enumerate(structure.sites.label):
        if label in places:
            moved[row] = places[label]
    return moved


def hydrogen_pairs(molecule: molecules.Molecule) -> list[tuple[int, int]]:
    """(hydrogen, its nearest bonded atom) of a molecule."""
    pairs: dict[int, int] = {}
    atoms = len(molecule.site)
    for i, j in molecule.bonds.tolist():
        for hydrogen, other in ((i, j), (j, i)):
            if hydrogen < atoms and molecule.symbols[hydrogen] == "H" and molecule.symbols[other] != "H":
                pairs.setdefault(hydrogen, other)
    return sorted(pairs.items())


def _to_own_place(structure: Structure, molecule: molecules.Molecule, atom: int, fract: Array) -> Array:
    group = structure.space_group
    rotation = group.rotations[molecule.operation[atom]].astype(float)
    shift = group.translations[molecule.operation[atom]] + molecule.translation[atom]
    return np.linalg.solve(rotation, fract - shift)
