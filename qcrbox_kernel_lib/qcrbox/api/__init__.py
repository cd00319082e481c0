"""The objects that `import qcrbox as qc` gives to its users. Top layer: it composes all layers below."""
