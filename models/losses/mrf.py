"""ID-MRF: each patch of the picture wants a patch of the rendering that is like it and like no other.

After Wang et al., Image Inpainting via Generative Multi-column Convolutional Neural Networks, NeurIPS 2018, as DECA and
the supplement use it: L_mrf = 2 L_M(conv4_2) + L_M(conv3_2) on VGG19. The features are the user's VGG19 file, or a
stand-in that says in its name that it is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

__all__ = ["FeatureFileError", "VggFeatures", "id_mrf", "load_features"]

BANDWIDTH = 0.5
EPSILON = 1e-5
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VGG19_BLOCKS = (2, 2, 4, 4)
VGG16_BLOCKS = (2, 2, 3, 3)
TAPS = ("conv3_2", "conv4_2")
_WIDTHS = (64, 128, 256, 512)


class FeatureFileError(Exception):
    """A file of feature weights that cannot be used; the message is one sentence for the user."""


class VggFeatures(nn.Module):
    """The convolutions of a VGG up to conv4_2 (Simonyan and Zisserman, 2015).

    Args:
        blocks: convolutions in each block: VGG19_BLOCKS, or VGG16_BLOCKS for the stand-in.

    Attributes:
        is_stand_in: whether these are not the VGG19 features that the method asks for.
    """

    def __init__(self, blocks: Sequence[int] = VGG19_BLOCKS) -> None:
        super().__init__()
        self.is_stand_in = tuple(blocks) != VGG19_BLOCKS
        layers: dict[str, nn.Module] = {}
        before = 3
        for block, (count, width) in enumerate(zip(blocks, _WIDTHS, strict=True), start=1):
            for number in range(1, count + 1):
                layers[f"conv{block}_{number}"] = nn.Conv2d(before, width, 3, padding=1)
                before = width
        self.convolutions = nn.ModuleDict(layers)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Features of (B, 3, H, W) pictures in 0..1 by the names in TAPS."""
        x = (pictures - self.get_buffer("mean")) / self.get_buffer("spread")
        found: dict[str, Tensor] = {}
        for name, convolution in self.convolutions.items():
            if name.endswith("_1") and name != "conv1_1":
                x = F.max_pool2d(x, 2)
            x = F.relu(convolution(x))
            if name in TAPS:
                found[name] = x
            if len(found) == len(TAPS):
                break
        return found


def load_features(path: Path) -> VggFeatures:
    """Features from a safetensors file.

    The names of the tensors may be those of torchvision (`features.0.weight` ...) or ours (`conv1_1.weight` ...).
    Thirteen convolutions make it a VGG16, which is a stand-in; sixteen a VGG19.

    Raises:
        FeatureFileError: the file is missing, damaged, or holds something else.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise FeatureFileError(f"The feature weights {path} cannot be read ({error}): name another file.") from error
    kernels = [name for name, value in tensors.items() if value.ndim == 4 and tuple(value.shape[2:]) == (3, 3)]
    blocks = VGG19_BLOCKS if len(kernels) >= 16 else VGG16_BLOCKS
    features = VggFeatures(blocks)
    names = list(features.convolutions)
    try:
        chosen = _in_order(kernels)[: len(names)]
        own = {
            f"convolutions.{ours}.{part}": tensors[f"{theirs.removesuffix('.weight')}.{part}"].float()
            for ours, theirs in zip(names, chosen, strict=True)
            for part in ("weight", "bias")
        }
        features.load_state_dict(own)
    except (KeyError, ValueError, RuntimeError) as error:
        raise FeatureFileError(
            f"The file {path} does not hold the convolutions of a VGG ({error}): name VGG19's as safetensors."
        ) from error
    return features.eval()


def _in_order(names: Sequence[str]) -> list[str]:
    def key(name: str) -> list[int]:
        digits = "".join(c if c.isdigit() else " " for c in name).split()
        return [int(d) for d in digits]

    return sorted(names, key=key)


def id_mrf(rendered: Mapping[str, Tensor], picture: Mapping[str, Tensor]) -> Tensor:
    """L_mrf = 2 L_M(conv4_2) + L_M(conv3_2), the mean over a batch.

    Args:
        rendered: features of the rendering, which learns.
        picture: features of the photograph.
    """
    return 2 * _one_layer(rendered["conv4_2"], picture["conv4_2"]) + _one_layer(rendered["conv3_2"], picture["conv3_2"])


def _one_layer(rendered: Tensor, picture: Tensor) -> Tensor:
    """L_M = - log of the mean over the picture's patches s of max over rendered patches v of RS(v, s), where RS is how
    much nearer s is to v than the picture's other patches are."""
    losses = []
    for own, wanted in zip(rendered, picture.detach(), strict=True):
        centre = wanted.mean(dim=(1, 2), keepdim=True)
        a = F.normalize((own - centre).flatten(1), dim=0)
        b = F.normalize((wanted - centre).flatten(1), dim=0)
        distance = (1 - b.T @ a) / 2  # picture patches s x rendered patches v
        relative = distance / (distance.amin(dim=0, keepdim=True) + EPSILON)
        similarity = torch.exp((1 - relative) / BANDWIDTH)
        share = similarity / similarity.sum(dim=0, keepdim=True)
        losses.append(-torch.log(share.amax(dim=1).mean() + EPSILON))
    return torch.stack(losses).mean()
