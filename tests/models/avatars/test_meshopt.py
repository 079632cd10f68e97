"""EXT_meshopt_compression against bytes that the reference encoder (meshoptimizer 0.2.30a0) wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.avatars import AvatarFileError, load_avatar
from models.avatars.meshopt import MeshoptError, decode
from tests.helpers.avatar_files import GlbBuilder

CORNERS = [0, 1, 3, 3, 1, 4, 1, 2, 4, 4, 2, 5, 3, 4, 6, 6, 4, 7, 4, 5, 7, 7, 5, 8]
TRIANGLES = bytes.fromhex("e1fe1e100e4e1e120e0f06007687566778a9866589689801690000")
SEQUENCE = bytes.fromhex("d100040800060c0a040800060c06040800060c0a040800060c00000000")
ATTRIBUTES = bytes.fromhex(
    "a0013fffc000d7d7d7d7d7d7d7d701088a0000013fffc000d7d7d7d7d7d7d7d70108a20000013fffc000d7d7d7d7d7d7d7d7010a220000013f"
    "ffc000d7d7d7d7d7d7d7d70122228000000000000000000000000000000000000000000000000000000025004a006f00"
)


def raw(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


def test_attributes() -> None:
    out = decode(raw(ATTRIBUTES), 9, 8, "ATTRIBUTES", "NONE")
    np.testing.assert_array_equal(out.view(np.uint16), np.arange(36) * 37)


def test_triangles_up_to_their_first_corner() -> None:
    out = decode(raw(TRIANGLES), len(CORNERS), 2, "TRIANGLES", "NONE").view(np.uint16).reshape(-1, 3)
    wanted = np.array(CORNERS).reshape(-1, 3)
    same = [(np.roll(out, k, axis=1) == wanted).all(axis=1) for k in range(3)]
    assert np.any(same, axis=0).all()


def test_index_sequence() -> None:
    assert decode(raw(SEQUENCE), len(CORNERS), 4, "INDICES", "NONE").view(np.uint32).tolist() == CORNERS


def packed(values: np.ndarray) -> bytes:
    """An attribute stream that stores every byte whole: the filters' tests need one."""
    count, stride = values.shape
    steps = np.diff(values.astype(np.int16), axis=0, prepend=values[:1]).astype(np.int8).astype(np.int16)
    zigzag = ((steps << 1) ^ (steps >> 15)).astype(np.uint8)
    out = b"\xa0"
    for k in range(stride):
        groups = (count + 15) // 16
        out += b"\xff" * ((groups + 3) // 4) + np.pad(zigzag[:, k], (0, groups * 16 - count)).tobytes()
    return bytes(out + bytes(max(32 - stride, 0)) + values[0].tobytes())


def test_filters() -> None:
    random = np.random.default_rng(0)
    unit = random.normal(size=(40, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    # Octahedral, as the extension describes it: project onto |x|+|y|+|z| = 1, fold the lower half.
    flat = unit / np.abs(unit).sum(axis=1, keepdims=True)
    x, y = flat[:, 0].copy(), flat[:, 1].copy()
    below = flat[:, 2] < 0
    x[below], y[below] = (
        ((1 - np.abs(flat[:, 1])) * np.sign(flat[:, 0]))[below],
        ((1 - np.abs(flat[:, 0])) * np.sign(flat[:, 1]))[below],
    )
    folded = np.stack([np.rint(x * 32767), np.rint(y * 32767), np.full(40, 32767), np.zeros(40)], axis=1)
    stream = packed(folded.astype(np.int16).view(np.uint8).reshape(40, 8))
    out = decode(raw(stream), 40, 8, "ATTRIBUTES", "OCTAHEDRAL").view(np.int16).reshape(40, 4)
    np.testing.assert_allclose(out[:, :3] / 32767, unit, atol=2e-4)

    values = random.normal(size=(40, 1)).astype(np.float32)
    words = ((np.rint(values * 2**14).astype(np.int64) & 0xFFFFFF) | ((-14 & 0xFF) << 24)).astype(np.uint32)
    wide = decode(raw(packed(words.view(np.uint8).reshape(40, 4))), 40, 4, "ATTRIBUTES", "EXPONENTIAL")
    np.testing.assert_allclose(wide.view(np.float32), values[:, 0], atol=1e-4)

    turn = np.array([[0.1, -0.2, 0.3, np.sqrt(1 - 0.14)]])
    three = np.rint(turn[:, :3] * np.sqrt(2) * 32767)
    quaternion = np.concatenate([three, [[32764 | 3]]], axis=1).astype(np.int16)
    four = decode(raw(packed(quaternion.view(np.uint8))), 1, 8, "ATTRIBUTES", "QUATERNION").view(np.int16)
    np.testing.assert_allclose(four / 32767, turn[0], atol=2e-3)


@settings(max_examples=200, deadline=None)
@given(
    mode=st.sampled_from(["ATTRIBUTES", "TRIANGLES", "INDICES", "OTHER"]),
    cut=st.integers(0, 200),
    noise=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 255)), max_size=6),
)
def test_damaged_streams_are_refused_or_give_the_right_size(mode: str, cut: int, noise: list[tuple[int, int]]) -> None:
    data = bytearray({"ATTRIBUTES": ATTRIBUTES, "TRIANGLES": TRIANGLES}.get(mode, SEQUENCE)[:cut])
    for place, value in noise:
        if place < len(data):
            data[place] = value
    count, stride = (9, 8) if mode == "ATTRIBUTES" else (24, 2)
    try:
        assert len(decode(raw(bytes(data)), count, stride, mode, "NONE")) == count * stride
    except MeshoptError:
        pass


def compressed(file: GlbBuilder, data: bytes, count: int, stride: int, mode: str) -> int:
    source = file.view(data)
    place = file.json["bufferViews"][source]
    place["extensions"] = {
        "EXT_meshopt_compression": {
            **{k: place[k] for k in ("buffer", "byteOffset", "byteLength")},
            "byteStride": stride,
            "count": count,
            "mode": mode,
        }
    }
    place |= {"buffer": 1, "byteOffset": 0, "byteLength": count * stride}
    return source


def test_a_compressed_file(tmp_path: Path) -> None:
    file = GlbBuilder()
    positions = compressed(file, ATTRIBUTES, 9, 8, "ATTRIBUTES")
    indices = compressed(file, TRIANGLES, 24, 2, "TRIANGLES")
    file.json["accessors"] = [
        {"bufferView": positions, "componentType": 5123, "count": 9, "type": "VEC3"},
        {"bufferView": indices, "componentType": 5123, "count": 24, "type": "SCALAR"},
    ]
    file.json["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}]
    file.node(mesh=0)
    fallback = {"byteLength": 200, "extensions": {"EXT_meshopt_compression": {"fallback": True}}}
    file.json["buffers"] = [{"byteLength": len(file.binary)}, fallback]
    file.json["extensionsRequired"] = ["EXT_meshopt_compression", "KHR_mesh_quantization"]
    path = file.save(tmp_path / "small.glb")
    mesh = load_avatar(path).meshes[0]
    assert len(mesh.triangles) == 8
    np.testing.assert_array_equal(mesh.positions, (np.arange(36).reshape(9, 4) * 37)[:, :3])
    file.json["bufferViews"][positions]["extensions"]["EXT_meshopt_compression"]["count"] = 2**40
    with pytest.raises(AvatarFileError, match="no sensible size"):
        load_avatar(file.save(path))
