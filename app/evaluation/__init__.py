"""Evaluations: running the tracking over annotated data and writing reports."""
