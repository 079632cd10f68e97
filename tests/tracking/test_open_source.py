"""`open_source` takes whatever a person types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from tests.helpers.fake_camera import FakeCamera
from tracking import sources
from tracking.sources import CameraFormat, CameraInfo, CameraSource, ImageSource, SourceError, VideoSource, open_source
from tracking.sources import camera as camera_module


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    """The only connected camera: number 2, called `USB Camera`."""
    fake = FakeCamera()
    defaults = {**(CameraSource.__init__.__kwdefaults__ or {}), "capture_factory": fake}
    monkeypatch.setattr(CameraSource.__init__, "__kwdefaults__", defaults)
    monkeypatch.setattr(sources, "list_cameras", lambda: [CameraInfo(2, "USB Camera")])
    return fake


@pytest.mark.parametrize(("spec", "index"), [("0", 0), (1, 1), (" 7 ", 7), ("camera:3", 3), ("Camera:usb", 2)])
def test_cameras_by_number_and_name(device: FakeCamera, spec: str | int, index: int) -> None:
    with open_source(spec, camera=CameraFormat(width=128), mirrored=True) as source:
        assert isinstance(source, CameraSource)
        assert source.width == 128
        frame = source.read()
    assert device.opened == [(index, camera_module._BACKEND)]
    assert frame is not None
    assert frame.image[0, -1, 0] == 255


def test_files_and_folders(tiny_clip: Path, tmp_path: Path) -> None:
    picture = tmp_path / "face.PNG"
    PillowImage.fromarray(np.zeros((3, 4), np.uint8)).save(picture)
    with open_source(str(tiny_clip), paced=True) as source:
        assert isinstance(source, VideoSource)
        assert source.live
    for path in (picture, str(picture), tmp_path):
        with open_source(path) as source:
            assert isinstance(source, ImageSource)
            assert (source.width, source.height) == (4, 3)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("", "No source is named"),
        ("camera:", "No camera is named"),
        ("camera:kinect", "No camera is called"),
        ("camera:-1", "count from 0"),
        ("rtsp://host/stream", "network address"),
        ("no such thing", "There is no camera, file or folder"),
        ("absent.png", "There is no picture"),
    ],
)
def test_anything_else_gives_one_sentence(device: FakeCamera, spec: str, expected: str) -> None:
    with pytest.raises(SourceError, match=expected) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
