"""Measuring speed, latency and memory of the whole program on this machine."""
