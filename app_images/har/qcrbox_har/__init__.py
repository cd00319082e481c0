"""Hirshfeld atom refinement: molecules, wavefunctions, form factors and the loop around the least squares.

Three processes share the work. The one that holds this package's top level knows neither pyscf nor cctbx; the
modules of `quantum` run in a child with pyscf, `refine_side` in a child with cctbx. The two libraries bring
different C++ runtimes and abort when they are loaded together.
"""
