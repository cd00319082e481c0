"""Small crystals as text, for tests that need no files."""

from __future__ import annotations

from qcrbox.crystallography.structure.structure import Structure

_CELL = (("a", "b", "c"), ("alpha", "beta", "gamma"))


def cif(
    rows: str,
    cell: tuple[float, ...] = (10, 10, 10, 90, 90, 90),
    group: str = "P 1",
    columns: tuple[str, ...] = (),
    extra: str = "",
) -> str:
    """A CIF with one atom a row: label, element, x, y, z (fractional), then the further `_atom_site_` columns."""
    lengths, angles = cell[:3], cell[3:]
    head = "".join(f"_cell_length_{n} {v}\n" for n, v in zip(_CELL[0], lengths, strict=True))
    head += "".join(f"_cell_angle_{n} {v}\n" for n, v in zip(_CELL[1], angles, strict=True))
    tags = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", *columns)
    loop = "loop_\n" + "".join(f"_atom_site_{tag}\n" for tag in tags)
    return f"data_t\n{head}_space_group_name_H-M_alt '{group}'\n{extra}{loop}{rows}\n"


def structure(rows: str, *arguments, **keywords) -> Structure:
    return Structure.from_cif(cif(rows, *arguments, **keywords).encode())
