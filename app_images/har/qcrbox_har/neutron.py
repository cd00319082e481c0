"""Mean X-H distances of neutron structures: Allen & Bruno, Acta Cryst. B66 (2010) 380."""

from __future__ import annotations

# (element of X, hydrogen atoms on it): Å. For carbon see `kind`.
_MEAN = {
    ("C", 3): 1.077, ("C", 2): 1.092, ("C", 1): 1.099, ("C", 0): 1.083,
    ("N", 1): 1.015, ("N", 2): 1.015, ("N", 3): 1.036, ("N", 4): 1.036,
    ("O", 1): 0.970, ("O", 2): 0.958, ("O", 3): 1.018,
    ("B", 1): 1.185, ("B", 2): 1.185, ("B", 3): 1.21, ("Si", 1): 1.506, ("S", 1): 1.338, ("P", 1): 1.4,
}  # fmt: skip
_OTHER = 1.1


def mean_distance(element: str, hydrogens: int, unsaturated: bool = False) -> float:
    """Å. hydrogens: how many the atom carries; unsaturated: aromatic or olefinic carbon."""
    if element == "C" and unsaturated:
        return _MEAN["C", 0]
    return _MEAN.get((element, hydrogens), _MEAN.get((element, 1), _OTHER))


def kind(element: str, hydrogens: int, neighbours: int) -> tuple[str, float]:
    """Name of the bond's class and its neutron mean in Å, from the atoms around X (hydrogen included)."""
    if element == "C":
        if neighbours <= 3:
            return "C(ar)-H", 1.083
        return {3: ("C-H methyl", 1.077), 2: ("C-H methylene", 1.092)}.get(hydrogens, ("C-H methine", 1.099))
    if element == "N":
        return ("N+-H", 1.036) if neighbours >= 4 else ("N-H", 1.015)
    if element == "O":
        return ("O-H water", 0.958) if hydrogens == 2 else ("O-H", 0.970)
    return f"{element}-H", mean_distance(element, hydrogens)
