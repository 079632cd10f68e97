"""How fast heads are drawn off-screen: pose upload, drawing, reading back.

    python -m tests.benchmarks.bench_render [--json OUT] [--frames N]

Prints p50 and p95 for each view at 640x480 and 1280x720, then for each background and light of the textured head at
640x480, with the machine's facts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from models.face_model import FaceModel, ModelFileError, load_face_model
from rendering import BackgroundPicture, OffscreenRenderer, Scene, View
from rendering.look import look_of
from rendering.scene_settings import PRESETS, BackgroundKind, BackgroundSettings, SceneSettings
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
from tracking.types import TrackedFace

SIZES = ((640, 480), (1280, 720))


def moving_faces(model: FaceModel, count: int) -> list[TrackedFace]:
    """Faces that turn, speak and look around, with a displacement map."""
    ripples = (np.random.default_rng(0).normal(size=(256, 256)) * 0.1).astype(np.float32)
    faces = []
    for i in range(count):
        phase = i / count * 2 * np.pi
        faces.append(
            tracked_face(
                model,
                angles=(0.4 * np.sin(phase), 0.15 * np.cos(phase), 0.0),
                channels={"jawOpen": 0.3 + 0.3 * np.sin(3 * phase), "mouthSmileLeft": 0.5},
                gaze=((0.3 * np.sin(phase), 0.0), (0.3 * np.sin(phase), 0.0)),
                displacement=ripples,
            )
        )
    return faces


def measure(
    renderer: OffscreenRenderer, faces: list[TrackedFace], view: View, size: tuple[int, int], n: int
) -> dict[str, float]:
    """p50 and p95 in milliseconds of n frames, after a warm-up."""
    for face in faces[:5]:
        renderer.render(face, view, size)
    times = []
    for i in range(n):
        start = time.perf_counter()
        renderer.render(faces[i % len(faces)], view, size)
        times.append((time.perf_counter() - start) * 1e3)
    p50, p95 = np.percentile(times, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def scenes() -> dict[str, Scene]:
    """Every background in the usual light, and the studio in every light."""
    picture = BackgroundPicture(np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8))
    found = {}
    for kind in get_args(BackgroundKind):
        settings = SceneSettings(background=BackgroundSettings(kind=kind))
        found[kind] = look_of(settings, picture if kind == "picture" else None).on(Scene())
    for name, light in PRESETS.items():
        found[f"{name} light"] = look_of(SceneSettings(light=light)).on(Scene())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--frames", type=int, default=120)
    options = parser.parse_args()
    try:
        model = load_face_model()
    except ModelFileError:
        model = tiny_model()
    faces = moving_faces(model, 30)
    report: dict[str, object] = {}
    for refine in (False, True):
        start = time.perf_counter()
        with OffscreenRenderer(model, Scene(), refine=refine) as renderer:
            ready = round((time.perf_counter() - start) * 1e3)
            name = "refined once" if refine else "coarse"
            if not refine:
                report["machine"] = {
                    "gl": renderer.device,
                    "cpu": platform.processor() or platform.machine(),
                    "cpus": os.cpu_count(),
                    "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
                    "python": platform.python_version(),
                }
                report["model"] = {"name": model.name, "triangles": len(model.faces)}
                print(json.dumps(report))
            print(f"{name}: ready after {ready} ms")
            rows = {}
            for view in View:
                for size in SIZES:
                    key = f"{view.value} {size[0]}x{size[1]}"
                    rows[key] = measure(renderer, faces, view, size, options.frames)
                    print(f"  {key:24s} p50 {rows[key]['p50']:6.2f} ms   p95 {rows[key]['p95']:6.2f} ms")
            report[name] = {"startup_ms": ready, "views": rows}
            if not refine:
                # Each with a picture of its own, as a camera gives them: the background of it is blurred anew.
                noise = np.random.default_rng(2).integers(0, 256, (720, 1280, 3), np.uint8)
                seen = [replace(f, frame=replace(f.frame, image=noise.copy())) for f in faces]
                staged = {}
                for key, scene in scenes().items():
                    renderer.scene = scene
                    staged[key] = measure(renderer, seen, View.TEXTURED, SIZES[0], options.frames)
                    print(f"  {key:24s} p50 {staged[key]['p50']:6.2f} ms   p95 {staged[key]['p95']:6.2f} ms")
                report["scenes"] = staged
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
