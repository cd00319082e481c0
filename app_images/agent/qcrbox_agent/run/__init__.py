"""Running a program: from a call pattern, as a Python callable, or as a session with a window."""
