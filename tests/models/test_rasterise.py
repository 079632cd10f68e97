"""The rasteriser against shapes whose picture is known exactly, and against input that nobody should send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.geometry.camera import Camera
from models.geometry.depth_map import depth_map, facing_cosines
from models.geometry.rasterise import Raster, empty_raster, interpolate, rasterise, rasterise_uv
from models.geometry.unwrap import fill_holes, unwrap
from tests.helpers.tiny_model import sphere, tiny_model

# Counter-clockwise as seen in the picture (y down): a, down, right.
QUAD = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def quad(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [left, bottom], [right, bottom], [right, top]], np.float64)


def ball(radius: float = 0.1, distance: float = 0.6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Camera-frame vertices, normals and triangles of a ball in front of the camera."""
    unit, faces, *_ = sphere(48, 64)
    turned = unit * (1, -1, -1)
    return turned * radius + (0, 0, distance), turned, faces


CAMERA = Camera(128, 96, 300.0)


def ball_raster(cull_back: bool = True) -> tuple[Raster, np.ndarray, np.ndarray, np.ndarray]:
    points, _, faces = ball()
    pixels = CAMERA.project(points, 0.6)
    return rasterise(pixels, points[:, 2], faces, 128, 96, cull_back=cull_back), points, pixels, faces


def test_quad_covers_exactly_its_pixels_and_no_seam_shows() -> None:
    raster = rasterise(quad(2, 3, 6, 5), np.ones(4), QUAD, 10, 8)
    expected = np.zeros((8, 10), bool)
    expected[3:6, 2:7] = True
    np.testing.assert_array_equal(raster.covered, expected)
    np.testing.assert_allclose(raster.barycentrics[expected].sum(axis=1), 1, atol=1e-6)
    assert np.isinf(raster.depth[~expected]).all() and (raster.barycentrics[~expected] == 0).all()


def test_pixel_centres_lie_at_integers() -> None:
    assert rasterise(quad(0.6, 0.6, 1.4, 1.4), np.ones(4), QUAD, 4, 4).covered.sum() == 1
    assert not rasterise(quad(1.1, 1.1, 1.9, 1.9), np.ones(4), QUAD, 4, 4).covered.any()


def test_nearer_quad_wins_whatever_the_order() -> None:
    points = np.concatenate([quad(0, 0, 9, 9), quad(0, 0, 9, 9)])
    depth = np.repeat([2.0, 1.0], 4)
    faces = np.concatenate([QUAD, QUAD + 4])
    for order in (faces, faces[::-1]):
        raster = rasterise(points, depth, order, 10, 10)
        assert np.all(order[raster.triangle] >= 4)
        np.testing.assert_allclose(raster.depth, 1.0)


def test_back_faces_are_left_out_unless_asked_for() -> None:
    back = QUAD[:, ::-1].copy()
    assert not rasterise(quad(0, 0, 5, 5), np.ones(4), back, 6, 6).covered.any()
    assert rasterise(quad(0, 0, 5, 5), np.ones(4), back, 6, 6, cull_back=False).covered.all()


@pytest.mark.parametrize("perspective", [True, False])
def test_interpolation_is_perspective_correct(perspective: bool) -> None:
    # A floor that runs from 1 m to 4 m: half way up the picture one sees it at 1.6 m under perspective (1/z linear).
    points, depth = quad(0, 0, 8, 8), np.array([4.0, 1.0, 1.0, 4.0])
    raster = rasterise(points, depth, QUAD, 9, 9, perspective=perspective)
    assert raster.depth[4, 4] == pytest.approx(1.6 if perspective else 2.5, rel=1e-5)
    across = interpolate(raster, depth, QUAD)
    np.testing.assert_allclose(across, raster.depth, rtol=1e-5)


