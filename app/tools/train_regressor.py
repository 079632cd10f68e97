"""Trains the expression regressor on renders of our own face model.

    python -m app.tools.train_regressor render --first 20000 --people 400 --out a.npz   (as often as there are cores)
    python -m app.tools.train_regressor train a.npz [...] --out models/weights/expression_regressor.safetensors

Rendering takes about 0.9 s a person on one core, training about three minutes.

On real faces the detector trembles otherwise than on rendered ones, and a network that reads more out of its points
reads more out of that, too. `--clips LABELS/clips_grid ...`, label files by `python main.py label`, adds the tremble of
real clips to the renders. What that is good for: docs/decisions/0002-learned-guess.md.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import nn

from models.channels import CHANNEL_COUNT, GAZE_CHANNELS, MIRROR_PERMUTATION
from models.face_model import load_face_model
from models.face_model.symmetry import mirror_partners
from models.geometry.rotations import HEAD_TO_CAMERA, facing, to_euler
from models.training.data.labels import LABEL_SUFFIX, list_labels, read_labels
from models.training.splits import load_splits
from tracking.fit.features import align
from tracking.fit.regressor import ANGLE_SCALE, DETECTOR_TO_HEAD, DIFFERENCE_GAIN, WEIGHTS
from tracking.landmarks import LandmarkDetector
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource
from tracking.types import FaceParameters

Floats = NDArray[np.float64]
log = logging.getLogger(__name__)

SIZE = (480, 360)
FRAMES = 900
REST = (5, 15, 25)
"""Frames of the neutral second at the start of each clip; they come first in each person's rows."""
ACTING = 22
COMPONENTS = 100
GAZE_END = CHANNEL_COUNT + 4
INPUT_NOISE = 0.05
LIVELY = 0.85
"""Share of the real pictures, the calmest, whose tremble is used: in the others the face itself moves."""
HELD_OUT = 0.1
"""Share of people that thresholds and standard deviations are measured on, and that the network never sees."""


@dataclass(frozen=True)
class Recipe:
    """How it learns; the defaults are those of the network that ships."""

    epochs: int = 30
    """Times that every picture is seen."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers."""
    dropout: float = 0.2
    """Share of the hidden values that are left out."""
    tremble: float = 4.0
    """Up to so many times the tremble of real clips is added."""
    steadiness: float = 0.0
    """Weight of the agreement of two answers to one face under different tremble."""


def render(
    out: Path,
    first: int = 20000,
    people: int = 400,
    seldom: Annotated[bool, tyro.conf.arg(help="draw frames in which seldom actions are seen as well")] = False,
) -> None:
    """Renders people with seeds from `first` on, runs the detector and stores landmarks, scores and truth."""
    rows: list[tuple[Floats, Floats, Floats]] = []
    with LandmarkDetector("image", 1) as detector:
        for seed in range(first, first + people):
            rng = np.random.default_rng(seed + 777)
            source = SyntheticSource(
                SyntheticSettings(
                    seed=seed, frames=FRAMES, width=SIZE[0], height=SIZE[1], yaw_degrees=40,
                    fov_degrees=float(rng.uniform(42, 72)),
                )
            )  # fmt: skip
            acting = (
                _telling_frames(source, rng) if seldom else rng.choice(np.arange(50, FRAMES), ACTING, replace=False)
            )
            chosen = [*REST, *np.sort(acting)]
            landmarks, scores, truths = [], [], []
            for index in chosen:
                found = detector.detect(source.render(int(index)))
                if not found:
                    break
                truth = source.truth(int(index))
                landmarks.append(found[0].landmarks)
                scores.append(found[0].scores)
                truths.append(np.concatenate([truth.expression, truth.gaze.ravel(), seen_angles(truth)]))
            else:
                rows.append((np.array(landmarks), np.array(scores), np.array(truths)))
            if seed % 20 == 0:
                log.info("person %d", seed)
    np.savez_compressed(
        out,
        landmarks=np.stack([r[0] for r in rows]).astype(np.float32),
        scores=np.stack([r[1] for r in rows]).astype(np.float32),
        truth=np.stack([r[2] for r in rows]).astype(np.float32),
    )


