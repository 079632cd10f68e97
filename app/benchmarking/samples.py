"""What a measurement collects, picture by picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracking import TrackedFace

__all__ = ["Samples", "percentiles"]


@dataclass(slots=True)
class Samples:
    """What was measured, in milliseconds, one value a picture; `first_s` and `last_s` on the monotonic clock."""

    latency_ms: list[float] = field(default_factory=list)
    stages_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    valid: int = 0
    dropped: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    wall_s: float = 0.0
    startup_s: float = 0.0
    render_ms: list[float] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def add(self, face: TrackedFace, latency_ms: float) -> None:
        """One tracked picture."""
        self.latency_ms.append(latency_ms)
        self.valid += face.valid
        for stage in face.stages:
            self.stages_ms[stage.name].append(stage.ms)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """`p50` and `p95`, rounded to microseconds."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}
