"""Pictures of third-party avatars, drawn by a real OpenGL without a display and looked at pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatars import load_avatar
from models.geometry.rotations import from_euler
from rendering import Background, CameraMode, Light, RenderingUnavailableError, Scene, View, Viewpoint
from rendering.avatar_offscreen import AvatarPictures
from tests.helpers.avatar_files import GlbBuilder, as_vrm0, person
from tracking.retarget import Driven, RetargetSettings, driven_from

pytestmark = pytest.mark.gl

SIZE = (240, 240)
Picture = NDArray[np.uint8]
Drawer = Callable[..., AvatarPictures]
CLEAR = Scene(background=Background(alpha=0.0))


@pytest.fixture
def drawn(tmp_path: Path) -> Iterator[Drawer]:
    """Opens a made file for drawing, and closes it afterwards."""
    opened: list[AvatarPictures] = []

    def draw(file: GlbBuilder | Path, scene: Scene = CLEAR, settings: RetargetSettings | None = None) -> AvatarPictures:
        path = file if isinstance(file, Path) else file.save(tmp_path / f"avatar{len(opened)}.glb")
        try:
            opened.append(AvatarPictures(load_avatar(path), scene, settings))
        except RenderingUnavailableError as error:
            pytest.skip(str(error))
        return opened[-1]

    yield draw
    for pictures in opened:
        pictures.close()


def picture(pictures: AvatarPictures, driven: Driven | None = None) -> NDArray[np.int64]:
    return pictures.render(driven or driven_from(), SIZE, alpha=True).astype(np.int64)


def blue(shown: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the eyes are."""
    return (shown[..., 2] > shown[..., 0] + 60) & (shown[..., 3] > 128)


