"""6. The edge cases go through the store and the notebook: no crash, no silent change, and words that help.

Each case by itself is tested beside the CIF layer (qcrbox_kernel_lib/tests/cif, tests/structure: test_edge_cases.py).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest
from qcrbox.api.box import Box
from qcrbox.api.datasets import Dataset
from qcrbox.contract.errors import CifError, QcError

CELL = (
    "_cell_length_a 7.1(1)\n_cell_length_b 8.2\n_cell_length_c 9.3\n_cell_angle_alpha 90\n_cell_angle_beta 101\n"
    "_cell_angle_gamma 90\n"
)
SITES = (
    "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    "_atom_site_U_iso_or_equiv\n"
)
ATOMS = SITES + "C1 C 0.1 0.2 0.3 0.03\nO1 O 0.25 0.2 0.3 0.03\n"
GROUP = "_space_group_name_H-M_alt 'P 1 21/c 1'\n"
GOOD = f"data_x\n{CELL}{GROUP}{ATOMS}"

FILES: dict[str, str | bytes] = {
    "01 numbers with s.u.": GOOD + "_a 12(3)\n_b 1.2E3(4)\n_c -0.5(10)\n_d 5.1(0)\n",
    "02 unknown and not applicable": GOOD + "_a ?\n_b .\n_c '?'\n_d \".\"\n_e ''\n",
    "03 byte order mark and old endings": codecs.BOM_UTF8 + GOOD.replace("\n", "\r\n").encode() + b"\x1a",
    "04 Latin-1": GOOD.encode() + b"_n M\xfcller\n",
    "05 item twice, equal": GOOD + "_cell_length_b 8.2\n",
    "05 item twice, different": GOOD + "_cell_length_b 8.3\n",
    "06 two blocks of one name": GOOD + GOOD,
    "06 global": "global_\n_a 1\n",
    "07 wrong count": GOOD.replace("O1 O 0.25 0.2 0.3 0.03", "O1 O 0.25 0.2 0.3"),
    "07 loop without rows": f"data_x\n{CELL}{GROUP}{SITES}",
    "08 awkward texts": GOOD + "_a a#b\n_b 'a dog's life'\n_c\n;one\n ;two\n;\n_d 'data_x'\n",
    "08 text never ends": GOOD + "_c\n;one\ntwo\n",
    "09 long line": GOOD + f"_a {'x' * 5000}\n",
    "10 CIF 2": "#\\#CIF_2.0\n" + GOOD + "_l [1 'b c' {'k':2}]\n_t '''it's'''\n",
    "10 CIF 2 list without end": "#\\#CIF_2.0\n" + GOOD + "_l [1 2\n",
    "11 three blocks": GOOD + GOOD.replace("data_x", "data_y") + "data_hkl\nloop_\n_refln_index_h\n1\n",
    "12 two lists of operations": GOOD
    + "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n"
    + "loop_\n_space_group_symop_operation_xyz\nx,y,z\n",
    "13 group unknown": GOOD.replace("P 1 21/c 1", "P 21/z"),
    "14 spelling of operations": f"data_x\n{CELL}loop_\n_space_group_symop_operation_xyz\n'X, Y, Z'\n1/2-X,y+0.5,.5+z\n{ATOMS}",
    "15 not positive definite": GOOD
    + "loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\n_atom_site_aniso_U_22\n_atom_site_aniso_U_33\n"
    + "_atom_site_aniso_U_12\n_atom_site_aniso_U_13\n_atom_site_aniso_U_23\nc1 0.03 0.03 -0.03 0 0 0\n",
    "16 odd types and labels": GOOD + "".join(f"{name} {kind} 0.5 0.5 0.5 0.1\n" for name, kind in (("Q1", "Q"), ("H1A'", "D"), ("C1", "C"), ("Fe1", "Fe3+"), ("CL1", "CL"))),
    "17 occupancy above one": GOOD.replace("U_iso_or_equiv\n", "occupancy\n").replace("0.03\n", "1.5\n"),
    "18 riding without s.u.": GOOD.replace("0.25 ", "0.25() "),
    "19 embedded reflections": GOOD + "_shelx_hkl_file\n;\n-12-10 -9 1234.56   12.34\n   0   0   0\n;\n_shelx_hkl_checksum 1\n",
    "20 twin data": GOOD + "_shelx_hkl_file\n;\n   1   0   0   10.00    1.00  -2\n   1   0   0   10.00    1.00   1\n;\n",
    "21 no wavelength": GOOD + "_diffrn_radiation_wavelength ?\n",
    "22 modulated": GOOD + "_cell_modulation_dimension 1\n_space_group_ssg_name 'P 1'\n",
    "23 Gram-Charlier": GOOD + "loop_\n_atom_site_anharm_GC_C_label\n_atom_site_anharm_GC_C_111\nC1 0.0001(3)\n",
    "24 stray data line": "data_\n" + GOOD,
    "25 script": GOOD + "_publ_section_title '<script>alert(1)</script>'\n",
    "25 no CIF at all": b"PK\x03\x04" + bytes(400),
    "25 nothing": b"",
}  # fmt: skip


def looks(dataset: Dataset) -> dict[str, Callable[[], object]]:
    """All a person may look at."""
    return {
        "card": dataset._repr_mimebundle_,
        "file": lambda: dataset.cif._repr_mimebundle_(),
        "structure": lambda: dataset.structure,
        "view": lambda: dataset.view()._repr_mimebundle_(),
        "checks": lambda: dataset.cif.validate()._repr_mimebundle_(),
        "difference": lambda: dataset.box.diff(dataset, dataset)._repr_mimebundle_(),
    }


def seen(look: Callable[[], object]) -> tuple[str, str]:
    """What is shown, or in which words it is refused; any other exception fails the test."""
    try:
        shown = look()
    except QcError as error:
        return "", error.message
    return (shown.get("text/html") or shown["text/plain"]) if isinstance(shown, dict) else repr(shown), ""


@pytest.mark.parametrize("case", FILES)
def test_file_is_stored_as_it_is_and_shown_or_refused_in_words(box: Box, case: str) -> None:
    content = FILES[case]
    content = content.encode() if isinstance(content, str) else content
    stored = box.add(content, name=case)
    (file,) = stored.files.values()
    assert file.bytes == content
    for name, look in looks(stored).items():
        shown, words = seen(look)
        assert "<script" not in shown, name
        assert shown or len(words) > 10, name


@pytest.mark.parametrize(
    ("case", "line", "tag"),
    [
        ("05 item twice, different", 18, "_cell_length_b"),
        ("07 wrong count", None, None),
        ("08 text never ends", None, None),
        ("10 CIF 2 list without end", 19, None),
    ],
)
def test_syntax_error_names_file_line_and_tag(
    box: Box, tmp_path: Path, case: str, line: int | None, tag: str | None
) -> None:
    content = FILES[case]
    assert isinstance(content, str)
    (tmp_path / "azu.cif").write_text(content)
    stored = box.add(tmp_path / "azu.cif", name=f"error {case}")
    with pytest.raises(CifError) as caught:
        _ = stored.structure
    assert caught.value.file == "azu.cif"
    assert "azu.cif" in str(caught.value)
    assert caught.value.line is not None
    assert str(caught.value.line) in str(caught.value)
    if line is not None:
        assert caught.value.line == line
    if tag is not None:
        assert caught.value.tag == tag
