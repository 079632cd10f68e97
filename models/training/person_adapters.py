"""Adapters of the coarse network for one person, learned from a handful of their pictures.

The base network stays as it is; what learns are the adapters of its blocks, which start as nothing, so that the first
step is the base network exactly. Held-out pictures say when to stop, and the best state counts. The person's identity
is known from all pictures together and takes the place of the network's own. Losses are those of method.md that
photographs allow: landmarks, channels, camera, gaze.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.optim.adamw import adamw

from models.channels import ARKIT_CHANNELS, GAZE_CHANNELS
from models.differentiable.face import FacePoints
from models.differentiable.projection import head_place, to_camera, to_crop
from models.face_model import FaceModel
from models.losses.labels import camera_loss, channel_loss, gaze_loss
from models.losses.landmarks import landmark_loss
from models.networks.adapters import VIT_SHARE, adapter_state, insert_adapters, load_adapter_state, remove_adapters
from models.networks.vit import CoarseOutput, CoarseViT
from models.training.data.coarse_photos import LabelledFace, PhotoBatch, plain_batch, random_batch

__all__ = ["AdapterSettings", "PersonAdapters", "landmark_error", "train_adapters"]

FACE_POINTS = 468
"""Of the 478 landmarks, those on the face."""
OUTER_EYES = (33, 263)
SHOWN = [i for i in range(len(ARKIT_CHANNELS)) if i not in GAZE_CHANNELS]
_LIDS = [ARKIT_CHANNELS.index("eyeBlinkLeft"), ARKIT_CHANNELS.index("eyeBlinkRight")]
FEWEST = 5
"""Pictures below which nothing is learned."""


class AdapterSettings(BaseModel):
    """How adapters are trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=200, ge=1)
    """At most."""
    batch: int = Field(default=16, ge=1)
    """Crops a step."""
    rate: float = Field(default=2e-3, gt=0)
    """Largest learning rate; it rises over 20 steps and falls as a cosine."""
    look_every: int = Field(default=25, ge=1)
    """Steps between two looks at the held-out pictures."""
    patience: int = Field(default=3, ge=1)
    """Looks without a better one after which training stops."""
    held_out: int = Field(default=5, ge=2)
    """Every so manieth picture is not learned from."""
    landmarks: float = 6.0
    """Weight of the answered mesh's landmarks, crop coordinates."""
    looks: float = 6.0
    """Weight of the landmarks that the close looks find, crop coordinates."""
    channels: float = 5.0
    """Weight of the fitted channels."""
    camera: float = 0.5
    """Weight of the fitted log scale and place."""
    gaze: float = 1.0
    """Weight of the fitted gaze, radians."""


@dataclass(frozen=True, slots=True)
class PersonAdapters:
    """What was learned.

    Attributes:
        state: the adapters' weights by name, None where they make nothing better.
        before, after: mean distance of the held-out pictures' 468 landmarks, share of the distance between the outer
            corners of the eyes: of the base network with its own identity, and of the person's.
        steps: of training that went into `state`.
    """

    state: dict[str, NDArray[np.float32]] | None
    before: float
    after: float
    steps: int


def train_adapters(
    network: CoarseViT,
    model: FaceModel,
    faces: Sequence[LabelledFace],
    identity: NDArray[np.float32],
    size: int,
    settings: AdapterSettings | None = None,
    step: Callable[[], None] = lambda: None,
) -> PersonAdapters:
    """Learns one person.

    Args:
        network: the base network; gets the best adapters, or none.
        model: the face model.
        faces: labelled pictures of the person, their views and expressions mixed.
        identity: (K,) coefficients of the person.
        size: pixels a side of the network's crops.
        settings: see AdapterSettings.
        step: called after each step of training; what it raises ends the training.

    Raises:
        ValueError: fewer than five pictures.
    """
    settings = settings or AdapterSettings()
    if len(faces) < FEWEST:
        raise ValueError(f"adapters need at least {FEWEST} pictures, not {len(faces)}")
    with _half_the_processors():
        return _trained(network, model, faces, identity, size, settings, step)


