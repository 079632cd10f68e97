"""OBJ and PLY sequences: one mesh a frame, with or without the skin's relief."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recordings.exporters.base import Job, part_folder
from recordings.exporters.parts import HeadParts, Part
from recordings.exporters.poses import PosedFrame, posed_frames

__all__ = ["export_obj", "export_ply"]

Floats = NDArray[np.float32]


def export_obj(job: Job) -> None:
    """A folder with `frame_000000.obj` and so on, `head.mtl` and the textures.

    Metres, +y up, +z towards the viewer, the camera at the origin; groups by part; UV with v = 0 at the bottom, as
    OBJ has it. Frames without a face hold the last values. `wrinkles` refines the skin once and raises it.
    """
    track, parts = job.animation(even=True), HeadParts(job.model(), refine=int(job.options.wrinkles))
    with part_folder(job.out) as folder:
        _write_materials(folder, parts)
        tails = _obj_tails(parts)
        for frame in posed_frames(job, track, parts.model):
            lines = ["mtllib head.mtl"]
            for part in parts.parts:
                points, normals = _points(part, parts, frame)
                lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in points.tolist()]
                lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in normals.tolist()]
            text = "\n".join(lines) + "\n" + tails
            (folder / f"frame_{frame.row:06d}.obj").write_text(text, encoding="ascii", newline="\n")


def export_ply(job: Job) -> None:
    """A folder with binary `frame_000000.ply` and so on: points, normals, UV (s, t) and triangles of all parts.

    Frame, units and held rows as in `export_obj`; t = 0 at the bottom.
    """
    track, parts = job.animation(even=True), HeadParts(job.model(), refine=int(job.options.wrinkles))
    faces, first = [], 0
    for part in parts.parts:
        faces.append(part.faces + first)
        first += len(part.uv)
    triangles = np.concatenate(faces)
    table = np.zeros(len(triangles), [("n", "u1"), ("corners", "<i4", 3)])
    table["n"], table["corners"] = 3, triangles
    uv = np.concatenate([part.uv for part in parts.parts])
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment Mien: metres, +y up, +z towards the viewer\n"
        f"element vertex {len(uv)}\n"
        + "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz", "s", "t"))
        + f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode("ascii")
    with part_folder(job.out) as folder:
        for frame in posed_frames(job, track, parts.model):
            found = [_points(part, parts, frame) for part in parts.parts]
            points = np.concatenate([np.concatenate(pair, axis=1) for pair in found])
            rows = np.concatenate([points, uv * (1, -1) + (0, 1)], axis=1).astype("<f4")
            path = folder / f"frame_{frame.row:06d}.ply"
            path.write_bytes(header + rows.tobytes() + table.tobytes())


def _points(part: Part, parts: HeadParts, frame: PosedFrame) -> tuple[Floats, Floats]:
    """World points and normals of a part in a frame."""
    posed = frame.posed
    if part.name == "skin" and frame.displacement is not None:
        points, normals = parts.skin.raised(posed.vertices, posed.normals, parts.skin.relief(frame.displacement))
    else:
        points, normals = part.points(posed.vertices), part.points(posed.normals)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return frame.world(points), np.asarray(normals @ frame.rotation.T, np.float32)


def _obj_tails(parts: HeadParts) -> str:
    """What is the same in every frame: UV and faces."""
    lines, first = [], 1
    for part in parts.parts:
        lines += [f"vt {u:.6f} {1 - v:.6f}" for u, v in part.uv.tolist()]
    for part in parts.parts:
        lines += [f"g {part.name}", f"usemtl {part.name}", "s 1"]
        lines += [f"f {a}/{a}/{a} {b}/{b}/{b} {c}/{c}/{c}" for a, b, c in (part.faces + first).tolist()]
        first += len(part.uv)
    return "\n".join(lines) + "\n"


def _write_materials(folder: Path, parts: HeadParts) -> None:
    lines = []
    for part in parts.parts:
        cv2.imwrite(str(folder / f"{part.name}.png"), np.ascontiguousarray(part.texture[..., ::-1]))
        lines += [f"newmtl {part.name}", "Kd 1 1 1", "Ks 0.04 0.04 0.04", f"map_Kd {part.name}.png", ""]
    (folder / "head.mtl").write_text("\n".join(lines), encoding="ascii", newline="\n")
