"""Calm and lag of the smoothing presets on tracked values.

    python main.py track CLIP --raw --out DIR
    python tests/benchmarks/smoothing_presets.py DIR/frames.csv

For each preset and a few telling values: the standard deviation at rest (in the quietest fifth of all half seconds,
without the trend) as a share of the raw one, the delay in milliseconds, and the range of the value that is left.
Raw rest and speed tell what the filter has to do: degrees, millimetres, whole channels.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from models.channels import ARKIT_CHANNELS  # noqa: E402
from models.geometry.camera import Camera  # noqa: E402
from models.geometry.rotations import from_quaternion, to_euler  # noqa: E402
from tests.benchmarks.landmark_smoothing import best_lag  # noqa: E402
from tracking.smoothing import Smoother, SmoothingSettings  # noqa: E402
from tracking.types import FaceParameters  # noqa: E402

Floats = NDArray[np.float64]
CHANNELS = ("eyeBlinkLeft", "jawOpen", "mouthSmileLeft", "mouthPucker", "browInnerUp", "browDownLeft", "noseSneerLeft")
WINDOW = 12


def read_states(path: Path) -> tuple[Floats, list[FaceParameters]]:
    """(T,) seconds and the states of the frames with a face."""
    times, states = [], []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["head_qw"]:
                continue

            def numbers(*names: str, row: dict[str, str] = row) -> Floats:
                return np.array([float(row[name]) for name in names])

            gaze = numbers(*(f"gaze_{side}_{axis}_deg" for side in ("left", "right") for axis in ("yaw", "pitch")))
            times.append(float(row["time_s"]))
            states.append(
                FaceParameters(
                    identity=np.zeros(0, np.float32),
                    expression=numbers(*ARKIT_CHANNELS).astype(np.float32),
                    rotation=from_quaternion(numbers("head_qw", "head_qx", "head_qy", "head_qz")),
                    translation=numbers("head_x_m", "head_y_m", "head_z_m"),
                    gaze=np.radians(gaze.reshape(2, 2)).astype(np.float32),
                    camera=Camera.from_fov(640, 480),
                )
            )
    return np.array(times), states


def values_of(states: list[FaceParameters]) -> dict[str, Floats]:
    angles = np.degrees([to_euler(state.rotation) for state in states])
    places = np.array([state.translation for state in states]) * 1000.0
    expressions = np.array([state.expression for state in states], np.float64)
    return {
        "yaw deg": angles[:, 0],
        "pitch deg": angles[:, 1],
        "x mm": places[:, 0],
        "z mm": places[:, 2],
        "gaze yaw deg": np.degrees([state.gaze[:, 0].mean() for state in states]),
        **{name: expressions[:, ARKIT_CHANNELS.index(name)] for name in CHANNELS},
    }


def rest_deviations(values: Floats) -> Floats:
    """Standard deviation in each window of half a second, without the window's trend."""
    steps = np.arange(WINDOW)
    trend = np.stack([steps, np.ones(WINDOW)], axis=1)
    remove = np.eye(WINDOW) - trend @ np.linalg.pinv(trend)
    return np.array([np.std(remove @ values[i : i + WINDOW]) for i in range(len(values) - WINDOW)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames", type=Path, help="frames.csv of `track --raw`")
    times, states = read_states(parser.parse_args().frames)
    step_ms = float(np.median(np.diff(times))) * 1000.0
    raw = values_of(states)
    print("value          | raw rest | raw speed p95/s | light: rest lag range | medium: rest lag range | strong")
    lines = {}
    for name, values in raw.items():
        rest = rest_deviations(values)
        # Channels at their bound do not move at all: windows of that kind tell nothing about a filter.
        moving = np.flatnonzero(rest > 1e-4)
        quiet = moving[rest[moving] <= np.percentile(rest[moving], 20)]
        speed = np.percentile(np.abs(np.diff(values)), 95) * 1000.0 / step_ms
        lines[name] = quiet, f"{name:14} | {np.median(rest[quiet]):8.4f} | {speed:15.2f}"
    for preset in ("light", "medium", "strong"):
        smoother = Smoother(SmoothingSettings.model_validate({"preset": preset}))
        smooth = values_of([smoother.apply(state, t) for state, t in zip(states, times.tolist(), strict=True)])
        for name, (quiet, line) in lines.items():
            calm = np.median(rest_deviations(smooth[name])[quiet]) / np.median(rest_deviations(raw[name])[quiet])
            lag = best_lag(smooth[name], raw[name]) * step_ms
            left = np.ptp(np.percentile(smooth[name], [0.5, 99.5])) / np.ptp(np.percentile(raw[name], [0.5, 99.5]))
            lines[name] = quiet, f"{line} | x{calm:.2f} {lag:3.0f} ms x{left:.2f}"
    for _, line in lines.values():
        print(line)


if __name__ == "__main__":
    main()
