"""Networks that say who, in which mood, with which lips: what L_id, L_emo and L_lr compare pictures by.

None can be shipped: those that exist learned from pictures whose licences forbid it. So they are the user's safetensors
file, in the layout of the tensors' names in which such networks are published:

- identity: ArcFace's residual network (Deng et al., CVPR 2019), as `insightface/arcface_torch` names it;
- emotion: a residual network of torchvision's names (`layer1.0.conv1.weight` ...), as EMOCA's (Danecek et al., 2022);
- lips: the same with PReLU behind a spatio-temporal front, as of Martinez et al. (ICASSP 2020) and in SPECTRE (2022).
  One picture is shown to it as a mouth that stands still.

Names may have a common prefix (`backbone.`, `module.`). Width and depth are read off the tensors. Nothing in the file
is executed, and the networks never learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

from models.losses.mrf import FeatureFileError

__all__ = ["SIDES", "FaceNetwork", "FaceNetworkKind", "load_face_network"]

FaceNetworkKind = Literal["identity", "emotion", "lips"]
SIDES: dict[FaceNetworkKind, int] = {"identity": 112, "emotion": 224, "lips": 88}
"""Pixels of the square pictures that they expect."""
_MEANS: dict[FaceNetworkKind, tuple[float, ...]] = {
    "identity": (0.5, 0.5, 0.5), "emotion": (0.485, 0.456, 0.406), "lips": (0.421,),
}  # fmt: skip
_SPREADS: dict[FaceNetworkKind, tuple[float, ...]] = {
    "identity": (0.5, 0.5, 0.5), "emotion": (0.229, 0.224, 0.225), "lips": (0.165,),
}  # fmt: skip
_GREY = (0.299, 0.587, 0.114)
_FIRST_BLOCKS: dict[FaceNetworkKind, str] = {
    "identity": "layer1.0.bn3.weight", "emotion": "layer1.0.conv1.weight", "lips": "trunk.layer1.0.conv1.weight",
}  # fmt: skip
LAYERS = 4


class FaceNetwork(nn.Module):
    """(B, 3, S, S) sRGB 0..1 -> (B, N) features. S is `SIDES[kind]`; how a face lies in the square: `coarse_features`.

    Args:
        kind: what it tells.
        tensors: by the names of the layout, without a prefix.

    Raises:
        KeyError, RuntimeError, ValueError: tensors are missing or do not fit each other.
    """

    def __init__(self, kind: FaceNetworkKind, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.kind = kind
        self._names = {name: f"stored_{number}" for number, name in enumerate(tensors)}
        for name, buffer in self._names.items():
            self.register_buffer(buffer, tensors[name].detach().float().clone())
        self.register_buffer("mean", torch.tensor(_MEANS[kind]).view(1, -1, 1, 1))
        self.register_buffer("spread", torch.tensor(_SPREADS[kind]).view(1, -1, 1, 1))
        with torch.no_grad():
            # Whatever does not fit shows here, not in the middle of a training.
            if self(torch.zeros(1, 3, SIDES[kind], SIDES[kind])).ndim != 2:
                raise ValueError("it does not answer features")

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        if self.kind == "lips":
            pictures = (pictures * torch.tensor(_GREY, device=pictures.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
        x = (pictures - self.get_buffer("mean")) / self.get_buffer("spread")
        if self.kind == "identity":
            return self._arcface(x)
        return self._residual(self._lip_front(x) if self.kind == "lips" else self._usual_front(x))

    def _usual_front(self, x: Tensor) -> Tensor:
        x = F.relu(self._norm("bn1", self._convolve("conv1", x, stride=2)))
        return F.max_pool2d(x, 3, stride=2, padding=1)

    def _lip_front(self, x: Tensor) -> Tensor:
        # A mouth that stands still shows every moment the same: kernels over time become their sums.
        kernel = self._tensor("frontend3D.0.weight").sum(dim=2)
        x = F.conv2d(x, kernel, stride=2, padding=kernel.shape[-1] // 2)
        x = self._bend("frontend3D.2", self._norm("frontend3D.1", x))
        return F.max_pool2d(x, 3, stride=2, padding=1)

    def _residual(self, x: Tensor) -> Tensor:
        trunk = "trunk." if self.kind == "lips" else ""
        for layer, block in self._blocks(trunk):
            name = f"{trunk}layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            x = self._block(name, x, stride)
        return x.mean(dim=(2, 3))

    def _block(self, name: str, x: Tensor, stride: int) -> Tensor:
        """He et al., CVPR 2016: two convolutions, or three with a narrow one between, which then takes the stride."""
        deep = f"{name}.conv3.weight" in self._names
        y = self._norm(f"{name}.bn1", self._convolve(f"{name}.conv1", x, 1 if deep else stride))
        y = self._bend(f"{name}.relu1", y)
        y = self._norm(f"{name}.bn2", self._convolve(f"{name}.conv2", y, stride if deep else 1))
        if deep:
            y = self._norm(f"{name}.bn3", self._convolve(f"{name}.conv3", F.relu(y)))
        return self._bend(f"{name}.relu2", y + self._shortcut(name, x, stride))

    def _arcface(self, x: Tensor) -> Tensor:
        x = self._bend("prelu", self._norm("bn1", self._convolve("conv1", x)))
        for layer, block in self._blocks(""):
            name, stride = f"layer{layer}.{block}", 2 if block == 0 else 1
            y = self._convolve(f"{name}.conv1", self._norm(f"{name}.bn1", x))
            y = self._bend(f"{name}.prelu", self._norm(f"{name}.bn2", y))
            y = self._norm(f"{name}.bn3", self._convolve(f"{name}.conv2", y, stride))
            x = y + self._shortcut(name, x, stride)
        flat = self._norm("bn2", x).flatten(1)
        return self._norm("features", F.linear(flat, self._tensor("fc.weight"), self._tensor("fc.bias")))

    def _blocks(self, trunk: str) -> list[tuple[int, int]]:
        found = []
        for layer in range(1, LAYERS + 1):
            count = len(
                {n.split(".")[trunk.count(".") + 1] for n in self._names if n.startswith(f"{trunk}layer{layer}.")}
            )
            found += [(layer, block) for block in range(count)]
        return found

    def _shortcut(self, name: str, x: Tensor, stride: int) -> Tensor:
        if f"{name}.downsample.0.weight" not in self._names:
            return x
        return self._norm(f"{name}.downsample.1", self._convolve(f"{name}.downsample.0", x, stride))

    def _convolve(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        kernel = self._tensor(f"{name}.weight")
        return F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        mean, variance = self._tensor(f"{name}.running_mean"), self._tensor(f"{name}.running_var")
        # The last one of ArcFace has no gain of its own.
        gain = self._tensor(f"{name}.weight") if f"{name}.weight" in self._names else None
        return F.batch_norm(x, mean, variance, gain, self._tensor(f"{name}.bias"))

    def _bend(self, name: str, x: Tensor) -> Tensor:
        slopes = f"{name}.weight"
        return F.prelu(x, self._tensor(slopes)) if slopes in self._names else F.relu(x)

    def _tensor(self, name: str) -> Tensor:
        return self.get_buffer(self._names[name])


def load_face_network(path: Path, kind: FaceNetworkKind) -> FaceNetwork:
    """A network from a safetensors file.

    Raises:
        FeatureFileError: the file is missing, damaged, or holds another kind of network.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise FeatureFileError(
            f"The {kind} network {path} cannot be read ({error}): name a safetensors file."
        ) from error
    mark = _FIRST_BLOCKS[kind]
    prefix = next((name.removesuffix(mark) for name in tensors if name.endswith(mark)), None)
    if prefix is None:
        raise FeatureFileError(
            f"The file {path} does not hold the {kind} network's tensors ({mark} is missing): see docs/learned_core.md."
        )
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    try:
        return FaceNetwork(kind, own).eval()
    except (KeyError, ValueError, RuntimeError) as error:
        raise FeatureFileError(
            f"The tensors of the {kind} network {path} do not fit each other ({error}): save it again."
        ) from error
