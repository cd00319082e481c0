"""Walls around programs and people's servers on Linux: namespaces, system-call filter, limits, and sockets that lead out.

Launcher, agent and hub share it. Nothing of it is needed on other systems or imported by the notebook library.
"""
