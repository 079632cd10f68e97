"""How long a frame takes to encode for each network stream, and a packet to read.

    python -m tests.benchmarks.stream_encoding [--json OUT] [--frames N]

Prints p50 and p95 in milliseconds, with the machine's facts. The faces are the shipped head's, all different; the goal
is 0.2 ms a frame.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from models.channels import CHANNEL_COUNT, gaze_to_channels
from models.face_model import load_face_model
from models.geometry.rotations import from_euler
from tests.benchmarks.bench_face_model import measure
from tests.helpers.tracked import tracked_face
from tracking.streams.base import Encoder
from tracking.streams.ifacialmocap import IFacialMocapEncoder
from tracking.streams.live_link import LiveLinkEncoder
from tracking.streams.open_see_face import OpenSeeFaceEncoder
from tracking.streams.receivers.base import Parser
from tracking.streams.receivers.ifacialmocap import IFacialMocapParser
from tracking.streams.receivers.live_link import LiveLinkParser
from tracking.streams.receivers.vmc import VmcParser
from tracking.streams.settings import (
    IFacialMocapStream,
    LiveLinkStream,
    OpenSeeFaceStream,
    VmcStream,
    VTubeStudioStream,
)
from tracking.streams.vmc import VmcEncoder
from tracking.streams.vtube_studio import VTubeStudioEncoder
from tracking.types import TrackedFace

FACES = 64
GOAL_MS = 0.2


def faces(count: int = FACES) -> list[TrackedFace]:
    """Different faces of the shipped head."""
    model = load_face_model()
    rng = np.random.default_rng(0)
    first = tracked_face(model)
    assert first.parameters is not None
    made = []
    for i in range(count):
        gaze = rng.normal(0.0, 0.2, (2, 2)).astype(np.float32)
        expression = np.maximum(rng.random(CHANNEL_COUNT, np.float32), gaze_to_channels(gaze))
        parameters = replace(
            first.parameters, expression=expression, rotation=from_euler(*rng.normal(0.0, 0.3, 3)), gaze=gaze
        )
        posed = model.pose(parameters.identity, expression, gaze)
        frame = replace(first.frame, index=i, time_s=i / 60.0)
        made.append(replace(first, frame=frame, parameters=parameters, vertices=posed.vertices, normals=posed.normals))
    return made


def figures(frames: int) -> dict[str, dict[str, float]]:
    """Milliseconds by name."""
    shown = faces()
    encoders: dict[str, Encoder] = {
        "VMC": VmcEncoder(VmcStream()),
        "VMC, divided and mirrored": VmcEncoder(VmcStream(mirror=True), divided=True),
        "Live Link Face": LiveLinkEncoder(LiveLinkStream()),
        "iFacialMocap": IFacialMocapEncoder(IFacialMocapStream()),
        "VTube Studio": VTubeStudioEncoder(VTubeStudioStream()),
        "OpenSeeFace": OpenSeeFaceEncoder(OpenSeeFaceStream(), load_face_model()),
    }
    found = {f"encode {name}": measure(_encode(encoder, shown), frames) for name, encoder in encoders.items()}
    readers: dict[str, tuple[Parser, Encoder]] = {
        "VMC": (VmcParser(), encoders["VMC"]),
        "Live Link Face": (LiveLinkParser(), encoders["Live Link Face"]),
        "iFacialMocap": (IFacialMocapParser(), encoders["iFacialMocap"]),
    }
    for name, (parser, encoder) in readers.items():
        packets = [encoder.encode(face)[0] for face in shown]
        found[f"read {name}"] = measure(_read(parser, packets), frames)
    return found


def _encode(encoder: Encoder, shown: Sequence[TrackedFace]) -> Callable[[int], object]:
    return lambda i: encoder.encode(shown[i % len(shown)])


def _read(parser: Parser, packets: Sequence[bytes]) -> Callable[[int], object]:
    return lambda i: parser.feed(packets[i % len(packets)], i)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--frames", type=int, default=2000)
    options = parser.parse_args()
    with threadpool_limits(1):
        found = figures(options.frames)
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    print(json.dumps({"machine": machine, "goal_ms": GOAL_MS, "frames": options.frames}))
    for name, row in found.items():
        print(f"  {name:34s} p50 {row['p50']:6.3f} ms   p95 {row['p95']:6.3f} ms")
    if options.json is not None:
        report = {"machine": machine, "goal_ms": GOAL_MS, "frames": options.frames, "ms": found}
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
