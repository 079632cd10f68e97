"""The coarse network alone on rendered people of known truth, channel by channel, beside MediaPipe's own scores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from models.face_model import FaceModel
from models.networks.stored import check_header, read_header
from models.training.coarse import CoarseSettings, CoarseStage
from models.training.data.coarse_batches import RenderedCrops
from models.training.data.coarse_shards import render_shards
from models.training.splits import load_splits
from tracking.coarse import NETWORK, coarse_weights
from tracking.landmarks import LandmarkDetector

__all__ = ["PICTURES", "ChannelScore", "evaluate_coarse"]

PICTURES = 4
"""Of each person."""
SHARD_PEOPLE = 10
_BATCH = 32

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class ChannelScore:
    """One channel.

    Attributes:
        name: of the channel.
        correlation, error_share: of the network: with the truth, and mean absolute error over that of answering zero.
        detector_correlation, detector_error_share: the same of MediaPipe's score, where it found the face.
    """

    name: str
    correlation: float
    error_share: float
    detector_correlation: float
    detector_error_share: float


def evaluate_coarse(
    model: FaceModel,
    people: int,
    weights: Path | None = None,
    start: Callable[[str, int], None] = lambda what, steps: None,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Figures of all pictures, and of each channel.

    The people are those of the splits' test seeds: views to profile, things before the face, all channels at once.

    Args:
        model: the face model.
        people: how many, four pictures each.
        weights: by default the shipped ones.
        start: told what begins, and in how many steps.
        step: called after each.

    Raises:
        WeightsError: the weights cannot be used.
        OSError: there is no room for the pictures meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        first = load_splits().synthetic_seeds.test[0]
        start("rendered people", -(-people // SHARD_PEOPLE))
        render_shards(Path(folder), range(first, first + people), people=SHARD_PEOPLE, on_shard=lambda _: step())
        return _evaluated(model, Path(folder), people * PICTURES, weights or coarse_weights(), start, step)


def _evaluated(
    model: FaceModel,
    folder: Path,
    count: int,
    path: Path,
    start: Callable[[str, int], None],
    step: Callable[[], None],
) -> dict[str, Any]:
    header = read_header(path)
    check_header(path, header, NETWORK, face_model=model.name)
    size = int(header.extra["crop_pixels"])
    settings = CoarseSettings.model_validate({"preset": header.preset, "image_size": size})
    stage = CoarseStage(settings, folder, folder, model=model, start=path)
    stage.vit.eval()
    start("pictures", -(-count // _BATCH))
    found, truth, scores, seen = [], [], [], []
    with torch.no_grad(), LandmarkDetector("image", 1) as detector:
        for batch in RenderedCrops(folder).fixed(size, count, _BATCH):
            found.append(stage.vit.read(stage.vit(batch.image)).expression.clamp(0, 1).numpy())
            truth.append(batch.expression.numpy())
            for picture in (batch.image.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy():
                faces = detector.detect(picture)
                seen.append(bool(faces))
                scores.append(faces[0].scores if faces else np.zeros(len(ARKIT_CHANNELS)))
            step()
        figures = stage.evaluate(count)
    channels = _channels(np.concatenate(found), np.concatenate(truth), np.array(scores), np.array(seen))
    return {
        "pictures": len(seen),
        "detector_found": int(np.sum(seen)),
        "figures": figures,
        "channels": [asdict(score) for score in channels],
    }


def _channels(found: Floats, truth: Floats, scores: Floats, seen: NDArray[np.bool_]) -> list[ChannelScore]:
    """Of all channels but gaze's, from (N, 52) arrays and (N,) whether the detector saw the face."""
    return [
        ChannelScore(
            name, *_compared(found[:, n], truth[:, n]), *_compared(scores[seen, n], truth[seen, n])
        )
        for n, name in enumerate(ARKIT_CHANNELS)
        if n not in GAZE_CHANNELS
    ]  # fmt: skip


def _compared(found: Floats, truth: Floats) -> tuple[float, float]:
    """Correlation, and mean absolute error over that of answering zero."""
    a, b = found - found.mean(), truth - truth.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    correlation = float((a * b).sum()) / spread if spread > 0 else 0.0
    return correlation, float(np.abs(found - truth).mean() / max(float(np.abs(truth).mean()), 1e-9))
