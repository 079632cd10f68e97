"""The subject among several faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.selection import FaceSelector, box_size, mismatch
from tracking.types import FaceObservation


def face(x: float, y: float, size: float) -> FaceObservation:
    """A face of `size` pixels centred at x, y."""
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2], np.float32)
    return FaceObservation(np.zeros((478, 3), np.float32), np.zeros(52, np.float32), box, 1.0)


def test_starts_with_the_largest() -> None:
    small, large = face(100, 100, 50), face(300, 100, 80)
    assert FaceSelector().select([small, large], 0.0) is large


def test_nobody_in_view() -> None:
    selector = FaceSelector()
    assert selector.select([], 0.0) is None
    selector.select([face(100, 100, 50)], 0.1)
    assert selector.select([], 0.2) is None


def test_stays_with_the_subject_when_another_face_grows_larger() -> None:
    selector = FaceSelector()
    subject = face(100, 100, 80)
    assert selector.select([subject, face(300, 100, 50)], 0.0) is subject
    for step in range(1, 60):
        moved = face(100 + 2 * step, 100, 80)
        assert selector.select([face(400, 100, 50 + 3 * step), moved], step / 30) is moved


def test_order_does_not_matter() -> None:
    for order in (1, -1):
        selector = FaceSelector()
        selector.select([face(100, 100, 80), face(300, 100, 60)][::order], 0.0)
        moved, other = face(104, 100, 80), face(296, 100, 60)
        assert selector.select([moved, other][::order], 0.04) is moved


def test_a_bystander_does_not_become_the_subject_while_a_hand_passes() -> None:
    selector = FaceSelector()
    other = face(300, 100, 50)
    selector.select([face(100, 100, 80), other], 0.0)
    for time_s in (0.2, 0.5, 0.9):
        assert selector.select([other], time_s) is None
    back = face(105, 100, 80)
    assert selector.select([other, back], 0.95) is back


def test_a_bystander_becomes_the_subject_when_the_subject_stays_away() -> None:
    selector = FaceSelector()
    other = face(300, 100, 50)
    selector.select([face(100, 100, 80), other], 0.0)
    assert selector.select([other], 0.99) is None
    assert selector.select([other], 1.01) is other
    assert selector.select([other, face(100, 100, 80)], 1.05) is other


def test_somebody_new_is_taken_within_five_pictures() -> None:
    selector = FaceSelector()
    selector.select([face(100, 100, 80)], 0.0)
    new = face(400, 100, 80)
    taken = [selector.select([new], n / 30) is new for n in range(1, 7)]
    assert taken.index(True) <= 5


def test_a_face_that_comes_back_elsewhere_after_a_while_is_taken_at_once() -> None:
    selector = FaceSelector()
    selector.select([face(100, 100, 80)], 0.0)
    back = face(400, 200, 40)
    assert selector.select([back], 3.0) is back


def test_reset_and_time_going_back_forget_the_subject() -> None:
    selector = FaceSelector()
    selector.select([face(100, 100, 50)], 10.0)
    large = face(400, 100, 90)
    assert selector.select([large], 0.0) is large
    selector.reset()
    small = face(100, 100, 30)
    assert selector.select([small], 0.01) is small


coordinates = st.floats(-500.0, 500.0, width=32)
sizes = st.floats(1.0, 400.0, width=32)


@given(coordinates, coordinates, sizes, coordinates, coordinates, sizes)
def test_mismatch_is_symmetric_and_zero_for_the_same_box(
    x: float, y: float, size: float, other_x: float, other_y: float, other_size: float
) -> None:
    a, b = face(x, y, size).box, face(other_x, other_y, other_size).box
    assert mismatch(a, b) == pytest.approx(mismatch(b, a), rel=1e-5)
    assert mismatch(a, a) == pytest.approx(0.0, abs=1e-4)
    assert mismatch(a, b) >= 0.0


def test_mismatch_counts_distance_in_faces_and_size_by_ratio() -> None:
    assert mismatch(face(0, 0, 100).box, face(50, 0, 100).box) == pytest.approx(0.5)
    assert mismatch(face(0, 0, 100).box, face(0, 0, 50).box) == pytest.approx(np.log(2))
    assert mismatch(face(0, 0, 100).box, np.zeros(4, np.float32)) == float("inf")
    assert box_size(np.array([0.0, 0.0, 4.0, 9.0])) == pytest.approx(6.0)
