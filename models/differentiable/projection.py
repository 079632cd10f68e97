"""From the coarse network's weak-perspective answer for a crop to a full perspective camera, and back, in torch.

The network answers s, t and the rotation as seen along the ray to the head. With the crop's place in the picture and
the focal length these give the head's place in space exactly, so that a wide lens close by bends the face as it
should. With `perspective=False` every point is divided by the depth of the head's origin: the paper's camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class CropCamera:
    """The camera behind a batch of crops.

    Attributes:
        place: (B, 2) pixels of the crops' centres from the principal point, x right, y down.
        half: (B,) pixels of half a crop's side.
        focal: (B,) pixels.
    """

    place: Tensor
    half: Tensor
    focal: Tensor


def facing(translation: Tensor) -> Tensor:
    """(B, 3, 3) smallest rotations that turn the camera's axis onto the rays to (B, 3) places, see rotations.facing."""
    ray = torch.nn.functional.normalize(translation, dim=1)
    x, y, z = ray.unbind(1)
    zero = torch.zeros_like(x)
    # The cross product matrix of axis x ray; its square divided by 1 + cosine, after Rodrigues.
    cross = torch.stack([zero, zero, x, zero, zero, y, -x, -y, zero], dim=1).reshape(-1, 3, 3)
    return torch.eye(3, device=ray.device) + cross + cross @ cross / (1 + z)[:, None, None]


def head_place(scale: Tensor, place: Tensor, camera: CropCamera) -> Tensor:
    """(B, 3) metres, camera frame, of the head's origin.

    Args:
        scale: (B,) crop half sides a metre.
        place: (B, 2) crop coordinates.
        camera: see CropCamera.
    """
    depth = camera.focal / (scale * camera.half)
    pixels = camera.place + place * camera.half[:, None]
    return torch.cat([pixels / camera.focal[:, None] * depth[:, None], depth[:, None]], dim=1)


def to_camera(points: Tensor, seen: Tensor, translation: Tensor) -> Tensor:
    """(B, N, 3) camera-frame points of (B, N, 3) head-frame points.

    Args:
        points: metres.
        seen: (B, 3, 3) rotation as seen along the ray.
        translation: (B, 3) metres.
    """
    flip = torch.tensor([1.0, -1.0, -1.0], device=points.device)
    rotation = facing(translation) @ (flip[:, None] * seen)
    return points @ rotation.transpose(1, 2) + translation[:, None]


def to_crop(points: Tensor, translation: Tensor, camera: CropCamera, perspective: bool = True) -> Tensor:
    """(B, N, 2) crop coordinates of (B, N, 3) camera-frame points.

    Args:
        points: metres.
        translation: (B, 3) of the head's origin.
        camera: see CropCamera.
        perspective: False for the weak-perspective camera.
    """
    depth = points[..., 2:].clamp_min(0.02) if perspective else translation[:, None, 2:]
    pixels = points[..., :2] / depth * camera.focal[:, None, None]
    return (pixels - camera.place[:, None]) / camera.half[:, None, None]
