"""The supplement's losses that need nothing but a photograph: L_pho and L_sc of the coarse stage.

The answered face is drawn into its crop (skin, light and albedo as answered) and compared with the picture, inside the
skin mask R. R is what the drawn face shows of its own skin, without lips' inside, ears and neck: a reconstruction, for
the supplement does not say where its mask comes from. Hair and hands before the face count as skin for it; L1 bears
some of them. Shape, expression and rotation are moved by how their normals catch the light, not by what covers what:
where a face lies is the landmarks' to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (everyone's name for it)

from models.differentiable.face import FacePoints
from models.differentiable.projection import head_place, to_camera, to_crop
from models.differentiable.shading import Fragments, sample, shade, to_srgb, vertex_normals
from models.face_model import FaceModel
from models.geometry.rasterise import rasterise
from models.losses.pixels import photometric_loss, shape_consistency_loss
from models.networks.vit import CoarseLayout, CoarseOutput
from models.training.data.coarse_photos import PhotoBatch

__all__ = ["PhotographTerms", "consistency"]

SIDE = 128
"""Pixels of a drawn crop: what albedo and light explain is no finer, and drawing costs a quarter."""
SKIN = 0.5
"""Share of a triangle's corners in the region "face" from which on a pixel is skin."""


class PhotographTerms(nn.Module):
    """Draws answered faces and compares them with photographs.

    Args:
        model: the face model.
        layout: of the network's answer.
        side: pixels of a drawn crop.

    Raises:
        ValueError: the face model has no albedo.
    """

    mean: Tensor
    basis: Tensor
    faces: Tensor
    skin: Tensor
    corners: Tensor

    def __init__(self, model: FaceModel, layout: CoarseLayout, side: int = SIDE) -> None:
        super().__init__()
        if model.albedo_mean is None or model.albedo_basis is None:
            raise ValueError(f"the face model {model.name} has no albedo to draw faces with")
        self.side = side
        self._model = model
        self._points = FacePoints.of_vertices(model, layout.identity)
        count = min(layout.albedo, len(model.albedo_basis))

        def keep(name: str, values: NDArray[np.generic]) -> None:
            # Not part of any weights: they belong to the face model.
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values)), persistent=False)

        basis = model.albedo_basis[:count].astype(np.float32)
        keep("basis", basis.transpose(0, 3, 1, 2))
        mean = torch.from_numpy(model.albedo_mean.astype(np.float32).transpose(2, 0, 1).copy())
        self.register_buffer("mean", F.interpolate(mean[None], basis.shape[1:3], mode="area")[0], persistent=False)
        keep("faces", model.faces.astype(np.int64))
        keep("skin", (model.regions["face"] - model.regions["hidden"]).astype(np.float32)[:, None])
        keep("corners", model.uv[model.uv_faces].astype(np.float32))

    def forward(self, found: CoarseOutput, photos: PhotoBatch) -> Tensor:
        """L_pho: mean over pictures of the L1 distance of sRGB colours 0..1 inside R; some 10 ms a picture."""
        return photometric_loss(*self.beside(found, photos))

    def beside(self, found: CoarseOutput, photos: PhotoBatch) -> tuple[Tensor, Tensor, Tensor]:
        """The photographs (B, 3, side, side), and what `draw` answers."""
        pictures = F.interpolate(photos.image, (self.side, self.side), mode="area")
        return pictures, *self.draw(found, photos)

    def draw(self, found: CoarseOutput, photos: PhotoBatch) -> tuple[Tensor, Tensor]:
        """Pictures (B, 3, side, side) sRGB 0..1 of the answered faces, and R (B, 1, side, side)."""
        translation = head_place(found.scale, found.place, photos.camera)
        posed = self._points(found.identity, found.expression.clamp(0, 1))
        placed = to_camera(posed, found.rotation, translation)
        flat = to_crop(placed, translation, photos.camera)
        pictures, masks = [], []
        for row in range(len(flat)):
            colours, mask = self._one(placed[row], flat[row], found.albedo[row], found.light[row])
            pictures.append(colours)
            masks.append(mask)
        return torch.stack(pictures), torch.stack(masks)

    def _one(self, placed: Tensor, flat: Tensor, albedo: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
        pixels = ((flat.detach() + 1) * (self.side / 2) - 0.5).cpu().numpy().astype(np.float32)
        depth = placed[:, 2].detach().cpu().numpy().astype(np.float32)
        raster = rasterise(pixels, depth, self._model.faces, self.side, self.side)
        seen = Fragments.of(raster, self._model.faces, placed.device)
        normals = F.normalize(seen.of_vertices(vertex_normals(placed, self.faces)), dim=1, eps=1e-9)
        texture = self.mean * torch.exp(torch.einsum("a,acij->cij", albedo[: len(self.basis)], self.basis))
        uv = torch.einsum("pk,pkc->pc", seen.weights, self.corners[seen.triangles])
        colours = to_srgb(shade(sample(texture.clamp(0, 1), uv), normals, light))
        skin = (seen.of_vertices(self.skin) > SKIN).to(colours.dtype)
        return seen.picture(colours).permute(2, 0, 1), seen.picture(skin).permute(2, 0, 1)


def consistency(found: CoarseOutput, photos: PhotoBatch, loss: Callable[[CoarseOutput], Tensor]) -> Tensor:
    """L_sc: `loss` of the answers, each with the identity that another picture of the same person got.

    Args:
        found: the answers.
        photos: who they are is `photos.people`.
        loss: L_c without L_sc.
    """

    def with_identity(identity: Tensor) -> Tensor:
        return loss(replace(found, identity=identity))

    return shape_consistency_loss(with_identity, found.identity, photos.people)
