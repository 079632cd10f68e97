"""Measuring the tracking against truth: annotations, errors, curves. Arithmetic alone, no files of results."""
