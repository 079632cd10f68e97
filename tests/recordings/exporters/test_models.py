"""GLB, USD, OBJ, PLY and BVH: shapes and motion, read by other programs' readers."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
import trimesh
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_INDEX
from models.face_model import load_face_model
from models.geometry.rotations import from_quaternion
from recordings.exporters import ExportOptions, export_session
from recordings.reader import Session
from tests.recordings.exporters.conftest import BLIND, FPS, FRAMES, face_at
from tracking.types import TrackedFace


def values_of(doc: pygltflib.GLTF2, index: int) -> NDArray[Any]:
    """An accessor's numbers, sparse or not, by the letter of the glTF specification."""
    accessor = doc.accessors[index]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[accessor.type]
    kind = {5125: "<u4", 5126: "<f4"}[accessor.componentType]
    blob = doc.binary_blob()

    def view(number: int, count: int, kind: str, width: int) -> NDArray[Any]:
        found = doc.bufferViews[number]
        return np.frombuffer(blob, kind, count * width, found.byteOffset).reshape(count, width)

    if accessor.bufferView is not None:
        return view(accessor.bufferView, accessor.count, kind, width)
    values = np.zeros((accessor.count, width), kind)
    if accessor.sparse is not None:
        sparse = accessor.sparse
        rows = view(sparse.indices.bufferView, sparse.count, "<u4", 1)[:, 0]
        assert (np.diff(rows.astype(np.int64)) > 0).all(), "indices of sparse accessors ascend"
        values[rows] = view(sparse.values.bufferView, sparse.count, kind, width)
    return values


def tracked(row: int) -> TrackedFace:
    return face_at(row if row not in BLIND else BLIND[0] - 1)


@pytest.fixture
def glb(session: Session, tmp_path: Path) -> pygltflib.GLTF2:
    export_session(session, "glb", tmp_path / "head.glb")
    return pygltflib.GLTF2().load_binary(str(tmp_path / "head.glb"))


def channel(doc: pygltflib.GLTF2, node: str, path: str) -> tuple[NDArray[Any], NDArray[Any]]:
    animation = doc.animations[0]
    for item in animation.channels:
        if doc.nodes[item.target.node].name == node and item.target.path == path:
            sampler = animation.samplers[item.sampler]
            return values_of(doc, sampler.input)[:, 0], values_of(doc, sampler.output)
    raise AssertionError(f"no {path} of {node}")


def test_glb_weights_are_what_was_tracked(glb: pygltflib.GLTF2) -> None:
    assert glb.meshes[0].extras["targetNames"] == list(ARKIT_CHANNELS)
    times, weights = channel(glb, "Face", "weights")
    assert np.allclose(times, np.arange(FRAMES) / FPS, atol=1e-6)
    weights = weights.reshape(FRAMES, 52)
    for row in range(FRAMES):
        parameters = tracked(row).parameters
        assert parameters is not None
        assert np.abs(weights[row] - parameters.expression).max() < 1e-5, row


def test_glb_moves_the_head_as_tracked(glb: pygltflib.GLTF2) -> None:
    _, places = channel(glb, "Head", "translation")
    _, turns = channel(glb, "Head", "rotation")
    _, gaze = channel(glb, "LeftEye", "rotation")
    for row in range(FRAMES):
        parameters = tracked(row).parameters
        assert parameters is not None
        x, y, z = parameters.translation
        assert np.allclose(places[row], (x, -y, -z), atol=1e-6)
        assert np.allclose(from_quaternion(turns[row][[3, 0, 1, 2]]), parameters.rotation, atol=1e-5)
        looks = from_quaternion(gaze[row][[3, 0, 1, 2]]) @ (0, 0, 1)
        assert np.arctan2(looks[0], looks[2]) == pytest.approx(float(parameters.gaze[0, 0]), abs=1e-4)
    assert (np.sum(turns[1:] * turns[:-1], axis=1) > 0).all(), "players interpolate neighbours as they stand"


