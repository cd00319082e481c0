"""Measurements beside their peers, in one run. `python -m benchmarks` runs all and writes docs/benchmarks.md."""
