"""Engines that run agents; one file each. `base.Manager` says what a new one has to do."""
