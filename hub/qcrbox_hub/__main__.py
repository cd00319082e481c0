"""The command `qcrbox`; `python -m qcrbox_hub` is the same."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line, or say which packages it lacks: `pip install qcrbox` alone brings the kernel library."""
    try:
        # Typer is optional: a kernel needs no command line.
        from qcrbox_hub.cli import main as command_line
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("qcrbox", "qcrbox_hub"):
            raise
        sys.stderr.write(
            f"The command qcrbox needs packages that are not installed: {error.name} is missing.\n"
            "`pip install qcrbox` installs the library for kernels and containers only.\n"
            f'Install the platform with: {sys.executable} -m pip install "qcrbox[hub]"\n'
            f'or only `qcrbox bridge` with: {sys.executable} -m pip install "qcrbox[bridge]"\n'
        )
        return 1
    command_line()
    return 0


if __name__ == "__main__":
    sys.exit(main())
