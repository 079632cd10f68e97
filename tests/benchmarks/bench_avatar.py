"""How fast third-party avatars are read, driven and drawn off-screen.

    python -m tests.benchmarks.bench_avatar [FILE ...] [--json OUT] [--frames N]

Makes an avatar of 30,000 triangles with 52 morph targets, bones and textures, and a 50 MB VRM, most of it pictures, or
takes files. Prints p50 and p95 of a picture of 640 x 480 (driving; posing, drawing and reading back) with the machine's
facts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from models.avatars import load_avatar
from models.channels import ARKIT_CHANNELS
from models.geometry.camera import Camera
from models.geometry.rotations import from_euler
from rendering.avatar_offscreen import AvatarPictures
from tests.helpers.avatar_files import as_vrm1, person
from tracking.retarget import Retargeter
from tracking.types import FaceParameters

SIZE = (640, 480)


def thirty_thousand(folder: Path) -> Path:
    """A head of 28,800 triangles and 1,152 more in hands and eyes, 52 targets, base colour and normal map."""
    random = np.random.default_rng(0)
    targets = {name: tuple(random.normal(size=3) * 0.01) for name in ARKIT_CHANNELS}
    file = person(targets, rows=85)
    base = file.texture(random.integers(120, 255, (1024, 1024, 3), dtype=np.uint8))
    bumps = np.full((1024, 1024, 3), 128, np.uint8)
    bumps[..., 2] = 255
    bumps[..., :2] += random.integers(0, 20, (1024, 1024, 2), dtype=np.uint8)
    file.json["materials"][0] = {
        "pbrMetallicRoughness": {"baseColorTexture": {"index": base}, "metallicFactor": 0, "roughnessFactor": 0.7},
        "normalTexture": {"index": file.texture(bumps)},
    }
    return file.save(folder / "30k.glb")


def fifty_megabytes(folder: Path) -> Path:
    """A VRM as large as they come: most of it is pictures."""
    random = np.random.default_rng(1)
    move = (0.0, -0.01, 0.0)
    file = person({f"Fcl_{i}": move for i in range(57)}, rows=85)
    count = 0
    while len(file.binary) < 50e6 and count < 24:
        # As compressible as painted textures are.
        small = random.integers(0, 255, (512, 512, 4), dtype=np.uint8)
        picture = np.repeat(np.repeat(small, 4, axis=0), 4, axis=1)
        picture[..., :3] ^= random.integers(0, 4, picture.shape[:2] + (1,), dtype=np.uint8)
        texture = file.texture(picture)
        file.json["materials"].append({"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}})
        first = file.json["meshes"][1]["primitives"][0]
        file.json["meshes"].append({"primitives": [first | {"material": len(file.json["materials"]) - 1}]})
        file.node(mesh=len(file.json["meshes"]) - 1, skin=0)
        count += 1
    return as_vrm1(file, {}).save(folder / "50mb.vrm")


def moving_face(i: int) -> FaceParameters:
    """A face that speaks, turns and looks around."""
    phase = i * 0.2
    values = (0.5 + 0.5 * np.sin(phase + np.arange(52))).astype(np.float32) * 0.6
    gaze = np.full((2, 2), 0.2 * np.sin(phase), np.float32)
    rotation = from_euler(0.4 * np.sin(phase * 0.3), 0.15 * np.cos(phase * 0.5), 0.0)
    return FaceParameters(
        np.zeros(1, np.float32), values, rotation, np.array([0.0, 0.0, 0.6]), gaze, Camera.from_fov(640, 480)
    )


def percentiles(times: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(np.array(times) * 1e3, [50, 95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


def measure(path: Path, frames: int) -> dict[str, object]:
    """Load time, start-up, and the times of a picture's steps."""
    begin = time.perf_counter()
    avatar = load_avatar(path)
    loaded = time.perf_counter() - begin
    with AvatarPictures(avatar) as pictures:
        ready = time.perf_counter() - begin - loaded
        retargeter = Retargeter()
        steps: dict[str, list[float]] = {"retarget": [], "picture": []}
        for i in range(frames + 5):
            start = time.perf_counter()
            driven = retargeter.apply(moving_face(i), i / 25)
            middle = time.perf_counter()
            pictures.render(driven, SIZE)
            end = time.perf_counter()
            if i >= 5:
                steps["retarget"].append(middle - start)
                steps["picture"].append(end - middle)
        return {
            "file": path.name,
            "megabytes": round(path.stat().st_size / 1e6, 1),
            "triangles": avatar.triangle_count,
            "vertices": avatar.vertex_count,
            "targets": max((len(m.morphs.names) for m in avatar.meshes if m.morphs is not None), default=0),
            "textures": len(avatar.textures),
            "load_s": round(loaded, 2),
            "first_drawing_s": round(ready, 2),
            "gl": pictures.device,
            **{name: percentiles(times) for name, times in steps.items()},
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--frames", type=int, default=120)
    options = parser.parse_args()
    report: dict[str, object] = {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cpus": os.cpu_count(),
            "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
            "python": platform.python_version(),
        }
    }
    print(json.dumps(report))
    with tempfile.TemporaryDirectory() as folder:
        files = options.files or [thirty_thousand(Path(folder)), fifty_megabytes(Path(folder))]
        rows = []
        for path in files:
            rows.append(measure(path, options.frames))
            print(json.dumps(rows[-1]))
    if options.json:
        options.json.write_text(json.dumps(report | {"avatars": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
