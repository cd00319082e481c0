"""Data folder, processes, ports and log files: what the platform is made of. Imports no other part of the hub."""
