"""Which reflections of which domain add up to an observed intensity, and with which shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from cctbx import miller
from qcrbox.contract.errors import UserInputError

from qcrbox_refine.indices import to_array, to_flex

# Indices of a twin component that miss whole numbers by more than this have no reflection there.
_WHOLE = 0.1


@dataclass
class Components:
    """One row for each reflection that contributes: m rows for n observations.

    observation: (m,) row of the observed intensity; indices: (m, 3) h k l in the setting of the structure;
    domain: (m,) 0 for the first; multiplicity: (m,) how often it counts (powder data).
    """

    observation: np.ndarray
    indices: np.ndarray
    domain: np.ndarray
    multiplicity: np.ndarray

    @classmethod
    def single(cls, indices: np.ndarray, domain: np.ndarray | None = None) -> Components:
        """One component for each observation."""
        n = len(indices)
        return cls(np.arange(n), indices, np.zeros(n, int) if domain is None else domain, np.ones(n))

    def select(self, kept: np.ndarray) -> Components:
        """Those of the observations that are kept: (n,) of bool."""
        row = np.cumsum(kept) - 1
        mine = kept[self.observation]
        return Components(
            row[self.observation[mine]], self.indices[mine], self.domain[mine], self.multiplicity[mine]
        )


@dataclass
class Domains:
    """Shares of the domains. fractions: of the second domain on; refined: which of them are.

    twin: the share of the first is 1 - Σ; batch: it is 1, and the others are scale factors relative to it.
    """

    kind: Literal["single", "twin", "batch"] = "single"
    fractions: list[float] = field(default_factory=list)
    refined: list[bool] = field(default_factory=list)
    inversion: bool = False

    def shares(self) -> np.ndarray:
        """k of every domain, the first one included."""
        first = 1.0 - sum(self.fractions) if self.kind == "twin" else 1.0
        return np.array([first, *self.fractions])

    def derivative(self, index: int) -> np.ndarray:
        """∂k/∂fraction of every domain."""
        change = np.zeros(len(self.fractions) + 1)
        change[index + 1] = 1.0
        if self.kind == "twin":
            change[0] = -1.0
        return change


def twin_laws(matrix: tuple[float, ...], n: int) -> list[np.ndarray]:
    """Matrices of the domains, the first being the identity: h' = R h, applied again for each further domain.

    n < 0: the second half are the inverted ones of the first half (SHELXL, TWIN).
    """
    law, count = np.array(matrix, float).reshape(3, 3), abs(n) // 2 if n < 0 else n
    laws = [np.eye(3)]
    for _ in range(count - 1):
        laws.append(law @ laws[-1])
    return laws + [-law for law in laws] if n < 0 else laws


def merohedral_components(indices: np.ndarray, laws: list[np.ndarray]) -> tuple[Components, int]:
    """Components of (n, 3) observed indices under twin laws, and how many miss whole numbers.

    Those that miss have no reflection of that domain at this place.
    """
    rows = np.arange(len(indices))
    parts, missed = [], 0
    for domain, law in enumerate(laws):
        exact = indices @ law.T
        whole = np.rint(exact)
        there = np.all(np.abs(exact - whole) < _WHOLE, axis=1)
        missed += int((~there).sum())
        parts.append((rows[there], whole[there].astype(int), np.full(int(there.sum()), domain)))
    observation, hkl, domain_of = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Components(observation, hkl, domain_of, np.ones(len(observation))), missed


def grouped_components(
    indices: np.ndarray, batches: np.ndarray, *, powder: bool = False
) -> tuple[Components, np.ndarray]:
    """Components of HKLF 5 (domain numbers) or HKLF 6 (powder: multiplicities) rows, and the rows that end a group.

    A negative number means that the next row belongs to the same intensity; indices (m, 3), batches (m,).
    Raises UserInputError when the last group has no end.
    """
    if len(batches) and batches[-1] < 0:
        raise UserInputError(
            "the last group of overlapping reflections has no end.",
            why=f"The batch number of the last row is {batches[-1]}: a negative one says that another row follows.",
            next="The file is cut off, or not in HKLF 5 format.",
        )
    ends = np.flatnonzero(batches > 0)
    observation = np.searchsorted(ends, np.arange(len(batches)))
    numbers = np.maximum(np.abs(batches), 1)
    domain = np.zeros(len(batches), int) if powder else numbers - 1
    return Components(
        observation, indices, domain, numbers.astype(float) if powder else np.ones(len(batches))
    ), ends


def distinct_reflections(components: Components, crystal_set: miller.set) -> tuple[miller.set, np.ndarray]:
    """The symmetry-independent reflections among the components, and which one each component is.

    crystal_set gives symmetry and whether Friedel mates differ.
    """
    own = crystal_set.customized_copy(indices=to_flex(components.indices)).map_to_asu()
    keys = to_array(own.indices())
    unique, which = np.unique(keys, axis=0, return_inverse=True)
    return (
        crystal_set.customized_copy(indices=to_flex(unique)),
        which.reshape(-1),
    )
