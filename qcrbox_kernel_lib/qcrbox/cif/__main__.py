"""`python -m qcrbox.cif <command> ...`: see qcrbox.cif.console."""

from qcrbox.cif.console import main

raise SystemExit(main())
