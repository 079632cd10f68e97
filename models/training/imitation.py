"""A larger coarse network learns what a trained smaller one makes of pictures.

A transformer that begins with noise needs hundreds of thousands of labelled pictures until it sees edges. The features
of a network that has learned already say what is where at every place of a picture, and a picture has hundreds of
places (after Romero et al., FitNets, ICLR 2015). What reads the answer off those features is taken over as it is. The
transformer sees a random share of the patches, which saves as much time (after Liu et al., PatchDropout, WACV 2023).
Nothing of this is the paper's. Afterwards `CoarseStage` trains the network against labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from models.networks.presets import ViTSettings
from models.networks.stored import check_header, read_header, read_weights
from models.networks.transformer import PatchEmbedding, patchify
from models.networks.vit import CoarseLayout, CoarseViT, PointReadout
from models.training.checkpoint import TrainingError
from models.training.data.coarse_batches import RenderedCrops, endless
from models.training.data.coarse_photos import Photos
from models.training.export import start_from

OWN = ("embed.", "blocks.", "norm.", "narrow.", "readout.spread.", "readout.join.")
"""What each network has of its own, up to the features that are imitated; everything behind is taken over."""


class ImitationSettings(BaseModel):
    """Whom a network imitates, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: Path = Path(__file__).parents[1] / "weights" / "coarse_lite.safetensors"
    """Weights file of the trained network; by default the one that ships."""
    kept: float = Field(default=0.375, gt=0, le=1)
    """Share of the patches that the learning transformer sees."""
    whole: float = Field(default=0.3, ge=0)
    """Weight of the mean token beside the places'."""
    points: float = Field(default=3.0, ge=0)
    """Weight of the points: of all that features tell, where things are is what the answer hangs on most."""
    answer: float = Field(default=10.0, ge=0)
    """Weight of the features that the answer is a linear map of."""


