"""Each loss falls when what it measures improves."""

from __future__ import annotations

import pytest
import torch

from models.losses.labels import camera_loss, channel_lean_loss, channel_loss, gaze_loss, point_loss, rotation_loss
from models.losses.landmarks import PAIRS, landmark_loss, pair_loss, silhouette_loss


def test_landmarks() -> None:
    wanted = torch.rand(2, 51, 2)
    shifted = wanted + torch.tensor([0.03, 0.04])
    assert float(landmark_loss(shifted, wanted)) == pytest.approx(0.07, abs=1e-5)
    assert float(landmark_loss(wanted + 0.01, wanted)) < float(landmark_loss(shifted, wanted))
    ignored = torch.zeros(51)
    ignored[:10] = 1
    shifted[:, :10] = wanted[:, :10]
    assert float(landmark_loss(shifted, wanted, ignored)) == pytest.approx(0, abs=1e-6)


def test_pairs_see_the_opening_and_not_the_place() -> None:
    wanted = torch.rand(1, 68, 2)
    assert float(pair_loss(wanted + 0.2, wanted)) == pytest.approx(0, abs=1e-5)
    closed = wanted.clone()
    for upper, lower in PAIRS:
        closed[0, upper] = closed[0, lower]
    half = (closed + wanted) / 2
    assert float(pair_loss(closed, wanted)) > float(pair_loss(half, wanted)) > 0


def test_silhouette_is_one_directional_and_pulls_the_nearest() -> None:
    contour = torch.tensor([[[0.0, 0.0], [0.5, 0.0]]])
    outline = torch.tensor([[[0.0, 0.1], [0.5, 0.1], [9.0, 9.0], [0.0, 0.0]]], requires_grad=True)
    valid = torch.tensor([[True, True, True, False]])
    loss = silhouette_loss(contour, outline, valid)
    assert float(loss.detach()) == pytest.approx(0.1, abs=1e-4)
    loss.backward()  # type: ignore[no-untyped-call]
    assert outline.grad is not None
    # Far vertices and padding are not pulled.
    assert outline.grad[0, 2:].abs().sum() == 0
    assert (outline.grad[0, :2, 1] > 0).all()


def test_a_face_without_an_outline_costs_nothing() -> None:
    nothing = silhouette_loss(torch.rand(1, 17, 2), torch.rand(1, 4, 2), torch.zeros(1, 4, dtype=torch.bool))
    assert float(nothing) == 0.0


def test_channels_weigh_large_errors_more() -> None:
    wanted = torch.zeros(1, 52)
    assert float(channel_loss(torch.full((1, 52), 0.5), wanted)) == pytest.approx(1.0)
    assert float(channel_loss(torch.full((1, 52), 0.1), wanted)) == pytest.approx(0.04)


def test_leaning_rewards_the_last_hundredth_as_the_first() -> None:
    wanted = torch.zeros(4, 52)
    losses = [float(channel_lean_loss(torch.full((4, 52), d), wanted)) for d in (0.02, 0.01, 0.0)]
    assert losses == pytest.approx([0.02, 0.01, 0.0])
    # Beside it the square loss hardly tells a hundredth from nothing.
    assert float(channel_loss(torch.full((4, 52), 0.01), wanted)) < 0.001


def test_rotation_grows_with_the_angle() -> None:
    def about_y(angle: float) -> torch.Tensor:
        c, s = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
        return torch.tensor([[[c, 0, s], [0, 1, 0], [-s, 0, c]]])

    still = torch.eye(3)[None]
    assert float(rotation_loss(about_y(0.1), still)) == pytest.approx(0.1414, abs=1e-3)
    assert float(rotation_loss(about_y(0.3), still)) > float(rotation_loss(about_y(0.2), still))


def test_gaze_of_unseen_eyes_does_not_count() -> None:
    wanted = torch.zeros(1, 2, 2)
    found = torch.tensor([[[0.1, 0.1], [9.0, 9.0]]])
    assert float(gaze_loss(found, wanted, torch.tensor([[1.0, 0.0]]))) == pytest.approx(0.04)
    assert float(gaze_loss(found, wanted, torch.zeros(1, 2))) == 0.0


def test_points_and_camera() -> None:
    assert float(point_loss(torch.full((1, 4, 3), 0.01), torch.zeros(1, 4, 3))) == pytest.approx(
        0.01 * 3**0.5, rel=1e-3
    )
    one, place = torch.ones(1), torch.zeros(1, 2)
    assert float(camera_loss(one * 1.1, place, one, place)) == pytest.approx(0.0953, abs=1e-3)
    assert float(camera_loss(one, place + 0.1, one, place)) == pytest.approx(0.2, abs=1e-5)
