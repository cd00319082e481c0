"""`python -m qcrbox_hub` is the same as `qcrbox`."""

from qcrbox_hub.cli import main

if __name__ == "__main__":
    main()
