"""What changed between two CIFs: as text, by meaning, and as crystal structures."""

from qcrbox.analysis.difference.crystal import (
    AtomChange,
    CrystalDifference,
    crystal_difference,
)
from qcrbox.analysis.difference.semantic import Change, SemanticDifference, semantic_difference
from qcrbox.analysis.difference.text import text_difference

__all__ = [
    "AtomChange",
    "Change",
    "CrystalDifference",
    "SemanticDifference",
    "crystal_difference",
    "semantic_difference",
    "text_difference",
]
