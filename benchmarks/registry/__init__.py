"""Parts of bench_registry.py: one file per question."""
