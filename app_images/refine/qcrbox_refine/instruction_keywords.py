"""The items of every SHELXL instruction (its numbers, names and code words): applied, named as not applied, or refused.

This is data: the reader names what stands here as not applied, the page docs/shelxl_instructions.md is printed from it, and
a test feeds the example of every item to a refinement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qcrbox.crystallography.shelx import Instruction

from qcrbox_refine.instruction_table import INSTRUCTION_TABLE, Treatment


@dataclass(frozen=True)
class Keyword:
    """One item of an instruction. name: as in SHELXL's manual; how: what is applied, or why it is not, with the limits.

    example: lines that use it, separated by `|`; present: whether an instruction uses an item that is not applied.
    """

    name: str
    treatment: Treatment
    how: str
    example: str
    present: Callable[[Instruction], bool] | None = None


def _yes(name: str, how: str, example: str) -> Keyword:
    return Keyword(name, Treatment.APPLIED, how, example)


def _no(name: str, how: str, example: str, present: Callable[[Instruction], bool]) -> Keyword:
    return Keyword(name, Treatment.NAMED, how, example, present)


def _refused(
    name: str, how: str, example: str, present: Callable[[Instruction], bool] | None = None
) -> Keyword:
    return Keyword(name, Treatment.REFUSED, how, example, present)


def _more_than(count: int) -> Callable[[Instruction], bool]:
    """Whether an instruction has more numbers than this."""
    return lambda instruction: len(instruction.numbers) > count


def _other_than(*codes: float, position: int = 0) -> Callable[[Instruction], bool]:
    """Whether the number at a position is none of these; a missing one counts as the first."""
    return lambda instruction: instruction.number(position, codes[0]) not in codes


_ATOM_LISTS = "names of atoms as above"
_CYCLES = (
    _yes("nls", "by the stand-in for shelxl; the commands have `cycles`, which counts there", "L.S. 4"),
    _no("nrf", "A free R set or cycles before ANIS: all data and ANIS count from the first cycle.", "L.S. 4 -10", _other_than(0, position=1)),
    _no("nextra", "S is formed with the refined parameters alone.", "L.S. 4 0 20", _other_than(0, position=2)),
)  # fmt: skip

KEYWORDS: dict[str, tuple[Keyword, ...]] = {
    "ABIN": (
        _yes("without numbers", "A + iB added to F as they stand; refused where no .fab file is there", "ABIN"),
        _yes("n1 n2", "free variables for scale and U, of their own", "ABIN 2 3"),
    ),
    "ACTA": (
        _yes("without numbers", "the CIF is always complete, with the reflections", "ACTA"),
        _no("2θfull, NOHKL", "Completeness is given at the usual 2θ, and reflections are always in the CIF.", "ACTA 50", lambda i: bool(i.words)),
    ),
    "AFIX": (
        _yes("m = 1, 2, 3, 4, 8, 9, 12, 13, 14, 15, 16", "ideal hydrogen, made again in every cycle", "AFIX 43|H2 2 0.2 0.3 0.4 11 -1.2|AFIX 0"),
        _yes("m = 5, 6, 7, 10, 11", "regular pentagon, hexagon, Cp*, naphthalene, fitted once", "AFIX 66|C11 1 0.5 0.5 0.5 10.01 0.03|C12 1 0.6 0.55 0.5 10.01 0.03|C13 1 0.7 0.55 0.5 10.01 0.03|C14 1 0.8 0.6 0.5 10.01 0.03|C15 1 0.7 0.65 0.5 10.01 0.03|C16 1 0.6 0.6 0.5 10.01 0.03|AFIX 0"),
        _yes("m ≥ 17", "fitted to FRAG m once; named where there is none", "FRAG 17 1 1 1 90 90 90|X1 1 0 0 0|X2 1 1.4 0 0|X3 1 2.1 1.2 0|FEND|AFIX 176|C11 1 0.5 0.5 0.5 10.01 0.03|C12 1 0.7 0.5 0.5 10.01 0.03|C13 1 0.75 0.6 0.5 10.01 0.03|AFIX 0"),
        _yes("n = 1, 2, 3, 4, 5, 6, 7, 8, 9", "fixed, riding (with distance, torsion), rigid group (with scale), its members", "AFIX 2|C11 1 0.5 0.5 0.5 10.01 0.03|AFIX 0"),
        _yes("d, sof, U", "distance, occupancy and U of the atoms that follow", "AFIX 43 1.08 11 -1.5|H2 2 0.2 0.3 0.4 11 0.05|AFIX 0"),
    ),
    "ANIS": (
        _yes("n", "the next n isotropic atoms, or all; negative: hydrogen too", "ANIS 2"),
        _yes("names", _ATOM_LISTS, "ANIS C1 O1"),
    ),
    "BASF": (_yes("scale factors", "shares of domains or batches; refined, or fixed as 10 + k; without domains or batches a note says so", "TWIN|BASF 0.2"),),
    "BIND": (
        _yes("atom pairs", "bonds are added", "BIND C1 N1"),
        _yes("m n", "atoms of PART m and n may be bonded", "BIND 1 2"),
    ),
    "BOND": (_yes("atoms, $H", "all bonds and angles are always written", "BOND $H"),),
    "BUMP": (_yes("s", "s.u.; negative: bonds to symmetry equivalents count as bonds. SHELXL's limits are not published; those here are usual shortest contacts", "BUMP 0.02"),),
    "CELL": (_yes("λ a b c α β γ", "all", ""),),
    "CGLS": (
        _yes("nls", "full-matrix cycles, which have s.u. as well", "CGLS 4"),
        _no("nrf", "A free R set or cycles before ANIS: all data and ANIS count from the first cycle.", "CGLS 4 -10", _other_than(0, position=1)),
        _no("nextra", "S is formed with the refined parameters alone.", "CGLS 4 0 20", _other_than(0, position=2)),
    ),
    "CHIV": (_yes("V s names", "triple product of the bonds to three atoms other than hydrogen, in Å³", "CHIV 0 0.1 C1"),),
    "CONN": (_yes("bmax r names", "largest number of bonds and radius", "CONN 3 0.8 C1"),),
    "DAMP": (
        _yes("damp", "diagonal of the matrix times 1 + damp/1000, in steps; in s.u. at most 0.7, SHELXL's default, so that they are not made too small", "DAMP 0"),
        _yes("limse", "largest shift/s.u. of a cycle, where it is given", "DAMP 0.7 5"),
    ),
    "DANG": (_yes("d s pairs", "as DFIX, with twice its default s.u.", "DANG 2.4 0.04 C1 O1"),),
    "DEFS": (
        _yes("sd sf su ss", "default s.u. of DFIX and SADI, FLAT, DELU, SIMU", "DEFS 0.02 0.1 0.01 0.04"),
        _no("maxsof", "Occupancies are not limited.", "DEFS 0.02 0.1 0.01 0.04 0.9", _other_than(1.0, position=4)),
    ),
    "DELU": (_yes("s1 s2 names", "1,2 and 1,3 pairs; all atoms without names", "ANIS|DELU 0.01 0.01"),),
    "DFIX": (
        _yes("d s pairs", _ATOM_LISTS, "DFIX 1.5 0.02 C1 C2"),
        _yes("negative d", "anti-bumping: only while the distance is shorter", "DFIX -1.2 0.02 C1 C2"),
        _yes("d as free variable", "21 is 1 × free variable 2, which is refined", "DFIX 31 0.02 C1 C2"),
    ),
    "DISP": (
        _yes("E f' f''", "before all other sources", "DISP $C 0.02 0.01"),
        _yes("mu", "µ in the CIF, where every element has one and the CIF has none", "DISP $C 0.02 0.01 11.5"),
    ),
    "EADP": (_yes("names", _ATOM_LISTS, "EADP C1 C2"),),
    "END": (_yes("", "what follows is not read, but for WGHT that a program recommends", ""),),
    "EQIV": (_yes("$n operation", "for names in restraints, BIND and FREE; one of the space group", "EQIV $1 1-x, 0.5+y, 1-z|DFIX 5 0.02 C1 C2_$1"),),
    "EXTI": (_yes("x", "refined by SHELXL's formula", "EXTI 0.001"),),
    "EXYZ": (_yes("names", _ATOM_LISTS, "EXYZ C3 C11|C11 1 0.5 0.5 0.5 10.01 10.03"),),
    "FEND": (_yes("", "", "FRAG 17 1 1 1 90 90 90|X1 1 0 0 0|X2 1 1.4 0 0|X3 1 2.1 1.2 0|FEND"),),
    "FLAT": (_yes("s names", "n - 3 tetrahedra of volume 0", "FLAT 0.1 C1 C2 O1 N1"),),
    "FMAP": (
        _yes("code 2", "difference density, always made", "FMAP 2"),
        _no("other codes", "Only the difference density is made.", "FMAP 4", lambda i: abs(i.number(0, 2)) != 2),
        _no("axis, nl", "The map has no layers.", "FMAP 2 1 53", _more_than(1)),
    ),
    "FRAG": (_yes("code a b c α β γ", "Cartesian (1 1 1 90 90 90) or in a cell", "FRAG 17 1 1 1 90 90 90|X1 1 0 0 0|X2 1 1.4 0 0|X3 1 2.1 1.2 0|FEND"),),
    "FREE": (_yes("atom pairs", "bonds are taken out", "FREE C1 C2"),),
    "FVAR": (_yes("osf, free variables", "the scale is refined anew; variables as parameters use them: 10.5 fixed, 21 and -21", ""),),
    "HFIX": (_yes("mn U d names", "as AFIX; torsions by the difference density. On atoms with hydrogen, and where bonds do not fit, named", "HFIX 43 -1.2 0.95 C2"),),
    "HKLF": (
        _yes("n = 2, 3, 4, 5, 6", "one wavelength counts for f', f'' of n = 2", "HKLF 4"),
        _refused("n = 1", "condensed data of SHELX-76", "HKLF 1"),
        _yes("s, r11 … r33, sm, m", "scale, matrix with fractions, factor of all 1/σ² (SHELXL-97), offset of the layers", "HKLF 4 1 1 0 0 0 1 0 0 0 1 1 0"),
    ),
    "HTAB": (_yes("dh, donor acceptor", "all hydrogen bonds found by geometry are always written, and those of the named atoms", "HTAB"),),
    "ISOR": (_yes("s st names", "st for atoms at the end of a chain; all atoms without names", "ANIS|ISOR 0.1 0.2 C1"),),
    "L.S.": _CYCLES,
    "LATT": (_yes("N", "1 to 7 as P I R F A B C, negative without a centre", ""),),
    "LIST": (
        _yes("m = 4, 6", "the .fcf file", "LIST 4"),
        _no("other m", "LIST 4 is written.", "LIST 2", _other_than(4, 6)),
        _no("mult", "The .fcf file has the reflections of the refinement.", "LIST 4 2", _more_than(1)),
    ),
    "MERG": (_yes("n = 0, 1, 2, 3, 4", "0 and 1 merge nothing, 3 and 4 Friedel mates too, 4 sets f'' to 0", "MERG 2"),),
    "MOVE": (_yes("dx dy dz sign", "of the atoms that follow", "MOVE 0 0 0 1"),),
    "NEUT": (_yes("", "scattering lengths; SFAC numbers first", "NEUT"),),
    "OMIT": (
        _yes("s", "negative: Fo² below sσ/2 is set to it; else not refined against", "OMIT -3"),
        _yes("2θ", "limit; its sign is ignored", "OMIT -2 100"),
        _yes("h k l", "with its equivalents, not its Friedel mate in acentric groups", "OMIT 1 0 2"),
        _refused("atom names", "Atoms that are listed but do not scatter: delete them from the atom list.", "OMIT C3", lambda i: bool(i.names)),
    ),
    "PART": (_yes("n sof", "negative n: not bonded to its own images, no special position", "PART 1 21|C11 1 0.5 0.5 0.5 10.01 0.03|PART 2 -21|C12 1 0.55 0.5 0.5 10.01 0.03|PART 0"),),
    "PLAN": (
        _yes("npeaks", "by the stand-in for shelxl; the commands write their own number", "PLAN 10"),
        _no("d1, d2", "Peaks are listed with their nearest atom whatever its distance.", "PLAN 10 1.5 2", _more_than(1)),
    ),
    "REM": (_yes("", "kept", "REM words"),),
    "RESI": (
        _yes("class, number", "in any order", "RESI 3 CCF3|C11 1 0.5 0.5 0.5 10.01 0.03|RESI 0"),
        _no("alias", "Atoms are known by the number of their residue.", "RESI 3 CCF3 7|C11 1 0.5 0.5 0.5 10.01 0.03|RESI 0", lambda i: sum(word.lstrip("-").isdigit() for word in i.words) > 1),
        _refused("chain (A:12)", "Chains of macromolecules.", "RESI A:12 ALA|C11 1 0.5 0.5 0.5 10.01 0.03|RESI 0", lambda i: any(":" in word for word in i.words)),
    ),
    "RIGU": (_yes("s1 s2 names", "1,2 and 1,3 pairs, three components each (decision 0030); all atoms without names", "ANIS|RIGU 0.004 0.004"),),
    "SADI": (_yes("s pairs", _ATOM_LISTS, "SADI 0.02 C1 C2 C2 O1"),),
    "SAME": (_yes("s1 s2 names", "1,2 and 1,3 distances of the names and of the atoms that follow; `SAME_CCF3` of all residues", "SAME 0.02 0.04 O1 > C1|C11 1 0.5 0.5 0.5 10.01 0.03|C12 1 0.6 0.6 0.5 10.01 0.03|C13 1 0.55 0.55 0.5 10.01 0.03"),),
    "SFAC": (_yes("elements; element and 14 numbers", "ions too; c of neutron data is the scattering length in fm", ""),),
    "SHEL": (_yes("lowres highres", "limits of resolution, Å", "SHEL 20 0.9"),),
    "SIMU": (_yes("s st dmax names", "st for atoms at the end of a chain; all atoms without names", "SIMU 0.04 0.08 1.7"),),
    "SIZE": (_yes("dx dy dz", "in the CIF", "SIZE 0.1 0.2 0.3"),),
    "SPEC": (_yes("d", "the atoms that follow are on a special position where they are nearer to it", "SPEC 0.1"),),
    "SUMP": (_yes("c s c1 m1 …", "sum of free variables", "SUMP 1.9 0.01 1 2 1 3|PART 1 21|C11 1 0.5 0.5 0.5 11 0.03|PART 2 31|C12 1 0.6 0.5 0.5 11 0.03|PART 0"),),
    "SWAT": (_yes("g U", "both refined", "SWAT 0.1 2"),),
    "SYMM": (_yes("operation", "all", ""),),
    "TEMP": (_yes("T", "°C: X-H distances, the CIF", "TEMP -100"),),
    "TITL": (_yes("", "names the block", "TITL words"),),
    "TWIN": (_yes("matrix n", "negative n: each domain inverted too", "TWIN -1 0 0 0 -1 0 0 0 -1 2|BASF 0.2"),),
    "UNIT": (_yes("n1 n2 …", "formula in the CIF", ""),),
    "WGHT": (_yes("a b c d e f", "by `weighting=\"keep\"` and the stand-in for shelxl; otherwise a and b are optimised", "WGHT 0.05 0.1 0 0 0 0.33333"),),
    "ZERR": (_yes("Z, s.u.", "all", ""),),
    # Instructions that as a whole are not applied.
    "ANSC": (), "ANSR": (), "BEDE": (), "BLOC": (), "CONF": (), "GRID": (), "HOPE": (), "LAUE": (), "LONE": (), "MOLE": (),
    "MORE": (), "MPLA": (), "NCSY": (), "PRIG": (), "RTAB": (), "STIR": (), "TIME": (), "TWST": (), "WIGL": (), "WPDB": (),
    "XNPD": (),
}  # fmt: skip
# Instructions that have nothing but numbers: another word ends them without a trace.
_NUMBERS_ONLY = frozenset(
    {"BASF", "BUMP", "CGLS", "DAMP", "DEFS", "EXTI", "FVAR", "HKLF", "L.S.", "LATT", "LIST", "MERG", "PART", "SHEL", "SIZE", "SPEC",
     "SWAT", "TEMP", "TWIN", "UNIT", "WGHT", "ZERR"}
)  # fmt: skip
# Instructions that mean nothing without these words.
_NEEDS_WORDS = {"EADP": 1, "EXYZ": 1, "EQIV": 2, "HFIX": 2, "BIND": 2, "FREE": 2, "CONN": 1, "DISP": 3}
# How many numbers SHELXL knows before the names of atoms.
_MOST_NUMBERS = {
    "BUMP": 1, "CHIV": 2, "DANG": 2, "DELU": 2, "DFIX": 2, "EADP": 0, "EXYZ": 0, "FLAT": 1, "FREE": 0, "ISOR": 2, "RIGU": 2,
    "SADI": 1, "SAME": 2, "SIMU": 3,
}  # fmt: skip


def misspelt(instruction: Instruction) -> str:
    """Why an instruction cannot be what it should be, by its words alone; empty where it can."""
    if instruction.name in _NUMBERS_ONLY and instruction.names:
        return f"{instruction.names[0]!r} is not a number."
    if len(instruction.words) < _NEEDS_WORDS.get(instruction.name, 0):
        return "Its atoms or numbers are missing."
    most = _MOST_NUMBERS.get(instruction.name)
    if most is not None and len(instruction.numbers) > most:
        unknown = " ".join(f"{number:g}" for number in instruction.numbers[most:])
        return f"Its numbers {unknown} have no meaning; the rest of it is applied."
    return ""


def of_instruction(instruction: Instruction) -> list[Keyword]:
    """The items of an instruction that are not applied or refused, as far as it uses them."""
    return [
        keyword
        for keyword in KEYWORDS.get(instruction.name, ())
        if keyword.present is not None and keyword.present(instruction)
    ]


def page() -> str:
    """docs/shelxl_instructions.md, in Markdown."""
    lines = [_HEAD]
    for name in sorted(INSTRUCTION_TABLE):
        handling = INSTRUCTION_TABLE[name]
        whole = f"{handling.meaning}. {handling.why}" if handling.why else f"{handling.meaning}."
        lines.append(f"| `{name}` | | {_WORDS[handling.treatment]} | {_cell(whole)} (`{handling.part}`) |")
        for keyword in KEYWORDS[name]:
            if keyword.name:
                lines.append(
                    f"| | {_cell(keyword.name)} | {_WORDS[keyword.treatment]} | {_cell(keyword.how)} |"
                )
    counts = ", ".join(
        f"{sum(h.treatment is t for h in INSTRUCTION_TABLE.values())} {_WORDS[t]}" for t in Treatment
    )
    return "\n".join([*lines, "", f"{len(INSTRUCTION_TABLE)} instructions: {counts}.", ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_WORDS = {
    Treatment.APPLIED: "applied",
    Treatment.NAMED: "named, not applied",
    Treatment.REFUSED: "refused",
    Treatment.SILENT: "without effect",
}
_HEAD = """# Instructions of SHELXL and the application `refine`

Printed by `make instructions` from the tables that the program itself uses; a test feeds every line below to a refinement.

Each instruction of SHELXL-2019, and each of its items, is one of four:

- **applied**: it acts as in SHELXL, within the limits given;
- **named, not applied**: the refinement continues without it. The log, the result card and the CIF (`_refine_special_details`) say
  "Not applied: …" with the reason;
- **refused**: without it the result would be another one, so nothing is refined. The error names file, line and a way out;
- **without effect**: it steers the output or the run of SHELXL and changes no number of a result; nothing is said of it.

The same holds wherever the instructions stand: an `.ins` or `.res` file, `_shelx_res_file` or `_iucr_refine_instructions_details` of
a CIF. Items that an applied instruction uses wrongly (atoms that are not there, an s.u. of 0, a range against the order) are named
too. `+file` reads another file; one that is missing is named. A word that is neither an instruction nor an atom is refused with its
line.

Names of atoms are labels, elements `$C`, ranges `A > B` and `A < B`, residues `_2`, `_CCF3`, `_*`, `_0`, `_+`, `_-`, and symmetry
`_$1` of EQIV. The module of `qcrbox_refine` that does the work stands in brackets.

| instruction | item | treatment | what exactly |
|---|---|---|---|"""