@contextmanager
def _half_the_processors() -> Iterator[None]:
    """Lets torch use half of them: its threads spin while they wait for each other, so that one that another program
    holds up makes all of them slow, by a factor of ten and more."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _trained(
    network: CoarseViT,
    model: FaceModel,
    faces: Sequence[LabelledFace],
    identity: NDArray[np.float32],
    size: int,
    settings: AdapterSettings,
    step: Callable[[], None],
) -> PersonAdapters:
    """See `train_adapters`."""
    held = [f for n, f in enumerate(faces) if n % settings.held_out == settings.held_out - 1]
    learned = [f for n, f in enumerate(faces) if n % settings.held_out != settings.held_out - 1]
    points = FacePoints.of_embedding(model, model.landmarks478, network.layout.identity)
    person = torch.from_numpy(np.asarray(identity[: network.layout.identity], np.float32))
    network.eval()
    before = landmark_error(network, points, held, size)
    # The person's identity alone makes a network worse that never learned to see it: patience counts from there on.
    best, best_error, best_step = None, math.inf, 0
    rng = np.random.default_rng(0)
    # The caller's random numbers stay as they were.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parameters = insert_adapters(network, VIT_SHARE)
    optimiser = _AdamW(parameters)
    waited = 0
    for number in range(settings.steps):
        drawn = [learned[int(n)] for n in rng.integers(len(learned), size=settings.batch)]
        loss = _loss(network, points, random_batch(drawn, size, rng), person, settings)
        if not bool(torch.isfinite(loss)):
            break  # what was better before counts
        optimiser.step(torch.autograd.grad(loss, parameters), _rate(settings, number))
        step()
        if (number + 1) % settings.look_every and number + 1 < settings.steps:
            continue
        error = landmark_error(network, points, held, size, person)
        if error < best_error:
            best, best_error, best_step, waited = _copied(network), error, number + 1, 0
        else:
            waited += 1
            if waited >= settings.patience:
                break
    if best is None or best_error >= before:
        remove_adapters(network)
        return PersonAdapters(None, before, before, 0)
    load_adapter_state(network, best, VIT_SHARE)
    return PersonAdapters({k: v.numpy() for k, v in best.items()}, before, best_error, best_step)


class _AdamW:
    """torch's AdamW without its class: making one loads torch's compiler and with it Triton, where that is installed,
    and Triton's LLVM crashes in a process in which Mesa's draws already."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self._parameters: list[Tensor] = list(parameters)
        self._means = [torch.zeros_like(p) for p in parameters]
        self._squares = [torch.zeros_like(p) for p in parameters]
        self._counts = [torch.tensor(0.0) for _ in parameters]

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move the parameters against their gradients."""
        with torch.no_grad():
            adamw(
                self._parameters, list(gradients), self._means, self._squares, [], self._counts,
                foreach=False, amsgrad=False, beta1=0.9, beta2=0.999, lr=rate, weight_decay=0.01, eps=1e-8,
                maximize=False,
            )  # fmt: skip


def landmark_error(
    network: CoarseViT, points: FacePoints, faces: Sequence[LabelledFace], size: int, identity: Tensor | None = None
) -> float:
    """Mean distance of 468 landmarks from the detected ones, share of the distance between the outer eye corners.

    Args:
        network: see CoarseViT.
        points: the 478 landmarks of the face model.
        faces: at least one.
        size: pixels a side of the network's crops.
        identity: (K,) of the person, None for what the network says.
    """
    errors = []
    with torch.no_grad():
        for start in range(0, len(faces), 32):
            batch = plain_batch(faces[start : start + 32], size)
            found = _points_of(network.read(network(batch.image)), points, batch, identity)
            eyes = (batch.landmarks[:, OUTER_EYES[0]] - batch.landmarks[:, OUTER_EYES[1]]).norm(dim=1)
            distance = (found - batch.landmarks)[:, :FACE_POINTS].norm(dim=2).mean(dim=1)
            errors.append(distance / eyes)
    return float(torch.cat(errors).mean())


def _points_of(found: CoarseOutput, points: FacePoints, batch: PhotoBatch, identity: Tensor | None) -> Tensor:
    """(B, 478, 2) crop coordinates."""
    who = found.identity if identity is None else identity.expand(len(found.identity), -1)
    translation = head_place(found.scale, found.place, batch.camera)
    there = to_camera(points(who, found.expression), found.rotation, translation)
    return to_crop(there, translation, batch.camera)


def _loss(
    network: CoarseViT, points: FacePoints, batch: PhotoBatch, identity: Tensor, settings: AdapterSettings
) -> Tensor:
    raw, _, looked = network.with_points(batch.image)
    found = network.read(raw)
    own = _points_of(found, points, batch, identity)
    looks = own.new_zeros(())
    if looked is not None:
        looks = settings.looks * landmark_loss(looked[:, :FACE_POINTS], batch.landmarks[:, :FACE_POINTS])
    # A shut eye says nothing about its gaze.
    awake = (1 - batch.expression[:, _LIDS]).clamp(0, 1)
    return (
        looks
        + settings.landmarks * landmark_loss(own[:, :FACE_POINTS], batch.landmarks[:, :FACE_POINTS])
        + settings.channels * channel_loss(found.expression[:, SHOWN], batch.expression[:, SHOWN])
        + settings.camera * camera_loss(found.scale, found.place, batch.scale, batch.place)
        + settings.gaze * gaze_loss(found.gaze, batch.gaze, awake)
    )


def _rate(settings: AdapterSettings, number: int) -> float:
    return settings.rate * min(1.0, (number + 1) / 20) * 0.5 * (1 + math.cos(math.pi * number / settings.steps))


def _copied(network: CoarseViT) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in adapter_state(network).items()}
