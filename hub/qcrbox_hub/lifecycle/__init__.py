"""What `qcrbox up`, `backup` and `restore` do: the plan of a start, its run, copies of the data."""
