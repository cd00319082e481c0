"""Matrix products and exchange of PySCF's fields through NumPy's BLAS.

The wheels of PySCF bring a BLAS of 2018 that knows no AVX-512; that of NumPy takes a third to half of the processor time for
the same product. NumPy's runs on one thread here (decision 0211), so large products are split among threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pyscf import df, lib

from qcrbox_har.method import UNPACKED_BYTES

Array = NDArray[np.float64]

# Operations below which a second thread costs more than it saves.
_WORTH_SPLITTING = 2e8
# Of the unpacked three-centre integrals at once: stays in the caches of the second and third level.
_BLOCK_BYTES = 16_000_000


@contextmanager
def numpy_products() -> Iterator[None]:
    """Inside, `lib.ddot` and `lib.dot` of real matrices are computed by NumPy."""
    own = lib.numpy_helper.ddot
    lib.numpy_helper.ddot = lib.ddot = ddot
    try:
        yield
    finally:
        lib.numpy_helper.ddot = lib.ddot = own


def ddot(a: Array, b: Array, alpha: float = 1, c: Array | None = None, beta: float = 0) -> Array:
    """alpha a b + beta c, written to `c` where that is given: what `pyscf.lib.ddot` computes."""
    if c is not None and beta != 0:
        found = _product(a, b, None)
        if alpha != 1:
            found *= alpha
        if beta != 1:
            c *= beta
        c += found
        return c
    found = _product(a, b, c)
    if alpha != 1:
        found *= alpha
    return found


def _product(a: Array, b: Array, out: Array | None) -> Array:
    (rows, inner), columns = a.shape, b.shape[1]
    threads = lib.num_threads()
    if threads == 1 or 2.0 * rows * inner * columns < _WORTH_SPLITTING:
        return np.matmul(a, b, out=out)
    found = np.empty((rows, columns)) if out is None else out
    if rows >= columns:
        tasks = [partial(np.matmul, a[part], b, out=found[part]) for part in _parts(rows, threads)]
    else:
        tasks = [partial(np.matmul, a, b[:, part], out=found[:, part]) for part in _parts(columns, threads)]
    _together(tasks)
    return found


class Fitting(df.DF):
    """Density fitting whose exchange matrix is computed by NumPy from the occupied orbitals.

    The integrals are kept unpacked while they fit: unpacking them takes longer than the products with them.
    """

    _unpacked: Array | None = None

    def get_jk(self, dm, hermi=1, with_j=True, with_k=True, direct_scf_tol=1e-13, omega=None):
        """As PySCF's: Coulomb and exchange matrices of density matrices that carry their orbitals.

        Others, those of a range-separated operator and complex ones are left to PySCF.
        """
        orbitals = occupied(dm)
        if not with_k or omega is not None or orbitals is None:
            return super().get_jk(dm, hermi, with_j, with_k, direct_scf_tol, omega)
        shape = np.shape(dm)
        count, n = len(orbitals), shape[-1]
        packed = lib.pack_tril(2 * np.reshape(dm, (count, n, n)))
        diagonal = np.arange(n)
        packed[:, diagonal * (diagonal + 1) // 2 + diagonal] *= 0.5
        coulomb, exchange = np.zeros_like(packed), np.zeros((count, n, n))
        for integrals, full in self._blocks(n):
            if with_j:
                coulomb += (packed @ integrals.T) @ integrals
            for own, found in zip(orbitals, exchange, strict=True):
                parts = _parts(len(full), lib.num_threads())
                for piece in _together([partial(_exchange, full[part], own) for part in parts]):
                    found += piece
        coulomb = lib.unpack_tril(coulomb, 1).reshape(shape) if with_j else None
        return coulomb, exchange.reshape(shape)

    def _blocks(self, n: int) -> Iterator[tuple[Array, Array]]:
        """Integrals as they are kept (b, n (n + 1) / 2) and unpacked (b, n, n), for b fitting functions at once."""
        if self._cderi is None:
            self.build()
        size = max(_BLOCK_BYTES // (8 * n * n), 1) * lib.num_threads()
        if not isinstance(self._cderi, np.ndarray) or len(self._cderi) * n * n * 8 > UNPACKED_BYTES:
            for integrals in self.loop(size):
                yield integrals, lib.unpack_tril(integrals)
            return
        if self._unpacked is None:
            self._unpacked = lib.unpack_tril(self._cderi)
        for start in range(0, len(self._cderi), size):
            yield self._cderi[start : start + size], self._unpacked[start : start + size]

    def reset(self, mol=None):
        """As PySCF's: forget the integrals."""
        self._unpacked = None
        return super().reset(mol)


def occupied(dm: Array) -> list[Array] | None:
    """Orbitals (n, o) times the root of their occupation, one set for each density matrix; None where a matrix has none.

    A set for both spins (restricted open shells) is left to PySCF as well.
    """
    orbitals, occupations = getattr(dm, "mo_coeff", None), getattr(dm, "mo_occ", None)
    if orbitals is None or occupations is None or np.iscomplexobj(dm):
        return None
    sets = np.shape(dm)[:-2]
    if np.shape(occupations)[:-1] != sets or np.shape(orbitals)[:-2] != sets:
        return None
    n = np.shape(dm)[-1]
    every = zip(np.reshape(orbitals, (-1, n, np.shape(orbitals)[-1])),
                np.reshape(occupations, (-1, np.shape(occupations)[-1])), strict=True)  # fmt: skip
    return [c[:, o > 0] * np.sqrt(o[o > 0]) for c, o in every]


def _exchange(integrals: Array, orbitals: Array) -> Array:
    """Share of the exchange matrix (n, n). integrals (b, n, n) for b fitting functions, orbitals (n, o)."""
    half = np.matmul(np.ascontiguousarray(orbitals.T), integrals).reshape(-1, len(orbitals))
    # NumPy sees that both factors are one array and computes one triangle.
    return half.T @ half


def _parts(count: int, threads: int) -> list[slice]:
    """At most `threads` stretches of nearly the same length."""
    ends = np.linspace(0, count, min(threads, max(count, 1)) + 1).astype(int)
    return [slice(int(low), int(high)) for low, high in pairwise(ends)]


def _together(tasks: list[Callable[[], Array]]) -> list[Array]:
    if len(tasks) == 1:
        return [tasks[0]()]
    return list(_pool(len(tasks)).map(lambda task: task(), tasks))


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)
