"""The picture that goes out, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.virtual_camera.compose import compose, fit, plain
from rendering.virtual_camera.settings import (
    RATES,
    SIZES,
    VirtualCameraError,
    VirtualCameraSettings,
    read_settings,
)

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def _flat(colour: tuple[int, ...], width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = np.empty((height, width, len(colour)), np.uint8)
    picture[...] = colour
    return picture


def _settings(**changes: object) -> VirtualCameraSettings:
    return read_settings({"width": 320, "height": 180} | changes)


def test_a_picture_of_the_right_size_is_untouched_and_a_copy() -> None:
    rng = np.random.default_rng(0)
    view = rng.integers(0, 256, (180, 320, 3), np.uint8)
    out = compose(None, view, _settings())
    np.testing.assert_array_equal(out, view)
    out[:] = 0
    assert view.any()


def test_pictures_that_may_not_be_written_to_are_taken() -> None:
    picture, view = _flat(RED, 64, 36), _flat(BLUE, 64, 36)
    picture.flags.writeable = view.flags.writeable = False
    for layout in ("avatar", "overlay", "split"):
        assert compose(picture, view, _settings(layout=layout)).flags.writeable


@pytest.mark.parametrize(("background", "bars"), [("scene", (0, 0, 0)), ("colour", (10, 20, 30)), ("key", (0, 200, 0))])
def test_letterbox_keeps_the_shape_and_fills_the_bars(background: str, bars: tuple[int, int, int]) -> None:
    settings = _settings(background=background, colour=(10, 20, 30), key=(0, 200, 0))
    out = compose(None, _flat(RED, 100, 100), settings)
    assert out.shape == (180, 320, 3)
    assert (out[:, 70:250] == RED).all()
    assert (out[:, :70] == bars).all() and (out[:, 250:] == bars).all()


def test_crop_fills_everything_and_cuts_evenly() -> None:
    view = _flat(RED, 100, 100)
    view[:20], view[-20:] = BLUE, GREEN  # cut off: 100 rows become 320, of which 180 stay
    out = compose(None, view, _settings(fit="crop"))
    assert out.shape == (180, 320, 3)
    assert (out == RED).all()


def test_mirror_flips_left_to_right() -> None:
    view = _flat(RED, 320, 180)
    view[:, :10] = BLUE
    out = compose(None, view, _settings(mirror=True))
    assert (out[:, -10:] == BLUE).all() and (out[:, :310] == RED).all()
    assert out.flags.c_contiguous


def test_split_stands_side_by_side_and_mirrors_each_half_in_its_place() -> None:
    picture, view = _flat(RED, 160, 180), _flat(BLUE, 160, 180)
    picture[:, :8] = GREEN
    out = compose(picture, view, _settings(layout="split"))
    assert (out[:, :8] == GREEN).all() and (out[:, 8:160] == RED).all() and (out[:, 160:] == BLUE).all()
    mirrored = compose(picture, view, _settings(layout="split", mirror=True))
    assert (mirrored[:, 152:160] == GREEN).all() and (mirrored[:, 160:] == BLUE).all()
    other = compose(picture, view, _settings(layout="split", avatar_side="left"))
    assert (other[:, :160] == BLUE).all() and (other[:, 160:168] == GREEN).all()


def test_split_without_a_camera_shows_the_background() -> None:
    out = compose(None, _flat(BLUE, 160, 180), _settings(layout="split", background="colour", colour=(9, 8, 7)))
    assert (out[:, :160] == (9, 8, 7)).all() and (out[:, 160:] == BLUE).all()


def test_overlay_takes_the_drawn_picture_or_lies_on_the_cameras() -> None:
    picture = _flat(RED, 320, 180)
    assert (compose(picture, _flat(BLUE, 320, 180), _settings(layout="overlay")) == BLUE).all()
    view = _flat((0, 0, 0, 0), 320, 180)
    view[:, :100] = (*BLUE, 255)
    view[:, 100:110] = (0, 0, 128, 128)
    out = compose(picture, view, _settings(layout="overlay"))
    assert (out[:, :100] == BLUE).all() and (out[:, 110:] == RED).all()
    assert (out[:, 100:110] == (127, 0, 128)).all()
    smaller = compose(_flat(RED, 64, 36), view, _settings(layout="overlay"))
    np.testing.assert_array_equal(smaller, out)


def test_transparent_avatars_stand_before_the_background() -> None:
    view = _flat((0, 0, 0, 0), 320, 180)
    view[:, :100] = (*WHITE, 255)
    view[:, 100:120] = 51
    out = compose(None, view, _settings(background="colour", colour=(100, 0, 0)))
    assert (out[:, :100] == WHITE).all() and (out[:, 120:] == (100, 0, 0)).all()
    assert (out[:, 100:120] == (131, 51, 51)).all()


def test_the_key_colour_is_pure_to_its_edge() -> None:
    view = np.repeat(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], 4, axis=2).repeat(180, axis=0)
    out = compose(None, view, _settings(background="key"))
    colours = {tuple(int(c) for c in pixel) for pixel in out.reshape(-1, 3)}
    assert colours == {WHITE, GREEN}


def test_the_privacy_picture_is_plain() -> None:
    out = plain(_settings(privacy=(1, 2, 3)))
    assert out.shape == (180, 320, 3) and (out == (1, 2, 3)).all()


def test_fit_of_the_smallest_and_the_oddest_pictures() -> None:
    for width, height in ((1, 1), (3, 2000), (2000, 3)):
        for how in ("letterbox", "crop"):
            assert fit(_flat(RED, width, height), (320, 180), how, BLUE).shape == (180, 320, 3)


class TestSettings:
    def test_defaults(self) -> None:
        settings = VirtualCameraSettings()
        assert (settings.width, settings.height, settings.fps) == (1280, 720, 30)
        assert not settings.on and not settings.outside

    def test_every_ready_made_size_and_rate_is_allowed(self) -> None:
        assert (1920, 1080) in SIZES and 60 in RATES
        for width, height in SIZES:
            for fps in RATES:
                settings = VirtualCameraSettings(width=width, height=height, fps=fps)
                assert read_settings(settings.model_dump()) == settings

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ({"backend": "webcam9000"}, "There is no virtual camera back end 'webcam9000'"),
            ({"width": 1921}, "width cannot be used"),
            ({"width": 3840, "height": 2160}, "width cannot be used"),
            ({"width": 641, "height": 480}, "are even, not 641 x 480: choose 640 x 480"),
            ({"fps": 61}, "fps cannot be used"),
            ({"fps": 0}, "fps cannot be used"),
            ({"colour": (300, 0, 0)}, "colour.0 cannot be used"),
            ({"layout": "cube"}, "layout cannot be used"),
            ({"backend_module": "os"}, "backend_module cannot be used"),
        ],
    )
    def test_what_cannot_be_is_one_sentence(self, data: dict[str, object], said: str) -> None:
        with pytest.raises(VirtualCameraError) as caught:
            read_settings(data)
        assert said in str(caught.value) and str(caught.value).endswith(".")

    def test_ndi_leaves_the_machine(self) -> None:
        assert read_settings({"backend": "ndi"}).outside
