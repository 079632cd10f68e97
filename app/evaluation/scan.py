"""A textured head scan (GLB) pictured in several lights, as a test of detail against measured relief.

The scan's normal map is the truth: what it adds to the smooth surface, seen by the camera and unwrapped into our face
UV like the picture, is compared with what our displacement adds to our mesh.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import CommandError
from models.geometry.camera import Camera
from models.geometry.normals import VertexNormals
from models.geometry.rasterise import Raster, interpolate, rasterise
from models.geometry.rotations import HEAD_TO_CAMERA
from models.synthesis.light import directional_light, sh_basis, to_linear, to_srgb
from models.synthesis.portrait import sample_texture

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

SIDE = 1000
DISTANCE = 6.0
"""Bust heights between camera and head."""
ZOOM, FACE_HEIGHT = 1.2, 0.13
"""How large the bust is pictured (1 fills the picture), and where its face is above its middle, in bust heights."""
LIGHTS = {
    "front": ((0.1, 0.3, 1.0), 0.6, 0.4),
    "left": ((1.0, 0.2, 0.5), 0.9, 0.2),
    "right": ((-1.0, 0.2, 0.5), 0.9, 0.2),
    "above": ((0.0, 1.0, 0.5), 0.9, 0.2),
}
"""Name -> direction in the head frame (x to the subject's left), strength, ambient."""
_TYPES = {5120: "b", 5121: "B", 5122: "h", 5123: "H", 5125: "I", 5126: "f"}
_COUNTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan.

    Attributes:
        vertices: (V, 3) in its own unit, x to the subject's left, y up, z out of the face.
        uv: (V, 2) row 0 of the textures is v = 0.
        faces: (F, 3).
        colour: (S, S, 3) linear light.
        relief: (S, S, 3) unit normals of the normal map, tangent frame.
    """

    vertices: Floats
    uv: Floats
    faces: NDArray[np.int32]
    colour: Floats
    relief: Floats


def load_scan(folder: Path) -> Scan:
    """The scan of a folder: one GLB, `color.jpg`, `normal.jpg`.

    Raises:
        CommandError: something is missing or unreadable.
    """
    files = sorted(folder.glob("*.glb")) if folder.is_dir() else []
    if not files:
        raise CommandError(f"There is no scan (a GLB file, color.jpg, normal.jpg) in {folder}.")
    try:
        vertices, uv, faces = _read_glb(files[0])
    except (KeyError, ValueError, IndexError, struct.error, OSError) as error:
        raise CommandError(f"The scan {files[0]} cannot be read ({error}).") from error
    colour, bumps = (cv2.imread(str(folder / name)) for name in ("color.jpg", "normal.jpg"))
    if colour is None or bumps is None:
        raise CommandError(f"color.jpg or normal.jpg is missing in {folder}.")
    # The pictures lie beside the file, and its v counts from their bottom.
    uv[:, 1] = 1 - uv[:, 1]
    rgb = np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2RGB), np.uint8)
    relief = cv2.cvtColor(bumps, cv2.COLOR_BGR2RGB).astype(np.float32) / 127.5 - 1
    relief /= np.maximum(np.linalg.norm(relief, axis=2, keepdims=True), 1e-3)
    return Scan(vertices, uv, faces, to_linear(rgb), np.asarray(relief, np.float32))


def _read_glb(path: Path) -> tuple[Floats, Floats, NDArray[np.int32]]:
    data = path.read_bytes()
    magic, _, _ = struct.unpack_from("<4sII", data)
    if magic != b"glTF":
        raise ValueError("no binary glTF")
    length, _ = struct.unpack_from("<I4s", data, 12)
    document: dict[str, Any] = json.loads(data[20 : 20 + length])
    body = data[20 + length + 8 :]
    primitive = document["meshes"][0]["primitives"][0]
    packed = primitive.get("extensions", {}).get("KHR_draco_mesh_compression")
    if packed is not None:
        view = document["bufferViews"][packed["bufferView"]]
        start = view.get("byteOffset", 0)
        return _unpacked(body[start : start + view["byteLength"]])

    def accessor(index: int) -> NDArray[Any]:
        entry = document["accessors"][index]
        view = document["bufferViews"][entry["bufferView"]]
        kind, width = np.dtype(_TYPES[entry["componentType"]]), _COUNTS[entry["type"]]
        start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
        stride = view.get("byteStride", kind.itemsize * width)
        raw = np.ndarray((entry["count"], width), kind, body, start, (stride, kind.itemsize))
        return raw.copy()

    vertices = accessor(primitive["attributes"]["POSITION"]).astype(np.float32)
    uv = accessor(primitive["attributes"]["TEXCOORD_0"]).astype(np.float32)
    faces = accessor(primitive["indices"]).reshape(-1, 3).astype(np.int32)
    return vertices, uv, faces


def _unpacked(data: bytes) -> tuple[Floats, Floats, NDArray[np.int32]]:
    try:
        import DracoPy
    except ImportError as error:
        raise CommandError("This scan is Draco-compressed: install Mien with the extra `train`.") from error
    mesh = DracoPy.decode(data)
    return (
        np.asarray(mesh.points, np.float32), np.asarray(mesh.tex_coord, np.float32), np.asarray(mesh.faces, np.int32)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScanView:
    """The scan as a frontal camera sees it.

    Attributes:
        raster: (SIDE, SIDE).
        smooth, fine: (SIDE, SIDE, 3) camera-frame normals of the mesh, and with the normal map.
        colour: (SIDE, SIDE, 3) linear light.
    """

    raster: Raster
    smooth: Floats
    fine: Floats
    colour: Floats


def view_scan(scan: Scan) -> ScanView:
    """Pictures the scan from the front with a long lens."""
    height = float(np.ptp(scan.vertices[:, 1]))
    centred = (scan.vertices - (scan.vertices.max(axis=0) + scan.vertices.min(axis=0)) / 2) / height
    camera = Camera(SIDE, SIDE, SIDE * DISTANCE * ZOOM)
    points = camera.to_camera(centred, np.eye(3), np.array([0.0, FACE_HEIGHT, DISTANCE]))
    pixels = camera.project(points, DISTANCE)
    raster = rasterise(pixels, points[:, 2], scan.faces, SIDE, SIDE)
    normals = VertexNormals(scan.faces, len(scan.vertices))(_welded(scan))
    turned = normals @ HEAD_TO_CAMERA.T.astype(np.float32)
    smooth = _unit(interpolate(raster, turned, scan.faces))
    tangent, bitangent = _tangents(scan, centred)
    along_u = _unit(interpolate(raster, tangent @ HEAD_TO_CAMERA.T.astype(np.float32), scan.faces))
    along_v = _unit(interpolate(raster, bitangent @ HEAD_TO_CAMERA.T.astype(np.float32), scan.faces))
    uv = interpolate(raster, scan.uv, scan.faces).reshape(-1, 2)
    bump = sample_texture(scan.relief, uv).reshape(SIDE, SIDE, 3)
    fine = _unit(bump[..., :1] * along_u + bump[..., 1:2] * along_v + bump[..., 2:] * smooth)
    covered = raster.covered[:, :, None]
    return ScanView(raster, smooth * covered, fine * covered, sample_texture(scan.colour, uv).reshape(SIDE, SIDE, 3))


def _welded(scan: Scan) -> Floats:
    return np.ascontiguousarray(scan.vertices, np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def _tangents(scan: Scan, vertices: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """(V, 3) directions in which the textures' u grows and v falls (green of a normal map points up the picture)."""
    a, b, c = (scan.faces[:, k] for k in range(3))
    e1, e2 = vertices[b] - vertices[a], vertices[c] - vertices[a]
    d1, d2 = scan.uv[b] - scan.uv[a], scan.uv[c] - scan.uv[a]
    area = d1[:, 0] * d2[:, 1] - d2[:, 0] * d1[:, 1]
    scale = np.where(np.abs(area) > 1e-12, 1 / np.where(area == 0, 1, area), 0)[:, None]
    along_u = (e1 * d2[:, 1:] - e2 * d1[:, 1:]) * scale
    along_v = (e2 * d1[:, :1] - e1 * d2[:, :1]) * scale
    out = []
    for values in (along_u, -along_v):
        summed = np.zeros((len(vertices), 3))
        for corner in (a, b, c):
            np.add.at(summed, corner, values)
        out.append(_unit(summed.astype(np.float32)))
    return out[0], out[1]


def light_scan(view: ScanView, light: str) -> Image:
    """(SIDE, SIDE, 3) uint8 sRGB of the scan with its normal map in one of LIGHTS, on grey."""
    direction, strength, ambient = LIGHTS[light]
    harmonics = directional_light(HEAD_TO_CAMERA @ np.array(direction), strength, ambient)
    shaded = view.colour * np.maximum(sh_basis(view.fine) @ harmonics, 0.0)
    image = to_srgb(shaded)
    image[~view.raster.covered] = (96, 100, 104)
    return np.asarray(image, np.uint8)
