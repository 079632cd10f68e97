"""Deferred shading in torch: the rasteriser says which triangle a pixel shows, torch computes what it looks like.

Gradients reach geometry through normals and texture coordinates, light and albedo, not through what is visible; the
silhouette loss is there for the outline. After Feng et al., Learning an Animatable Detailed 3D Face Model from
In-The-Wild Images (DECA), 2021, which renders its details in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.geometry.rasterise import Raster

_SH = (0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274)
_COSINE_LOBE = (1.0, 2 / 3, 2 / 3, 2 / 3, 0.25, 0.25, 0.25, 0.25, 0.25)


@dataclass(frozen=True, slots=True)
class Fragments:
    """The covered pixels of one picture, P of them.

    Attributes:
        rows, columns: (P,) int64.
        corners: (P, 3) int64 vertices of the triangle that each shows.
        triangles: (P,) int64.
        weights: (P, 3) barycentrics.
        size: height and width of the picture.
    """

    rows: Tensor
    columns: Tensor
    corners: Tensor
    triangles: Tensor
    weights: Tensor
    size: tuple[int, int]

    @classmethod
    def of(cls, raster: Raster, faces: NDArray[np.int32], device: torch.device | None = None) -> Fragments:
        """The fragments of a raster of (F, 3) faces."""
        rows, columns = np.nonzero(raster.covered)
        triangles = raster.triangle[rows, columns]

        def put(values: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device or "cpu")

        return cls(
            put(rows), put(columns), put(faces[triangles].astype(np.int64)), put(triangles.astype(np.int64)),
            put(raster.barycentrics[rows, columns]), raster.triangle.shape,
        )  # fmt: skip

    def of_vertices(self, values: Tensor) -> Tensor:
        """(P, C) values of (V, C) at the vertices, interpolated."""
        return torch.einsum("pk,pkc->pc", self.weights, values[self.corners])

    def picture(self, values: Tensor, background: Tensor | float = 0.0) -> Tensor:
        """(H, W, C) picture of (P, C) values over a background (H, W, C) or tone."""
        shape = (*self.size, values.shape[1])
        if isinstance(background, Tensor):
            image = background.expand(shape).clone()
        else:
            image = torch.full(shape, background, dtype=values.dtype, device=values.device)
        return image.index_put((self.rows, self.columns), values)


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """(V, 3) unit area-weighted normals of (V, 3) vertices and (F, 3) triangles, counter-clockwise from outside."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    areas = torch.linalg.cross(b - a, c - a)
    summed = torch.zeros_like(vertices).index_add(0, faces.reshape(-1), areas.repeat_interleave(3, dim=0))
    return F.normalize(summed, dim=1, eps=1e-12)


def sh_basis(normals: Tensor) -> Tensor:
    """(..., 9) irradiance basis at unit normals (..., 3), see `models.synthesis.light.sh_basis`."""
    x, y, z = normals.unbind(-1)
    basis = torch.stack([torch.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], dim=-1)
    factors = [a * b for a, b in zip(_SH, _COSINE_LOBE, strict=True)]
    return basis * torch.tensor(factors, dtype=normals.dtype, device=normals.device)


def shade(albedo: Tensor, normals: Tensor, light: Tensor) -> Tensor:
    """(..., 3) linear light of (..., 3) albedo at unit normals (..., 3) under (9, 3) spherical harmonics."""
    return albedo * (sh_basis(normals) @ light).clamp_min(0.0)


def sample(maps: Tensor, uv: Tensor) -> Tensor:
    """(P, C) bilinear samples of a map (C, S, S) at (P, 2) UV in 0..1, row 0 on top."""
    grid = (uv * 2 - 1)[None, None]
    return F.grid_sample(maps[None], grid, align_corners=False, padding_mode="border")[0, :, 0].T


def to_srgb(linear: Tensor) -> Tensor:
    """sRGB in 0..1 of linear light; the slope stays finite at black."""
    clipped = linear.clamp(0, 1)
    curve = 1.055 * clipped.clamp_min(0.0031308).pow(1 / 2.4) - 0.055
    return torch.where(clipped <= 0.0031308, 12.92 * clipped, curve)


def detail_normals(displacement: Tensor, positions: Tensor, normals: Tensor, covered: Tensor) -> Tensor:
    """Normals of a surface that is displaced along its normal, over a UV map.

    The surface P(u, v) + D(u, v) N(u, v) is differentiated as a grid of texels; the shares of the coarse mesh's facets
    are taken out by turning N only by what the displacement adds: n' ~ (Pu + Du N) x (Pv + Dv N), with Pu, Pv made
    perpendicular to N first.

    Args:
        displacement: (B, 1, S, S) metres.
        positions: (B, 3, S, S) metres, the coarse surface in UV.
        normals: (B, 3, S, S) unit, of the coarse surface.
        covered: (S, S) or (B, 1, S, S) 1 where a texel belongs to the layout; elsewhere the coarse normal is returned.

    Returns:
        (B, 3, S, S) unit normals.
    """
    along_u, along_v = _slope(positions, 3), _slope(positions, 2)
    along_u = along_u - (along_u * normals).sum(1, keepdim=True) * normals
    along_v = along_v - (along_v * normals).sum(1, keepdim=True) * normals
    raised_u = along_u + _slope(displacement, 3) * normals
    raised_v = along_v + _slope(displacement, 2) * normals
    # Rows run down the face and columns to the picture's right: v x u points outwards, up to the layout's mirroring.
    flat = torch.linalg.cross(along_v, along_u, dim=1)
    turned = torch.linalg.cross(raised_v, raised_u, dim=1)
    outward = (flat * normals).sum(1, keepdim=True)
    turned = turned * torch.where(outward < 0, -1.0, 1.0)
    usable = (flat.norm(dim=1, keepdim=True) > 1e-12) & (covered > 0.5)
    unit = F.normalize(turned, dim=1, eps=1e-20)
    return torch.where(usable, unit, normals)


def _slope(maps: Tensor, dim: int) -> Tensor:
    """Central differences along a dimension of (B, C, S, S), one-sided at the rim."""
    return torch.gradient(maps, dim=dim)[0]
