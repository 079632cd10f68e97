"""The photometric losses prefer the relief that the picture was made with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.losses.mrf import VGG16_BLOCKS, VggFeatures
from models.synthesis.light import directional_light, to_srgb
from models.training.data.detail_shading import detail_normals, shading
from models.training.data.strain import surface_maps
from models.training.data.textures import FaceTexture
from models.training.detail_photometric import LitFace, lit_face, photometric_terms, rendered
from models.training.evaluation.photometric_detail import explained


@pytest.fixture(scope="module")
def window() -> DetailMap:
    return DetailMap(load_face_model())


def side_lit(window: DetailMap) -> tuple[FaceTexture, np.ndarray]:
    """A clay face with ripples on its cheeks, lit from the side, and its displacement."""
    model = window.model
    expression = np.zeros(52, np.float32)
    maps = surface_maps(window, model.pose(model.identity(), expression))
    rows, columns = np.mgrid[:256, :256]
    relief = (0.25 * np.sin(columns / 2.0) * window.mask * (rows > 100)).astype(np.float32)
    light = directional_light(np.array([0.9, 0.3, 0.7]), 0.7, 0.3)
    colour = 0.35 * shading(detail_normals(relief, maps), light)
    face = FaceTexture(
        to_srgb(colour), np.ones((256, 256), np.float32), maps.tension, maps.normals, model.identity(), expression, "x"
    )
    return face, relief


def test_the_true_relief_explains_the_picture_best(window: DetailMap) -> None:
    face, relief = side_lit(window)
    lit = lit_face(face, window)
    costs = [
        float(photometric_terms(lit, torch.from_numpy(share * relief)[None, None])["photometric"])
        for share in (-1.0, 0.0, 0.5, 1.0)
    ]
    assert costs[3] < costs[2] < costs[1] < costs[0]
    image = rendered(lit, torch.zeros(1, 1, 256, 256))
    assert image.shape == (1, 3, 256, 256) and bool(torch.isfinite(image).all())


def test_the_gradient_leads_to_relief(window: DetailMap) -> None:
    face, relief = side_lit(window)
    lit = lit_face(face, window)
    start = torch.zeros(1, 1, 256, 256, requires_grad=True)
    photometric_terms(lit, start)["photometric"].backward()  # type: ignore[no-untyped-call]
    assert start.grad is not None
    step = -start.grad[0, 0].numpy() * window.mask
    assert float(np.corrcoef(step.ravel(), relief.ravel())[0, 1]) > 0.1


def test_relief_of_a_face_without_texture_is_found_from_its_shading(window: DetailMap) -> None:
    face, relief = side_lit(window)
    found = explained(lit_face(face, window), window.mask, steps=30)
    inside = (window.mask > 0.5) & (np.arange(256)[:, None] > 110)
    assert float(np.corrcoef(found[inside], relief[inside])[0, 1]) > 0.4
    assert float(np.abs(found[window.mask < 1e-3]).max()) < 1e-3


def test_mrf_is_there_where_features_are(window: DetailMap) -> None:
    face, relief = side_lit(window)
    whole = lit_face(face, window)
    part = {k: v[..., 140:188, 60:108] if (v := getattr(whole, k)).ndim == 4 else v for k in LitFace.__slots__}
    torch.manual_seed(0)
    with torch.no_grad():
        start = torch.from_numpy(relief[140:188, 60:108])[None, None]
        terms = photometric_terms(LitFace(**part), start, VggFeatures(VGG16_BLOCKS))
    assert set(terms) == {"photometric", "mrf"}
