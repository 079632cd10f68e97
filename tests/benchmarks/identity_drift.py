"""Whether the session's identity settles, and whether it breathes with the expression.

    python -m tests.benchmarks.identity_drift [CLIP] [--json OUT]

Tracks a clip (by default the one that ships) and prints, at 1, 2, 5, 10, 20 and 30 seconds,

- drift: mean distance over the face's vertices between the neutral face then and that at the end, millimetres;
- shape: the same after the best uniform scale about the head's origin: one camera hardly tells a large head from a near
  one, so size drifts with the distance and is not seen in the picture;
- step: the largest such distance between two neighbouring frames since the row before, millimetres;
- activity: mean sum of the 52 channels since the row before, how much the face has been moving;
- held: whether the identity no longer changes.

The last line correlates the change of identity from frame to frame with the change of expression in the same frames,
up to where it is held: near zero says that identity does not take in what is expression.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.face_model import FaceModel
from tracking import FaceTracker
from tracking.sources import VideoSource

CLIP = Path(__file__).resolve().parents[2] / "app" / "assets" / "cap13_edit2.mp4"
MARKS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


@dataclass
class Track:
    """One clip, frame by frame: seconds, identity (K,), channels (52,), and from which frame on identity was held."""

    seconds: list[float] = field(default_factory=list)
    identity: list[NDArray[np.float32]] = field(default_factory=list)
    expression: list[NDArray[np.float32]] = field(default_factory=list)
    fit_ms: list[float] = field(default_factory=list)
    held_from: int | None = None


def follow(clip: Path) -> tuple[FaceModel, Track]:
    """Tracks the clip; frames without a face are left out."""
    track = Track()
    with VideoSource(clip) as source, FaceTracker() as tracker:
        for frame in source:
            face = tracker.process(frame)
            if face.raw is None:
                continue
            track.seconds.append(frame.time_s)
            track.identity.append(face.raw.identity)
            track.expression.append(face.raw.expression)
            track.fit_ms.append(next(stage.ms for stage in face.stages if stage.name == "fit"))
            if track.held_from is None and tracker.session.identity_held:
                track.held_from = len(track.seconds) - 1
    return tracker.model, track


def rows(model: FaceModel, track: Track) -> list[dict[str, float]]:
    """One row a mark that the clip reaches; see the module."""
    face = model.regions["face"] > 0.5
    neutral = [model.neutral(identity)[face] for identity in track.identity]

    def gap(a: int, b: int) -> float:
        return float(np.linalg.norm(neutral[a] - neutral[b], axis=1).mean() * 1e3)

    def shape_gap(a: int, b: int) -> float:
        scale = float(np.sum(neutral[a] * neutral[b]) / np.sum(neutral[a] ** 2))
        return float(np.linalg.norm(scale * neutral[a] - neutral[b], axis=1).mean() * 1e3)

    steps = np.array([0.0] + [gap(i - 1, i) for i in range(1, len(neutral))])
    seconds, activity = np.array(track.seconds), np.sum(track.expression, axis=1)
    result, before = [], -1
    for mark in MARKS_S:
        at = int(np.searchsorted(seconds, mark))
        if at >= len(seconds):
            break
        since = slice(before + 1, at + 1)
        held = track.held_from is not None and at >= track.held_from
        result.append(
            {
                "second": mark,
                "drift_mm": round(gap(at, len(neutral) - 1), 3),
                "shape_mm": round(shape_gap(at, len(neutral) - 1), 3),
                "step_mm": round(float(steps[since].max()), 3),
                "activity": round(float(activity[since].mean()), 2),
                "held": float(held),
            }
        )
        before = at
    return result


def breathing(model: FaceModel, track: Track) -> float:
    """Correlation of the frame-to-frame changes of identity (vertices) and expression, after the first second."""
    seconds = np.array(track.seconds)
    end = len(seconds) if track.held_from is None else track.held_from
    frames = np.flatnonzero(seconds[:end] > 1.0)
    if len(frames) < 10:
        return 0.0
    neutral = [model.neutral(track.identity[i]).copy() for i in frames]
    identity = [float(np.linalg.norm(b - a)) for a, b in pairwise(neutral)]
    expression = np.abs(np.diff([track.expression[i] for i in frames], axis=0)).sum(axis=1)
    return float(np.corrcoef(identity, expression)[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?", default=CLIP)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    start = time.perf_counter()
    with threadpool_limits(1):
        model, track = follow(options.clip)
    took = time.perf_counter() - start
    table, correlation = rows(model, track), breathing(model, track)
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
    }
    facts = {"machine": machine, "clip": options.clip.name, "frames": len(track.seconds), "took_s": round(took)}
    print(json.dumps(facts))
    for row in table:
        print(
            f"  {row['second']:4.0f} s   drift {row['drift_mm']:6.3f} mm   shape {row['shape_mm']:6.3f} mm   "
            f"step {row['step_mm']:6.3f} mm   activity {row['activity']:5.2f}   {'held' if row['held'] else ''}"
        )
    held = "never" if track.held_from is None else f"from {track.seconds[track.held_from]:.1f} s on"
    later = [ms for ms, s in zip(track.fit_ms, track.seconds, strict=True) if s > 1.0]
    p50, p95 = np.percentile(later, [50, 95])
    print(f"  held {held}; correlation of identity's and expression's changes {correlation:.2f}")
    print(f"  fit after the first second: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
    if options.json:
        report = {
            "machine": machine, "clip": options.clip.name, "rows": table, "breathing": correlation,
            "held_from_s": None if track.held_from is None else track.seconds[track.held_from],
            "fit_ms": {"p50": float(p50), "p95": float(p95)},
        }  # fmt: skip
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
