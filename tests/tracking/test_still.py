"""Still pictures: rendered people whose points are known."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.geometry.rotations import angle_between
from tracking import StillTracker
from tracking.points import project_embedding
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.types import FaceParameters

SEEDS = (1, 2, 4)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads, many times so beside other work."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def tracker() -> Iterator[StillTracker]:
    with StillTracker() as tracker:
        yield tracker


def person(seed: int, index: int = 75) -> tuple[SyntheticSource, int]:
    return SyntheticSource(SyntheticSettings(seed=seed, frames=120, width=480, height=360, yaw_degrees=20)), index


def points68(tracker: StillTracker, parameters: FaceParameters) -> NDArray[np.float32]:
    posed = tracker.model.pose(parameters.identity, parameters.expression, parameters.gaze)
    return project_embedding(tracker.model, parameters, posed.vertices, tracker.model.landmarks68)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fitted_points_lie_near_the_truth(tracker: StillTracker, seed: int) -> None:
    source, index = person(seed)
    truth = source.truth(index)
    (face, *others) = tracker.detect(source.render(index))
    assert others == []
    found = tracker.fit(face, 480, 360)
    wanted, got = points68(tracker, truth), points68(tracker, found.parameters)
    eyes = np.linalg.norm(wanted[45] - wanted[36])
    errors = np.linalg.norm(got - wanted, axis=1) / eyes
    assert errors[17:].mean() < 0.035, "the 51 inner points"
    assert errors[:17].mean() < 0.09, "the contour"
    assert np.degrees(angle_between(found.parameters.rotation, truth.rotation)) < 9
    assert found.error < 0.03


def test_the_mirror_image_gives_the_mirrored_face() -> None:
    source, index = person(1)
    image = source.render(index)
    with StillTracker() as both, StillTracker(mirrored=False) as once:
        (face,) = both.detect(image)
        (flipped,) = both.detect(np.ascontiguousarray(image[:, ::-1]))
        (single,) = once.detect(image)
    from tracking.fit.mirror import mirrored_landmarks

    # Two looks at the same two pictures, so the very same points but for rounding.
    back = mirrored_landmarks(both.model, flipped.landmarks, 480)
    assert np.abs(back[:, :2] - face.landmarks[:, :2]).max() < 0.05
    gap = np.linalg.norm(single.landmarks[:, :2] - face.landmarks[:, :2], axis=1).mean()
    assert 0.01 < gap < 3


def test_pictures_leave_no_memory(tracker: StillTracker) -> None:
    source, index = person(1)
    (face,) = tracker.detect(source.render(index))
    first = tracker.fit(face, 480, 360).parameters
    other, other_index = person(2)
    (another,) = tracker.detect(other.render(other_index))
    tracker.fit(another, 480, 360)
    again = tracker.fit(face, 480, 360).parameters
    np.testing.assert_array_equal(first.identity, again.identity)
    np.testing.assert_array_equal(first.expression, again.expression)
    assert first.camera == again.camera


def test_several_faces_come_largest_first_and_none_gives_none(tracker: StillTracker) -> None:
    source, index = person(1)
    near = source.render(index)[90:330, 140:380]
    far = np.zeros_like(near)
    far[24:216, 24:216] = cv2.resize(near, (192, 192), interpolation=cv2.INTER_AREA)
    faces = tracker.detect(np.ascontiguousarray(np.hstack([far, near])))
    assert len(faces) == 2
    assert faces[0].box[0] > 240 > faces[1].box[2]
    # Each is averaged with its own mirror image, not with the other person's.
    for face in faces:
        assert tracker.fit(face, 480, 240).error < 0.03
    assert tracker.detect(np.zeros((100, 100, 3), np.uint8)) == []
