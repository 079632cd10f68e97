"""Converts the user's own FLAME file (2020 or 2023, Li et al. 2017) to our layout, once.

FLAME's expressions are principal components without names. Each ARKit channel is the combination of them, and of a
linearised turn of the jaw, that comes nearest in the least-squares sense to what the channel does on our head, where
`transfer.lay_over` has laid one mesh over the other. Jaw turns are linear here, so the jaw joint stays at zero, as for
every model that has `jawOpen`. The pickle is read by an allow-list: nothing in it is executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.face_model.model import FaceModel, load_face_model
from models.face_model.safe_pickle import as_array, read_arrays_from_pickle
from models.face_model.schema import JOINTS, FaceModelArrays, ModelFileError, write_arrays
from models.face_model.transfer import Correspondence, ForeignHead, carried, foreign_arrays, lay_over, linear_part

Floats = NDArray[np.float64]

IDENTITY_COMPONENTS = 300
KEPT_IDENTITY = 100
NECK, JAW, LEFT_EYE, RIGHT_EYE = 1, 2, 3, 4
LEAST_MOVEMENT = 1e-6
"""Sum over vertices of squared metres below which a channel does not move the skin: a millimetre of one vertex."""
RIDGE = 1e-2
"""Weight that keeps combinations of nearly equal components small; each component counts as of unit length."""


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """How well a channel could be expressed: share of its movement that the least-squares combination explains."""

    channel: str
    explained: float


def convert_flame(source: Path, out: Path, shipped: FaceModel | None = None) -> list[ChannelReport]:
    """Writes `out` (safetensors) from a FLAME pickle.

    Args:
        source: `generic_model.pkl` or `flame2023.pkl`, as downloaded.
        out: file to write.
        shipped: the head whose channels are matched, by default the shipped one.

    Returns:
        One report per channel.

    Raises:
        ModelFileError: the file is no FLAME model, or was refused; the message is one sentence.
    """
    model = shipped or load_face_model()
    content = read_arrays_from_pickle(source)
    missing = {"v_template", "shapedirs", "weights", "J_regressor", "f"} - content.keys()
    if missing:
        raise ModelFileError(f"{source} is no FLAME model: it lacks {', '.join(sorted(missing))}.")
    template = as_array(content["v_template"], "v_template").astype(np.float64)
    directions = as_array(content["shapedirs"], "shapedirs").astype(np.float64)
    weights = as_array(content["weights"], "weights").astype(np.float64)
    regressor = as_array(content["J_regressor"], "J_regressor").astype(np.float64)
    faces = as_array(content["f"], "f").astype(np.int64)
    count = len(template)
    shapes = (directions.shape[:2] == (count, 3), weights.shape == (count, 5), regressor.shape == (5, count))
    if template.ndim != 2 or not all(shapes) or directions.shape[2] <= IDENTITY_COMPONENTS:
        raise ModelFileError(f"{source} has arrays of other shapes than FLAME's (5 joints, over 300 components).")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= count:
        raise ModelFileError(f"{source} has triangles that point outside its mesh.")

    joints = regressor @ template
    match = lay_over(model, template, scale=1.0)
    jaw = _jaw_turns(template, joints, weights)
    turn = linear_part(template, match.vertices)
    movers = np.concatenate([np.moveaxis(directions[:, :, IDENTITY_COMPONENTS:], 2, 0), jaw]) @ turn
    expression, reports = match_channels(model, match, movers)
    arrays = _arrays(model, match, template, joints, directions, weights, regressor, faces, expression, source)
    write_arrays(out, arrays)
    return reports


def _jaw_turns(template: Floats, joints: Floats, weights: Floats) -> Floats:
    """(3, V, 3) movement per radian of the jaw about x, y and z: what linear skinning does for small turns."""
    offset = template - joints[JAW]
    turns = np.stack([np.cross(axis, offset) for axis in np.eye(3)])
    return np.asarray(turns * weights[None, :, JAW : JAW + 1])


def match_channels(model: FaceModel, match: Correspondence, movers: Floats) -> tuple[Floats, list[ChannelReport]]:
    """Least squares of every ARKit channel over the movements (M, V, 3) that a foreign model offers.

    Returns:
        (52, V, 3) metres, and how much of each channel that explains. Channels that no mover explains by at least a
        tenth (the tongue, say) stay zero.
    """
    wanted = carried(model, match, model.expression_basis)
    importance = np.einsum("vk,vk->v", match.barycentrics, model.regions["face"][model.faces[match.triangles]])
    importance = np.clip(importance, 0.02, 1) * (match.distance < 0.012)
    system = movers.reshape(len(movers), -1) * np.repeat(np.sqrt(importance), 3)
    target = wanted.reshape(len(wanted), -1) * np.repeat(np.sqrt(importance), 3)
    size = np.maximum(np.linalg.norm(system, axis=1, keepdims=True), 1e-9)
    unit = system / size
    gram = unit @ unit.T + RIDGE * np.eye(len(unit))
    coefficients = np.linalg.solve(gram, unit @ target.T).T / size[:, 0]
    left = np.sum((target - coefficients @ system) ** 2, axis=1)
    total = np.sum(target**2, axis=1)
    # What hardly moves the skin (the tongue) has nothing to explain.
    explained = np.where(total > LEAST_MOVEMENT, 1 - left / np.maximum(total, LEAST_MOVEMENT), 0.0)
    coefficients[explained < 0.1] = 0.0
    basis = np.tensordot(coefficients, movers, axes=1)
    reports = [
        ChannelReport(name, float(max(value, 0.0))) for name, value in zip(ARKIT_CHANNELS, explained, strict=True)
    ]
    return basis, reports


def _arrays(
    model: FaceModel,
    match: Correspondence,
    template: Floats,
    joints: Floats,
    directions: Floats,
    weights: Floats,
    regressor: Floats,
    faces: NDArray[np.int64],
    expression: Floats,
    source: Path,
) -> FaceModelArrays:
    kept = min(KEPT_IDENTITY, IDENTITY_COMPONENTS)
    identity = np.moveaxis(directions[:, :, :kept], 2, 0) @ linear_part(template, match.vertices)
    order = [NECK, JAW, LEFT_EYE, RIGHT_EYE]
    joint_mean = _moved(template, match.vertices, joints)[order]
    joint_basis = np.einsum("jv,kvc->kjc", regressor, identity)[:, order]
    eye = np.where(weights[:, LEFT_EYE] > 0.9, 1, np.where(weights[:, RIGHT_EYE] > 0.9, 2, 0))
    skin_weights = np.zeros((len(template), len(JOINTS)))
    # FLAME's root carries the neck: what neither head joint nor eyes nor jaw hold bends with our neck joint.
    skin_weights[:, 0] = np.clip(weights[:, 0], 0, 1)
    skin_weights[:, 1:] = weights[:, [JAW, LEFT_EYE, RIGHT_EYE]]
    foreign = ForeignHead(faces, identity, expression, joint_mean, joint_basis, skin_weights, eye)
    origin = f"converted from {source.name}; FLAME's own licence applies"
    return foreign_arrays(model, match, foreign, name="flame", source=origin)


def _moved(before: Floats, after: Floats, points: Floats) -> Floats:
    """`points` moved as the similarity moved `before` (V, 3) to `after` (V, 3)."""
    return np.asarray((points - before.mean(axis=0)) @ linear_part(before, after) + after.mean(axis=0))
