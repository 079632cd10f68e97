"""Close looks: the same face gives the same windows wherever, however large and however tilted it is in the crop."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from models.networks.glimpses import Glimpses
from models.networks.presets import ViTSettings
from models.networks.vit import CoarseViT

SIDE = 16


class Seen(nn.Module):
    """Stands where an encoder stands and keeps the windows it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[Tensor] = []

    def forward(self, window: Tensor) -> Tensor:
        self.windows.append(window)
        return torch.zeros(len(window), 128)


def watched() -> tuple[Glimpses, Seen]:
    glimpses = Glimpses(SIDE, 8, 4)
    seen = Seen()
    glimpses.eye = glimpses.mouth = glimpses.middle = seen
    return glimpses, seen


def face(angle: float, size: float, x: float, y: float) -> tuple[Tensor, Tensor]:
    """A crop (1, 3, 192, 192) of a pattern that turns, grows and moves with a face, and its points (1, 68, 2)."""
    own = torch.zeros(68, 2)
    own[36:42], own[42:48], own[48:68] = torch.tensor([[-0.5, 0.0], [0.5, 0.0], [0.0, 1.0]]).unbind(0)
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    points = own @ turn * size + torch.tensor([x, y])
    steps = (torch.arange(192) + 0.5) * (2 / 192) - 1
    places = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=2)
    there = (places - torch.tensor([x, y])) / size @ turn.T
    waves = [torch.sin(3 * there[..., 0] + i) * torch.cos(2 * there[..., 1] - i) for i in range(3)]
    return torch.stack(waves)[None] * 0.4 + 0.5, points[None]


def test_a_face_looks_the_same_wherever_it_is() -> None:
    glimpses, seen = watched()
    with torch.no_grad():
        for place in ((0.0, 0.4, 0.0, -0.2), (0.5, 0.3, -0.2, 0.1), (-0.4, 0.45, 0.1, -0.1)):
            crop, points = face(*place)
            glimpses(crop, points, torch.zeros(1, 8))
    first, second, third = seen.windows[:4], seen.windows[4:8], seen.windows[8:]
    for a, b, c in zip(first, second, third, strict=True):
        assert a.shape == (1, 3, SIDE, SIDE)
        assert (a - b).abs().max() < 0.1
        assert (a - c).abs().max() < 0.1
        assert a.std() > 0.5


def test_the_right_eye_is_shown_mirrored() -> None:
    glimpses, seen = watched()
    crop, points = face(0.0, 0.4, 0.0, -0.2)
    # A face that is its own mirror image.
    glimpses((crop + crop.flip(3)) / 2, points, torch.zeros(1, 8))
    right, left, mouth, _ = seen.windows
    assert torch.allclose(right, left, atol=1e-4)
    assert torch.allclose(mouth, mouth.flip(3), atol=1e-4)


def test_light_and_contrast_make_no_difference() -> None:
    glimpses, seen = watched()
    crop, points = face(0.2, 0.4, 0.0, 0.0)
    glimpses(crop, points, torch.zeros(1, 8))
    glimpses(crop * 0.6 + 0.3, points, torch.zeros(1, 8))
    for bright, dim in zip(seen.windows[:4], seen.windows[4:], strict=True):
        assert (bright - dim).abs().max() < 0.3


def test_points_on_one_place_are_no_fault() -> None:
    answer, mesh = Glimpses(SIDE, 8, 4)(torch.rand(2, 3, 64, 64), torch.zeros(2, 96, 2), torch.zeros(2, 8))
    assert answer.shape == (2, 4)
    assert mesh.shape == (2, 478, 2)
    assert torch.isfinite(answer).all()
    assert torch.isfinite(mesh).all()


def test_landmarks_turn_with_the_face() -> None:
    torch.manual_seed(2)
    glimpses, _ = watched()
    with torch.no_grad():
        meshes = []
        for angle in (0.0, 0.6):
            crop, points = face(angle, 0.4, 0.0, -0.2)
            meshes.append(glimpses(crop, points, torch.zeros(1, 8))[1][0] - torch.tensor([0.0, -0.2]))
    turn = torch.tensor([[math.cos(0.6), math.sin(0.6)], [-math.sin(0.6), math.cos(0.6)]])
    assert torch.allclose(meshes[0] @ turn, meshes[1], atol=2e-3)


def test_they_move_no_points() -> None:
    points = torch.rand(1, 68, 2, requires_grad=True)
    features = torch.rand(1, 8, requires_grad=True)
    answer, mesh = Glimpses(SIDE, 8, 4)(torch.rand(1, 3, 64, 64), points, features)
    (answer.sum() + mesh.sum()).backward()
    assert points.grad is None
    assert features.grad is not None


def test_they_change_the_networks_answer() -> None:
    network = CoarseViT(
        ViTSettings(image_size=64, dim=64, heads=4, depth=1, stem="convolutional", points=68, glimpses=16)
    )
    crops = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        whole = network(crops)
        nn.init.zeros_(network.glimpses.mix[-1].weight)  # type: ignore[union-attr, arg-type]
        assert not torch.allclose(whole, network(crops))


def test_a_wish_that_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        Glimpses(20, 8, 4)
    with pytest.raises(ValueError, match="68 of them"):
        CoarseViT(ViTSettings(stem="convolutional", dim=64, depth=1, points=8, glimpses=16))
