"""Deferred shading in torch against the plain painter, and its slopes against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.differentiable.shading import (
    Fragments,
    detail_normals,
    sample,
    sh_basis,
    shade,
    to_srgb,
    vertex_normals,
)
from models.face_model import load_face_model
from models.geometry.rasterise import rasterise
from models.synthesis import light as numpy_light


def test_light_is_that_of_the_painter() -> None:
    rng = np.random.default_rng(0)
    normals = rng.normal(0, 1, (30, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert np.allclose(sh_basis(torch.from_numpy(normals)).numpy(), numpy_light.sh_basis(normals), atol=1e-6)
    light = numpy_light.directional_light(np.array([0.5, -0.5, -1.0]))
    albedo = rng.random((30, 3)).astype(np.float32)
    wanted = albedo * np.maximum(numpy_light.sh_basis(normals) @ light, 0)
    found = shade(torch.from_numpy(albedo), torch.from_numpy(normals), torch.from_numpy(light))
    assert np.allclose(found.numpy(), wanted, atol=1e-5)


def test_srgb_is_that_of_the_painter() -> None:
    linear = torch.linspace(0, 1, 100)
    assert np.abs(to_srgb(linear).numpy() * 255 - numpy_light.to_srgb(linear.numpy())).max() <= 0.51


def test_vertex_normals_are_the_models() -> None:
    model = load_face_model()
    found = vertex_normals(torch.from_numpy(model.mean), torch.from_numpy(model.faces.astype(np.int64)))
    wanted = model.normals(model.mean)
    used = np.linalg.norm(wanted, axis=1) > 0.5
    assert np.allclose(found.numpy()[used], wanted[used], atol=1e-3)


def test_fragments_put_each_pixel_back() -> None:
    points = np.array([[2.0, 2.0], [2.0, 12.0], [13.0, 2.0]], np.float32)
    faces = np.array([[0, 1, 2]], np.int32)
    raster = rasterise(points, np.ones(3, np.float32), faces, 16, 16)
    fragments = Fragments.of(raster, faces)
    values = torch.tensor([[1.0], [2.0], [3.0]])
    picture = fragments.picture(fragments.of_vertices(values), background=-1.0)
    assert picture.shape == (16, 16, 1)
    assert float(picture[2, 2, 0]) == pytest.approx(1.0)
    assert float(picture[15, 15, 0]) == -1.0
    assert int((picture > 0).sum()) == int(raster.covered.sum())


def test_sampling_hits_texel_centres() -> None:
    maps = torch.arange(16.0).reshape(1, 4, 4)
    uv = torch.tensor([[0.125, 0.125], [0.875, 0.375]])
    assert sample(maps, uv)[:, 0].tolist() == pytest.approx([0.0, 7.0])


def flat_surface(size: int = 12) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A millimetre a texel, facing +z; columns run to -x as the face's left is on the picture's right, rows down."""
    step = torch.arange(size) * 1e-3
    rows, columns = torch.meshgrid(-step, step, indexing="ij")
    positions = torch.stack([columns, rows, torch.zeros_like(rows)])[None]
    normals = torch.zeros_like(positions)
    normals[:, 2] = 1
    return positions.double(), normals.double(), torch.ones(size, size)


def test_no_displacement_leaves_the_normals() -> None:
    positions, normals, covered = flat_surface()
    assert torch.allclose(detail_normals(torch.zeros(1, 1, 12, 12).double(), positions, normals, covered), normals)


def test_a_slope_turns_the_normal_by_its_angle() -> None:
    positions, normals, covered = flat_surface()
    ramp = (torch.arange(12).double() * 0.5e-3).expand(12, 12)[None, None]
    found = detail_normals(ramp, positions, normals, covered)[0, :, 5, 5]
    # Half a millimetre up for each one to +x: the normal leans to -x.
    assert found.tolist() == pytest.approx([-0.4472, 0.0, 0.8944], abs=1e-3)


def test_a_crease_is_darker_where_it_turns_from_the_light() -> None:
    positions, normals, covered = flat_surface(24)
    column = torch.arange(24).double()
    crease = (-1e-3 * torch.exp(-((column - 12) ** 2) / 8)).expand(24, 24)[None, None]
    turned = detail_normals(crease, positions, normals, covered)[0].permute(1, 2, 0).float()
    light = torch.from_numpy(numpy_light.directional_light(np.array([1.0, 0.0, 1.0]), 0.8, 0.1))
    lit = shade(torch.ones(24, 24, 3), turned, light)[12, :, 0]
    # The wall that rises to +x faces away from light at +x, the other wall faces it.
    assert lit[14] < lit[2] < lit[10]


def test_slopes_through_displacement_and_light_are_right() -> None:
    positions, normals, covered = flat_surface(6)
    torch.manual_seed(0)
    displacement = (torch.randn(1, 1, 6, 6).double() * 2e-4).requires_grad_()
    light = torch.randn(9, 3).double().abs().requires_grad_()
    albedo = torch.rand(6, 6, 3).double()

    def render(d: torch.Tensor, lamps: torch.Tensor) -> torch.Tensor:
        turned = detail_normals(d * 1e-3, positions, normals, covered)[0].permute(1, 2, 0)
        return to_srgb(shade(albedo, turned, lamps))

    scaled = (displacement.detach() * 1e3).requires_grad_()
    assert torch.autograd.gradcheck(render, (scaled, light), eps=1e-6, atol=1e-3)


def test_slopes_through_vertices_are_right() -> None:
    torch.manual_seed(0)
    vertices = torch.randn(5, 3).double().requires_grad_()
    faces = torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 4]])
    assert torch.autograd.gradcheck(lambda v: vertex_normals(v, faces), (vertices,), eps=1e-6, atol=1e-4)
