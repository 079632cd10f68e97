"""Faces that enter and leave real clips are reported within five pictures of the truth.

The truth was read off the pictures: `face_noface.mov` shows a face in pictures 0..71, `noface_face.mov` in 96..167
(168 is black), `single_face.mp4` throughout, `no_face.mp4` nowhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracking.sources import VideoSource
from tracking.subject import SubjectDetector
from tracking.types import Frame

TOLERANCE = 5
TRUTH = {
    "face_noface.mov": (169, range(0, 72)),
    "noface_face.mov": (169, range(96, 168)),
    "no_face.mp4": (95, range(0)),
    "single_face.mp4": (72, range(0, 72)),
}


def read(data_dir: Path, *names: str) -> tuple[list[Frame], np.ndarray]:
    """The pictures of clips one after the other, in one time, and whether each shows a face."""
    frames: list[Frame] = []
    truth: list[bool] = []
    for name in names:
        path = data_dir / "clips_presence" / name
        if not path.is_file():
            pytest.skip(f"{path} is missing: set MIEN_DATA")
        start = frames[-1].time_s + 0.04 if frames else 0.0
        with VideoSource(path) as source:
            frames += [Frame(len(frames), start + f.time_s, f.captured_ns, f.image) for f in source]
        count, present = TRUTH[name]
        truth += [n in present for n in range(count)]
    assert len(frames) == len(truth)
    return frames, np.array(truth)


@pytest.mark.parametrize(
    "names",
    [
        ("face_noface.mov",),
        ("noface_face.mov",),
        ("no_face.mp4",),
        ("single_face.mp4",),
        ("face_noface.mov", "noface_face.mov"),
        ("noface_face.mov", "face_noface.mov"),
    ],
    ids="+".join,
)
def test_presence_is_reported_within_five_pictures(data_dir: Path, names: tuple[str, ...]) -> None:
    frames, truth = read(data_dir, *names)
    with SubjectDetector() as detector:
        seen = np.array([detector.detect(frame.image, frame.time_s) is not None for frame in frames])
    assert len(seen) == len(truth)
    for n in np.flatnonzero(seen != truth):
        near = truth[max(0, n - TOLERANCE) : n + TOLERANCE + 1]
        assert near.any() and not near.all(), f"picture {n}: reported {seen[n]}, far from any change"
    if names == ("no_face.mp4",):
        assert not seen.any()
