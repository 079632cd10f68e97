"""The supplement's photometric losses on real pictures, in UV: L_phoD and L_mrf.

Reconstruction after DECA (Feng et al. 2021): the picture is explained as smooth skin colour times second-order
spherical-harmonics light on the detail normals. Skin colour and light are fitted once per picture, from the coarse
mesh, and kept; only the displacement learns. On evenly lit photographs D = 0 explains the picture almost as well as the
truth, so the shipped weights do not use them; they are for people's own clips with light from the side.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.differentiable.shading import detail_normals, sh_basis, to_srgb
from models.face_model.detail_map import DetailMap
from models.geometry.rasterise import interpolate
from models.losses.detail import detail_photometric
from models.losses.mrf import VggFeatures, id_mrf
from models.synthesis.light import to_linear
from models.training.data.textures import FaceTexture

__all__ = ["LitFace", "lit_face", "photometric_terms", "rendered"]

Floats = NDArray[np.float32]

SMOOTH = 9.0
"""Texels: skin colour varies slower than this, shading of wrinkles faster."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, slots=True)
class LitFace:
    """What explains a picture but for its wrinkles; maps (1, C, S, S), head frame.

    Attributes:
        picture: (1, 3, S, S) sRGB 0..1.
        albedo: (1, 3, S, S) linear light.
        light: (9, 3).
        positions: (1, 3, S, S) metres.
        normals: (1, 3, S, S) unit.
        skin: (1, 1, S, S) where the camera sees skin.
    """

    picture: Tensor
    albedo: Tensor
    light: Tensor
    positions: Tensor
    normals: Tensor
    skin: Tensor


def lit_face(face: FaceTexture, window: DetailMap) -> LitFace:
    """Fits light and skin colour of a picture over its coarse mesh."""
    model = window.model
    posed = model.pose(face.identity, face.expression)
    positions = interpolate(window.raster, posed.vertices, model.faces)
    normals = interpolate(window.raster, posed.normals, model.faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    skin = (window.mask * face.visibility).astype(np.float32)
    linear = to_linear(face.rgb)
    basis = np.asarray(sh_basis(torch.from_numpy(np.ascontiguousarray(normals))).numpy(), np.float32)
    weights = skin.ravel()
    flat = basis.reshape(-1, 9)
    system = (flat * weights[:, None]).T @ flat + 1e-2 * float(weights.sum()) * np.eye(9)
    # White light of the luminance's shape: the colour of the light cannot be told from that of the skin.
    coefficients = np.linalg.solve(system, (flat * weights[:, None]).T @ (linear.reshape(-1, 3) @ LUMINANCE))
    shade = basis @ coefficients.astype(np.float32)
    level = float((shade * skin).sum() / max(float(skin.sum()), 1e-6))
    shade = np.maximum(shade / max(level, 1e-6), 0.15)
    blurred = cv2.GaussianBlur(linear / shade[:, :, None] * skin[:, :, None], (0, 0), SMOOTH)
    share = cv2.GaussianBlur(skin, (0, 0), SMOOTH)
    albedo = blurred / np.maximum(share, 1e-3)[:, :, None]
    light = np.repeat((coefficients / max(level, 1e-6))[:, None], 3, axis=1)

    def put(values: NDArray[np.floating]) -> Tensor:
        maps = values if values.ndim == 3 else values[:, :, None]
        return torch.from_numpy(np.ascontiguousarray(maps.transpose(2, 0, 1), np.float32))[None]

    return LitFace(
        put(face.rgb.astype(np.float32) / 255), put(albedo), torch.from_numpy(light.astype(np.float32)),
        put(positions), put(normals), put(skin),
    )  # fmt: skip


def rendered(face: LitFace, displacement: Tensor) -> Tensor:
    """(1, 3, S, S) sRGB 0..1: the detail rendering I'_r of a displacement (1, 1, S, S) in millimetres."""
    covered = (face.normals.abs().sum(1, keepdim=True) > 0).float()
    normals = detail_normals(displacement / 1000, face.positions, face.normals, covered)
    irradiance = (sh_basis(normals.permute(0, 2, 3, 1)) @ face.light).clamp_min(0.0).permute(0, 3, 1, 2)
    return to_srgb(face.albedo * irradiance)


def photometric_terms(face: LitFace, displacement: Tensor, features: VggFeatures | None = None) -> dict[str, Tensor]:
    """L_phoD, and L_mrf where features are given; unweighted."""
    image = rendered(face, displacement)
    terms = {"photometric": detail_photometric(face.picture, image, face.skin)}
    if features is not None:
        both = (face.picture * face.skin, image * face.skin)
        terms["mrf"] = id_mrf(features(both[1]), features(both[0]))
    return terms
