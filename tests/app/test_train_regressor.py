"""The expression regressor's training: what real clips teach it of the detector's tremble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from app.tools import train_regressor as tool
from models.channels import CHANNEL_COUNT
from models.face_model import load_face_model
from models.geometry.camera import Camera
from models.training.data.labels import FaceLabel, Labels, write_labels
from tests.helpers.perfect_detector import seen, state
from tracking.fit.regressor import ExpressionRegressor

Floats = NDArray[np.float64]
WIDTH = tool.COMPONENTS


def clip(path: Path, moved: Floats, frames: list[int]) -> Path:
    """Label file of a face at rest whose landmarks are moved by `moved` (T, 478, 3) pixels."""
    head = load_face_model()
    face = seen(head, state(head, np.zeros(head.identity_count), np.zeros(CHANNEL_COUNT)))
    faces = tuple(
        FaceLabel(
            frame, np.zeros(5, np.float32), np.zeros(52, np.float32), np.eye(3), np.array([0.0, 0, 0.6]),
            np.zeros((2, 2), np.float32), Camera(640, 480, 500.0), (face.landmarks + shift).astype(np.float32),
            np.full(52, 0.1, np.float32), 0.9,
        )
        for frame, shift in zip(frames, moved, strict=True)
    )  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    write_labels(path, Labels("a.mp4", "0" * 64, 640, 480, len(faces), "a head", "", faces))
    return path


def tremble(path: Path) -> Floats:
    known = ExpressionRegressor()
    return tool._tremble(path, known.reference, known._mean, known._components)


def test_a_steady_movement_is_no_tremble_and_gaps_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steady = np.linspace(0, 1, 8)[:, None, None] * rng.normal(0, 1, (478, 3))
    noisy = steady + rng.normal(0, 0.5, (8, 478, 3))
    calm, moved = (
        tremble(clip(tmp_path / f"{k}.labels.npz", m, list(range(8)))) for k, m in enumerate((steady, noisy))
    )
    assert calm.shape == moved.shape == (6, WIDTH + CHANNEL_COUNT + 3)
    assert np.abs(calm).max() < 0.02 * np.abs(moved).max()
    assert not moved[:, WIDTH : WIDTH + CHANNEL_COUNT].any(), "the scores never changed"
    gap = tremble(clip(tmp_path / "gap.labels.npz", noisy, [0, 1, 2, 3, 9, 10, 11, 12]))
    assert len(gap) == 4, "two pictures on either side have no neighbours on both"


def test_tremble_comes_in_as_it_would_from_the_landmarks() -> None:
    rng = np.random.default_rng(1)
    shapes, scores, angles = rng.normal(size=(1, 4, WIDTH)), rng.random((1, 4, 52)), rng.normal(size=(1, 4, 3))
    mean, components = np.zeros(WIDTH), np.eye(WIDTH)
    row = rng.normal(size=WIDTH + 55)
    last = np.eye(4)[None, 3, :, None]
    moved = shapes + last * row[:WIDTH], scores + last * row[WIDTH:-3], angles + last * row[-3:]
    for known in (True, False):
        before = tool._inputs(shapes, scores, angles, mean, components, known)[0, 3]
        after = tool._inputs(*moved, mean=mean, components=components, known=known)[0, 3]
        drawn = tool._drawn(torch.tensor(row, dtype=torch.float32)[None], torch.tensor([[float(known)]]))
        np.testing.assert_allclose(after - before, drawn[0].numpy(), atol=1e-5)


def test_training_makes_the_answer_steadier() -> None:
    """A channel that two inputs show equally well, one of which trembles: the network learns to look at the other."""
    torch.manual_seed(0)
    rows = torch.randn(6000, 1)
    size = 2 * WIDTH + 2 * CHANNEL_COUNT + 4
    inputs = torch.zeros(6000, size)
    inputs[:, 0:1] = inputs[:, 1:2] = rows
    target = rows.clamp(-1, 1).repeat(1, CHANNEL_COUNT + 7)
    trembling = torch.zeros(50, WIDTH + 55)
    trembling[:, 0] = torch.randn(50)

    def moved(network: nn.Module) -> float:
        changed = inputs.clone()
        changed[:, 0] += 0.5
        with torch.no_grad():
            return float((network(changed) - network(inputs)).abs().mean())

    def learned(shaking: torch.Tensor) -> nn.Module:
        torch.manual_seed(1)
        return tool._fit({True: inputs, False: inputs}, target, shaking, tool.Recipe(8, (32, 32), 0.1))

    shaken, calm = moved(learned(trembling)), moved(learned(torch.zeros_like(trembling)))
    assert shaken < 0.5 * calm


def test_folders_without_training_clips_are_refused(tmp_path: Path) -> None:
    clip(tmp_path / "somebody.labels.npz", np.zeros((3, 478, 3)), [0, 1, 2])
    with pytest.raises(SystemExit, match="No label files of training clips"):
        tool._training_clips([tmp_path])
    kept = clip(tmp_path / "bbaf2n.labels.npz", np.zeros((3, 478, 3)), [0, 1, 2])
    assert tool._training_clips([tmp_path]) == [kept]
    assert tool._training_clips([]) == []
