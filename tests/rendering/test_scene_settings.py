"""Scenes on disk, their pictures, and what becomes of them."""

from __future__ import annotations

import json
import os
from math import radians
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from rendering import Backing, CameraMode, Scene, Viewpoint
from rendering.look import look_of
from rendering.scene_picture import LONGEST_SIDE, PictureFileError, picture_of, read_picture
from rendering.scene_settings import (
    PRESETS,
    BackgroundSettings,
    EnvironmentSettings,
    LightSettings,
    SceneFileError,
    SceneSettings,
    load_scene,
    save_scene,
)

FULL = SceneSettings(
    background=BackgroundSettings(kind="picture", colour=(1, 2, 3), key=(4, 5, 6), picture="/a/ü.png", blur=0.25),
    framing="stay",
    fov_deg=40.0,
    light=PRESETS["neon"],
)


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    for settings in (SceneSettings(), FULL):
        path = tmp_path / "new folder" / "a.scene.json"
        save_scene(settings, path)
        assert load_scene(path) == settings
    assert json.loads(path.read_text())["schema_version"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "does not hold a scene"),
        (b"{}", "does not hold a scene"),
        (b'{"schema_version": true}', "does not hold a scene"),
        (b'{"schema_version": 2}', "newer version"),
        (b'{"schema_version": 1, "fov_deg": 1e9}', "fov_deg"),
        (b'{"schema_version": 1, "fov_deg": NaN}', "fov_deg"),
        (b'{"schema_version": 1, "surprise": 1}', "surprise"),
        (b'{"schema_version": 1, "background": {"colour": [1, 2, 300]}}', "background.colour"),
        (b" " * (1 << 20) + b"{}", "too large"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.scene.json"
    path.write_bytes(content)
    with pytest.raises(SceneFileError) as caught:
        load_scene(path)
    sentence = str(caught.value)
    assert said in sentence and "a.scene.json" in sentence and "\n" not in sentence and sentence.endswith(".")


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(SceneFileError, match="cannot be read"):
        load_scene(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SceneFileError, match="cannot be written"):
        save_scene(FULL, tmp_path / "file" / "a.scene.json")


def test_presets_are_complete_and_no_two_alike() -> None:
    assert PRESETS["portrait"] == LightSettings()
    assert len({preset.model_dump_json() for preset in PRESETS.values()}) == len(PRESETS) >= 5


class TestLook:
    def test_each_kind_of_background(self, tmp_path: Path) -> None:
        picture = read_picture(_picture(tmp_path / "a.png"))
        kinds = {}
        for kind in ("studio", "colour", "picture", "camera", "key", "transparent"):
            settings = SceneSettings(
                background=BackgroundSettings.model_validate({"kind": kind, "colour": (51, 0, 0), "key": (0, 0, 255)})
            )
            kinds[kind] = look_of(settings, picture).background
        assert kinds["studio"].kind is Backing.STUDIO and kinds["studio"].alpha == 1
        assert kinds["colour"].bottom == (0.2, 0, 0) and kinds["colour"].kind is Backing.COLOUR
        assert kinds["picture"].picture is picture
        assert kinds["camera"].kind is Backing.CAMERA and kinds["camera"].bottom == (0.2, 0, 0)
        assert kinds["key"].keyed and kinds["key"].bottom == (0, 0, 1)
        assert kinds["transparent"].alpha == 0 and not kinds["transparent"].keyed

    def test_more_blur_is_more(self) -> None:
        def blur(value: float) -> float:
            settings = SceneSettings(background=BackgroundSettings(kind="camera", blur=value))
            return look_of(settings).background.blur

        assert 0 < blur(0.0) < blur(0.5) < blur(1.0) < 0.1

    def test_without_its_picture_the_colour_and_the_sky_stand_in(self) -> None:
        light = LightSettings(environment=EnvironmentSettings(source="picture"))
        look = look_of(SceneSettings(background=BackgroundSettings(kind="picture"), light=light))
        plain = look_of(SceneSettings(background=BackgroundSettings(kind="colour")))
        assert look == plain

    def test_camera(self) -> None:
        look = look_of(FULL)
        point = look.on(Scene(viewpoint=Viewpoint(yaw=0.3, zoom=2.0))).viewpoint
        assert point == Viewpoint(CameraMode.STAY, 0.3, 0.0, 2.0, radians(40.0))
        # Who keeps the head straight, or looks with the camera, means that.
        for mode in (CameraMode.LOCKED, CameraMode.CAMERA):
            assert look.on(Scene(viewpoint=Viewpoint(mode))).viewpoint.mode is mode


class TestPictures:
    def test_a_picture_is_upright_and_no_larger_than_it_has_to_be(self, tmp_path: Path) -> None:
        pixels = np.zeros((3000, 4000, 3), np.uint8)
        pixels[:, :2000] = (250, 0, 0)
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif)
        found = read_picture(tmp_path / "a.jpg").pixels
        assert max(found.shape) <= LONGEST_SIDE and found.shape[0] > found.shape[1]
        assert found[10, 10, 0] > 200 > found[-10, 10, 0]

    @pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "I;16", "CMYK"])
    def test_every_kind_of_pixel(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
        Image.new(mode, (20, 10)).save(path)
        found = read_picture(path).pixels
        assert found.shape == (10, 20, 3) and found.dtype == np.uint8

    def test_what_is_no_picture(self, tmp_path: Path) -> None:
        good = _picture(tmp_path / "good.png").read_bytes()
        for name, content in (("text.png", b"hello"), ("empty.jpg", b""), ("cut.png", good[: len(good) // 2])):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(PictureFileError) as caught:
                read_picture(tmp_path / name)
            assert name in str(caught.value) and "choose" in str(caught.value)

    def test_missing_and_folders(self, tmp_path: Path) -> None:
        with pytest.raises(PictureFileError, match="not there"):
            read_picture(tmp_path / "none.png")
        with pytest.raises(PictureFileError):
            read_picture(tmp_path)

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    def test_huge_ones_are_refused_before_they_are_decoded(self, tmp_path: Path) -> None:
        Image.new("1", (20_000, 6_000)).save(tmp_path / "wide.png")
        with pytest.raises(PictureFileError, match="20000 x 6000 pixels"):
            read_picture(tmp_path / "wide.png")
        with (tmp_path / "heavy.png").open("wb") as file:
            os.truncate(file.fileno(), 70 << 20)
        with pytest.raises(PictureFileError, match="more than 64 MB"):
            read_picture(tmp_path / "heavy.png")

    def test_only_scenes_that_need_one_read_it(self, tmp_path: Path) -> None:
        here, gone = str(_picture(tmp_path / "a.png")), str(tmp_path / "none.png")
        assert picture_of(SceneSettings(background=BackgroundSettings(kind="colour", picture=gone))) is None
        assert picture_of(SceneSettings(background=BackgroundSettings(kind="picture"))) is None
        assert picture_of(SceneSettings(background=BackgroundSettings(kind="picture", picture=here))) is not None
        lit = LightSettings(environment=EnvironmentSettings(source="picture"))
        with pytest.raises(PictureFileError):
            picture_of(SceneSettings(background=BackgroundSettings(picture=gone), light=lit))


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError):
        BackgroundSettings.model_validate({"colour": (0, 0, 256)})


def _picture(path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)).save(path)
    return path
