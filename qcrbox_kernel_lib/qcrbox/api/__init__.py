"""What a person types after `import qcrbox as qc`. The top layer: it composes everything below."""
