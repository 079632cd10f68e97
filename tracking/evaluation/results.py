"""Result files: what any method found in a set's pictures, so that it stands in the same table as ours.

A file is an NPZ without pickled objects: `names` (N,) as in `ProtocolSample.name`; `landmarks68` (N, 68, 2) pixels, NaN
where a face was missed; optionally `outline` (M, 2) pixels of all pictures' silhouette vertices one after another and
`outline_ends` (N,) where each picture's end. A method that gives meshes writes `vertices` (N, V, 3), x and y in pixels
and z growing away from the camera, with `faces` (F, 3), `landmark_vertices` (68,) and `outline_region` (V,) 0 or 1
instead: the landmarks and the outline are then taken from the mesh as from ours.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.geometry.camera import Camera
from models.geometry.outline import FaceOutline
from tracking.sources.base import SourceError

__all__ = ["MethodResults", "PictureResult", "read_results"]

Floats = NDArray[np.float64]
AWAY = 10.0
"""Metres from the camera, and its focal length in pixels: in the weak-perspective mode a metre is then a pixel."""


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What a method found in one picture: (68, 2) pixels, None for a miss; (M, 2) outline pixels, None for none."""

    landmarks: Floats | None
    outline: Floats | None


class MethodResults:
    """One method's answers by name of the picture."""

    def __init__(self, method: str, results: dict[str, PictureResult], has_outline: bool) -> None:
        self.method = method
        self.has_outline = has_outline
        self._results = results

    def of(self, name: str) -> PictureResult:
        """A picture's result; a picture that the file does not name is a miss."""
        return self._results.get(name, PictureResult(None, None))


def read_results(method: str, path: Path) -> MethodResults:
    """Reads a result file.

    Raises:
        SourceError: it is no such file; the message says what is wrong.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SourceError(
            f"The results {path} cannot be read ({error}): write them as docs/evaluation.md says."
        ) from error
    try:
        names = [str(name) for name in arrays["names"]]
        if "vertices" in arrays:
            return MethodResults(method, _of_meshes(names, arrays), True)
        points = _checked(arrays["landmarks68"], (len(names), 68, 2))
        outlines: list[Floats | None] = [None] * len(names)
        if "outline" in arrays:
            ends = np.asarray(arrays["outline_ends"], np.int64)
            all_points = _checked(arrays["outline"], (int(ends[-1]) if len(ends) else 0, 2))
            outlines = list(np.split(all_points, ends[:-1]))
        results = {
            name: PictureResult(None if np.isnan(found).any() else found, outline)
            for name, found, outline in zip(names, points, outlines, strict=True)
        }
        return MethodResults(method, results, "outline" in arrays)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise SourceError(
            f"The results {path} lack or misshape {error}: write them as docs/evaluation.md says."
        ) from error


def _checked(values: NDArray[np.generic], shape: tuple[int, ...]) -> Floats:
    found = np.asarray(values, np.float64)
    if found.shape != shape:
        raise ValueError(f"an array of shape {found.shape} where {shape} was due")
    return found


def _of_meshes(names: list[str], arrays: dict[str, Any]) -> dict[str, PictureResult]:
    faces = np.ascontiguousarray(arrays["faces"], np.int32)
    corners = np.asarray(arrays["landmark_vertices"], np.int64)
    region = np.asarray(arrays["outline_region"], np.float32)
    meshes = _checked(arrays["vertices"], (len(names), len(region), 3))
    if corners.shape != (68,):
        raise ValueError("landmark_vertices, which must be (68,)")
    outline = FaceOutline(faces, len(region), region)
    results = {}
    for name, mesh in zip(names, meshes, strict=True):
        if np.isnan(mesh).any():
            results[name] = PictureResult(None, None)
            continue
        results[name] = PictureResult(mesh[corners, :2], _outline_of(mesh, outline))
    return results


def _outline_of(mesh: Floats, outline: FaceOutline) -> Floats:
    """The exact outline of a mesh in pixels, seen along z."""
    middle = (mesh.min(axis=0) + mesh.max(axis=0)) / 2
    size = float(np.ptp(mesh[:, :2], axis=0).max())
    # In units of the face, as the depth test's tolerance is in metres of a head of some 0.2.
    scale = 0.2 / max(size, 1e-6)
    head = (mesh - middle) * scale * np.array([1.0, -1.0, -1.0])
    camera = Camera(3, 3, AWAY, "weak")
    place = np.array([0.0, 0.0, AWAY])
    found = outline.exact(head.astype(np.float32), np.eye(3), place, camera)
    return np.asarray((found.pixels - np.asarray(camera.centre)) / scale + middle[:2], np.float64)
