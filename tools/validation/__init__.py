"""`make validate`: the refinement held against published structures and known truths; writes docs/validation.md.

Each section is one function that returns Markdown (`sections.py`). `make validate DATA_SETS=/path` adds every CIF of a folder that
has reflections inside or in a file of the same name beside it.
"""
