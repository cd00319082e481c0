"""An agent, a launcher and a registry that do no science, for tests, fault runs and benchmarks. Not in the wheel."""