def _telling_frames(source: SyntheticSource, rng: np.random.Generator) -> NDArray[np.int64]:
    """(ACTING,) frames drawn so that what the face does seldom in this clip is seen as well as the rest."""
    frames = np.arange(50, FRAMES)
    acts = np.delete([source.truth(int(index)).expression for index in frames], GAZE_CHANNELS, axis=1)
    rarity = (acts / (acts.mean(axis=0) + 0.02)).sum(axis=1)
    chances = 0.5 / len(frames) + 0.5 * rarity / max(float(rarity.sum()), 1e-9)
    return np.asarray(rng.choice(frames, ACTING, replace=False, p=chances / chances.sum()))


def seen_angles(truth: FaceParameters) -> Floats:
    """(3,) yaw, pitch, roll of the head relative to the ray from the camera to it, radians."""
    return to_euler(HEAD_TO_CAMERA @ facing(truth.translation).T @ HEAD_TO_CAMERA @ truth.rotation)


def train(
    data: tyro.conf.Positional[list[Path]],
    out: Path = WEIGHTS,
    clips: Annotated[tuple[Path, ...], tyro.conf.arg(help="folders of label files of real clips")] = (),
    recipe: tyro.conf.OmitArgPrefixes[Recipe] = Recipe(),
    seed: int = 0,
    threads: Annotated[int, tyro.conf.arg(help="torch threads")] = 1,
) -> None:
    """Trains on stored renders and writes the weights in half precision."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    files = [np.load(path) for path in data]
    landmarks, scores, truth = (np.concatenate([f[k] for f in files]) for k in ("landmarks", "scores", "truth"))
    landmarks, scores, truth = _with_mirrored(landmarks, scores, truth)
    reference = _reference(landmarks)
    shapes, angles = _aligned(landmarks, reference)
    people = len(shapes) // 2
    kept = int(people * (1 - HELD_OUT))
    training = np.r_[0:kept, people : people + kept]
    mean, components = _components(shapes[training])
    inputs = {known: _inputs(shapes, scores, angles, mean, components, known) for known in (True, False)}
    trembling = [_tremble(path, reference, mean, components) for path in _training_clips(clips)]
    target = truth.copy()
    # The alignment's own rotation is a first answer; the network has what is missing.
    target[:, :, GAZE_END:] -= angles
    target[:, :, CHANNEL_COUNT:] *= ANGLE_SCALE
    network = _fit(
        {k: torch.tensor(v[training].reshape(-1, v.shape[2]), dtype=torch.float32) for k, v in inputs.items()},
        torch.tensor(target[training].reshape(-1, target.shape[2]), dtype=torch.float32),
        _calmest(np.concatenate(trembling)) if trembling else torch.zeros(1, COMPONENTS + CHANNEL_COUNT + 3),
        recipe,
    )
    held = np.r_[kept:people, people + kept : 2 * people]
    answers = {k: _answers(network, v[held][:, len(REST) :]) for k, v in inputs.items()}
    wanted = truth[held][:, len(REST) :, :CHANNEL_COUNT].reshape(-1, CHANNEL_COUNT)
    threshold = _best_thresholds(answers[True][:, :CHANNEL_COUNT], wanted)
    wanted_turn = target[held][:, len(REST) :, GAZE_END:].reshape(-1, 3)
    turn = (answers[True][:, GAZE_END:] - wanted_turn) / ANGLE_SCALE
    log.info("rotation: %s degrees RMS", np.degrees(np.sqrt(np.mean(turn**2, axis=0))).round(2))
    arrays = {
        "reference": reference,
        "mean": mean,
        "components": components,
        "threshold": threshold,
        "rotation_sigma": np.sqrt(np.mean(turn**2, keepdims=True)).ravel(),
    }
    for known, name in ((True, "sigma_rest"), (False, "sigma_alone")):
        values = np.clip((answers[known][:, :CHANNEL_COUNT] - threshold) / (1 - threshold), 0, 1)
        arrays[name] = np.sqrt(np.mean((values - wanted) ** 2, axis=0)) + 0.01
        share = np.abs(values - wanted).mean() / wanted.mean()
        log.info("held-out people, rest %s: mean error %.3f of answering zero", "known" if known else "unknown", share)
    for index, layer in enumerate(m for m in network if isinstance(m, nn.Linear)):
        arrays[f"weight{index}"] = layer.weight.detach().numpy()
        arrays[f"bias{index}"] = layer.bias.detach().numpy()
    out.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"reference": np.float32}
    half = {k: np.ascontiguousarray(v.astype(kinds.get(k, np.float16))) for k, v in arrays.items()}
    save_file(half, out, metadata={"name": "expression-regressor-1", "training": f"{kept} synthetic people"})
    log.info("wrote %s, %.2f MB", out, out.stat().st_size / 1e6)


def _with_mirrored(landmarks: Floats, scores: Floats, truth: Floats) -> tuple[Floats, Floats, Floats]:
    """The same people and, after them, their mirror images."""
    partners = mirror_partners(load_face_model())
    flipped = landmarks[:, :, partners].copy()
    flipped[..., 0] = SIZE[0] - 1 - flipped[..., 0]
    gaze = truth[:, :, CHANNEL_COUNT:GAZE_END].reshape(*truth.shape[:2], 2, 2)[:, :, ::-1] * np.array([-1.0, 1.0])
    turned = truth[:, :, GAZE_END:] * np.array([-1.0, 1.0, -1.0])
    mirrored = np.concatenate(
        [truth[:, :, :CHANNEL_COUNT][:, :, MIRROR_PERMUTATION], gaze.reshape(*truth.shape[:2], 4), turned], axis=2
    )
    return (
        np.concatenate([landmarks, flipped]),
        np.concatenate([scores, scores[:, :, MIRROR_PERMUTATION]]),
        np.concatenate([truth, mirrored]),
    )


def _reference(landmarks: Floats) -> Floats:
    """(478, 3) mean resting face in the detector's points: centred, of unit size, head frame."""
    resting = landmarks[:, : len(REST)].reshape(-1, *landmarks.shape[2:]).astype(np.float64) * DETECTOR_TO_HEAD
    reference = _normalised(resting[0])
    for _ in range(3):
        reference = _normalised(np.mean([align(points, reference)[0] for points in resting], axis=0))
    return reference


