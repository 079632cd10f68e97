"""How much MediaPipe smooths by itself: jitter against lag of its modes, on the demo clip.

    python tests/benchmarks/landmark_smoothing.py [CLIP]

Prints one line for each way of running the detector:

- still jitter: one picture of the clip repeated with fresh sensor noise; standard deviation of the landmarks over time;
- pan lag: the same picture moved sideways on a known path (1.5 Hz); the delay that explains the landmarks best;
- blink lag, blink depth: the lid opening over the clip against that of single pictures, which cannot lag: the delay
  that explains it best, and how much of the lid's motion is left;
- clip jitter: median second difference of the landmarks over the clip, head motion removed;
- time: median duration of one detection.

The last line is our own One-Euro filter on the landmarks of several faces, which MediaPipe leaves alone: as calm as
MediaPipe with one face, by the setting that lags least on the pan.

Lengths are in percent of the distance between the outer eye corners.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tracking.landmarks import LandmarkDetector, Mode  # noqa: E402
from tracking.smoothing import OneEuro  # noqa: E402

Floats = NDArray[np.float64]
FPS = 30.0
OUTER_EYES = (33, 263)
LIDS = ((159, 145), (386, 374))
VARIANTS: tuple[tuple[Mode, int], ...] = (("video", 1), ("video", 2), ("video", 4), ("image", 1))


def read_clip(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def detect_all(mode: Mode, faces: int, pictures: list[NDArray[np.uint8]], fps: float) -> tuple[Floats, float]:
    """(T, 478, 2) landmarks, NaN where no face was found, and the median milliseconds of one detection."""
    points = np.full((len(pictures), 478, 2), np.nan)
    durations = []
    with LandmarkDetector(mode, faces) as detector:
        for i, picture in enumerate(pictures):
            start = time.perf_counter()
            found = detector.detect(picture, i * 1000.0 / fps)
            durations.append(time.perf_counter() - start)
            if found:
                points[i] = found[0].landmarks[:, :2]
    return points, float(np.median(durations)) * 1000.0


def eye_distance(points: Floats) -> float:
    return float(np.nanmedian(np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=1)))


def best_lag(signal: Floats, truth: Floats, longest: float = 6.0) -> float:
    """Delay of `signal` behind `truth` in frames: least squares over shifts, with a free scale and offset."""
    index = np.arange(len(truth), dtype=float)
    keep = np.isfinite(signal) & (index > longest) & (index < len(truth) - longest)
    known = np.isfinite(truth)

    def error(lag: float) -> float:
        shifted = np.interp(index - lag, index[known], truth[known])[keep]
        basis = np.stack([shifted, np.ones_like(shifted)], axis=1)
        return float(np.sum((basis @ np.linalg.lstsq(basis, signal[keep], rcond=None)[0] - signal[keep]) ** 2))

    lags = np.arange(-1.0, longest, 0.05)
    return float(lags[int(np.argmin([error(lag) for lag in lags]))])


def pan_lag(points: Floats, path: Floats) -> float:
    return best_lag(points[20:, :, 0].mean(axis=1), path[20:])


def lid_opening(points: Floats) -> Floats:
    return np.asarray(np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in LIDS], axis=0))


def clip_jitter(points: Floats) -> float:
    centred = points - points.mean(axis=1, keepdims=True)
    return float(np.nanmedian(np.linalg.norm(np.diff(centred, n=2, axis=0), axis=2))) / eye_distance(points) * 100.0


def noisy_still(picture: NDArray[np.uint8], count: int) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    return [np.clip(picture + rng.normal(0.0, 5.0, picture.shape), 0, 255).astype(np.uint8) for _ in range(count)]


def panned(picture: NDArray[np.uint8], count: int) -> tuple[list[NDArray[np.uint8]], Floats]:
    path = np.round(30.0 * np.sin(2.0 * np.pi * 1.5 * np.arange(count) / FPS)).astype(int)
    return [np.ascontiguousarray(np.roll(picture, shift, axis=1)) for shift in path], path.astype(float)


def smoothed(points: Floats, fps: float, min_cutoff: float, beta: float) -> Floats:
    """Landmarks in eye distances through One-Euro; pictures without a face stay NaN and start it anew."""
    euro = OneEuro(min_cutoff, beta)
    result = np.full_like(points, np.nan)
    for i, each in enumerate(points):
        if np.isfinite(each).all():
            result[i] = euro(each, i / fps)
        else:
            euro.reset()
    return result


def still_jitter(points: Floats, size: float) -> float:
    return float(np.mean(np.linalg.norm(np.nanstd(points[20:], axis=0), axis=1))) / size * 100.0


def cutoff_for(target: float, points: Floats, size: float, beta: float) -> float:
    """The cut-off at which the resting landmarks are as calm as `target`, by bisection."""
    low, high = 1e-3, 100.0
    for _ in range(20):
        middle = float(np.sqrt(low * high))
        calmer = still_jitter(smoothed(points / size, FPS, middle, beta), 1.0) < target
        low, high = (middle, high) if calmer else (low, middle)
    return low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=ROOT / "app" / "assets" / "cap13_edit2.mp4")
    clip = read_clip(parser.parse_args().clip)
    still = noisy_still(clip[10], 120)
    pan, path = panned(clip[10], 120)
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {len(clip)} pictures")
    single, _ = detect_all("image", 1, clip, 25.0)
    reference, size = lid_opening(single), eye_distance(single)

    def report(name: str, quiet: Floats, moved: Floats, followed: Floats, ms: float) -> None:
        lids = lid_opening(followed)
        both = np.isfinite(lids) & np.isfinite(reference)
        depth, full = (1.0 - np.percentile(x[both], 1) / np.median(x[both]) for x in (lids, reference))
        print(
            f"{name:18} | {still_jitter(quiet, size):14.3f} | {pan_lag(moved, path):14.2f} |"
            f" {best_lag(lids, reference):16.2f} | {depth / full:11.2f} | {clip_jitter(followed):13.3f} | {ms:.1f}",
            flush=True,
        )

    print("way                | still jitter % | pan lag frames | blink lag frames | blink depth | clip jitter % | ms")
    measured = {}
    for mode, faces in VARIANTS:
        quiet, moved = (detect_all(mode, faces, pictures, FPS)[0] for pictures in (still, pan))
        followed, ms = detect_all(mode, faces, clip, 25.0)
        measured[mode, faces] = quiet, moved, followed, ms
        report(f"{mode}, {faces} face{'s' * (faces > 1)}", quiet, moved, followed, ms)
    quiet, moved, followed, ms = measured["video", 2]
    target = still_jitter(measured["video", 1][0], size)
    settings = [(cutoff_for(target, quiet, size, beta), beta) for beta in (0.0, 1.0, 2.0, 5.0, 10.0, 20.0)]
    cutoff, beta = min(settings, key=lambda each: pan_lag(smoothed(moved / size, FPS, *each), path))

    def filtered(points: Floats, fps: float) -> Floats:
        return smoothed(points / size, fps, cutoff, beta) * size

    report("video, 2, One-Euro", filtered(quiet, FPS), filtered(moved, FPS), filtered(followed, 25.0), ms)
    print(f"One-Euro: min_cutoff {cutoff:.2f} Hz, beta {beta:g} Hz for each eye distance a second")


if __name__ == "__main__":
    main()
