"""Every instruction of SHELXL-2019 and every item of it, fed to a refinement: applied, named as not applied, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from cctbx import uctbx
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import INSTRUCTIONS
from qcrbox_refine.instruction_keywords import KEYWORDS, page
from qcrbox_refine.instruction_table import INSTRUCTION_TABLE, Treatment
from qcrbox_refine.refinement import Options, Result, refine_files
from truth import Truth, hkl_text, noisy, write

# Acrylamide without hydrogen, Cartesian in Å.
ATOMS = {
    "O1": (2.53, 3.5, 2.0),
    "N1": (0.64, 4.64, 2.0),
    "C1": (1.3, 3.5, 2.0),
    "C2": (0.56, 2.22, 2.1),
    "C3": (-0.77, 2.22, 2.3),
}
# What stands among the atoms; everything else stands in the header.
PLACED = ("AFIX", "PART", "RESI", "MOVE", "SAME", "C11", "C12", "C13", "C14", "C15", "C16", "H2")
ONE_OF_A_KIND = ("TITL", "L.S.", "CGLS", "WGHT", "HKLF")
# An example of each instruction that as a whole is not applied.
WHOLE_EXAMPLES = {
    "ANSC": "ANSC 1 1 1 0 0 0", "ANSR": "ANSR 0.001", "BEDE": "BEDE C1 C2 0.5 1 0.6 1", "BLOC": "BLOC 1 O1 > C1", "CONF": "CONF",
    "GRID": "GRID 1 1 1 2 2 2", "HOPE": "HOPE", "LAUE": "LAUE C", "LONE": "LONE 1 O1 0.5 1 0.4 1 110", "MOLE": "MOLE 1",
    "MORE": "MORE 3", "MPLA": "MPLA 3 C1 C2 O1", "NCSY": "NCSY 1 0.1 0.05 O1 > C1", "PRIG": "PRIG 0.1", "RTAB": "RTAB DIST C1 C2",
    "STIR": "STIR 2 0.01", "TIME": "TIME 100", "TWST": "TWST 1", "WIGL": "WIGL 0.2 0.2", "WPDB": "WPDB 1", "XNPD": "XNPD 0.001",
}  # fmt: skip


@pytest.fixture(scope="module")
def crystal():
    """Model text and reflections of the molecule in P 21."""
    truth = Truth("P 21", None)
    cell = uctbx.unit_cell(truth.cell)
    truth.atoms = [(label, label[0], cell.fractionalize(site), 0.03) for label, site in ATOMS.items()]
    hkl = truth.indices(1.2)
    text = truth.ins("SFAC H", "UNIT 2 2 2 2")
    lines = [line for line in text.split("\n") if not line.startswith(("DISP", "SFAC", "UNIT"))]
    lines[4:4] = ["SFAC C H N O", "UNIT 6 0 2 2"]
    # Types follow the elements in SFAC.
    types = {"C": "1", "N": "3", "O": "4"}
    for k, line in enumerate(lines):
        words = line.split(" ", 2)
        if words[0] in ATOMS:
            lines[k] = f"{words[0]} {types[words[0][0]]} {words[2]}"
    return "\n".join(lines).replace("FVAR 1", "FVAR 1 0.6 1.3"), hkl_text(
        hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1)
    )


def feed(folder, crystal, example: str) -> Result:
    """The refinement of the molecule with these lines (separated by `|`) where SHELXL wants them."""
    text, hkl = crystal
    for line in filter(None, example.split("|")):
        word = line.split()[0]
        if word in ONE_OF_A_KIND:
            old = "L.S." if word == "CGLS" else word
            text = "\n".join(line if one.startswith(old) else one for one in text.split("\n"))
        else:
            before = "C3 " if word in PLACED else "FVAR"
            text = text.replace(f"\n{before}", f"\n{line}\n{before}", 1)
    # Free variables 2 and 3 are there for what uses them.
    structure, data = write(folder, text, hkl)
    fab = folder / "mask.fab"
    fab.write_text("1 0 2 1.0 0.5\n2 1 3 2.0 0.5\n4 0 -2 1.5 0.5\n0 2 1 1.0 0.5\n0 0 0 0 0\n")
    options = Options(cycles=0, weighting="keep", mask=str(fab) if "ABIN" in example else None)
    return refine_files(structure, data, options)


def treatment_of(folder, crystal, example: str, name: str) -> Treatment:
    """What really happens to an instruction: does an error name it, or an entry of what is not applied?"""
    try:
        result = feed(folder, crystal, example)
    except UserInputError as error:
        if name not in f"{error.what} {error.message}":
            raise
        return Treatment.REFUSED
    entries = [entry for entry in result.model.left_out if entry.text.split()[0].partition("_")[0] == name]
    assert len(result.model.left_out) == len(entries), result.model.left_out
    assert all(entry.why for entry in entries)
    return Treatment.NAMED if entries else Treatment.APPLIED


ITEMS = [
    pytest.param(name, keyword, id=f"{name}-{keyword.name}".replace(" ", "_"))
    for name, keywords in KEYWORDS.items()
    for keyword in keywords
]


def test_the_list_is_complete():
    assert set(INSTRUCTION_TABLE) == set(KEYWORDS) == INSTRUCTIONS
    assert {name for name, keywords in KEYWORDS.items() if not keywords} == set(WHOLE_EXAMPLES)


@pytest.mark.parametrize(("name", "keyword"), ITEMS)
def test_items_are_treated_as_the_list_says(tmp_path, crystal, name, keyword):
    assert treatment_of(tmp_path, crystal, keyword.example, name) is keyword.treatment


@pytest.mark.parametrize("name", WHOLE_EXAMPLES)
def test_instructions_are_treated_as_the_list_says(tmp_path, crystal, name):
    found = treatment_of(tmp_path, crystal, WHOLE_EXAMPLES[name], name)
    # What has no effect passes as what is applied does: nothing is said.
    passes = INSTRUCTION_TABLE[name].treatment is Treatment.SILENT
    assert found is (Treatment.APPLIED if passes else INSTRUCTION_TABLE[name].treatment)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("WGHT 0.05 x", "'x' is not a number"),
        ("TEMP cold", "'cold' is not a number"),
        ("EXTI ?", "'?' is not a number"),
        ("EADP C1", "atoms or numbers are missing"),
        ("EXYZ", "atoms or numbers are missing"),
        ("EQIV $1", "atoms or numbers are missing"),
        ("HFIX 43", "atoms or numbers are missing"),
        ("DFIX", "DFIX has a distance and pairs of atoms"),
        ("DFIX 1.5 C1", "not pairs"),
        ("SUMP 1", "SUMP has a sum"),
        ("DISP Zn 0.1 0.2", "SFAC does not list this element"),
        ("DFIX 3 C1 C2_$1|EQIV $1 nonsense", "is no symmetry operation"),
        ("DFIX 3 C1 C2_$4", "no EQIV $4"),
        ("+not_there.txt", "not there"),
        (
            "AFIX 176|C11 1 0.5 0.5 0.5 10.01 0.03|C12 1 0.7 0.5 0.5 10.01 0.03|C13 1 0.7 0.6 0.5 10.01 0.03|AFIX 0",
            "no FRAG 17",
        ),
    ],
)
def test_what_is_said_wrongly_is_named(tmp_path, crystal, line, why):
    entries = feed(tmp_path, crystal, line).model.left_out
    assert [entry.text.split()[0] for entry in entries] == [line.split()[0]]
    assert why in entries[0].why


@pytest.mark.parametrize(
    "line",
    ["AFIX 137|H2 2 0.2 0.3 0.4 11 -1.5|AFIX 0", "AFIX 13|H2 2 0.2 0.3 0.4 11 -1.2|AFIX 0"],
)
def test_a_riding_geometry_that_does_not_fit_is_noted(tmp_path, crystal, line):
    model = feed(tmp_path, crystal, line).model
    assert any("They keep their position relative to it" in note for note in model.notes)


@pytest.mark.parametrize("line", ["DISP C", "EQIV", "SFAC Zn 1 2 3", "TWIN 1 0", "NONSENSE 1 2"])
def test_what_cannot_be_understood_is_refused_with_its_line(tmp_path, crystal, line):
    with pytest.raises(UserInputError, match=r"truth\.ins line \d+"):
        feed(tmp_path, crystal, line)


def test_the_page_of_the_documentation_is_the_one_that_the_tables_print(folder):
    printed = (folder.parents[1] / "docs" / "shelxl_instructions.md").read_text("utf-8")
    assert printed == page(), "run make instructions"