def green(shown: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the hands are."""
    return (shown[..., 1] > shown[..., 0] + 60) & (shown[..., 3] > 128)


def middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Row and column of a patch's centre."""
    rows, columns = np.nonzero(mask)
    assert len(rows), "nothing of that colour is in the picture"
    return float(rows.mean()), float(columns.mean())


def brightness(shown: NDArray[np.int64]) -> float:
    return float(shown[..., :3][shown[..., 3] > 128].mean())


def material(**more: Any) -> dict[str, Any]:
    base = {"baseColorFactor": [0.8, 0.5, 0.4, 1.0], "metallicFactor": 0}
    return {"name": "skin", "pbrMetallicRoughness": base | more.pop("pbr", {}), **more}


def test_head_and_eyes_in_the_middle_whatever_the_units(drawn: Drawer) -> None:
    shown = picture(drawn(person()))
    skin = (shown[..., 3] > 128) & ~blue(shown)
    row, column = middle(skin)
    assert abs(column - 119.5) < 2 and 60 < row < 140
    rows = np.nonzero(skin.any(axis=1))[0]
    assert 5 < rows[0] < 80 and rows[-1] - rows[0] > 80
    assert abs(middle(blue(shown))[1] - 119.5) < 2
    large = person()
    large.json["nodes"].append(
        {"name": "centimetres", "scale": [100.0] * 3, "children": list(large.json["scenes"][0]["nodes"])}
    )
    large.json["scenes"][0]["nodes"] = [len(large.json["nodes"]) - 1]
    difference = np.abs(picture(drawn(large)) - shown)
    assert difference.mean() < 1


def test_vrm0_avatar_shows_its_face_too(drawn: Drawer, tmp_path: Path) -> None:
    away = picture(drawn(person(faces_away=True)))
    assert not blue(away).any()
    turned = picture(drawn(as_vrm0(person(faces_away=True), [])))
    assert np.abs(turned - picture(drawn(person()))).mean() < 1


@pytest.mark.parametrize(("angles", "axis", "sign"), [((0.4, 0, 0), 1, 1), ((0, 0.3, 0), 0, 1), ((0, -0.3, 0), 0, -1)])
def test_head_turns_as_the_person_does(drawn: Drawer, angles: tuple[float, float, float], axis: int, sign: int) -> None:
    pictures = drawn(person())
    rest, turned = picture(pictures), picture(pictures, driven_from(rotation=from_euler(*angles)))
    assert (middle(blue(turned))[axis] - middle(blue(rest))[axis]) * sign > 5


def test_roll_tilts_to_the_subjects_right_shoulder(drawn: Drawer) -> None:
    shown = blue(picture(drawn(person()), driven_from(rotation=from_euler(0, 0, 0.3))))
    half = shown.shape[1] // 2
    # The subject's left eye, on the picture's right, rises.
    assert middle(shown[:, half:])[0] < middle(shown[:, :half])[0] - 5


def test_a_head_without_bones_turns_as_a_whole(drawn: Drawer) -> None:
    file = person(skinned=False)
    file.json["nodes"].append({"mesh": 0, "translation": [0.0, 0.03, 0.105], "scale": [0.2, 0.2, 0.2]})
    file.json["nodes"][-1]["translation"][1] -= 0.2 * 1.6 - 1.6
    file.json["scenes"][0]["nodes"].append(len(file.json["nodes"]) - 1)
    pictures = drawn(file)
    assert np.abs(picture(pictures, driven_from(rotation=from_euler(0.5, 0, 0))) - picture(pictures)).mean() > 1


def test_gaze_turns_the_eye_bones(drawn: Drawer) -> None:
    pictures = drawn(person())
    rest = picture(pictures)
    left, up = (picture(pictures, driven_from(gaze=g)) for g in ((0.4, 0.0), (0.0, -0.4)))
    # The balls of the eyes sit in front of their bones, so they move where they look.
    assert middle(blue(left))[1] > middle(blue(rest))[1] + 1
    assert middle(blue(up))[0] < middle(blue(rest))[0] - 1
    assert np.abs(left - rest)[..., :3].mean() < 8, "nothing but the eyes moves"


def test_arms_hang_down(drawn: Drawer) -> None:
    far = Scene(viewpoint=Viewpoint(zoom=0.25), background=Background(alpha=0.0))
    shown = picture(drawn(person(), far))
    hands = green(shown)
    rows, columns = np.nonzero(hands)
    eyes = middle(blue(shown))
    # Below the shoulders by most of an arm, and near the body: in the file they are held out, 0.5 m to each side.
    metre = 240 / (0.4 / 0.25)
    assert rows.min() > eyes[0] + 0.3 * metre
    assert np.abs(columns - 119.5).max() < 0.4 * metre
    assert (columns < 110).any() and (columns > 130).any()


def test_morph_targets_move_what_they_should(drawn: Drawer) -> None:
    pictures = drawn(person({"jawOpen": (0.0, -0.04, 0.02), "A": (0.0, -0.04, 0.02)}))
    rest, opened = picture(pictures), picture(pictures, driven_from({"jawOpen": 1.0}))
    changed = np.abs(opened - rest).sum(axis=2) > 20
    assert changed.sum() > 200
    assert middle(changed)[0] > middle(rest[..., 3] > 128)[0]
    half = picture(pictures, driven_from({"jawOpen": 0.5}))
    assert 0.1 < np.abs(half - rest).sum() / np.abs(opened - rest).sum() < 0.95
    quiet = drawn(person({"jawOpen": (0.0, -0.04, 0.02)}), settings=RetargetSettings(expressions={"jawOpen": 0.0}))
    np.testing.assert_array_equal(picture(quiet, driven_from({"jawOpen": 1.0})), picture(quiet))


def test_mirror_flips_the_picture_and_shows_no_insides(drawn: Drawer) -> None:
    pictures = drawn(person())
    driven = driven_from(rotation=from_euler(0.4, 0.1, 0.2))
    shown = picture(pictures, driven)
    pictures.scene = Scene(background=CLEAR.background, mirror=True)
    # The light is the viewer's and stays where it is, so outlines are compared.
    flipped = picture(pictures, driven)[:, ::-1]
    assert (np.abs(flipped[..., 3] - shown[..., 3]) > 128).mean() < 0.005
    assert (blue(flipped) ^ blue(shown)).mean() < 0.01


def test_viewpoint_lock_zoom_and_view(drawn: Drawer) -> None:
    pictures = drawn(person())
    rest, turn = picture(pictures), driven_from(rotation=from_euler(0.5, 0.0, 0.0))
    pictures.scene = Scene(background=CLEAR.background, viewpoint=Viewpoint(mode=CameraMode.LOCKED))
    np.testing.assert_array_equal(picture(pictures, turn), rest)
    pictures.scene = Scene(background=CLEAR.background, viewpoint=Viewpoint(zoom=2.0))
    assert (picture(pictures)[..., 3] > 128).sum() > 2.5 * (rest[..., 3] > 128).sum() * 0.8
    pictures.scene = Scene(background=CLEAR.background, viewpoint=Viewpoint(yaw=0.6))
    # Who walks to the subject's left sees the face turn to the picture's left.
    assert middle(blue(picture(pictures)))[1] < middle(blue(rest))[1] - 5
    pictures.scene = Scene(background=CLEAR.background, view=View.CLAY)
    clay = picture(pictures)
    assert not blue(clay).any() and (clay[..., 3] > 128).sum() == (rest[..., 3] > 128).sum()


def test_translation_moves_the_avatar(drawn: Drawer) -> None:
    pictures, still = drawn(person()), driven_from()
    moved = Driven(still.values, still.rotation, np.array([0.05, 0.03, 0.0]), still.gaze)
    before, after = (middle(blue(picture(pictures, d))) for d in (still, moved))
    assert after[1] > before[1] + 10 and after[0] < before[0] - 5


def test_base_texture_lies_the_right_way_up(drawn: Drawer) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32] = (255, 0, 0)
    pixels[32:] = (0, 255, 0)
    file = person()
    index = file.texture(pixels)
    white = {"baseColorFactor": [1, 1, 1, 1], "baseColorTexture": {"index": index}}
    file.json["materials"][0] = material(pbr=white, extensions={"KHR_materials_unlit": {}})
    shown = picture(drawn(file))
    red = (shown[..., 0] > 240) & (shown[..., 1] < 15)
    lower = (shown[..., 1] > 240) & (shown[..., 0] < 15)
    assert red.sum() > 1000 and lower.sum() > 1000
    assert middle(red)[0] < middle(lower)[0] - 20