def _normalised(points: Floats) -> Floats:
    centred = points - points.mean(axis=0)
    return np.asarray(centred / np.sqrt(np.sum(centred**2, axis=1).mean()))


def _aligned(landmarks: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """(P, T, 1434) differences from the reference and (P, T, 3) angles."""
    shapes = np.empty((*landmarks.shape[:2], reference.size), np.float32)
    angles = np.empty((*landmarks.shape[:2], 3), np.float32)
    for person, rows in enumerate(landmarks):
        for k, points in enumerate(rows):
            moved, rotation = align(points.astype(np.float64) * DETECTOR_TO_HEAD, reference)
            shapes[person, k] = (moved - reference).ravel()
            angles[person, k] = to_euler(rotation.T)
    return shapes, angles


def _components(shapes: Floats) -> tuple[Floats, Floats]:
    """Mean (1434,) and whitening components (COMPONENTS, 1434) of the shape differences."""
    flat = shapes.reshape(-1, shapes.shape[2])
    mean = flat.mean(axis=0)
    _, singular, rows = np.linalg.svd((flat - mean)[::4], full_matrices=False)
    spread = singular[:COMPONENTS] / np.sqrt(len(flat[::4]))
    return mean, rows[:COMPONENTS] / spread[:, None]


def _inputs(shapes: Floats, scores: Floats, angles: Floats, mean: Floats, components: Floats, known: bool) -> Floats:
    """(P, T, D) network inputs, as `ExpressionRegressor.guess` builds them."""
    shape = (shapes - mean) @ components.T
    rest = len(REST)
    change = (shape - shape[:, :rest].mean(axis=1, keepdims=True)) * DIFFERENCE_GAIN * known
    score_change = (scores - scores[:, :rest].mean(axis=1, keepdims=True)) * known
    flag = np.full((*shape.shape[:2], 1), float(known))
    return np.concatenate([shape, change, scores, score_change, angles, flag], axis=2).astype(np.float32)


def _training_clips(folders: Sequence[Path]) -> list[Path]:
    splits = load_splits()
    names = {name for people in (splits.clips_grid, splits.clips_signing) for name in people.train}
    files = [path for folder in folders for path in list_labels(folder)]
    found = [path for path in files if path.name.removesuffix(LABEL_SUFFIX) in names]
    if folders and not found:
        raise SystemExit(f"No label files of training clips in {', '.join(map(str, folders))}: run `label` on them.")
    return found


def _tremble(path: Path, reference: Floats, mean: Floats, components: Floats) -> Floats:
    """(N, COMPONENTS + 55) what a real clip's features change from picture to picture beside a steady movement: second
    differences, scaled to the spread of white noise that would give them."""
    faces = read_labels(path).faces
    shapes, angles = _aligned(np.array([[face.landmarks for face in faces]]), reference)
    scores = np.array([face.scores for face in faces])
    rows = np.concatenate([(shapes[0] - mean) @ components.T, scores, angles[0]], axis=1)
    frames = np.array([face.frame for face in faces])
    together = frames[2:] - frames[:-2] == 2
    second = (rows[1:-1] - (rows[:-2] + rows[2:]) / 2) * np.sqrt(2 / 3)
    return np.asarray(second[together], np.float64)


def _calmest(tremble: Floats) -> torch.Tensor:
    strength = np.square(tremble[:, :COMPONENTS]).mean(axis=1)
    calm = tremble[strength <= np.quantile(strength, LIVELY)]
    return torch.tensor(np.concatenate([calm, -calm]), dtype=torch.float32)


def _fit(
    inputs: dict[bool, torch.Tensor], target: torch.Tensor, tremble: torch.Tensor, recipe: Recipe
) -> nn.Sequential:
    count, batch, epochs = len(target), 256, recipe.epochs
    widths = (inputs[True].shape[1], *recipe.hidden)
    layers = [layer for pair in pairwise(widths) for layer in _hidden(*pair, recipe.dropout)]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], target.shape[1]))
    # Rare channels count as much as frequent ones.
    weight = 1 / (target.std(dim=0) + 0.03)
    optimiser = torch.optim.AdamW(network.parameters(), 1.5e-3, weight_decay=0.05)
    steps = epochs * (count // batch + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for epoch in range(epochs):
        network.train()
        total = 0.0
        for rows in torch.split(torch.randperm(count), batch):
            # Both kinds of input, so that the network also answers before it knows the face at rest.
            know = (torch.rand(len(rows), 1) < 0.7).float()
            x = inputs[True][rows] * know + inputs[False][rows] * (1 - know)
            x = x + INPUT_NOISE * torch.randn_like(x)
            answer = network(x + recipe.tremble * torch.rand(len(rows), 1) * _drawn(tremble, know))
            error = nn.functional.huber_loss(answer, target[rows], delta=0.3, reduction="none")
            loss = (error * weight).mean()
            if recipe.steadiness:
                again = network(x + recipe.tremble / 2 * _drawn(tremble, know))
                loss = loss + recipe.steadiness * (answer - again)[:, :CHANNEL_COUNT].square().mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        if epoch % 4 == 3 or epoch == epochs - 1:
            log.info("epoch %d: loss %.4f", epoch + 1, total / count)
    network.eval()
    return network


def _hidden(before: int, after: int, dropout: float) -> tuple[nn.Module, ...]:
    return nn.Linear(before, after), nn.GELU("tanh"), nn.Dropout(dropout)


def _drawn(tremble: torch.Tensor, know: torch.Tensor) -> torch.Tensor:
    """(B, D) real tremble as it comes into the inputs; the face at rest, a mean of many pictures, has next to none."""
    rows = tremble[torch.randint(len(tremble), (len(know),))]
    shape, scores, angles = rows[:, :COMPONENTS], rows[:, COMPONENTS:-3], rows[:, -3:]
    flag = torch.zeros(len(rows), 1)
    return torch.cat([shape, DIFFERENCE_GAIN * shape * know, scores, scores * know, angles, flag], dim=1)


def _answers(network: nn.Sequential, inputs: Floats) -> Floats:
    with torch.no_grad():
        answers = network(torch.tensor(inputs.reshape(-1, inputs.shape[2])))
    return np.asarray(answers.numpy(), np.float64)


def _best_thresholds(answers: Floats, wanted: Floats) -> Floats:
    """(52,) dead zone of each channel that brings its mean absolute error down most."""
    options = np.linspace(0, 0.2, 21)
    errors = [np.abs(np.clip((answers - t) / (1 - t), 0, 1) - wanted).mean(axis=0) for t in options]
    return np.asarray(options[np.argmin(errors, axis=0)])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tyro.extras.subcommand_cli_from_dict({"render": render, "train": train})
