"""Ways to run a network: one interface, chosen by what the machine has and by a measurement."""
