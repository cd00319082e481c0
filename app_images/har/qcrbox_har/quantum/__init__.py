"""Wavefunctions and what is made of them. These modules run in a process of their own with pyscf."""
