"""The coarse network: a vision transformer that reads all parameters of a face off one crop.

Sizes are the supplement's in the `paper` preset: 256 px, patch 16, dim 512, 8 heads, depth 8. It regresses shape,
expression, pose, albedo, spherical-harmonics light and a weak-perspective camera c = (s, t). Pose is the head's
rotation as the camera sees it, as six numbers (after Zhou et al., On the Continuity of Rotation Representations in
Neural Networks, CVPR 2019), and the gaze of both eyes, since the eyeballs of our face model turn about their own
joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.networks.glimpses import LANDMARKS, Glimpses
from models.networks.presets import ViTSettings
from models.networks.transformer import Block, ConvolutionalStem, PatchEmbedding, Residual, sincos_positions

EXPRESSION = 52
SCALE_MEAN = 7.5
"""Crop half sides a metre of a typical face in a typical crop."""


@dataclass(frozen=True, slots=True)
class CoarseLayout:
    """Where each group of parameters lies in the network's answer.

    Attributes:
        identity: leading identity coefficients of the face model.
        albedo: leading albedo coefficients.
    """

    identity: int = 100
    albedo: int = 16

    @property
    def groups(self) -> dict[str, int]:
        """Name -> numbers, in order."""
        return {
            "identity": self.identity,
            "expression": EXPRESSION,
            "rotation": 6,
            "gaze": 4,
            "camera": 3,
            "albedo": self.albedo,
            "light": 27,
        }

    @property
    def size(self) -> int:
        """All numbers together."""
        return sum(self.groups.values())


@dataclass(frozen=True, slots=True)
class CoarseOutput:
    """The parameters of a batch of faces.

    Attributes:
        identity: (B, K) in standard deviations.
        expression: (B, 52); means 0..1 but is not clipped.
        rotation: (B, 3, 3) of the head as seen along the ray to it, head frame.
        gaze: (B, 2, 2) radians, rows left and right eye, columns yaw and pitch.
        scale: (B,) s of the camera: crop half sides a metre at the head's origin.
        place: (B, 2) t of the camera: the head's origin in crop coordinates -1 .. 1.
        albedo: (B, A) in standard deviations.
        light: (B, 9, 3) spherical harmonics, camera frame.
    """

    identity: Tensor
    expression: Tensor
    rotation: Tensor
    gaze: Tensor
    scale: Tensor
    place: Tensor
    albedo: Tensor
    light: Tensor


class CoarseViT(nn.Module):
    """(B, 3, S, S) crops, RGB in 0..1, -> (B, layout.size) raw numbers; `CoarseViT.read` gives them their meaning.

    Args:
        settings: see ViTSettings.
        layout: see CoarseLayout.
    """

    def __init__(self, settings: ViTSettings, layout: CoarseLayout | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.layout = layout or CoarseLayout()
        self.embed: nn.Module
        if settings.stem == "convolutional":
            if settings.patch != 16:
                raise ValueError("the convolutional stem makes patches of 16 pixels")
            self.embed = ConvolutionalStem(3, settings.dim)
        else:
            self.embed = PatchEmbedding(3, settings.patch, settings.dim)
        if settings.points and settings.stem != "convolutional":
            raise ValueError("points are read off the convolutional stem's features: choose that stem")
        if settings.glimpses and settings.points < LANDMARKS:
            raise ValueError(f"windows are cut around points: read at {LANDMARKS} of them at least")
        self.blocks = nn.ModuleList(Block(settings.dim, settings.heads) for _ in range(settings.depth))
        self.norm = nn.LayerNorm(settings.dim)
        self.readout = PointReadout(settings.dim, settings.points) if settings.points else None
        self.head = nn.Linear(settings.dim, self.layout.size)
        # Not smaller: a group whose rows start near zero sends next to no gradient back, and the channels, which need
        # the finest features, would wait for ever.
        nn.init.normal_(self.head.weight, std=0.05)
        nn.init.zeros_(self.head.bias)
        self.glimpses = Glimpses(settings.glimpses, settings.dim, self.layout.size) if settings.glimpses else None

    def forward(self, crops: Tensor) -> Tensor:
        """See the class."""
        return self.with_points(crops)[0]

    def with_points(self, crops: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The raw numbers, and in crop coordinates, where there are any:

        the points (B, P, 2) that they were read at, and the 478 landmarks (B, 478, 2) of the close looks.
        """
        patch = self.settings.patch
        whole = nn.functional.avg_pool2d(crops, self.settings.reduce) if self.settings.reduce > 1 else crops
        normalised = (whole - 0.5) * 4.0
        fine = None
        if isinstance(self.embed, ConvolutionalStem):
            tokens, fine = self.embed(normalised)
        else:
            tokens = self.embed(normalised)
        grid = (whole.shape[2] // patch, whole.shape[3] // patch)
        tokens = tokens + sincos_positions(grid, self.settings.dim).to(tokens)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        if self.readout is None:
            return self.head(tokens.mean(dim=1)), None, None
        assert fine is not None
        features, points = self.readout(tokens, fine)
        answer = self.head(features)
        if self.glimpses is None:
            return answer, points, None
        correction, mesh = self.glimpses(crops, points, features)
        return answer + correction, points, mesh

    def read(self, raw: Tensor) -> CoarseOutput:
        """The meaning of raw numbers (B, layout.size)."""
        raw = raw.float()
        parts = dict(zip(self.layout.groups, torch.split(raw, list(self.layout.groups.values()), dim=1), strict=True))
        camera = parts["camera"]
        ambient = nn.functional.pad(torch.full((3,), 2.5, device=raw.device), (0, 24))
        return CoarseOutput(
            identity=parts["identity"],
            expression=parts["expression"] * 0.3,
            rotation=rotation_from_six(parts["rotation"] * 0.5),
            gaze=parts["gaze"].reshape(-1, 2, 2) * 0.3,
            scale=SCALE_MEAN * torch.exp(camera[:, 0] * 0.2),
            place=camera[:, 1:] * 0.3,
            albedo=parts["albedo"],
            light=(parts["light"] * 0.5 + ambient).reshape(-1, 9, 3),
        )


class PointReadout(nn.Module):
    """Reads tokens at points of the picture that the network finds itself.

    Tokens are spread over the stem's finer grid and joined with its features there; each place of it votes for each
    point with a weight and an offset, and a point is the weighted mean of the votes (after Sun et al., Integral Human
    Pose Regression, ECCV 2018). The first 68 are trained to be the 68 landmarks, the others are free. Where things
    are is most of what a face's parameters depend on; a small network that is told so learns from a fraction of the
    pictures. The paper has nothing of the kind.

    Args:
        dim: channels of a token.
        points: P.
    """

    FEATURES = 12

    def __init__(self, dim: int, points: int) -> None:
        super().__init__()
        self.points = points
        self.spread = nn.Linear(dim, dim // 2)
        self.join = Residual(dim // 2)
        self.norm = nn.LayerNorm(dim // 2)
        self.votes = nn.Linear(dim // 2, points * 3)
        self.features = nn.Linear(dim // 2, self.FEATURES)
        width = points * (2 + self.FEATURES) + dim
        self.mix = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, tokens: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, dim) and points (B, P, 2) in crop coordinates.

        Args:
            tokens: (B, N, dim).
            fine: (B, dim / 2, 2 rows, 2 columns) of the stem; N = rows * columns.
        """
        batch, _, height, width = fine.shape
        coarse = self.spread(tokens).transpose(1, 2).reshape(batch, -1, height // 2, width // 2)
        maps = self.join(fine + nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        places = self.norm(maps.flatten(2).transpose(1, 2))
        count = height * width
        logits, x, y = self.votes(places).float().reshape(batch, count, 3, self.points).unbind(2)
        weights = logits.softmax(dim=1)
        rows = (torch.arange(height, device=fine.device) + 0.5) * (2 / height) - 1
        columns = (torch.arange(width, device=fine.device) + 0.5) * (2 / width) - 1
        centre_y = rows[:, None].expand(height, width).reshape(1, count, 1)
        centre_x = columns[None, :].expand(height, width).reshape(1, count, 1)
        reach = 2 / height
        found = torch.stack(
            [(weights * (centre_x + reach * x)).sum(1), (weights * (centre_y + reach * y)).sum(1)], dim=2
        )
        seen = torch.einsum("bnp,bnf->bpf", weights, self.features(places).float())
        everything = torch.cat([found.flatten(1) * 3, seen.flatten(1), tokens.mean(dim=1).float()], dim=1)
        return self.mix(everything), found


def rotation_from_six(six: Tensor) -> Tensor:
    """(B, 3, 3) rotations from (B, 6): two columns, added to those of no rotation, made orthonormal."""
    still = torch.eye(3, device=six.device)
    first, second = six[:, :3] + still[0], six[:, 3:] + still[1]
    x = nn.functional.normalize(first, dim=1)
    y = nn.functional.normalize(second - (x * second).sum(1, keepdim=True) * x, dim=1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=2)


class CoarseReader(nn.Module):
    """The network with its answer given its meaning: what engines compile.

    (B, 3, S, S) crops -> identity, expression, rotation, gaze, scale, place, albedo, light, see `CoarseOutput`; where
    the network takes close looks also the 478 landmarks that they found (B, 478, 2), crop coordinates.
    """

    def __init__(self, network: CoarseViT) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        raw, _, mesh = self.network.with_points(crops)
        out = self.network.read(raw)
        answer = out.identity, out.expression, out.rotation, out.gaze, out.scale, out.place, out.albedo, out.light
        return answer if mesh is None else (*answer, mesh)
