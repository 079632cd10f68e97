"""The crop's camera in torch against the program's own camera in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.differentiable.face import FacePoints
from models.differentiable.projection import CropCamera, facing, head_place, to_camera, to_crop
from models.face_model import load_face_model
from models.geometry import rotations
from models.geometry.camera import Camera
from models.geometry.crop import Crop


@pytest.fixture(scope="module")
def place() -> tuple[np.ndarray, np.ndarray, Camera, Crop]:
    seen = rotations.from_euler(0.4, -0.2, 0.1)
    return seen, np.array([0.12, -0.08, 0.5]), Camera.from_fov(640, 480, 1.2), Crop(420.0, 200.0, 90.0)


def camera_of(camera: Camera, crop: Crop) -> CropCamera:
    centre = np.asarray(camera.centre)
    return CropCamera(
        torch.tensor([[crop.x - centre[0], crop.y - centre[1]]], dtype=torch.float32),
        torch.tensor([crop.half]),
        torch.tensor([camera.focal], dtype=torch.float32),
    )


def test_facing_agrees_with_numpy() -> None:
    for vector in ([0.1, -0.3, 0.6], [0.0, 0.0, 1.0], [-0.5, 0.2, 0.4]):
        found = facing(torch.tensor([vector]))[0].numpy()
        assert np.allclose(found, rotations.facing(vector), atol=1e-5)


@pytest.mark.parametrize("projection", ["perspective", "weak"])
def test_points_land_where_the_camera_puts_them(
    place: tuple[np.ndarray, np.ndarray, Camera, Crop], projection: str
) -> None:
    seen, translation, camera, crop = place
    camera = Camera(camera.width, camera.height, camera.focal, projection)  # type: ignore[arg-type]
    rotation = rotations.HEAD_TO_CAMERA @ rotations.facing(translation) @ rotations.HEAD_TO_CAMERA @ seen
    points = np.random.default_rng(0).normal(0, 0.06, (20, 3)).astype(np.float32)
    wanted = crop.to_crop(camera.project_head(points, rotation, translation))
    there = torch.tensor(translation[None], dtype=torch.float32)
    cameras = camera_of(camera, crop)
    in_camera = to_camera(torch.from_numpy(points)[None], torch.tensor(seen[None], dtype=torch.float32), there)
    found = to_crop(in_camera, there, cameras, perspective=projection == "perspective")[0]
    assert np.allclose(found.numpy(), wanted, atol=1e-4)


def test_scale_and_place_give_the_head_back(place: tuple[np.ndarray, np.ndarray, Camera, Crop]) -> None:
    _, translation, camera, crop = place
    scale = camera.focal / (translation[2] * crop.half)
    origin = crop.to_crop(camera.project(translation[None], translation[2]))[0]
    found = head_place(
        torch.tensor([scale], dtype=torch.float32), torch.tensor(origin[None], dtype=torch.float32),
        camera_of(camera, crop),
    )  # fmt: skip
    assert np.allclose(found[0].numpy(), translation, atol=1e-5)


def test_face_points_are_the_models() -> None:
    model = load_face_model()
    rng = np.random.default_rng(2)
    identity = rng.normal(0, 0.7, 100).astype(np.float32)
    expression = (rng.random(52) * (rng.random(52) < 0.2)).astype(np.float32)
    expression[1:5] = expression[8:12] = 0
    face = FacePoints.of_embedding(model, model.landmarks68, 100)
    wanted = model.embed(model.pose(identity, expression).vertices, model.landmarks68)
    found = face(torch.from_numpy(identity)[None], torch.from_numpy(expression)[None])[0]
    assert np.allclose(found.numpy(), wanted, atol=1e-5)
    at_rest = model.embed(model.neutral(identity), model.landmarks68)
    assert np.allclose(face.neutral(torch.from_numpy(identity)[None])[0].numpy(), at_rest, atol=1e-5)


def test_slopes_of_the_projection_are_right() -> None:
    torch.manual_seed(0)
    cameras = CropCamera(
        torch.tensor([[30.0, -20.0]]).double(), torch.tensor([80.0]).double(), torch.tensor([500.0]).double()
    )
    points = torch.randn(1, 5, 3).double() * 0.05
    seen = torch.eye(3)[None].double()

    def project(scale: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
        there = head_place(scale, origin, cameras)
        return to_crop(to_camera(points, seen, there), there, cameras)

    scale = torch.tensor([7.0], dtype=torch.float64, requires_grad=True)
    origin = torch.tensor([[0.1, -0.2]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(project, (scale, origin), eps=1e-6, atol=1e-4)
