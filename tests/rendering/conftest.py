"""One off-screen renderer for all tests that only look at pictures: making one takes longer than drawing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.face_model import FaceModel
from rendering import OffscreenRenderer, RenderingUnavailableError, Scene
from tests.helpers.tiny_model import tiny_model


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return tiny_model()


@pytest.fixture(scope="session")
def shared_renderer(model: FaceModel) -> Iterator[OffscreenRenderer]:
    try:
        renderer = OffscreenRenderer(model)
    except RenderingUnavailableError as error:
        pytest.skip(str(error))
    with renderer:
        yield renderer


@pytest.fixture
def renderer(shared_renderer: OffscreenRenderer) -> OffscreenRenderer:
    """As new: the default scene, no texture."""
    shared_renderer.scene = Scene()
    shared_renderer.set_texture(None)
    return shared_renderer


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    """Where a virtual camera's pictures go instead of to a driver."""
    return tmp_path / "camera.bin"
