"""What lights change in a picture, and how settings become lights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.face_model import FaceModel
from rendering import Background, Environment, Light, OffscreenRenderer, Scene, View
from rendering.colour import temperature_colour
from rendering.look import environment_of, look_of
from rendering.scene_settings import PRESETS, EnvironmentSettings, LampSettings, LightSettings, SceneSettings
from tests.helpers.tracked import tracked_face

SIZE = (160, 160)
DARK = Light.portrait(key=0.0, fill=0.0, rim=0.0, ambient=0.0)
CLEAR = Background(alpha=0.0)


@pytest.fixture
def lit(renderer: OffscreenRenderer, model: FaceModel):  # type: ignore[no-untyped-def]
    """(H, W, 3) of a grey head without anything behind it, under a light."""

    def draw(light: Light, *, mirror: bool = False) -> NDArray[np.float64]:
        renderer.scene = Scene(view=View.CLAY, light=light, background=CLEAR, mirror=mirror)
        return renderer.render(tracked_face(model), size=SIZE).astype(np.float64)

    return draw


def halves(picture: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Mean light of the left, right, upper and lower half."""
    h, w = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[:, :w].mean(), picture[:, w:].mean(), picture[:h].mean(), picture[h:].mean()


@pytest.mark.gl
class TestLamps:
    def test_without_any_light_everything_is_black(self, lit) -> None:  # type: ignore[no-untyped-def]
        assert lit(DARK).max() <= 1

    @pytest.mark.parametrize("name", ["key", "fill"])
    def test_each_lights_its_side(self, lit, name: str) -> None:  # type: ignore[no-untyped-def]
        lamp = replace(getattr(Light(), name), strength=1.0)
        left, right, _, _ = halves(lit(replace(DARK, **{name: replace(lamp, yaw=-1.2, pitch=0.0)})))
        assert left > 1.5 * right
        left, right, _, _ = halves(lit(replace(DARK, **{name: replace(lamp, yaw=1.2, pitch=0.0)})))
        assert right > 1.5 * left

    def test_the_rim_lights_both_sides_from_behind(self, lit) -> None:  # type: ignore[no-untyped-def]
        picture = lit(replace(DARK, rim=replace(Light().rim, strength=1.0)))
        left, right, _, _ = halves(picture)
        assert left == pytest.approx(right, rel=0.25)
        middle = picture[60:100, 60:100].mean()
        assert middle < 0.5 * picture.max(axis=2).max()
        other = lit(replace(DARK, rim=replace(Light().rim, yaw=-Light().rim.yaw, strength=1.0)))
        np.testing.assert_allclose(other, picture, atol=1)

    @pytest.mark.parametrize("name", ["key", "fill", "rim"])
    def test_a_colour_reaches_the_picture_and_strength_brightens_it(self, lit, name: str) -> None:  # type: ignore[no-untyped-def]
        lamp = replace(getattr(Light(), name), light=(1.0, 0.0, 0.0), strength=0.4)
        picture = lit(replace(DARK, **{name: lamp}))
        assert picture[..., 0].max() > 20 and picture[..., 1:].max() <= 1
        brighter = lit(replace(DARK, **{name: replace(lamp, strength=1.2)}))
        assert brighter[..., 0].mean() > 1.2 * picture[..., 0].mean()

    def test_the_environment_lights_from_where_it_is_bright(self, lit) -> None:  # type: ignore[no-untyped-def]
        above = lit(replace(DARK, environment=Environment(even=(0.3,) * 3, up=(0.3,) * 3)))
        below = lit(replace(DARK, environment=Environment(even=(0.3,) * 3, up=(-0.3,) * 3)))
        assert (above - below)[: SIZE[1] // 3].sum() > 0 > (above - below)[SIZE[1] // 2 :].sum()
        side = Environment(even=(0.3, 0.1, 0.1), up=(0.0,) * 3, right=(0.3, 0.0, 0.0))
        left, right, _, _ = halves(lit(replace(DARK, environment=side)))
        assert right > 1.3 * left

    def test_in_a_mirrored_view_the_environment_stays_with_the_background(self, lit) -> None:  # type: ignore[no-untyped-def]
        side = replace(DARK, environment=Environment(even=(0.3,) * 3, up=(0.0,) * 3, right=(0.3,) * 3))
        left, right, _, _ = halves(lit(side, mirror=True))
        assert right > 1.3 * left

    def test_the_settings_defaults_are_the_usual_light(self, lit) -> None:  # type: ignore[no-untyped-def]
        assert np.abs(lit(look_of(SceneSettings()).light) - lit(Light())).max() <= 4

    @pytest.mark.parametrize("name", [name for name in PRESETS if name != "portrait"])
    def test_every_preset_looks_different_and_shows_the_face(self, lit, name: str) -> None:  # type: ignore[no-untyped-def]
        picture = lit(look_of(SceneSettings(light=PRESETS[name])).light)
        assert np.abs(picture - lit(Light())).mean() > 2
        assert np.percentile(picture.max(axis=2)[40:120, 50:110], 90) > 60

    def test_a_photographed_texture_follows_the_light(self, renderer: OffscreenRenderer, model: FaceModel) -> None:
        renderer.set_texture(np.full((64, 64, 3), 180, np.uint8), lit=1.0)
        shown = {}
        for name, light in (("usual", Light()), ("dark", Light.portrait(key=0.2, ambient=0.2))):
            renderer.scene = Scene(light=light, background=CLEAR)
            shown[name] = renderer.render(tracked_face(model), size=SIZE).astype(int)
        red = replace(Light().key, light=(2.0, 0.2, 0.2))
        renderer.scene = Scene(light=replace(Light(), key=red), background=CLEAR)
        tinted = renderer.render(tracked_face(model), size=SIZE).astype(int)
        cheek = slice(80, 100), slice(60, 75)
        assert shown["dark"][cheek].mean() < 0.7 * shown["usual"][cheek].mean()
        assert np.ptp(shown["usual"][cheek].mean(axis=(0, 1))) < 12
        assert tinted[cheek][..., 0].mean() > 1.4 * tinted[cheek][..., 2].mean()


class TestSettings:
    def test_white_is_neutral_warm_is_red_and_cold_is_blue(self) -> None:
        neutral, warm, cold = (temperature_colour(kelvin) for kelvin in (6600, 2500, 12000))
        assert min(neutral) > 0.97
        assert warm[0] == 1.0 and warm[0] > 2 * warm[1] > 4 * warm[2]
        assert cold[2] == 1.0 > cold[1] > cold[0]
        for kelvin in range(1500, 15001, 100):
            assert all(0.0 <= part <= 1.0 for part in temperature_colour(kelvin))

    def test_a_temperature_changes_the_colour_not_the_brightness(self) -> None:
        def key(kelvin: int) -> NDArray[np.float64]:
            settings = LightSettings(key=LampSettings(temperature_k=kelvin))
            return np.array(look_of(SceneSettings(light=settings)).light.key.light)

        weights = (0.2126, 0.7152, 0.0722)
        assert key(2500) @ weights == pytest.approx(key(9000) @ weights)
        assert key(2500)[0] > key(9000)[0]

    def test_a_colour_of_its_own_and_black(self) -> None:
        for colour in ((0, 0, 255), (0, 0, 0)):
            settings = LightSettings(fill=LampSettings(colour=colour))
            light = look_of(SceneSettings(light=settings)).light.fill.light
            assert max(light) <= max(Light().fill.light) + 1e-6
            assert light[0] == light[1] == 0.0

    def test_a_strength_of_zero_is_off(self) -> None:
        settings = LightSettings(environment=EnvironmentSettings(strength=0.0), key=LampSettings(strength=0.0))
        light = look_of(SceneSettings(light=settings)).light
        assert light.environment.strength == 0.0 == light.key.strength

    def test_light_from_a_picture(self) -> None:
        picture = np.zeros((90, 160, 3), np.uint8)
        picture[:, :80] = (255, 120, 20)
        picture[:30] = 255
        around = environment_of(picture)
        assert around.even[0] > around.even[1] > around.even[2]
        assert around.right[0] < 0 and around.up[2] > 0 and around.near == (0.0, 0.0, 0.0)
        flat = environment_of(np.full((7, 3, 3), 118, np.uint8))
        np.testing.assert_allclose(flat.right + flat.up, 0, atol=1e-12)
        # Middle grey is as bright as the usual sky and ground; twice as many stops away is half as different.
        assert np.mean(flat.even) == pytest.approx(np.mean(Environment().even), rel=0.03)
        black = environment_of(np.zeros((2, 2, 3), np.uint8))
        assert max(black.even) == 0.0 and np.isfinite(black.right).all()
