"""Each loss of the detail networks falls when what it measures improves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.losses import detail as losses

MASK = torch.ones(1, 1, 32, 32)


def wrinkles(seed: int = 0) -> Tensor:
    """(2, 1, 32, 32) millimetres."""
    generator = torch.Generator().manual_seed(seed)
    fine = torch.randn(2, 1, 32, 32, generator=generator)
    return torch.nn.functional.avg_pool2d(fine, 5, stride=1, padding=2) * 0.5


@pytest.mark.parametrize("loss", [losses.weighted_truth, losses.slope_of_truth, losses.cosine_to_truth])
def test_losses_against_truth_fall_on_the_way_to_it(loss) -> None:  # type: ignore[no-untyped-def]
    truth, wrong = wrinkles(0), wrinkles(1)
    values = [float(loss(truth + share * (wrong - truth), truth, MASK)) for share in (1.0, 0.6, 0.3, 0.0)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(0, abs=0.02)


def test_shrunken_wrinkles_cost_more_than_an_even_loss_says() -> None:
    truth = torch.zeros(1, 1, 32, 32)
    truth[..., 16, :] = -0.5
    smooth = torch.zeros_like(truth)
    even = torch.nn.functional.huber_loss(smooth / 0.1, truth / 0.1)
    assert float(losses.weighted_truth(smooth, truth, MASK)) > 4 * float(even)


def test_the_cosine_does_not_look_at_scale_and_not_at_smooth_faces() -> None:
    truth = wrinkles()
    assert float(losses.cosine_to_truth(truth * 0.4, truth, MASK)) < 0.01
    assert float(losses.cosine_to_truth(wrinkles(1), truth * 1e-4, MASK)) < 0.01


def test_the_mask_decides_what_counts() -> None:
    truth, found = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    found[..., :4] = 1.0
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1.0
    assert float(losses.weighted_truth(found, truth, mask)) == 0
    assert float(losses.masked_mean(found, 1 - mask)) == 1
    assert float(losses.masked_mean(found, torch.zeros_like(mask))) == 0


def test_change_of_truth_sees_a_network_that_ignores_tension() -> None:
    own, other = wrinkles(0), wrinkles(1)
    ignoring = losses.change_of_truth(own, own, other, own, MASK)
    following = losses.change_of_truth(other, own, other, own, MASK)
    halfway = losses.change_of_truth(own + 0.5 * (other - own), own, other, own, MASK)
    assert float(following) < float(halfway) < float(ignoring)


def test_symmetry_counts_outside_the_skin_mask_alone() -> None:
    lopsided = torch.zeros(1, 1, 8, 8)
    lopsided[..., :2] = 1.0
    skin = torch.ones(1, 1, 8, 8)
    assert float(losses.soft_symmetry(lopsided, skin)) == 0
    assert float(losses.soft_symmetry(lopsided, 1 - skin)) == pytest.approx(0.5)
    assert float(losses.soft_symmetry(lopsided + lopsided.flip(-1), 1 - skin)) == 0


def test_smoothness_regularisation_and_photometric() -> None:
    rough = wrinkles()
    calm = torch.nn.functional.avg_pool2d(rough, 3, stride=1, padding=1)
    assert float(losses.smoothness(calm)) < float(losses.smoothness(rough))
    assert float(losses.displacement_regularisation(rough / 2)) == pytest.approx(
        float(losses.displacement_regularisation(rough)) / 2
    )
    picture = torch.rand(1, 3, 32, 32)
    near, far = picture + 0.1, picture + 0.3
    assert float(losses.detail_photometric(picture, near, MASK)) == pytest.approx(0.1, abs=1e-5)
    assert float(losses.detail_photometric(picture, far, MASK)) > float(losses.detail_photometric(picture, near, MASK))


def test_the_student_learns_from_the_teacher_and_not_the_other_way_round() -> None:
    student, teacher = wrinkles(0).requires_grad_(), wrinkles(1).requires_grad_()
    losses.teacher_student(student, teacher, MASK).backward()  # type: ignore[no-untyped-call]
    assert student.grad is not None and float(student.grad.abs().sum()) > 0
    assert teacher.grad is None
    assert float(losses.animation_rule(wrinkles(1), wrinkles(1), MASK)) == 0


def test_displacement_stays_within_a_centimetre() -> None:
    assert float(losses.clamp_displacement(torch.tensor(25.0))) == 10
    assert float(losses.clamp_displacement(torch.tensor(-25.0))) == -10
