"""The truth: SQL tables, one file per aggregate, and the file contents. Knows no HTTP."""
