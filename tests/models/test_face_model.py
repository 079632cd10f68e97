"""The shipped head: its conventions, what each channel moves, where landmarks lie, and faults of its file."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT, CHANNEL_INDEX, GAZE_CHANNELS, MIRROR_PERMUTATION
from models.face_model import FaceModel, load_face_model
from models.face_model.schema import PARTS, REGIONS
from models.face_model.symmetry import mirror_partners
from models.geometry.rasterise import rasterise_uv

Floats = NDArray[np.float64]
MIRROR = np.array([-1.0, 1.0, 1.0])
NECK, JAW, LEFT_EYE, RIGHT_EYE = range(4)


@pytest.fixture(scope="module")
def head() -> FaceModel:
    return load_face_model()


def person(head: FaceModel, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, head.identity_count).astype(np.float32)


def channels(**values: float) -> NDArray[np.float32]:
    expression = np.zeros(CHANNEL_COUNT, np.float32)
    for name, value in values.items():
        expression[CHANNEL_INDEX[name]] = value
    return expression


def part_vertices(head: FaceModel, *names: str) -> NDArray[np.int32]:
    return np.unique(head.faces[head.part_faces(*names)])


def movement_mm(head: FaceModel, name: str) -> Floats:
    """(V,) millimetres that a full channel moves each vertex of the mean face."""
    posed = head.pose(head.identity(), channels(**{name: 1.0}))
    return np.asarray(np.linalg.norm(posed.vertices - posed.neutral, axis=1) * 1e3, np.float64)


def sphere_centre(points: NDArray[np.floating]) -> Floats:
    """(3,) centre of the sphere that fits (N, 3) points best."""
    points = points.astype(np.float64)
    system = np.column_stack([2 * points, np.ones(len(points))])
    return np.asarray(np.linalg.lstsq(system, np.sum(points**2, axis=1), rcond=None)[0][:3])


def test_shapes_and_types(head: FaceModel) -> None:
    vertices, triangles = head.vertex_count, len(head.faces)
    assert head.identity_count >= 100
    assert head.expression_names == ARKIT_CHANNELS
    assert head.part_names == PARTS
    assert set(head.regions) >= set(REGIONS)
    assert head.identity_basis.shape == (head.identity_count, vertices, 3)
    assert head.expression_basis.shape == (CHANNEL_COUNT, vertices, 3)
    assert head.uv_faces.shape == head.faces.shape == (triangles, 3)
    np.testing.assert_array_equal(head.uv_vertex[head.uv_faces], head.faces)
    posed = head.pose(person(head, 0), channels(jawOpen=0.5), np.zeros((2, 2)))
    for array in (posed.vertices, posed.normals, posed.neutral):
        assert array.shape == (vertices, 3)
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    np.testing.assert_allclose(np.linalg.norm(posed.normals, axis=1), 1.0, atol=1e-5)
    for weights in head.regions.values():
        assert weights.shape == (vertices,)
        assert 0.0 <= weights.min() <= weights.max() <= 1.0
        assert weights.max() > 0.5


def test_size_of_a_human_head_in_metres(head: FaceModel) -> None:
    skin = head.mean[part_vertices(head, "skin")]
    assert 0.13 < np.ptp(skin[:, 0]) < 0.20
    left, right = head.joints(head.identity())[LEFT_EYE : RIGHT_EYE + 1]
    assert 0.05 < left[0] - right[0] < 0.07


def test_normals_point_outward(head: FaceModel) -> None:
    face = head.regions["face"] > 0.5
    normals = head.pose(head.identity(), channels()).normals
    front = face & (np.abs(head.mean[:, 0]) < 0.02)
    assert normals[front, 2].mean() > 0.5
    outward = (normals * (head.mean - np.array([0.0, -0.02, -0.07], np.float32))).sum(axis=1)
    # Nostrils and the folds of the lips look inward.
    assert (outward[face] > 0).mean() > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_origin_is_midway_between_the_eyeballs_of_anybody(head: FaceModel, seed: int) -> None:
    identity = person(head, seed)
    joints, neutral = head.joints(identity), head.neutral(identity)
    np.testing.assert_allclose(joints[LEFT_EYE] + joints[RIGHT_EYE], 0.0, atol=1e-7)
    assert joints[LEFT_EYE, 0] > 0.02
    for joint, part in ((LEFT_EYE, "eye_left"), (RIGHT_EYE, "eye_right")):
        centre = sphere_centre(neutral[part_vertices(head, part)])
        # The rig's joints and the mesh's eyeballs come from different data: a millimetre, half a degree of gaze.
        assert np.linalg.norm(centre - joints[joint]) < 0.0012


def test_symmetry_is_an_involution_under_which_the_mean_is_its_own_mirror(head: FaceModel) -> None:
    partners = head.symmetry
    np.testing.assert_array_equal(partners[partners], np.arange(head.vertex_count))
    np.testing.assert_allclose(head.mean[partners] * MIRROR, head.mean, atol=1e-7)
    triangles = {tuple(sorted(t)) for t in head.faces.tolist()}
    assert {tuple(sorted(t)) for t in partners[head.faces].tolist()} == triangles


def test_channels_mirror_each_other(head: FaceModel) -> None:
    mirrored = head.expression_basis[:, head.symmetry] * MIRROR
    gap = np.linalg.norm(mirrored - head.expression_basis[MIRROR_PERMUTATION], axis=2)
    # The artists' targets are not perfectly symmetric: mouthFunnel drifts by 1.1 mm at the middle of the lips.
    assert gap.max() < 0.0025
    assert np.sqrt((gap**2).mean()) < 0.0001


def test_uv_mirrors_by_a_flip(head: FaceModel) -> None:
    points: dict[int, list[NDArray[np.float32]]] = {}
    for vertex, uv in zip(head.uv_vertex.tolist(), head.uv, strict=True):
        points.setdefault(vertex, []).append(uv)
    for vertex in part_vertices(head, "skin").tolist():
        partner = points[int(head.symmetry[vertex])]
        for uv in points[vertex]:
            assert min(float(np.abs(uv * (-1, 1) + (1, 0) - other).max()) for other in partner) < 1e-6


def test_uv_of_the_skin_neither_folds_nor_overlaps(head: FaceModel) -> None:
    assert head.uv.min() >= -1e-6
    assert head.uv.max() <= 1 + 1e-6
    skin = head.part_faces("skin")
    corners = head.uv[head.uv_faces[skin]].astype(np.float64)
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    # u grows to the subject's left and v downwards: outside is counter-clockwise on the face, so negative here.
    assert areas.max() < 0
    covered = rasterise_uv(head.uv, head.uv_faces, 1024, subset=skin).covered.mean()
    assert -areas.sum() == pytest.approx(float(covered), rel=1e-3)


def test_uv_has_the_forehead_on_top_and_the_left_at_larger_u(head: FaceModel) -> None:
    centre = np.zeros((head.vertex_count, 2))
    centre[head.uv_vertex] = head.uv
    assert centre[head.regions["forehead"] > 0.5, 1].max() < centre[head.regions["nose"] > 0.5, 1].mean()
    assert centre[head.regions["nose"] > 0.5, 1].mean() < centre[head.regions["lips"] > 0.5, 1].mean()
    face = head.regions["face"] > 0.5
    assert np.corrcoef(head.mean[face, 0], centre[face, 0])[0, 1] > 0.9


SIDED = [n for n in ARKIT_CHANNELS if n.endswith(("Left", "Right")) and n not in
         ("jawLeft", "jawRight", "mouthLeft", "mouthRight")]  # fmt: skip


@pytest.mark.parametrize("name", SIDED)
def test_left_and_right_are_the_subjects_own(head: FaceModel, name: str) -> None:
    side = 1.0 if name.endswith("Left") else -1.0
    energy = movement_mm(head, name) ** 2
    own = energy[head.mean[:, 0] * side > 1e-6].sum()
    other = energy[head.mean[:, 0] * side < -1e-6].sum()
    # The lower lip is one piece: half of it draws a part of the other half along.
    assert own > (3 if "LowerDown" in name else 12) * other


@pytest.mark.parametrize(("name", "side"), [("jawLeft", 1), ("jawRight", -1), ("mouthLeft", 1), ("mouthRight", -1)])
def test_shifts_go_to_the_side_they_name(head: FaceModel, name: str, side: int) -> None:
    lips = head.regions["lips"] > 0.5
    assert head.expression_basis[CHANNEL_INDEX[name], lips, 0].mean() * side > 0.002


@pytest.mark.parametrize(
    ("name", "direction", "place"),
    [
        ("mouthSmileLeft", (1, 1, 0), 54),
        ("mouthFrownRight", (0, -1, 0), 48),
        ("browInnerUp", (0, 1, 0), 21),
        ("browDownLeft", (0, -1, 0), 23),
        ("browOuterUpRight", (0, 1, 0), 17),
        ("eyeBlinkLeft", (0, -1, 0), 43),
        ("eyeWideRight", (0, 1, 0), 38),
        ("mouthPucker", (-1, 0, 0), 54),
        ("mouthStretchLeft", (1, 0, 0), 54),
        ("jawForward", (0, 0, 1), 8),
        ("mouthUpperUpLeft", (0, 1, 0), 52),
        ("mouthLowerDownRight", (0, -1, 0), 58),
        ("mouthClose", (0, 1, 0), 66),
    ],
)
def test_channels_go_where_their_name_says(
    head: FaceModel, name: str, direction: tuple[int, int, int], place: int
) -> None:
    at_rest = head.embed(head.mean, head.landmarks68)[place]
    moved = head.embed(head.pose(head.identity(), channels(**{name: 1.0})).vertices, head.landmarks68)[place]
    assert (moved - at_rest) @ np.array(direction) > 0.0015


def test_jaw_open_lowers_the_chin_and_the_teeth_of_the_jaw(head: FaceModel) -> None:
    posed = head.pose(head.identity(), channels(jawOpen=1.0))
    drop = head.embed(posed.neutral, head.landmarks68)[8, 1] - head.embed(posed.vertices, head.landmarks68)[8, 1]
    assert 0.02 < drop < 0.06
    teeth = movement_mm(head, "jawOpen")[part_vertices(head, "teeth")]
    assert teeth.max() > 15
    assert teeth.min() < 0.1, "the upper teeth belong to the skull"


def test_puffed_cheeks_bulge_and_sneering_noses_rise(head: FaceModel) -> None:
    puffed = head.expression_basis[CHANNEL_INDEX["cheekPuff"]]
    vertex = int(np.linalg.norm(puffed, axis=1).argmax())
    assert puffed[vertex, 0] * head.mean[vertex, 0] > 0
    nose = (head.regions["nose"] > 0.5) & (head.mean[:, 0] > 0.005)
    assert head.expression_basis[CHANNEL_INDEX["noseSneerLeft"], nose, 1].max() > 0.001


MOUTH = [n for n in ARKIT_CHANNELS if n.startswith(("mouth", "jaw"))]


@pytest.mark.parametrize("name", MOUTH)
def test_the_mouth_leaves_brows_forehead_and_scalp_alone(head: FaceModel, name: str) -> None:
    moved = movement_mm(head, name)
    for region in ("brows", "forehead", "scalp"):
        assert moved[head.regions[region] > 0.9].max() < 0.05


@pytest.mark.parametrize("name", [n for n in ARKIT_CHANNELS if n.startswith(("brow", "eye"))])
def test_brows_and_eyes_leave_the_mouth_and_the_jaw_alone(head: FaceModel, name: str) -> None:
    moved = movement_mm(head, name)
    for region in ("lips", "neck"):
        assert moved[head.regions[region] > 0.5].max() < 0.05
    assert moved[part_vertices(head, "teeth", "tongue")].max() < 0.05


@pytest.mark.parametrize("name", ["eyeBlinkLeft", "eyeWideLeft", "eyeSquintLeft", "eyeLookDownLeft"])
def test_one_eye_leaves_the_other_alone(head: FaceModel, name: str) -> None:
    right_eye = head.joints(head.identity())[RIGHT_EYE]
    # The inside of the socket may move: nobody sees it.
    near = (np.linalg.norm(head.mean - right_eye, axis=1) < 0.022) & (head.regions["hidden"] < 0.5)
    assert movement_mm(head, name)[near].max() < 0.05


def test_eyeballs_are_still_in_every_channel(head: FaceModel) -> None:
    assert np.abs(head.expression_basis[:, part_vertices(head, "eye_left", "eye_right")]).max() == 0.0


def test_no_channel_is_empty_and_none_tears(head: FaceModel) -> None:
    largest = {name: movement_mm(head, name).max() for name in ARKIT_CHANNELS}
    assert min(largest.values()) > 0.9
    assert max(largest.values()) < 45
    assert min(v for n, v in largest.items() if CHANNEL_INDEX[n] not in GAZE_CHANNELS) > 3.5


def test_the_tongue_alone_comes_out(head: FaceModel) -> None:
    moved = movement_mm(head, "tongueOut")
    tongue = part_vertices(head, "tongue")
    assert moved[tongue].max() > 15
    assert np.delete(moved, tongue).max() == 0.0


def iris_direction(head: FaceModel, gaze: NDArray[np.floating], centre: int, joint: int) -> Floats:
    posed = head.pose(head.identity(), channels(), gaze)
    return np.asarray(
        head.embed(posed.vertices, head.landmarks478)[centre] - head.joints(head.identity())[joint], np.float64
    )


def test_gaze_turns_the_eyeballs_and_nothing_else(head: FaceModel) -> None:
    straight = np.zeros((2, 2))
    for eye, (centre, joint) in enumerate(((473, LEFT_EYE), (468, RIGHT_EYE))):
        rest = iris_direction(head, straight, centre, joint)
        aside, down = straight.copy(), straight.copy()
        aside[eye, 0], down[eye, 1] = 0.4, 0.3
        assert (iris_direction(head, aside, centre, joint) - rest)[0] > 0.004, "yaw > 0: to the subject's left"
        assert (iris_direction(head, down, centre, joint) - rest)[1] < -0.003, "pitch > 0: down"
        assert np.linalg.norm(iris_direction(head, aside, centre, joint)) == pytest.approx(np.linalg.norm(rest), 1e-3)
        moved = np.linalg.norm(head.pose(head.identity(), channels(), aside).vertices - head.mean, axis=1)
        assert np.delete(moved, part_vertices(head, ("eye_left", "eye_right")[eye])).max() == 0.0
        shifted = iris_direction(head, aside, centre, joint)
        turn = np.arctan2(shifted[0], shifted[2]) - np.arctan2(rest[0], rest[2])
        assert turn == pytest.approx(0.4, abs=0.01)


def test_the_neck_bends_below_a_still_face(head: FaceModel) -> None:
    posed = head.pose(head.identity(), channels(), neck=np.array([0.3, 0.0, 0.0]))
    moved = np.linalg.norm(posed.vertices - posed.neutral, axis=1)
    assert moved[head.regions["neck"] > 0.9].max() > 0.01
    for embedding in (head.landmarks68, head.landmarks478):
        np.testing.assert_array_equal(head.embed(posed.vertices, embedding), head.embed(posed.neutral, embedding))


def test_the_jaw_joint_turns_the_chin(head: FaceModel) -> None:
    posed = head.pose(head.identity(), channels(), jaw=np.array([0.2, 0.0, 0.0]))
    chin = head.embed(posed.vertices, head.landmarks68)[8] - head.embed(posed.neutral, head.landmarks68)[8]
    assert chin[1] < -0.005
    assert np.linalg.norm(posed.vertices - posed.neutral, axis=1)[head.regions["forehead"] > 0.5].max() == 0.0


def test_landmarks_lie_where_they_must(head: FaceModel) -> None:
    p68, p478 = head.embed(head.mean, head.landmarks68), head.embed(head.mean, head.landmarks478)
    assert p68.shape == (68, 3)
    assert p478.shape == (478, 3)
    left, right = head.joints(head.identity())[LEFT_EYE : RIGHT_EYE + 1]
    for points, tip, chin, outer, inner, corner in (
        (p68, 30, 8, (45, 36), (42, 39), (54, 48)),
        (p478, 1, 152, (263, 33), (362, 133), (291, 61)),
    ):
        assert abs(points[tip, 0]) < 0.001
        # MediaPipe's tip sits a little below the most forward place.
        assert points[tip, 2] > head.mean[head.regions["nose"] > 0.5, 2].max() - 0.006
        assert points[chin, 1] < points[corner[0], 1] - 0.025
        assert points[outer[0], 0] > left[0] > points[inner[0], 0] > 0.008
        assert points[outer[1], 0] < right[0] < points[inner[1], 0] < -0.008
        assert np.abs(points[[*outer, *inner], 1]).max() < 0.008
        assert points[corner[0], 0] > 0.018 > -0.018 > points[corner[1], 0]
    lips, brows = p68[48:60], p68[17:27]
    assert lips[:, 1].max() < p68[33, 1] < p68[30, 1] < p68[27, 1] < brows[:, 1].min()
    assert np.linalg.norm(p478[473] - left) == pytest.approx(np.linalg.norm(p478[468] - right), rel=0.01)
    np.testing.assert_allclose(p478[[473, 468], :2], [left[:2], right[:2]], atol=0.001)
    # The 51 inner points and MediaPipe's name the same places.
    for a, b in ((36, 33), (45, 263), (39, 133), (42, 362), (48, 61), (54, 291), (8, 152)):
        assert np.linalg.norm(p68[a] - p478[b]) < 0.004


def test_landmarks_pair_up_in_the_mirror(head: FaceModel) -> None:
    points = head.embed(head.mean, head.landmarks478)
    partners = mirror_partners(head)
    np.testing.assert_array_equal(partners[partners], np.arange(478))
    assert partners[[33, 61, 133, 234, 1, 468]].tolist() == [263, 291, 362, 454, 1, 473]
    assert np.linalg.norm(points[partners] * MIRROR - points, axis=1).max() < 0.0005
    jaw = head.embed(head.mean, head.landmarks68)[:17]
    np.testing.assert_allclose(jaw[::-1] * MIRROR, jaw, atol=0.0005)
    assert (np.diff(jaw[:, 0]) > 0).all(), "from the subject's right ear to the left one"


def test_embeddings_are_places_on_triangles(head: FaceModel) -> None:
    for embedding in (head.landmarks68, head.landmarks478):
        np.testing.assert_allclose(embedding.barycentrics.sum(axis=1), 1.0, atol=1e-4)
        assert embedding.barycentrics.min() >= -1e-4


def test_identities_differ_and_the_neutral_cache_does_not_mix_them(head: FaceModel) -> None:
    first = [head.neutral(person(head, seed)).copy() for seed in range(8)]
    for seed, vertices in enumerate(first):
        np.testing.assert_array_equal(head.neutral(person(head, seed)), vertices)
    assert np.linalg.norm(first[0] - first[1], axis=1).mean() > 0.001
    with pytest.raises(ValueError, match="read-only"):
        head.neutral(person(head, 0))[0] = 0


def test_posing_is_linear_in_the_channels(head: FaceModel) -> None:
    expression = np.random.default_rng(2).uniform(0, 1, CHANNEL_COUNT)
    identity = person(head, 1)
    expected = head.mean + np.tensordot(identity, head.identity_basis, 1) + np.tensordot(
        expression, head.expression_basis, 1
    )  # fmt: skip
    np.testing.assert_allclose(head.pose(identity, expression).vertices, expected, atol=2e-6)


def test_albedo_stays_a_colour(head: FaceModel) -> None:
    assert head.albedo_mean is not None
    assert head.albedo_basis is not None
    rng = np.random.default_rng(0)
    for coefficients in (None, np.zeros(3), rng.normal(0, 4, len(head.albedo_basis)), np.full(1000, 3.0)):
        albedo = head.albedo(coefficients)
        assert albedo is not None
        assert albedo.shape == head.albedo_mean.shape
        assert np.isfinite(albedo).all()
        assert 0.0 <= albedo.min() <= albedo.max() <= 1.0
    red, green, blue = head.albedo_mean.mean(axis=(0, 1))
    assert red > green > blue


def test_wrong_sizes_are_refused(head: FaceModel) -> None:
    with pytest.raises(ValueError, match="identity coefficients"):
        head.neutral(np.zeros(head.identity_count + 1))
    for count in (0, 51, 53, 4000):
        with pytest.raises(ValueError, match="52"):
            head.pose(head.identity(), np.ones(count))
    with pytest.raises(KeyError, match="antlers"):
        head.part_faces("antlers")
