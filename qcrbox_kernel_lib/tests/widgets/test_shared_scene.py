"""The scene that the browser's unit tests draw is what the kernel sends.

`extension/tests/scene.json` holds the scene of `DIACID` and the kernel's answers to questions about it; the browser's
tests (`extension/tests/scene_values.test.mjs`) compute its distances, angles and axes from the CIF values again.
Write the file anew with `python qcrbox_kernel_lib/tests/widgets/test_shared_scene.py`.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView
from qcrbox.widgets.structure_view.answers import answer_to
from qcrbox.widgets.structure_view.packing import packed

FILE = Path(__file__).parents[3] / "extension" / "tests" / "scene.json"
# Half a molecule about a centre of symmetry in an oblique cell; O2 is the one atom with a general ellipsoid.
DIACID = """data_diacid
_cell_length_a 6.10(2)
_cell_length_b 7.20(1)
_cell_length_c 8.30(1)
_cell_angle_alpha 95.0(1)
_cell_angle_beta 101.0(1)
_cell_angle_gamma 107.0(2)
_space_group_name_H-M_alt 'P -1'
_chemical_formula_sum 'C2 H2 O4'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_adp_type
_atom_site_U_iso_or_equiv
C1 C 0.5900(4) 0.5700(3) 0.5300(3) Uani 0.04
O1 O 0.7710(3) 0.6000(3) 0.4800(2) Uiso 0.05
O2 O 0.5750(3) 0.6900(3) 0.6600(2) Uani 0.05
H1 H 0.70 0.78 0.70 Uiso 0.06
loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_23
_atom_site_aniso_U_13
_atom_site_aniso_U_12
C1 0.04 0.04 0.04 0.004 0.008 0.012
O2 0.05 0.08 0.06 -0.01 0.02 0.03
"""
QUESTIONS = {
    "distance": [0, 1],
    "inverted": [0, 4],
    "angle": [1, 0, 2],
    "torsion": [1, 0, 4, 5],
}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def sent() -> dict[str, Any]:
    """What goes to the browser: the scene, and the answers by the name of their question."""
    view = StructureView(Structure.from_cif(DIACID.encode()), title="diacid")
    answers = {name: answer_to(view, {"do": "measure", "rows": rows}) for name, rows in QUESTIONS.items()}
    return {"scene": _plain(packed(view.scene, "diacid")), "questions": QUESTIONS, "answers": answers}


def _same(one: Any, other: Any, where: str = "") -> None:
    if isinstance(one, dict) and set(one) == {"$bytes"}:
        kind = "<u4" if where.endswith(("bonds", "contacts", "site")) else None
        small = where.rsplit(".", 1)[-1] in ("kinds", "hollow", "hydrogen", "element")
        arrays = [
            np.frombuffer(base64.b64decode(each["$bytes"]), kind or ("u1" if small else "<f4"))
            for each in (one, other)
        ]
        if where.endswith(".axes"):
            # Semi-axes as rows. Those of a sphere have any direction, another one on another processor: compare tensors.
            semi_axes = [array.reshape(-1, 3, 3) for array in arrays]
            arrays = [np.swapaxes(rows, 1, 2) @ rows for rows in semi_axes]
        np.testing.assert_allclose(*arrays, atol=1e-5, err_msg=where)
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for name in one:
            _same(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            _same(left, right, f"{where}.{number}")
    else:
        assert one == (pytest.approx(other) if isinstance(one, float) else other), where


def test_browser_tests_draw_what_the_kernel_sends():
    _same(sent(), json.loads(FILE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    FILE.write_text(json.dumps(sent(), ensure_ascii=False) + "\n", encoding="utf-8")
