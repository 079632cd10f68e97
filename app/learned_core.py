"""What runs the learned core on this machine, in words and in figures: for `doctor` and `benchmark`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.engines.choose import ChosenEngine

__all__ = ["engine_facts", "engine_sentence"]


def engine_facts(chosen: ChosenEngine) -> dict[str, Any]:
    """Name, self-test and those passed over, as JSON: `difference` is a share of the answer's root mean square."""
    report = chosen.report
    return {
        "name": chosen.engine.name,
        "self_test_ms": None if report.ms is None else round(report.ms, 3),
        "difference": None if report.difference is None else round(report.difference, 5),
        "passed_over": {passed.engine: passed.reason for passed in chosen.passed_over},
    }


def engine_sentence(chosen: ChosenEngine) -> str:
    """Such as `OpenVINO bf16, self-test passed (off by 0.4 %), 2.1 ms`."""
    report = chosen.report
    off = "" if report.difference is None else f" (off by {100 * report.difference:.1f} %)"
    took = "" if report.ms is None else f", {report.ms:.1f} ms"
    return f"{chosen.engine.name}, self-test passed{off}{took}"
