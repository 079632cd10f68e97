"""What trained networks can do, measured on people and seeds that no training has seen."""
