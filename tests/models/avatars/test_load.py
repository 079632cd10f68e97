"""Whole avatar files: what a user's file turns into."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.avatars import Avatar, load_avatar
from tests.helpers.avatar_files import HEAD_NODE, GlbBuilder, as_vrm0, as_vrm1, ball, person

DOWN = (0.0, -0.03, 0.0)


def saved(file: GlbBuilder, tmp_path: Path, name: str = "avatar.glb") -> Avatar:
    return load_avatar(file.save(tmp_path / name))


def test_meshes_bones_and_targets_of_a_glb(tmp_path: Path) -> None:
    avatar = saved(person({"jawOpen": DOWN, "eyeBlink_L": (0, 0.01, 0)}), tmp_path)
    assert avatar.kind == "glTF" and avatar.name == "avatar"
    assert len(avatar.meshes) == 5 and avatar.triangle_count == 2 * 12 * 24 + 4 * 2 * 6 * 12
    assert {"head", "neck", "left_eye", "right_eye", "left_upper_arm", "right_lower_arm"} <= set(avatar.skeleton.roles)
    assert set(avatar.expressions) == {"jawOpen", "eyeBlinkLeft"}
    morphs = avatar.meshes[0].morphs
    assert morphs is not None
    rows = slice(morphs.starts[0], morphs.starts[1])
    # Only the vertices that move are kept.
    assert 0 < rows.stop - rows.start < len(avatar.meshes[0].positions) / 2
    np.testing.assert_allclose(morphs.offsets[rows, :3], np.tile(DOWN, (rows.stop, 1)), atol=1e-6)


def test_parts_that_share_one_list_of_vertices_keep_their_own_only(tmp_path: Path) -> None:
    file = person({"jawOpen": DOWN})
    mesh = file.json["meshes"][0]
    whole = mesh["primitives"][0]
    _, _, _, triangles = ball((0, 0, 0), 1)
    halves = triangles[: len(triangles) // 2], triangles[len(triangles) // 2 :]
    mesh["primitives"] = [whole | {"indices": file.accessor(half)} for half in halves]
    avatar = saved(file, tmp_path)
    first, second = avatar.meshes[:2]
    assert len(first.positions) == len(np.unique(halves[0])) and len(second.positions) == len(np.unique(halves[1]))
    # The jaw moves both.
    assert {bind.mesh for bind in avatar.expressions["jawOpen"].binds} <= {0, 1}
    np.testing.assert_allclose(second.positions[second.triangles].reshape(-1, 3)[:, 1].max(), 1.6, atol=0.02)


@pytest.mark.parametrize("kind", ["vrm0", "vrm1"])
def test_vrm_expressions_bones_and_licence(tmp_path: Path, kind: str) -> None:
    targets = {"Face.M_F00_000_00_Fcl_MTH_A": DOWN, "Fcl_EYE_Close_L": (0, 0.01, 0), "odd": (0, 0, 0.01)}
    if kind == "vrm0":
        groups: list[dict[str, Any]] = [
            {"name": "A", "presetName": "a", "binds": [{"mesh": 0, "index": 0, "weight": 50}]},
            {
                "name": "Odd",
                "presetName": "unknown",
                "binds": [{"mesh": 0, "index": 2, "weight": 100}],
                "isBinary": True,
            },
            {"name": "I", "presetName": "i", "binds": []},
        ]
        avatar = saved(as_vrm0(person(targets, faces_away=True), groups), tmp_path, "a.vrm")
        assert avatar.kind == "VRM 0.x" and avatar.licence.licence == "CC0"
        assert avatar.eye_range.outward == pytest.approx(np.radians(12))
    else:
        bind = {"node": HEAD_NODE, "index": 0, "weight": 0.5}
        custom = {"Odd": {"isBinary": True, "morphTargetBinds": [{"node": HEAD_NODE, "index": 2, "weight": 1.0}]}}
        preset = {"aa": {"morphTargetBinds": [bind]}, "ih": {"morphTargetBinds": []}}
        avatar = saved(as_vrm1(person(targets), preset, custom), tmp_path, "a.vrm")
        assert avatar.kind == "VRM 1.0" and avatar.licence.author == "A, B"
    assert avatar.name == "Test person"
    # The clip wins over the morph target of the same meaning, and a clip without targets is not offered.
    assert [bind.weight for bind in avatar.expressions["aa"].binds] == [0.5]
    assert avatar.expressions["blinkLeft"].source == "Fcl_EYE_Close_L"
    assert avatar.expressions["Odd"].binary and "ih" not in avatar.expressions
    # Both face along +z, whatever the file says.
    world = avatar.skeleton.world()
    assert world[avatar.skeleton.roles["left_eye"], 0, 3] > 0.02
    assert world[avatar.skeleton.roles["left_eye"], 2, 3] > 0.05


def test_mtoon_of_both_versions_gives_the_same_material(tmp_path: Path) -> None:
    one = {
        "name": "toon",
        "alphaMode": "BLEND",
        "pbrMetallicRoughness": {"baseColorFactor": [1.0, 0.5, 0.25, 1.0]},
        "extensions": {
            "VRMC_materials_mtoon": {
                "specVersion": "1.0",
                "shadeColorFactor": [0.5, 0.25, 0.125],
                "shadingShiftFactor": -0.25,
                "shadingToonyFactor": 0.9,
                "transparentWithZWrite": True,
            }
        },
    }

    def gamma(c: float) -> float:
        return c * 12.92 if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055

    # Its two-tone edge lies between -shift and -shift + (1 - toony) in a scale of its own.
    zero = {
        "shader": "VRM/MToon",
        "floatProperties": {"_BlendMode": 3, "_ShadeToony": 0.8 / 0.85 * 1.0, "_ShadeShift": 0.15, "_CullMode": 0},
        "vectorProperties": {
            "_Color": [gamma(1.0), gamma(0.5), gamma(0.25), 1.0],
            "_ShadeColor": [gamma(0.5), gamma(0.25), gamma(0.125), 1.0],
        },
        "textureProperties": {},
    }
    new = saved(as_vrm1(person(material=one), {}), tmp_path, "1.vrm").materials[0]
    old = saved(as_vrm0(person(faces_away=True, material={"name": "toon"}), [], [zero]), tmp_path, "0.vrm").materials[0]
    assert new.alpha == old.alpha == "BLEND" and new.depth_write and old.depth_write and old.double_sided
    assert new.base_colour == pytest.approx(old.base_colour, abs=1e-4)
    assert new.toon is not None and old.toon is not None
    assert new.toon.shade == pytest.approx(old.toon.shade, abs=1e-4)
    # Edge of the shadow: middle and half width as cosines, as Unity's shader computes them from its own numbers.
    low, high = 0.15, 1.0 + (0.15 - 1.0) * (0.8 / 0.85)
    assert old.toon.shift == pytest.approx(-(low + high) / 2, abs=1e-6)
    assert 1 - old.toon.toony == pytest.approx((high - low) / 2, abs=1e-6)


def test_texture_transform_is_in_the_coordinates(tmp_path: Path) -> None:
    file = person()
    texture = file.texture(np.full((4, 4, 3), 200, np.uint8))
    base = {
        "index": texture,
        "extensions": {"KHR_texture_transform": {"offset": [0.5, 0.25], "scale": [2.0, 3.0], "rotation": np.pi / 2}},
    }
    file.json["materials"][0] = {
        "pbrMetallicRoughness": {"baseColorTexture": base},
        "normalTexture": {"index": texture},
    }
    mesh = saved(file, tmp_path).meshes[0]
    _, _, uv, _ = ball((0, 0, 0), 1)
    # As the extension's text: translation * rotation * scale, rotation counter-clockwise with v down.
    np.testing.assert_allclose(mesh.uv, np.stack([0.5 + uv[:, 1] * 3.0, 0.25 - uv[:, 0] * 2.0], axis=1), atol=1e-5)
    assert mesh.uv_more is not None
    np.testing.assert_allclose(mesh.uv_more[:, :2], uv, atol=1e-6)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_textures_of_three_formats(tmp_path: Path, kind: str) -> None:
    file = person()
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[..., 0] = 220
    file.json["materials"][0] = {"pbrMetallicRoughness": {"baseColorTexture": {"index": file.texture(pixels, kind)}}}
    if kind == "WEBP":
        file.json["extensionsRequired"] = ["EXT_texture_webp"]
    avatar = saved(file, tmp_path)
    (texture,) = avatar.textures
    assert texture.pixels.shape == (32, 64, 3)
    np.testing.assert_allclose(texture.pixels.mean(axis=(0, 1)), (220, 0, 0), atol=4)
    # Pictures that no material uses are not decoded.
    file.texture(pixels)
    assert len(saved(file, tmp_path).textures) == 1


def test_large_textures_are_averaged_down(tmp_path: Path) -> None:
    file = person()
    pixels = np.zeros((16, 4096, 3), np.uint8)
    pixels[:, ::2] = 255
    file.json["materials"][0] = {"pbrMetallicRoughness": {"baseColorTexture": {"index": file.texture(pixels)}}}
    (texture,) = saved(file, tmp_path).textures
    assert texture.pixels.shape == (8, 2048, 3)
    assert abs(float(texture.pixels.mean()) - 127.5) < 2


def test_quantised_positions_and_targets(tmp_path: Path) -> None:
    plain = saved(person({"jawOpen": DOWN}, skinned=False), tmp_path).meshes[0]
    file = person({"jawOpen": DOWN}, skinned=False)
    positions, normals, uv, _ = ball((0.0, 1.6, 0.0), 0.12)
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]

    def padded(values: np.ndarray, width: int) -> np.ndarray:
        return np.pad(values, ((0, 0), (0, width - values.shape[1])))

    whole = np.rint(positions / 2 * 32767).astype(np.int16)
    view = file.view(padded(whole, 4).tobytes(), byteStride=8)
    file.json["accessors"].append(
        {"bufferView": view, "componentType": 5122, "count": len(whole), "type": "VEC3", "normalized": True}
    )
    attributes["POSITION"] = len(file.json["accessors"]) - 1
    bytes_ = padded(np.rint(normals * 127).astype(np.int8), 4)
    file.json["accessors"].append(
        {
            "bufferView": file.view(bytes_.tobytes(), byteStride=4),
            "componentType": 5120,
            "count": len(whole),
            "type": "VEC3",
            "normalized": True,
        }
    )
    attributes["NORMAL"] = len(file.json["accessors"]) - 1
    attributes["TEXCOORD_0"] = file.accessor(np.rint(uv * 65535).astype(np.uint16), normalized=True)
    file.json["nodes"][-1]["scale"] = [2.0, 2.0, 2.0]
    file.json["extensionsRequired"] = ["KHR_mesh_quantization"]
    mesh = saved(file, tmp_path).meshes[0]
    np.testing.assert_allclose(mesh.positions * 2, plain.positions, atol=1e-4)
    np.testing.assert_allclose(mesh.normals, plain.normals, atol=0.01)
    np.testing.assert_allclose(mesh.uv, plain.uv, atol=1e-4)


def test_sparse_accessor(tmp_path: Path) -> None:
    file = person({"jawOpen": DOWN}, skinned=False)
    count = len(ball((0, 0, 0), 1)[0])
    sparse = {
        "count": 2,
        "indices": {"bufferView": file.view(np.array([3, 7], np.uint16).tobytes()), "componentType": 5123},
        "values": {"bufferView": file.view(np.array([[0, 1, 0], [0, 0, 2]], np.float32).tobytes())},
    }
    file.json["accessors"].append({"componentType": 5126, "count": count, "type": "VEC3", "sparse": sparse})
    file.json["meshes"][0]["primitives"][0]["targets"] = [{"POSITION": len(file.json["accessors"]) - 1}]
    morphs = saved(file, tmp_path).meshes[0].morphs
    assert morphs is not None and morphs.index.tolist() == [3, 7]
    np.testing.assert_array_equal(morphs.offsets[:, :3], [[0, 1, 0], [0, 0, 2]])


def test_plain_gltf_with_its_data_inside(tmp_path: Path) -> None:
    file = person(skinned=False)
    scene = {key: value for key, value in file.json.items() if value != []}
    uri = "data:application/octet-stream;base64," + base64.b64encode(bytes(file.binary)).decode()
    scene["buffers"] = [{"byteLength": len(file.binary), "uri": uri}]
    path = tmp_path / "head.gltf"
    path.write_text(json.dumps(scene), encoding="utf-8")
    assert load_avatar(path).vertex_count == len(ball((0, 0, 0), 1)[0])


def test_strips_and_unindexed_triangles(tmp_path: Path) -> None:
    file = GlbBuilder()
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)
    primitive = {"attributes": {"POSITION": file.accessor(corners)}, "mode": 5}
    file.json["meshes"] = [{"primitives": [primitive]}]
    file.node(mesh=0)
    mesh = saved(file, tmp_path).meshes[0]
    # Both face the viewer, and so do the normals that the file lacks.
    np.testing.assert_allclose(mesh.normals, np.tile([0, 0, 1], (4, 1)), atol=1e-6)


@pytest.mark.parametrize("count", [0, 500])
def test_no_and_five_hundred_targets(tmp_path: Path, count: int) -> None:
    targets = {f"shape{i}": (0.0, 0.001 * (i + 1), 0.0) for i in range(count)}
    avatar = saved(person(targets, rows=6), tmp_path)
    assert len(avatar.expressions) == count
    assert any("will not move" in note for note in avatar.notes)


def test_a_mirrored_part_shows_its_outside(tmp_path: Path) -> None:
    file = person(skinned=False)
    file.json["nodes"][-1]["scale"] = [-1.0, 1.0, 1.0]
    mesh = saved(file, tmp_path).meshes[0]
    corners = (mesh.positions * (-1, 1, 1))[mesh.triangles]
    outward = corners.mean(axis=1) - (0.0, 1.6, 0.0)
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", facing, outward) > -1e-9).all()


@pytest.mark.data
def test_files_of_the_wild(data_dir: Path) -> None:
    folder = data_dir / "avatars"
    person_file = load_avatar(folder / "readyplayerme_67_morphs.glb")
    assert person_file.triangle_count == 13317 and len(person_file.textures) == 14
    from models.channels import ARKIT_CHANNELS

    assert set(ARKIT_CHANNELS) <= set(person_file.expressions)
    assert {"head", "neck", "left_eye", "right_eye", "left_upper_arm"} <= set(person_file.skeleton.roles)
    old, new = (load_avatar(folder / f"mtoon1_2_20_61_vrm{v}.vrm") for v in (0, 1))
    by_name = {m.name: m for m in old.materials}
    for material in new.materials:
        if material.toon is not None:
            other = by_name[material.name]
            assert material.alpha == other.alpha and material.depth_write == other.depth_write
            assert material.base_colour == pytest.approx(other.base_colour, abs=0.01)
    for version in (0, 1):
        assert "aa" in load_avatar(folder / f"modifier_shapekey_vrm{version}.vrm").expressions
