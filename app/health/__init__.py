"""Is everything there that Mien needs? Checks for the `doctor` command."""

from app.health.check import Check, Level
from app.health.checks import ALL_CHECKS, run_checks

__all__ = ["ALL_CHECKS", "Check", "Level", "run_checks"]
