"""The notebook API: one noun, one file. `import qcrbox as qc` opens the door to it."""