def test_sphere_depth_and_outline_are_analytic() -> None:
    raster, _, _, _ = ball_raster()
    ys, xs = np.mgrid[:96, :128]
    rays = np.stack([(xs - 63.5) / 300, (ys - 47.5) / 300, np.ones_like(xs)], axis=-1)
    a, b = (rays**2).sum(-1), rays[..., 2] * 0.6
    root = b**2 - a * (0.36 - 0.01)
    hit = root > 0
    truth = np.where(hit, (b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
    assert (raster.covered & ~hit).sum() == 0
    assert (hit & ~raster.covered).sum() < 0.02 * hit.sum(), "facets lose a thin rim only"
    inner = raster.covered & (root > 0.0005)
    # A facet's sag of 0.1 mm, seen at a slant.
    assert np.abs(raster.depth[inner] - truth[inner]).max() < 1e-3


def test_buffers_are_reused_and_cleared() -> None:
    out = empty_raster(10, 8)
    rasterise(quad(0, 0, 9, 7), np.ones(4), QUAD, 10, 8, out=out)
    again = rasterise(quad(2, 2, 3, 3), np.ones(4), QUAD, 10, 8, out=out)
    assert again is out and out.covered.sum() == 4 and (out.barycentrics[0, 0] == 0).all()
    with pytest.raises(ValueError, match="output buffers hold"):
        rasterise(quad(0, 0, 1, 1), np.ones(4), QUAD, 9, 8, out=out)


def test_triangles_behind_the_near_plane_are_skipped_and_outside_ones_clipped() -> None:
    huge = rasterise(quad(-1e5, -1e5, 1e5, 1e5), np.ones(4), QUAD, 6, 6)
    assert huge.covered.all()
    behind = rasterise(quad(0, 0, 5, 5), np.array([1.0, 1.0, 1.0, -1.0]), QUAD, 6, 6)
    assert set(np.unique(behind.triangle)) == {-1, 0}, "the triangle with a corner behind the camera is left out"


def test_bad_input_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="names vertex 9"):
        rasterise(quad(0, 0, 1, 1), np.ones(4), QUAD + 6, 4, 4)
    with pytest.raises(ValueError, match="at least one pixel"):
        rasterise(quad(0, 0, 1, 1), np.ones(4), QUAD, 0, 4)
    with pytest.raises(ValueError, match="points"):
        rasterise(np.ones((4, 3)), np.ones(4), QUAD, 4, 4)
    with pytest.raises(ValueError, match="subset"):
        rasterise(quad(0, 0, 1, 1), np.ones(4), QUAD, 4, 4, subset=np.array([7], np.int32))


WILD = st.floats(allow_nan=True, allow_infinity=True, width=32)


@settings(max_examples=60, deadline=None)
@given(
    points=arrays(np.float32, (12, 2), elements=WILD),
    depth=arrays(np.float32, 12, elements=WILD),
    faces=arrays(np.int32, (20, 3), elements=st.integers(0, 11)),
    perspective=st.booleans(),
)
def test_any_numbers_are_safe(points: np.ndarray, depth: np.ndarray, faces: np.ndarray, perspective: bool) -> None:
    raster = rasterise(points, depth, faces, 16, 12, perspective=perspective, cull_back=False)
    assert raster.triangle.min() >= -1 and raster.triangle.max() < 20
    assert np.isfinite(raster.barycentrics).all()
    assert not np.isnan(raster.depth).any()
    np.testing.assert_allclose(raster.barycentrics[raster.covered].sum(axis=-1), 1, atol=1e-3)


def test_uv_map_is_mirror_symmetric_and_limited_to_a_part() -> None:
    model = tiny_model()
    raster = rasterise_uv(model.uv, model.uv_faces, 64, subset=model.part_faces("skin"))
    assert raster.covered.mean() > 0.95
    assert set(np.unique(raster.triangle[raster.covered])) <= set(model.part_faces("skin"))
    places = interpolate(raster, model.mean, model.faces)
    mirrored = places[:, ::-1] * (-1, 1, 1)
    both = raster.covered & raster.covered[:, ::-1]
    assert both.sum() > 0.99 * raster.covered.sum()
    assert np.abs(places - mirrored)[both].max() < 1e-4
    assert places[3, 32, 1] > places[-4, 32, 1], "row 0 is the top"
    assert places[32, 40, 0] > 0, "u grows to the subject's left"


def test_unwrapped_picture_carries_the_surface_colours_and_hides_what_is_turned_away() -> None:
    points, normals, faces = ball()
    _, _, uv, uv_faces, _ = sphere(48, 64)
    raster, _, pixels, _ = ball_raster()
    # Paint the picture with the surface's own position, then ask the map for it back.
    colours = np.clip((points - (0, 0, 0.6)) / 0.1 * 100 + 128, 0, 255)
    picture = np.round(interpolate(raster, colours, faces)).astype(np.uint8)
    uv_raster = rasterise_uv(uv, uv_faces, 96)
    seen = depth_map(pixels, points[:, 2], faces)
    texture, visibility = unwrap(picture, uv_raster, faces, pixels, points[:, 2], facing_cosines(points, normals), seen)
    truth = interpolate(uv_raster, colours, faces)
    good = visibility > 0.95
    assert 0.15 < good.mean() < 0.5
    assert np.abs(texture[good] - truth[good]).mean() < 1.5
    assert visibility[:, :16].max() == 0, "the back of the ball"
    assert visibility.max() == pytest.approx(1)
    falling = (visibility > 0.05) & (visibility < 0.95)
    assert falling.sum() > 20, "visibility falls off smoothly"


def test_unwrap_sees_no_colour_through_an_occluder() -> None:
    points = np.concatenate([np.c_[quad(0, 0, 40, 40), np.full(4, 1.0)], np.c_[quad(20, 0, 40, 40), np.full(4, 0.9)]])
    faces = np.concatenate([QUAD, QUAD + 4])
    seen = depth_map(points[:, :2], points[:, 2], faces, size=64)
    uv = quad(0, 0, 1, 1).astype(np.float32)
    uv_raster = rasterise_uv(uv, QUAD, 32)
    image = np.full((41, 41, 3), 200, np.uint8)
    _, visibility = unwrap(image, uv_raster, faces, points[:, :2], points[:, 2], np.ones(8, np.float32), seen)
    assert visibility[:, :15].min() == 1 and visibility[:, 17:].max() == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5000, 2)])
