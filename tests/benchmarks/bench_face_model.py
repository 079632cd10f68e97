"""How fast a face is posed: identity + expression + joints -> vertices and normals.

    python -m tests.benchmarks.bench_face_model [--json OUT] [--frames N]

Prints p50 and p95 in milliseconds, with the machine's facts, for

- held identity: what a tracked frame costs, once the session knows who it is;
- cold identity: a new identity with every frame, as while a session still learns, or in training;
- neutral, skinning, normals: the parts of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from models.channels import CHANNEL_COUNT
from models.face_model import FaceModel, load_face_model

PEOPLE = 64
"""More than the model's cache of neutral faces holds."""


def measure(work: Callable[[int], object], count: int) -> dict[str, float]:
    """p50 and p95 in milliseconds of `work(i)` for i in 0 .. count - 1, after a warm-up."""
    for i in range(20):
        work(i)
    times = []
    for i in range(count):
        start = time.perf_counter()
        work(i)
        times.append((time.perf_counter() - start) * 1e3)
    p50, p95 = np.percentile(times, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def figures(model: FaceModel, count: int) -> dict[str, dict[str, float]]:
    """Milliseconds by name; see the module."""
    rng = np.random.default_rng(0)
    people = rng.normal(0, 1, (PEOPLE, model.identity_count)).astype(np.float32)
    # A face that speaks and looks around uses about a third of its channels.
    active = rng.random((PEOPLE, CHANNEL_COUNT)) < 0.35
    expressions = (rng.uniform(0, 1, active.shape) * active).astype(np.float32)
    full = rng.uniform(0.1, 1, active.shape).astype(np.float32)
    gazes = rng.normal(0, 0.2, (PEOPLE, 2, 2)).astype(np.float32)
    neck = np.array([0.1, 0.05, 0.0])
    vertices = model.pose(people[0], expressions[0], gazes[0]).vertices

    def k(i: int) -> int:
        return i % PEOPLE

    return {
        "held identity": measure(lambda i: model.pose(people[0], expressions[k(i)], gazes[k(i)]), count),
        "held identity, all 52 channels, neck": measure(
            lambda i: model.pose(people[0], full[k(i)], gazes[k(i)], neck=neck), count
        ),
        "cold identity": measure(lambda i: model.pose(people[k(i)], expressions[k(i)], gazes[k(i)]), count),
        "neutral of a cold identity": measure(lambda i: model.neutral(people[k(i)]), count),
        "normals": measure(lambda i: model.normals(vertices), count),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--frames", type=int, default=1000)
    options = parser.parse_args()
    start = time.perf_counter()
    model = load_face_model()
    loaded = time.perf_counter() - start
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
    facts = {
        "name": model.name,
        "vertices": model.vertex_count,
        "triangles": len(model.faces),
        "identity_coefficients": model.identity_count,
    }
    with threadpool_limits(1):
        rows = figures(model, options.frames)
    print(json.dumps({"machine": machine, "model": facts}))
    print(f"loaded in {loaded * 1e3:.0f} ms")
    for name, row in rows.items():
        print(f"  {name:38s} p50 {row['p50']:6.3f} ms   p95 {row['p95']:6.3f} ms")
    if options.json:
        report = {"machine": machine, "model": facts, "load_ms": round(loaded * 1e3), "ms": rows}
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
