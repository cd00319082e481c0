"""What can be computed from crystals: validation, differences, quality, index, densities. Arrays in, arrays out."""