def test_unwrap_takes_odd_pictures(size: tuple[int, int]) -> None:
    points, normals, faces = ball()
    _, _, uv, uv_faces, _ = sphere(48, 64)
    pixels = CAMERA.project(points, 0.6)
    pixels[:50] = np.nan
    seen = depth_map(pixels, points[:, 2], faces)
    image = np.full((*size, 3), 7, np.uint8)
    texture, visibility = unwrap(
        image, rasterise_uv(uv, uv_faces, 32), faces, pixels, points[:, 2], facing_cosines(points, normals), seen
    )
    assert set(np.unique(texture)) <= {0, 7} and np.isfinite(visibility).all()
    with pytest.raises(ValueError, match="picture"):
        unwrap(image[..., 0], rasterise_uv(uv, uv_faces, 32), faces, pixels, points[:, 2], points[:, 0], seen)


def test_holes_are_filled_from_their_surroundings() -> None:
    ramp = np.repeat(np.linspace(0, 200, 50)[None, :, None], 37, axis=0).repeat(3, axis=2).astype(np.float32)
    weights = np.ones((37, 50), np.float32)
    weights[10:20, 20:30] = 0
    torn = ramp * weights[..., None]
    filled = np.asarray(fill_holes(torn, weights), np.float32)
    assert np.abs(filled - ramp).max() < 16
    np.testing.assert_array_equal(filled[weights == 1], ramp[weights == 1])
    assert fill_holes(torn.astype(np.uint8), weights).dtype == np.uint8
    assert not fill_holes(torn, np.zeros_like(weights)).any()