def test_alpha_modes(drawn: Drawer) -> None:
    pixels = np.full((64, 64, 4), 255, np.uint8)
    pixels[:, 16:48, 3] = 100  # the half that faces the viewer
    shown = {}
    for mode in ("OPAQUE", "MASK", "BLEND"):
        file = person()
        white = {"baseColorFactor": [1, 1, 1, 1], "baseColorTexture": {"index": file.texture(pixels)}}
        file.json["materials"][0] = material(pbr=white, alphaMode=mode, alphaCutoff=0.5)
        shown[mode] = picture(drawn(file))[..., 3]
    row, column = 110, 120
    assert shown["OPAQUE"][row, column] == 255
    assert shown["MASK"][row, column] == 0
    assert shown["BLEND"][row, column] == pytest.approx(100, abs=3)


def test_back_faces_show_only_where_they_should(drawn: Drawer) -> None:
    inside_out = {}
    for double in (False, True):
        file = person(skinned=False, material=material(doubleSided=double))
        accessor = file.json["accessors"][file.json["meshes"][0]["primitives"][0]["indices"]]
        view = file.json["bufferViews"][accessor["bufferView"]]
        data = np.frombuffer(bytes(file.binary), np.uint32, accessor["count"], view["byteOffset"]).reshape(-1, 3)
        front = data[ball_front(data)]
        turned_over = np.ascontiguousarray(front[:, ::-1]).reshape(-1)
        file.json["meshes"][0]["primitives"][0]["indices"] = file.accessor(turned_over)
        inside_out[double] = (picture(drawn(file))[..., 3] > 128).sum()
    assert inside_out[False] == 0 and inside_out[True] > 3000


def ball_front(triangles: NDArray[np.uint32]) -> NDArray[np.bool_]:
    from tests.helpers.avatar_files import ball

    positions = ball((0, 0, 0), 1.0)[0]
    return np.asarray(positions[triangles].mean(axis=1)[:, 2] > 0.3)


def test_normal_map_bends_light_as_the_map_says(drawn: Drawer) -> None:
    def with_normal(x: int, y: int, light: Light) -> float:
        file = person(skinned=False)
        map_ = file.texture(np.tile(np.array([x, y, 200], np.uint8), (8, 8, 1)))
        file.json["materials"][0] = material(normalTexture={"index": map_})
        scene = Scene(background=CLEAR.background, light=light)
        return float(picture(drawn(file, scene))[100:140, 100:140, :3].mean())

    right = Light.portrait(yaw=1.0, pitch=0.0, fill=0.0, rim=0.0, ambient=0.2)
    above = Light.portrait(yaw=0.0, pitch=1.0, fill=0.0, rim=0.0, ambient=0.2)
    # Red leans along u, to the picture's right on this ball; green leans up.
    assert with_normal(200, 128, right) > with_normal(128, 128, right) + 5 > with_normal(56, 128, right) + 10
    assert with_normal(128, 200, above) > with_normal(128, 128, above) + 5 > with_normal(128, 56, above) + 10