class ImitationStage:
    """The coarse ViT of a preset imitates a trained one. See `loop.Stage`.

    Args:
        settings: see ImitationSettings.
        vit: of the network that learns.
        image_size: side of the crops in pixels.
        photo_share: share of a batch that are photographs, where there are labels.
        pictures, held_out: folders of shards.
        labels: folder of label files of photographs and clips, None for none.
        wait_s: how long to wait for the first shard.
        start: weights to begin with, None for fresh ones behind which the teacher's are.

    Raises:
        TrainingError: the two networks do not see the same places, or read their answers off differently; or as
            `start_from`.
        WeightsError: the teacher cannot be used.
    """

    name = "coarse"
    score = "unexplained_share"
    higher_is_better = False

    def __init__(
        self, settings: ImitationSettings, vit: ViTSettings, image_size: int, photo_share: float, pictures: Path,
        held_out: Path, labels: Path | None = None, wait_s: float = 600.0, start: Path | None = None,
    ) -> None:  # fmt: skip
        header = read_header(settings.teacher)
        check_header(settings.teacher, header, "coarse-vit")
        self._teacher = CoarseViT(ViTSettings.model_validate(header.settings), CoarseLayout(**header.extra["layout"]))
        read_weights(settings.teacher, self._teacher)
        self._teacher.eval().requires_grad_(False)
        torch.manual_seed(0)
        self.vit = CoarseViT(vit, self._teacher.layout)
        self.settings, self._size, self._share = settings, image_size, photo_share
        self._check()
        self.networks: Mapping[str, nn.Module] = {"vit": self.vit}
        self._pictures, self._held_out = RenderedCrops(pictures, wait_s), RenderedCrops(held_out, wait_s)
        self._photos = None if labels is None else Photos(labels, "train")
        if start is None:
            _take_over(self._teacher, self.vit)
            images = self._pictures.batch(256, image_size, np.random.default_rng(0)).image
            if isinstance(self.vit.embed, PatchEmbedding):
                whiten(self.vit.embed, (images - 0.5) * 4.0)
        else:
            start_from(start, "vit", self.vit)
        for name, parameter in self.vit.named_parameters():
            parameter.requires_grad_(name.startswith(OWN))
        self._order = torch.Generator().manual_seed(0)
        self._device = torch.device("cpu")

    def _check(self) -> None:
        own, teacher = self.vit.settings, self._teacher.settings
        if not (own.points and teacher.points):
            raise TrainingError("A network imitates where points are read: both need such a readout.")
        finer = {"patch": 1, "convolutional": 2}
        places = {self._size // s.reduce // s.patch * finer[s.stem] for s in (own, teacher)}
        wanted, have = self._teacher.state_dict(), self.vit.state_dict()
        other = [
            k for k in have.keys() | wanted.keys()
            if not k.startswith(OWN) and (k not in have or k not in wanted or have[k].shape != wanted[k].shape)
        ]  # fmt: skip
        if own.stem == "convolutional" or len(places) > 1 or other:
            raise TrainingError(
                "This preset cannot imitate that network: it needs patches where the other has places, and a readout "
                "of the same size."
            )

    def batches(self, size: int, seed: int, device: torch.device) -> Iterator[Tensor]:
        """Endless random crops (B, 3, S, S)."""
        self._device = device
        self._teacher.to(device)
        self._order.manual_seed(seed)
        photos = self._photos
        shown = 0 if photos is None else round(size * self._share)

        def make(rng: np.random.Generator) -> Tensor:
            images = self._pictures.batch(size - shown, self._size, rng).image
            if photos is None or not shown:
                return images
            return torch.cat([images, photos.batch(shown, self._size, rng, False).image])

        for images in endless(make, seed):
            yield images.to(device)

    def losses(self, batch: Tensor, progress: float) -> dict[str, Tensor]:
        """Mean square differences of the features at the patches seen, of the mean token, and of what is read off both;
        mean distance of the points that these patches vote for, crop coordinates."""
        side = self._size // self.vit.settings.patch
        count = side * side
        kept = torch.randperm(count, generator=self._order)[: max(1, round(count * self.settings.kept))]
        kept = kept.sort().values.to(batch.device)
        with torch.no_grad():
            wanted, whole = _features(self._teacher, batch)
            answer, points = _readout(self._teacher).read(wanted, whole, side)
        found, own_whole = _features(self.vit, batch, kept)
        own_answer, own_points = _readout(self.vit).read(found, own_whole, side, kept)
        w = self.settings
        return {
            "places": (found - wanted[:, kept]).square().mean(),
            "whole": w.whole * (own_whole - whole).square().mean(),
            "points": w.points * (own_points - points).norm(dim=2).mean(),
            "answer": w.answer * (own_answer.float() - answer.float()).square().mean(),
        }

    def evaluate(self, limit: int = 256) -> dict[str, float]:
        """Shares of the variance of the features at places and of the mean token that are not explained, on held-out
        people whose pictures are seen whole."""
        pairs = []
        for batch in self._held_out.fixed(self._size, limit):
            image = batch.image.to(self._device)
            pairs.append((*_features(self._teacher, image), *_features(self.vit, image)))
        wanted, whole, found, own_whole = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        places = (found - wanted).square().mean() / wanted.var(dim=(0, 1)).mean()
        return {
            self.score: float(places),
            "unexplained_share_whole": float((own_whole - whole).square().mean() / whole.var(dim=0).mean()),
        }

    def sheet(self) -> NDArray[np.uint8] | None:
        """None: features are nothing to look at."""
        return None


def _features(network: CoarseViT, crops: Tensor, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What points are read off: (B, places, channels), and the mean token (B, width)."""
    tokens, fine = network.tokens(crops, kept)
    return _readout(network).places(tokens, fine).float(), tokens.mean(dim=1).float()


def _readout(network: CoarseViT) -> PointReadout:
    assert network.readout is not None
    return network.readout


def _take_over(teacher: CoarseViT, learner: CoarseViT) -> None:
    """Everything behind the features that are imitated."""
    behind = {k: v for k, v in teacher.state_dict().items() if not k.startswith(OWN)}
    learner.load_state_dict(behind, strict=False)


def whiten(embed: PatchEmbedding, images: Tensor, seed: int = 0) -> None:
    """Makes a fresh embedding answer each direction in which patches differ about as strongly as the others.

    Neighbouring pixels are alike, so random maps of a patch tell next to nothing but its brightness. Directions beyond
    the 256th count less, since they are mostly noise.

    Args:
        embed: changed in place.
        images: (B, 3, S, S) as the embedding sees them.
        seed: of the rotation that mixes the directions.
    """
    weight = embed.project.weight
    dim, _, patch, _ = weight.shape
    patches = patchify(images, patch).reshape(-1, weight[0].numel())
    mean = patches.mean(dim=0)
    centred = patches - mean
    strengths, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    count = min(dim, len(strengths))
    strengths, directions = strengths.flip(0)[:count], directions.flip(1)[:, :count]
    scaled = directions / (strengths + strengths[min(255, count - 1)]).sqrt()
    mixing = torch.linalg.qr(torch.randn(dim, dim, generator=torch.Generator().manual_seed(seed)))[0][:, :count]
    maps = mixing @ scaled.T
    with torch.no_grad():
        weight.copy_(maps.reshape(weight.shape))
        if embed.project.bias is not None:
            embed.project.bias.copy_(-(maps @ mean))