def test_glb_shapes_add_up_to_the_posed_face(glb: pygltflib.GLTF2) -> None:
    model = load_face_model()
    skin = glb.meshes[0].primitives[0]
    row = 12
    face = tracked(row)
    assert face.parameters is not None and face.vertices is not None
    points = values_of(glb, skin.attributes.POSITION).astype(np.float64)
    for target, weight in zip(skin.targets, face.parameters.expression, strict=True):
        position = target["POSITION"] if isinstance(target, dict) else target.POSITION
        points = points + weight * values_of(glb, position)
    # The skin's points are the UV points that its triangles use.
    used = np.unique(model.uv_faces[model.part_faces("skin")])
    wanted = face.vertices[model.uv_vertex[used]]
    assert np.abs(points - wanted).max() < 1e-4


def test_glb_through_trimesh(session: Session, tmp_path: Path) -> None:
    export_session(session, "glb", tmp_path / "head.glb")
    scene = trimesh.load(tmp_path / "head.glb")
    assert isinstance(scene, trimesh.Scene)
    head = scene.geometry["Face"]
    assert len(head.faces) == 8524
    assert head.visual.uv is not None and head.visual.material.baseColorTexture is not None
    # Triangles face outwards: the enclosed volume of a head with an open neck is still positive.
    assert head.volume > 0.002
    assert struct.unpack("<I", (tmp_path / "head.glb").read_bytes()[8:12])[0] == (tmp_path / "head.glb").stat().st_size


def test_obj_and_ply_through_trimesh(session: Session, tmp_path: Path) -> None:
    options = ExportOptions(start_s=0.24, end_s=0.4)
    export_session(session, "obj", tmp_path / "obj", options)
    export_session(session, "ply", tmp_path / "ply", options)
    names = sorted(path.name for path in (tmp_path / "ply").iterdir())
    assert names == [f"frame_{n:06d}.ply" for n in range(4)]
    face = tracked(9)  # the range begins with frame 6; frames 7 and 8 are blind
    assert face.vertices is not None and face.parameters is not None
    place = face.parameters.translation * (1, -1, -1)
    corner = int(np.argmax(face.vertices[:, 2]))  # the tip of the nose
    tip = face.parameters.rotation @ face.vertices[corner] + place
    for path in (tmp_path / "ply" / "frame_000003.ply", tmp_path / "obj" / "frame_000003.obj"):
        mesh = trimesh.load_mesh(path)
        assert np.linalg.norm(mesh.vertices - tip, axis=1).min() < 1e-5, path.name
    blind, before = (trimesh.load_mesh(tmp_path / "ply" / f"frame_{n:06d}.ply") for n in (1, 0))
    assert np.allclose(blind.vertices, before.vertices)
    assert (tmp_path / "obj" / "skin.png").is_file()
    assert "map_Kd skin.png" in (tmp_path / "obj" / "head.mtl").read_text()


def test_usd_through_its_own_library(session: Session, tmp_path: Path) -> None:
    pxr = pytest.importorskip("pxr", reason="usd-core is not installed")
    from pxr import Usd, UsdGeom

    assert pxr is not None
    export_session(session, "usd", tmp_path / "head.usdc")
    stage = Usd.Stage.Open(str(tmp_path / "head.usdc"))
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, FRAMES - 1)
    assert stage.GetTimeCodesPerSecond() == FPS and UsdGeom.GetStageUpAxis(stage) == "Y"
    model = load_face_model()
    used = np.unique(model.uv_faces[model.part_faces("skin")])
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/Head/skin"))
    head = UsdGeom.Xformable(stage.GetPrimAtPath("/Head"))
    for row in (0, 5, FRAMES - 1):
        face = tracked(row)
        assert face.vertices is not None and face.parameters is not None
        points = np.array(mesh.GetPointsAttr().Get(row))
        assert np.abs(points - face.vertices[model.uv_vertex[used]]).max() < 1e-5
        matrix = np.array(head.GetLocalTransformation(row))
        assert np.allclose(matrix[:3, :3].T, face.parameters.rotation, atol=1e-5)
        jaw = stage.GetPrimAtPath("/Head").GetAttribute("arkit:jawOpen").Get(row)
        assert jaw == pytest.approx(float(face.parameters.expression[CHANNEL_INDEX["jawOpen"]]), abs=1e-5)
    assert stage.GetPrimAtPath("/Head").GetAttribute("valid").Get(BLIND[0]) is False
    assert (tmp_path / "head_textures" / "skin.png").is_file()
    # Again over it: an export replaces its own textures.
    export_session(session, "usd", tmp_path / "head.usdc")


