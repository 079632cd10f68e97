"""The coarse network: a vision transformer that reads all parameters of a face off one crop.

The transformer's sizes are the supplement's in the `paper` preset: 256 px, patch 16, dim 512, 8 heads, depth 8. How
tokens become numbers it does not say: `PointReadout` and `Glimpses` are ours. The network regresses shape, expression,
pose, albedo, spherical-harmonics light and a weak-perspective camera c = (s, t). Pose is the head's rotation as the
camera sees it, as six numbers (after Zhou et al., On the Continuity of Rotation Representations in Neural Networks,
CVPR 2019), and the gaze of both eyes, since the eyeballs of our face model turn about their own joints.
"""

from __future__ import annotations

import math
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
        if settings.readout and not settings.points:
            raise ValueError("a width of the readout is for one at points: say how many")
        if settings.glimpses and settings.points < LANDMARKS:
            raise ValueError(f"windows are cut around points: read at {LANDMARKS} of them at least")
        self.blocks = nn.ModuleList(Block(settings.dim, settings.heads) for _ in range(settings.depth))
        self.norm = nn.LayerNorm(settings.dim)
        width = settings.width
        self.narrow = nn.Linear(settings.dim, width) if settings.readout else None
        fine = settings.dim // 2 if settings.stem == "convolutional" else 0
        self.readout = PointReadout(width, settings.points, fine) if settings.points else None
        self.head = nn.Linear(width, self.layout.size)
        # Not smaller: a group whose rows start near zero sends next to no gradient back, and the channels, which need
        # the finest features, would wait for ever.
        nn.init.normal_(self.head.weight, std=0.05)
        nn.init.zeros_(self.head.bias)
        self.glimpses = Glimpses(settings.glimpses, width, self.layout.size) if settings.glimpses else None

    def forward(self, crops: Tensor) -> Tensor:
        """See the class."""
        return self.with_points(crops)[0]

    def with_points(self, crops: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The raw numbers, and in crop coordinates, where there are any:

        the points (B, P, 2) that they were read at, and the 478 landmarks (B, 478, 2) of the close looks.
        """
        tokens, fine = self.tokens(crops)
        if self.readout is None:
            return self.head(tokens.mean(dim=1)), None, None
        features, points = self.readout(tokens, fine)
        answer = self.head(features)
        if self.glimpses is None:
            return answer, points, None
        correction, mesh = self.glimpses(crops, points, features)
        return answer + correction, points, mesh

    def tokens(self, crops: Tensor, kept: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What the transformer makes of crops.

        Args:
            crops: (B, 3, S, S).
            kept: numbers of the patches that it sees, in order; None for all.

        Returns:
            Tokens (B, N, width), and the features (B, dim / 2, 2 rows, 2 columns) of the stem, where it has any.
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
        if kept is not None:
            tokens = tokens[:, kept]
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        return (tokens if self.narrow is None else self.narrow(tokens)), fine

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

    Each place of the picture votes for each point with a weight and an offset, and a point is the weighted mean of the
    votes (after Sun et al., Integral Human Pose Regression, ECCV 2018). Places are the tokens, or the finer grid of the
    stem, over which tokens are spread and joined with its features. The first 68 points are trained to be the 68
    landmarks, the others are free. Where things are is most of what a face's parameters depend on; a network that is
    told so learns from a fraction of the pictures. The paper has nothing of the kind.

    Args:
        dim: channels of a token.
        points: P.
        fine: channels of the stem's features; 0 for a stem that has none.
    """

    FEATURES = 12

    def __init__(self, dim: int, points: int, fine: int = 0) -> None:
        super().__init__()
        width = fine or dim // 2
        self.points = points
        self.spread = nn.Linear(dim, width)
        self.join = Residual(width) if fine else None
        self.norm = nn.LayerNorm(width)
        self.votes = nn.Linear(width, points * 3)
        self.features = nn.Linear(width, self.FEATURES)
        everything = points * (2 + self.FEATURES) + dim
        self.mix = nn.Sequential(
            nn.LayerNorm(everything), nn.Linear(everything, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)
        )

    def forward(self, tokens: Tensor, fine: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features (B, dim) and points (B, P, 2) in crop coordinates.

        Args:
            tokens: (B, rows * columns, dim) of a square grid.
            fine: (B, channels, 2 rows, 2 columns) of the stem, where it has such features.
        """
        side = math.isqrt(tokens.shape[1]) if fine is None else fine.shape[2]
        return self.read(self.places(tokens, fine), tokens.mean(dim=1), side)

    def read(self, places: Tensor, mean: Tensor, side: int, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As `forward`, off what votes.

        Args:
            places: (B, N, channels), see `places`.
            mean: (B, dim) of the tokens.
            side: rows and columns of the whole grid.
            kept: (N,) numbers of those of the grid's places that vote; None for all.
        """
        batch, count = places.shape[:2]
        logits, x, y = self.votes(places).float().reshape(batch, count, 3, self.points).unbind(2)
        weights = logits.softmax(dim=1)
        steps = (torch.arange(side, device=places.device) + 0.5) * (2 / side) - 1
        centre_y = steps[:, None].expand(side, side).reshape(1, side * side, 1)
        centre_x = steps[None, :].expand(side, side).reshape(1, side * side, 1)
        if kept is not None:
            centre_x, centre_y = centre_x[:, kept], centre_y[:, kept]
        reach = 2 / side
        found = torch.stack(
            [(weights * (centre_x + reach * x)).sum(1), (weights * (centre_y + reach * y)).sum(1)], dim=2
        )
        seen = torch.einsum("bnp,bnf->bpf", weights, self.features(places).float())
        everything = torch.cat([found.flatten(1) * 3, seen.flatten(1), mean.float()], dim=1)
        return self.mix(everything), found

    def places(self, tokens: Tensor, fine: Tensor | None) -> Tensor:
        """What votes: (B, places, channels), of about unit size. As `forward`; without `fine` of any tokens."""
        maps: Tensor = self.spread(tokens)
        if fine is not None:
            assert self.join is not None
            batch, _, height, width = fine.shape
            coarse = maps.transpose(1, 2).reshape(batch, -1, height // 2, width // 2)
            joined = self.join(fine + nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest"))
            maps = joined.flatten(2).transpose(1, 2)
        return self.norm(maps)  # type: ignore[no-any-return]


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
