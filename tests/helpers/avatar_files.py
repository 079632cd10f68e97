"""GLB and VRM files made for tests: a head on a body with bones, morph targets and materials, whole or damaged."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
CODES = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}

HEAD_Y, NECK_Y, SHOULDER_Y = 1.5, 1.42, 1.36
HEAD_RADIUS = 0.12
BONES = ("hips", "chest", "neck", "head", "left_eye", "right_eye", "left_arm", "left_hand", "right_arm", "right_hand")
BONE_PARENTS = (-1, 0, 1, 2, 3, 3, 1, 6, 1, 8)
BONE_PLACES = (
    (0.0, 0.9, 0.0),
    (0.0, 1.2, 0.0),
    (0.0, NECK_Y, 0.0),
    (0.0, HEAD_Y, 0.0),
    (0.03, HEAD_Y + 0.13, 0.08),
    (-0.03, HEAD_Y + 0.13, 0.08),
    (0.18, SHOULDER_Y, 0.0),
    (0.43, SHOULDER_Y, 0.0),
    (-0.18, SHOULDER_Y, 0.0),
    (-0.43, SHOULDER_Y, 0.0),
)
BONE_NAMES = (
    "Hips",
    "Spine2",
    "Neck",
    "Head",
    "LeftEye",
    "RightEye",
    "LeftArm",
    "LeftForeArm",
    "RightArm",
    "RightForeArm",
)
VRM_BONES = (
    *("hips", "chest", "neck", "head", "leftEye", "rightEye"),
    *("leftUpperArm", "leftLowerArm", "rightUpperArm", "rightLowerArm"),
)


class GlbBuilder:
    """Collects a glTF scene; `json` may be changed at will before `save`."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.json: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
            "materials": [],
            "textures": [],
            "images": [],
        }

    def view(self, data: bytes, **more: Any) -> int:
        """Adds a buffer view."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.json["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more})
        self.binary += data
        return len(self.json["bufferViews"]) - 1

    def accessor(self, values: NDArray[Any], **more: Any) -> int:
        """Adds an array (N,) or (N, K)."""
        width = 1 if values.ndim == 1 else values.shape[1]
        entry = {
            "bufferView": self.view(np.ascontiguousarray(values).tobytes()),
            "componentType": CODES[values.dtype.name],
            "count": len(values),
            "type": TYPES[width],
        }
        self.json["accessors"].append(entry | more)
        return len(self.json["accessors"]) - 1

    def texture(self, pixels: NDArray[np.uint8], kind: str = "PNG") -> int:
        """Adds a picture (H, W, 3 or 4) and the texture that shows it."""
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind)
        return self.texture_of(file.getvalue(), f"image/{kind.lower()}")

    def texture_of(self, data: bytes, mime: str) -> int:
        """Adds an encoded picture."""
        self.json["images"].append({"bufferView": self.view(data), "mimeType": mime})
        source = {"source": len(self.json["images"]) - 1}
        webp = {"extensions": {"EXT_texture_webp": source}} if mime.endswith("webp") else source
        self.json["textures"].append(webp)
        return len(self.json["textures"]) - 1

    def node(self, parent: int | None = None, **entry: Any) -> int:
        """Adds a node, to the scene or below another one."""
        self.json["nodes"].append(entry)
        number = len(self.json["nodes"]) - 1
        above = (
            self.json["scenes"][0]["nodes"] if parent is None else self.json["nodes"][parent].setdefault("children", [])
        )
        above.append(number)
        return number

    def save(self, path: Path) -> Path:
        """Writes a GLB."""
        scene = {key: value for key, value in self.json.items() if value != []}
        if self.binary:
            scene.setdefault("buffers", [{"byteLength": len(self.binary)}])
        text = json.dumps(scene).encode()
        text += b" " * (-len(text) % 4)
        binary = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        if binary:
            chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
        return path


def ball(
    centre: tuple[float, float, float], radius: float, rows: int = 12
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint32]]:
    """Positions, normals, UV and triangles of a ball."""
    columns = 2 * rows
    down, around = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.linspace(-np.pi, np.pi, columns + 1), indexing="ij")
    normals = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)], axis=-1)
    uv = np.stack([around / (2 * np.pi) + 0.5, down / np.pi], axis=-1)
    i = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    a, b, c, d = i[:-1, :-1], i[:-1, 1:], i[1:, :-1], i[1:, 1:]
    triangles = np.stack([a, c, b, b, c, d], axis=-1).reshape(-1)
    flat = normals.reshape(-1, 3).astype(np.float32)
    positions = (flat * radius + np.array(centre)).astype(np.float32)
    return positions, flat, uv.reshape(-1, 2).astype(np.float32), triangles.astype(np.uint32)


def person(
    targets: dict[str, tuple[float, float, float]] | None = None,
    *,
    rows: int = 12,
    skinned: bool = True,
    material: dict[str, Any] | None = None,
    faces_away: bool = False,
) -> GlbBuilder:
    """A ball for a head with two eyes and two hands, on bones in a T-pose.

    Args:
        targets: morph targets by name; each moves the lower front quarter of the head by so many metres.
        rows: of the head's ball: 2 * rows * 2 * rows triangles.
        skinned: False makes a head without any bones, and nothing else.
        material: of the head.
        faces_away: as VRM 0.x avatars do: along -z.
    """
    file = GlbBuilder()
    file.json["materials"] = [
        material
        or {"name": "skin", "pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.5, 0.4, 1], "metallicFactor": 0}},
        {"name": "eye", "pbrMetallicRoughness": {"baseColorFactor": [0.05, 0.1, 0.9, 1], "metallicFactor": 0}},
        {"name": "hand", "pbrMetallicRoughness": {"baseColorFactor": [0.1, 0.8, 0.1, 1], "metallicFactor": 0}},
    ]
    turn = np.array([-1.0, 1.0, -1.0] if faces_away else [1.0, 1.0, 1.0], np.float32)
    head = (0.0, HEAD_Y + 0.1, 0.0)
    parts = [(head, HEAD_RADIUS, rows, 3, 0)]
    if skinned:
        parts += [((x, HEAD_Y + 0.13, 0.105), 0.022, 6, bone, 1) for x, bone in ((0.04, 4), (-0.04, 5))]
        parts += [((x, SHOULDER_Y, 0.0), 0.06, 6, bone, 2) for x, bone in ((0.5, 7), (-0.5, 9))]
    for centre, radius, count, bone, look in parts:
        positions, normals, uv, triangles = ball(centre, radius, count)
        primitive: dict[str, Any] = {
            "attributes": {
                "POSITION": file.accessor(positions * turn),
                "NORMAL": file.accessor(normals * turn),
                "TEXCOORD_0": file.accessor(uv),
            },
            "indices": file.accessor(triangles),
            "material": look,
        }
        if skinned:
            joints = np.zeros((len(positions), 4), np.uint8)
            joints[:, 0] = bone
            weights = np.zeros((len(positions), 4), np.float32)
            weights[:, 0] = 1.0
            primitive["attributes"] |= {"JOINTS_0": file.accessor(joints), "WEIGHTS_0": file.accessor(weights)}
        entry: dict[str, Any] = {"primitives": [primitive]}
        if look == 0 and targets:
            chosen = (normals[:, 2] > 0.3) & (normals[:, 1] < -0.1)
            primitive["targets"] = [
                {"POSITION": file.accessor((chosen[:, None] * np.array(move) * turn).astype(np.float32))}
                for move in targets.values()
            ]
            entry["extras"] = {"targetNames": list(targets)}
        file.json["meshes"].append(entry)
    if skinned:
        _bones(file, turn)
    for number in range(len(file.json["meshes"])):
        file.node(mesh=number, name=f"part {number}", **({"skin": 0} if skinned else {}))
    return file


def _bones(file: GlbBuilder, turn: NDArray[np.float32]) -> None:
    places = np.array(BONE_PLACES) * turn
    for bone, above in enumerate(BONE_PARENTS):
        move = places[bone] - (places[above] if above >= 0 else 0.0)
        file.node(None if above < 0 else above, name=BONE_NAMES[bone], translation=move.tolist())
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(BONES), 1, 1))
    inverse[:, :3, 3] = -places
    matrices = file.accessor(np.ascontiguousarray(inverse.transpose(0, 2, 1)).reshape(-1, 16))
    file.json["skins"] = [{"joints": list(range(len(BONES))), "inverseBindMatrices": matrices}]


def as_vrm0(
    file: GlbBuilder, groups: list[dict[str, Any]], materials: list[dict[str, Any]] | None = None
) -> GlbBuilder:
    """Adds VRM 0.x's part to a person made with `faces_away`."""
    file.json["extensions"] = {
        "VRM": {
            "meta": {"title": "Test person", "author": "Somebody", "licenseName": "CC0"},
            "humanoid": {"humanBones": [{"bone": name, "node": i} for i, name in enumerate(VRM_BONES)]},
            "blendShapeMaster": {"blendShapeGroups": groups},
            "firstPerson": {"lookAtTypeName": "Bone", "lookAtHorizontalOuter": {"xRange": 90, "yRange": 12}},
            "materialProperties": materials or [],
        }
    }
    return file


def as_vrm1(file: GlbBuilder, preset: dict[str, Any], custom: dict[str, Any] | None = None) -> GlbBuilder:
    """Adds VRM 1.0's part to a person."""
    file.json["extensions"] = {
        "VRMC_vrm": {
            "specVersion": "1.0",
            "meta": {"name": "Test person", "authors": ["A", "B"], "licenseUrl": "https://vrm.dev/licenses/1.0/"},
            "humanoid": {"humanBones": {name: {"node": i} for i, name in enumerate(VRM_BONES)}},
            "expressions": {"preset": preset, "custom": custom or {}},
        }
    }
    return file


HEAD_NODE = len(BONES)
"""Node of a skinned person's head mesh, which VRM 1.0's expressions refer to."""