def test_bvh_puts_the_eyes_where_they_were(session: Session, tmp_path: Path) -> None:
    export_session(session, "bvh", tmp_path / "head.bvh")
    joints, rows, frame_time = read_bvh(tmp_path / "head.bvh")
    assert frame_time == pytest.approx(1 / FPS) and len(rows) == FRAMES
    for row in (0, 5, 12):
        face = tracked(row)
        assert face.parameters is not None
        world = forward(joints, rows[row])
        middle = (world["LeftEye"][1] + world["RightEye"][1]) / 2
        x, y, z = face.parameters.translation * 100
        assert np.allclose(middle, (x, -y, -z), atol=0.1)
        assert np.allclose(world["Head"][0], face.parameters.rotation, atol=1e-4)
        looks = world["LeftEye"][0] @ (0, 0, 1)
        own = face.parameters.rotation.T @ looks
        assert np.arctan2(own[0], own[2]) == pytest.approx(float(face.parameters.gaze[0, 0]), abs=1e-3)


Placed = tuple[NDArray[np.float64], NDArray[np.float64]]
Joint = tuple[str, str | None, NDArray[np.float64], list[str]]


def read_bvh(path: Path) -> tuple[list[Joint], NDArray[np.float64], float]:
    """A reader written from the format's description."""
    tokens = path.read_text().split()
    joints: list[Joint] = []
    stack: list[str | None] = [None]
    name: str | None = None
    at = 0
    while tokens[at] != "MOTION":
        if tokens[at] in ("ROOT", "JOINT", "End"):
            name = tokens[at + 1] if tokens[at] != "End" else None
            at += 2
        elif tokens[at] == "{":
            stack.append(name)
            at += 1
        elif tokens[at] == "}":
            stack.pop()
            at += 1
        elif tokens[at] == "OFFSET":
            if stack[-1] is not None:
                joints.append((stack[-1], stack[-2], np.array(tokens[at + 1 : at + 4], float), []))
            at += 4
        elif tokens[at] == "CHANNELS":
            count = int(tokens[at + 1])
            joints[-1][3].extend(tokens[at + 2 : at + 2 + count])
            at += 2 + count
        else:
            at += 1
    frames, frame_time = int(tokens[at + 2]), float(tokens[at + 5])
    return joints, np.array(tokens[at + 6 :], float).reshape(frames, -1), frame_time


def forward(
    joints: list[Joint], row: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    world: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    at = 0
    for name, parent, offset, channels in joints:
        turn, place = np.eye(3), offset.copy()
        for kind in channels:
            value = row[at]
            at += 1
            axis = "XYZ".index(kind[0])
            if kind.endswith("position"):
                place[axis] += value
                continue
            angle = np.radians(value)
            c, s = np.cos(angle), np.sin(angle)
            step = np.eye(3)
            i, j = [(1, 2), (2, 0), (0, 1)][axis]
            step[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
            turn = turn @ step
        above = world[parent] if parent is not None else (np.eye(3), np.zeros(3))
        world[name] = above[0] @ turn, above[0] @ place + above[1]
    return world
