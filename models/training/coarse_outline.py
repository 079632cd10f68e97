"""L_sil for the coarse stage: the outline of the answered face against the true one.

The supplement's silhouette vertices are found on the mesh that the network answers, posed as it answers; which they are
is not differentiated, where they are is. Its contour landmarks are drawn by hand on photographs; a rendered face has
none, and its true mesh's exact outline gives them: seventeen points, spread evenly. Photographs are left out, since the
contour that a detector gives on a turned face is that of a mesh, not of the picture.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.differentiable.face import FacePoints
from models.differentiable.projection import CropCamera, head_place, to_camera, to_crop
from models.face_model import FaceModel
from models.geometry.camera import Camera
from models.geometry.outline import FaceOutline
from models.geometry.rotations import HEAD_TO_CAMERA, facing
from models.losses.landmarks import silhouette_loss
from models.networks.vit import CoarseOutput
from models.training.data.coarse_batches import CoarseBatch

__all__ = ["CONTOUR", "OutlineTerm", "spread_evenly"]

Floats = NDArray[np.floating]

CONTOUR = 17
"""Contour points of a face, as many as the 68 landmarks have."""
EPS = 0.2
"""With some 500 vertices in Omega, stretches of the outline have no vertex within 0.1."""
_SIDE = 2001
"""Pixels of the picture that stands for the camera's: an odd number, so that its principal point is a pixel."""


class OutlineTerm:
    """The unweighted term, and the boundary error in which it is measured.

    Args:
        model: the face model.
        identity_count: identity coefficients that the network answers.
        eps: largest |n . view| of a silhouette vertex.
        limit: faces of a batch that are looked at, the first ones; None for all.
    """

    def __init__(self, model: FaceModel, identity_count: int, eps: float = EPS, limit: int | None = None) -> None:
        self._model, self._eps, self._limit = model, eps, limit
        self._finder = FaceOutline(model.faces, model.vertex_count, model.regions["outline"])
        self._points = FacePoints(model.mean, model.identity_basis[:identity_count], model.expression_basis)

    def __call__(self, found: CoarseOutput, batch: CoarseBatch) -> Tensor:
        """Mean distance in crop coordinates; costs some 20 ms a face."""
        rows = range(min(len(batch.image), self._limit or len(batch.image)))
        chosen = [self._silhouette(found, batch, row) for row in rows]
        padded = np.zeros((len(rows), max(1, *(len(c) for c in chosen))), np.int64)
        valid = np.zeros(padded.shape, bool)
        contour = np.zeros((len(rows), CONTOUR, 2), np.float32)
        for row, indices in zip(rows, chosen, strict=True):
            outline = self.true_outline(batch, row)
            if len(outline):
                contour[row] = spread_evenly(outline, CONTOUR)
                padded[row, : len(indices)], valid[row, : len(indices)] = indices, True
        device = found.identity.device
        points = self._project(found, batch, torch.from_numpy(padded).to(device))
        return silhouette_loss(torch.from_numpy(contour).to(device), points, torch.from_numpy(valid).to(device))

    def true_outline(self, batch: CoarseBatch, row: int) -> Floats:
        """(N, 2) crop coordinates of the exact outline of a rendered face; none where it shows none."""
        vertices = self._mesh(batch.identity[row], batch.expression[row])
        return self._exact(vertices, batch.seen[row], batch.translation[row], batch, row)

    def found_outline(self, found: CoarseOutput, batch: CoarseBatch, row: int) -> Floats:
        """(N, 2) crop coordinates of the exact outline of an answered face."""
        vertices = self._mesh(found.identity[row], found.expression[row])
        place = head_place(found.scale, found.place, batch.camera)[row]
        return self._exact(vertices, found.rotation[row], place, batch, row)

    def boundary_errors(self, found: CoarseOutput, batch: CoarseBatch) -> dict[int, float]:
        """Row -> mean distance of the true contour to the answered outline, crop coordinates; faces that have both."""
        errors = {}
        for row in range(len(batch.image)):
            true, own = self.true_outline(batch, row), self.found_outline(found, batch, row)
            if len(true) and len(own):
                contour = spread_evenly(true, CONTOUR)
                errors[row] = float(np.linalg.norm(contour[:, None] - own[None], axis=2).min(axis=1).mean())
        return errors

    def _mesh(self, identity: Tensor, expression: Tensor) -> NDArray[np.float32]:
        coefficients = identity.detach().cpu().numpy().astype(np.float32)
        channels = expression.detach().clamp(0, 1).cpu().numpy().astype(np.float32)
        return self._model.pose(coefficients, channels).vertices

    def _silhouette(self, found: CoarseOutput, batch: CoarseBatch, row: int) -> NDArray[np.int32]:
        vertices = self._mesh(found.identity[row], found.expression[row])
        place = _numpy(head_place(found.scale, found.place, batch.camera)[row])
        rotation = _rotation(_numpy(found.rotation[row]), place)
        return self._finder.vertices(vertices, rotation, place, _camera(batch, row), eps=self._eps)

    def _exact(
        self, vertices: NDArray[np.float32], seen: Tensor, place: Tensor, batch: CoarseBatch, row: int
    ) -> Floats:
        translation, camera = _numpy(place), _camera(batch, row)
        points = self._finder.exact(vertices, _rotation(_numpy(seen), translation), translation, camera)
        from_axis = points.pixels - np.asarray(camera.centre)
        return np.asarray((from_axis - _numpy(batch.camera.place[row])) / float(batch.camera.half[row]))

    def _project(self, found: CoarseOutput, batch: CoarseBatch, indices: Tensor) -> Tensor:
        """(N, M, 2) crop coordinates of vertices (N, M) of the first N answered faces, differentiable."""
        self._points.to(indices.device)
        rows = slice(len(indices))
        camera = CropCamera(batch.camera.place[rows], batch.camera.half[rows], batch.camera.focal[rows])
        # All vertices at once: gathering a basis per face would take more memory than it saves time.
        posed = self._points(found.identity[rows], found.expression[rows])
        chosen = posed.gather(1, indices[:, :, None].expand(-1, -1, 3))
        place = head_place(found.scale[rows], found.place[rows], camera)
        return to_crop(to_camera(chosen, found.rotation[rows], place), place, camera)


def spread_evenly(outline: Floats, count: int) -> Floats:
    """(count, 2) of the points (N, 2) of an outline, one after another around the middle of their bounding box.

    Where a turned face has no outline, in front of the near ear, there are none.
    """
    middle = (outline.min(axis=0) + outline.max(axis=0)) / 2
    away = outline - middle
    order = np.argsort(np.arctan2(away[:, 0], away[:, 1]))  # 0 is straight down, where the chin is
    return np.asarray(outline[order[np.linspace(0, len(order) - 1, count).round().astype(int)]])


def _camera(batch: CoarseBatch, row: int) -> Camera:
    """The camera of a crop, its principal point in the middle of a picture of no importance."""
    return Camera(_SIDE, _SIDE, float(batch.camera.focal[row]))


def _rotation(seen: Floats, place: Floats) -> Floats:
    """Head rotation from the rotation as seen along the ray to a place."""
    return np.asarray(HEAD_TO_CAMERA @ facing(place) @ HEAD_TO_CAMERA @ seen)


def _numpy(values: Tensor) -> Floats:
    return np.asarray(values.detach().cpu().numpy(), np.float64)
