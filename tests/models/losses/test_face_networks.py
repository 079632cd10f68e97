"""Networks of the user's: read by the names that such files have, refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.losses.face_networks import SIDES, FaceNetworkKind, load_face_network
from models.losses.mrf import FeatureFileError


class Block(nn.Module):
    """torchvision's basic block; with PReLU as lip readers have it."""

    def __init__(self, inside: int, outside: int, stride: int, prelu: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.relu1: nn.Module = nn.PReLU(outside) if prelu else nn.ReLU()
        self.relu2: nn.Module = nn.PReLU(outside) if prelu else nn.ReLU()
        self.downsample = _shortcut(inside, outside, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        out: Tensor = self.relu2(y + (x if self.downsample is None else self.downsample(x)))
        return out


class Bottleneck(nn.Module):
    """torchvision's."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        middle = outside // 4
        self.conv1 = nn.Conv2d(inside, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, outside, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.downsample = _shortcut(inside, outside, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ArcBlock(nn.Module):
    """arcface_torch's."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.prelu = nn.PReLU(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.downsample = _shortcut(inside, outside, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        out: Tensor = y + (x if self.downsample is None else self.downsample(x))
        return out


def _shortcut(inside: int, outside: int, stride: int) -> nn.Sequential | None:
    if inside == outside and stride == 1:
        return None
    return nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))


class Residual(nn.Module):
    def __init__(self, deep: bool, prelu: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        _layers(self, lambda i, o, s: Bottleneck(i, o, s) if deep else Block(i, o, s, prelu), 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return _through(self, x).mean(dim=(2, 3))


class Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        _layers(self, lambda i, o, s: Block(i, o, s, prelu=True), 1)


class LipReader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, 8, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False), nn.BatchNorm3d(8), nn.PReLU(8),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )  # fmt: skip
        self.trunk = Trunk()

    def forward(self, clip: Tensor) -> Tensor:
        """(B, 1, T, H, W) -> (B, N) of the moment in the middle, whose neighbours are not cut off."""
        x = self.frontend3D(clip)
        return _through(self.trunk, x[:, :, x.shape[2] // 2]).mean(dim=(2, 3))


class ArcFace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.prelu = nn.PReLU(8)
        _layers(self, ArcBlock, 2)
        self.bn2 = nn.BatchNorm2d(16)
        self.fc = nn.Linear(16 * 7 * 7, 12)
        self.features = nn.BatchNorm1d(12)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn2(_through(self, self.prelu(self.bn1(self.conv1(x)))))
        out: Tensor = self.features(self.fc(x.flatten(1)))
        return out


def _layers(owner: nn.Module, block: object, first: int) -> None:
    assert callable(block)
    inside = 8
    for number, (count, outside) in enumerate([(1, 8), (2, 16), (1, 16), (2, 16)], start=1):
        stride = first if number == 1 else 2
        blocks = [block(inside if i == 0 else outside, outside, stride if i == 0 else 1) for i in range(count)]
        owner.add_module(f"layer{number}", nn.Sequential(*blocks))
        inside = outside


def _through(owner: nn.Module, x: Tensor) -> Tensor:
    for number in range(1, 5):
        x = owner.get_submodule(f"layer{number}")(x)
    return x


def settled(network: nn.Module, seed: int) -> nn.Module:
    """With statistics and slopes that are not those of a fresh network."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
        elif isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0.05, 0.4)
    return network.eval()


def saved(network: nn.Module, path: Path, prefix: str = "") -> Path:
    save_file({prefix + name: value.contiguous() for name, value in network.state_dict().items()}, path)
    return path


def normalised(kind: FaceNetworkKind, pictures: Tensor) -> Tensor:
    if kind == "identity":
        return pictures * 2 - 1
    if kind == "lips":
        grey = 0.299 * pictures[:, :1] + 0.587 * pictures[:, 1:2] + 0.114 * pictures[:, 2:]
        return ((grey - 0.421) / 0.165)[:, :, None].repeat(1, 1, 9, 1, 1)
    mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (pictures - mean.view(1, 3, 1, 1)) / spread.view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("kind", "network", "prefix"),
    [
        ("identity", ArcFace(), ""),
        ("identity", ArcFace(), "module."),
        ("emotion", Residual(deep=False), ""),
        ("emotion", Residual(deep=True), "backbone."),
        ("lips", LipReader(), "model.encoder."),
    ],
)
def test_a_file_answers_as_the_network_that_wrote_it(
    kind: FaceNetworkKind, network: nn.Module, prefix: str, tmp_path: Path
) -> None:
    own = load_face_network(saved(settled(network, 3), tmp_path / "weights.safetensors", prefix), kind)
    pictures = torch.rand(2, 3, SIDES[kind], SIDES[kind])
    with torch.no_grad():
        torch.testing.assert_close(own(pictures), network(normalised(kind, pictures)), rtol=1e-3, atol=1e-4)
    assert not list(own.parameters())


def test_gradients_reach_the_picture(tmp_path: Path) -> None:
    own = load_face_network(saved(settled(ArcFace(), 1), tmp_path / "arcface.safetensors"), "identity")
    picture = torch.rand(1, 3, 112, 112, requires_grad=True)
    own(picture).square().sum().backward()
    assert picture.grad is not None and float(picture.grad.abs().sum()) > 0


def test_files_that_are_something_else_are_refused(tmp_path: Path) -> None:
    arcface = saved(settled(ArcFace(), 1), tmp_path / "arcface.safetensors")
    with pytest.raises(FeatureFileError, match="does not hold the lips network"):
        load_face_network(arcface, "lips")
    with pytest.raises(FeatureFileError, match="cannot be read"):
        load_face_network(tmp_path / "missing.safetensors", "identity")
    (tmp_path / "text.safetensors").write_text("no weights at all")
    with pytest.raises(FeatureFileError, match="cannot be read"):
        load_face_network(tmp_path / "text.safetensors", "identity")
    tensors = {name: value for name, value in ArcFace().state_dict().items() if name != "layer3.0.conv2.weight"}
    save_file(tensors, tmp_path / "holes.safetensors")
    with pytest.raises(FeatureFileError, match="do not fit"):
        load_face_network(tmp_path / "holes.safetensors", "identity")
    tensors = ArcFace().state_dict() | {"fc.weight": torch.zeros(12, 5)}
    save_file(tensors, tmp_path / "wrong.safetensors")
    with pytest.raises(FeatureFileError, match="do not fit"):
        load_face_network(tmp_path / "wrong.safetensors", "identity")