def test_emissive_unlit_and_two_tones(drawn: Drawer) -> None:
    dark = Light.portrait(key=0.0, fill=0.0, rim=0.0, ambient=0.0)
    night = Scene(background=CLEAR.background, light=dark)
    black = drawn(person(skinned=False), night)
    assert brightness(picture(black)) < 3
    glowing = picture(drawn(person(skinned=False, material=material(emissiveFactor=[0.0, 0.0, 1.0])), night))
    assert blue(glowing).sum() > 3000
    plain = material(extensions={"KHR_materials_unlit": {}})
    flat = picture(drawn(person(skinned=False, material=plain), night))[..., :3][glowing[..., 3] > 250]
    # 0.8, 0.5, 0.4 in sRGB.
    np.testing.assert_allclose(np.median(flat, axis=0), (231, 188, 170), atol=2)
    toon = {"VRMC_materials_mtoon": {"shadeColorFactor": [0.1, 0.1, 0.3], "shadingToonyFactor": 1.0}}
    side = Scene(background=CLEAR.background, light=Light.portrait(yaw=-1.4, pitch=0.0, rim=0.0))
    shown = picture(drawn(person(skinned=False, material=material(extensions=toon)), side))
    colours = shown[..., :3][shown[..., 3] > 250]
    tones, counts = np.unique(colours // 8, axis=0, return_counts=True)
    assert np.sort(counts)[-2:].sum() > 0.9 * counts.sum(), "two tones, hardly anything between"
    assert tones[np.argsort(counts)[-2:]].std(axis=0).max() > 3
    assert shown[120, 90, 0] > shown[120, 200, 0] + 40, "the light is on the picture's left"


def test_textures_may_come_one_by_one(drawn: Drawer) -> None:
    file = person()
    for look in file.json["materials"]:
        look["pbrMetallicRoughness"]["baseColorTexture"] = {"index": file.texture(np.full((64, 64, 3), 90, np.uint8))}
    pictures = drawn(file)
    wanted = picture(pictures)
    from rendering import avatar as module

    slow = drawn(file)
    slow.renderer._gradual = True
    patience, module.TEXTURES_S = module.TEXTURES_S, 0.0
    try:
        shown = [picture(slow) for _ in range(3)]
    finally:
        module.TEXTURES_S = patience
    assert np.abs(shown[0] - wanted).mean() > 0.05
    np.testing.assert_array_equal(shown[2], wanted)


def test_gains_may_change_while_it_is_drawn(drawn: Drawer) -> None:
    pictures = drawn(person({"jawOpen": (0.0, -0.04, 0.02)}))
    rest, opened = picture(pictures), picture(pictures, driven_from({"jawOpen": 1.0}))
    pictures.renderer.take(RetargetSettings(expressions={"jawOpen": 0.0}))
    np.testing.assert_array_equal(picture(pictures, driven_from({"jawOpen": 1.0})), rest)
    pictures.renderer.take(RetargetSettings())
    np.testing.assert_array_equal(picture(pictures, driven_from({"jawOpen": 1.0})), opened)


def test_same_pose_same_picture_and_sizes(drawn: Drawer) -> None:
    pictures = drawn(person({"jawOpen": (0, -0.04, 0)}), Scene())
    first = pictures.render(driven_from(), SIZE)
    pictures.render(driven_from({"jawOpen": 1.0}, from_euler(1, 0, 0)), (100, 300))
    np.testing.assert_array_equal(first, pictures.render(driven_from(), SIZE))
    assert first.shape == (240, 240, 3) and first.dtype == np.uint8
    for size in ((0, 10), (10, -1), (100_000, 10)):
        with pytest.raises(ValueError, match="pixels a side"):
            pictures.render(driven_from(), size)
    pictures.close()
    pictures.close()
    with pytest.raises(RuntimeError, match="closed"):
        pictures.render(driven_from(), SIZE)


@pytest.mark.data
def test_a_real_person_shows_every_channel(drawn: Drawer, data_dir: Path) -> None:
    pictures = drawn(data_dir / "avatars" / "readyplayerme_67_morphs.glb")
    rest = picture(pictures)
    skin = rest[120:160, 110:130, :3].reshape(-1, 3).mean(axis=0)
    assert skin[0] > skin[1] > skin[2] > 60, "skin is neither black nor grey"
    for name in ("jawOpen", "eyeBlinkLeft", "mouthSmileRight", "browInnerUp", "mouthPucker"):
        assert (np.abs(picture(pictures, driven_from({name: 1.0})) - rest).sum(axis=2) > 30).sum() > 15, name


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["custom_normal.vrm", "humanoid_vrm1.vrm", "mtoon1_2_20_61_vrm0.vrm", "mtoon1_2_20_61_vrm1.vrm"]
)
def test_real_vrm_files_are_drawn(drawn: Drawer, data_dir: Path, name: str) -> None:
    shown = picture(drawn(data_dir / "avatars" / name))
    assert (shown[..., 3] > 128).mean() > 0.04


def test_an_expression_of_the_avatars_own_is_added_by_name(drawn: Drawer) -> None:
    """Of a key, say: whether the tracked face drives it (jawOpen) or not (hearts)."""
    pictures = drawn(person({"jawOpen": (0.0, -0.04, 0.02), "hearts": (0.0, -0.04, 0.02)}))
    rest, opened = picture(pictures), picture(pictures, driven_from({"jawOpen": 1.0}))
    assert np.abs(opened - rest).mean() > 0.1
    half = driven_from({"jawOpen": 0.5})
    for pose, own in ((driven_from(), "hearts"), (half, "jawOpen")):
        shown = picture(pictures, replace(pose, own=((own, 1.0), ("unknown", 1.0))))
        np.testing.assert_array_equal(shown, opened)
