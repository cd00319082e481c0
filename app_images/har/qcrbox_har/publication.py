"""What a published CIF says of a Hirshfeld atom refinement."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qcrbox.cif import read
from qcrbox.cif.convert.journal_cif import ascii_text
from qcrbox.cif.document import Block

from qcrbox_har.loop_state import Progress
from qcrbox_har.options import Options
from qcrbox_har.periodic.crystal import mesh_in_words

_PARTITIONS = {
    "hirshfeld": "Hirshfeld (Theor. Chim. Acta 44 (1977) 129)",
    "iterative-hirshfeld": "iterative Hirshfeld (Bultinck et al., J. Chem. Phys. 126 (2007) 144111)",
    "mbis": "minimal basis iterative stockholder (Verstraelen et al., J. Chem. Theory Comput. 12 (2016) 3894)",
    "becke": "Becke (J. Chem. Phys. 88 (1988) 2547)",
}


def sentences(state: Progress, options: Options) -> list[str]:
    """The settings in words that a reader of the paper can follow."""
    rounds = len(state.rounds)
    densities = "the periodic density of" if options.is_periodic else "wavefunctions of the molecules in"
    lines = [
        "Hirshfeld atom refinement (Capelli et al., IUCrJ 1 (2014) 361): the form factors of the atoms are Fourier "
        f"transforms of atomic densities taken from {densities} the crystal, renewed after each "
        f"least-squares refinement until no parameter changed by more than {options.tolerance:g} s.u. "
        + (f"({rounds} rounds)." if state.converged else f"(not reached in {rounds} rounds)."),
        *(_crystal_in_words(state) if options.is_periodic else _wavefunctions_in_words(state)),
        f"Partition: {_PARTITIONS[options.partition]}, on an integration grid of level {options.grid} of PySCF.",
    ]
    if options.wavefunction:
        lines.append(
            f"The wavefunction of the file {Path(options.wavefunction).name} was used as given, read with IOData "
            f"{version('qc-iodata')}; the level above applies to the other molecules only."
        )
    if options.crystal_field != "isolated":
        lines.append(
            "The crystal field acts on each wavefunction through the charges and dipoles of the atoms of all molecules "
            f"within {options.field_radius:g} Å, taken from the partition itself and renewed in every round."
        )
    treatment = {
        "anisotropic": "Hydrogen atoms were refined with anisotropic displacement parameters.",
        "isotropic": "Hydrogen atoms were refined with isotropic displacement parameters.",
        "riding": "Hydrogen atoms ride on their parent atoms.",
        "keep": "Hydrogen atoms were treated as in the starting model.",
    }
    lines.append(treatment[options.hydrogens])
    if state.plan.spherical:
        names = ", ".join(state.structure.sites.label[row] for row in state.plan.spherical)
        lines.append(f"Spherical form factors were kept for {names}.")
    conformers = {len(s) for s in state.plan.sources.values()}
    if max(conformers, default=1) > 1:
        lines.append(
            "Disorder: one wavefunction for each conformer; atoms outside the disorder take the mean of "
            "both, weighted by the occupancies."
        )
    return lines


def source(state: Progress) -> str:
    """Where the densities come from, for CIF items."""
    if state.method.is_periodic:
        return f"periodic density, {state.method.level.removesuffix(', periodic')} with GPAW"
    return f"molecular wavefunctions, {state.method.in_words}"


def _wavefunctions_in_words(state: Progress) -> list[str]:
    method = state.method
    electrons = (
        "restricted"
        if all(m.multiplicity == 1 for m in state.plan.molecules)
        else "unrestricted where open shells"
    )
    return [
        f"Wavefunctions: {method.level}, {electrons}, density fitting, PySCF {version('pyscf')}"
        + (", scalar relativistic X2C Hamiltonian." if method.relativistic else "."),
        _molecules_in_words(state),
    ]


def _crystal_in_words(state: Progress) -> list[str]:
    method, cell = state.method, state.plan.molecules[0]
    assert state.table is not None
    mesh = mesh_in_words(state.table.molecules[0].kpoints or ())
    spin = "" if cell.multiplicity == 1 else f", {cell.multiplicity - 1} unpaired electrons in the cell"
    return [
        f"Density: {method.level.removesuffix(', periodic')}, projector-augmented plane waves to {method.cutoff_ev:g} eV, "
        f"{mesh} k points including the centre of the zone{spin}, GPAW (Enkovaara et al., J. Phys.: Condens. Matter 22 (2010) "
        f"253202). Free atoms of the partition: Hartree-Fock/{method.basis}; those of the deformation density: spherical, of the atomic data of GPAW.",
    ]


def _molecules_in_words(state: Progress) -> str:
    parts = "; ".join(
        f"{m.formula}, charge {m.charge:+d}, multiplicity {m.multiplicity}" for m in state.plan.molecules
    )
    if not any(m.caps for m in state.plan.molecules):
        return f"Molecules: {parts}."
    return (
        "Wavefunctions are of overlapping fragments, whose cut bonds end in hydrogen atoms; each gives the form factors of "
        f"the atoms in its middle. Fragments: {parts}."
    )


def complete(cif: Path, state: Progress, options: Options, table_file: Path) -> None:
    """Add method, settings, checksum of the form factors and results per molecule to the refined CIF."""
    document = read(cif)
    block = document.sole_block()
    notes = block.text("_refine_special_details")
    doubts = state.table.doubts(state.plan) if state.table else []
    said = [*state.notes, *state.warnings, *doubts, *([notes] if notes else [])]
    text = ascii_text("\n".join([*sentences(state, options), *said]))
    block.set("_refine_special_details", text)
    program = block.text("_computing_structure_refinement") or "smtbx of cctbx"
    block.set(
        "_computing_structure_refinement",
        f"{program}; Hirshfeld atom refinement with QCrBox har, {'GPAW, ' if options.is_periodic else ''}PySCF {version('pyscf')} "
        f"and FINUFFT {version('finufft')}",
    )
    checksum = hashlib.sha256(table_file.read_bytes()).hexdigest()
    values: dict[str, Any] = {
        "_aspheric_ffs.source": source(state),
        "_aspheric_ffs_partitioning.name": options.partition,
        "_aspheric_ffs_partitioning.software": "QCrBox har",
        "_qcrbox_har_form_factors_file": table_file.name,
        "_qcrbox_har_form_factors_sha256": checksum,
        "_qcrbox_har_rounds": str(len(state.rounds)),
        "_qcrbox_har_converged": "yes" if state.converged else "no",
        "_qcrbox_har_scf_iterations": str(state.scf_iterations),
        "_qcrbox_har_IAM_R_factor_gt": f"{state.iam['R1']:.4f}",
        "_qcrbox_har_IAM_wR_factor_ref": f"{state.iam['wR2']:.4f}",
    }
    for tag, value in values.items():
        block.set(tag, value)
    _molecules(block, state)
    _atoms(block, state)
    document.write(cif)


def _molecules(block: Block, state: Progress) -> None:
    assert state.table is not None
    dipole_debye = 0.20819434
    columns: dict[str, list[str]] = {name: [] for name in ("number", "formula", "charge", "multiplicity", "energy_hartree", "dipole_debye")}  # fmt: skip
    for molecule, result in zip(state.plan.molecules, state.table.molecules, strict=True):
        row = (
            str(molecule.number),
            molecule.formula,
            f"{molecule.charge:d}",
            str(molecule.multiplicity),
            f"{result.energy:.6f}",
            # Of an ion and a crystal it depends on the origin, of a fragment on where it is cut.
            "."
            if molecule.charge or molecule.caps or state.method.is_periodic
            else f"{float((result.dipole**2).sum() ** 0.5) / dipole_debye:.3f}",
        )
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    block.add_loop({f"_qcrbox_har_molecule_{name}": cells for name, cells in columns.items()})


def _atoms(block: Block, state: Progress) -> None:
    """Electrons and charge of every atomic density."""
    assert state.table is not None
    rows = [int(row) for row in state.table.site]
    labels = [state.structure.sites.label[row] for row in rows]
    block.add_loop(
        {
            "_qcrbox_har_atom_label": labels,
            "_qcrbox_har_atom_electrons": [f"{state.table.electrons[row]:.4f}" for row in rows],
            "_qcrbox_har_atom_charge": [f"{state.table.charges[row]:.4f}" for row in rows],
        }
    )
