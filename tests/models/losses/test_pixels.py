"""Losses on pictures and coefficients."""

from __future__ import annotations

import pytest
import torch

from models.losses.pixels import (
    emotion_loss,
    identity_loss,
    lip_loss,
    photometric_loss,
    regularisation_loss,
    shape_consistency_loss,
    swapped,
)


def test_photometric_counts_skin_alone() -> None:
    image = torch.rand(2, 3, 8, 8)
    rendered = image.clone()
    rendered[:, :, :4] += 0.1
    skin = torch.zeros(2, 1, 8, 8)
    skin[:, :, 4:] = 1
    assert float(photometric_loss(image, rendered, skin)) == 0.0
    assert float(photometric_loss(image, rendered, 1 - skin)) == pytest.approx(0.3, abs=1e-5)
    assert float(photometric_loss(image, (image + rendered) / 2, 1 - skin)) == pytest.approx(0.15, abs=1e-5)
    assert float(photometric_loss(image, rendered, torch.zeros(2, 1, 8, 8))) == 0.0


@pytest.mark.parametrize("loss", [identity_loss, lip_loss])
def test_cosine_losses_ignore_length_and_fall_with_the_angle(loss: object) -> None:
    assert callable(loss)
    wanted = torch.tensor([[1.0, 0.0]])
    assert float(loss(wanted, wanted * 7)) == pytest.approx(0.0, abs=1e-6)
    near, far = torch.tensor([[1.0, 0.2]]), torch.tensor([[1.0, 1.0]])
    assert 0 < float(loss(wanted, near)) < float(loss(wanted, far))


def test_emotion_is_a_distance() -> None:
    assert float(emotion_loss(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))) == pytest.approx(5.0)


def test_regularisation_sums_squares() -> None:
    assert float(regularisation_loss(torch.ones(2, 3), torch.full((2, 1), 2.0))) == pytest.approx(7.0)


def test_identities_are_swapped_within_a_person() -> None:
    assert swapped([0, 1, 0, 2, 1, 0]) == [2, 4, 5, 3, 1, 0]


def test_shape_consistency_asks_the_others_identity() -> None:
    truth = torch.tensor([[1.0], [1.0], [5.0]])

    def coarse(identity: torch.Tensor) -> torch.Tensor:
        return (identity - truth).abs().mean()

    agreeing = torch.tensor([[1.0], [1.0], [5.0]])
    one_is_off = torch.tensor([[1.0], [3.0], [5.0]])
    assert float(shape_consistency_loss(coarse, agreeing, [0, 0, 1])) == 0.0
    assert float(shape_consistency_loss(coarse, one_is_off, [0, 0, 1])) > 0.5
