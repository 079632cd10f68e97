"""Cameras: what is asked, what is applied, unplugging, and closing whatever the device does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.helpers.fake_camera import FakeCamera
from tracking.sources import CameraFormat, CameraInfo, CameraSource, SourceError, camera, find_camera, list_cameras
from tracking.sources.camera import Rotation

WaitUntil = Callable[[Callable[[], bool]], None]


def test_the_fake_mirrors_the_real_class() -> None:
    real = cv2.VideoCapture()
    fake = FakeCamera()(0, 0)
    for name in ("isOpened", "read", "get", "set", "release"):
        assert callable(getattr(real, name))
        assert callable(getattr(fake, name))
    assert list(real.read()) == [False, None]
    silent = FakeCamera()
    silent.silent = True
    assert silent(0, 0).read() == (False, None)
    assert isinstance(real.isOpened(), bool)
    assert isinstance(real.get(cv2.CAP_PROP_FPS), float)


def test_gives_rgb_pictures_with_growing_times() -> None:
    now = iter(range(1_000_000_000, 100_000_000_000, 250_000_000))
    with CameraSource(3, capture_factory=FakeCamera(), clock=lambda: next(now)) as source:
        frames = [source.read() for _ in range(3)]
        assert source.live
        assert (source.width, source.height, source.fps) == (64, 48, 30.0)
        assert source.name == "Camera 3"
    assert [f.index for f in frames if f] == [0, 1, 2]
    assert [f.time_s for f in frames if f] == [0.25, 0.5, 0.75]
    assert [f.captured_ns for f in frames if f] == [1_250_000_000, 1_500_000_000, 1_750_000_000]
    image = frames[0].image if frames[0] else np.zeros(0)
    assert image.shape == (48, 64, 3)
    assert image.flags.c_contiguous
    assert image[0, 0].tolist() == [255, 0, 0]
    assert image[-1, -1].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("turn", "mirrored", "corner"),
    [
        (0, False, (0, 0)),
        (90, False, (0, -1)),
        (180, False, (-1, -1)),
        (270, False, (-1, 0)),
        (0, True, (0, -1)),
        (90, True, (0, 0)),
    ],
)
def test_turns_and_unmirrors(turn: Rotation, mirrored: bool, corner: tuple[int, int]) -> None:
    request = CameraFormat(rotate=turn, mirrored=mirrored)
    with CameraSource(0, request, capture_factory=FakeCamera()) as source:
        frame = source.read()
        assert (source.width, source.height) == ((48, 64) if turn in (90, 270) else (64, 48))
    assert frame is not None
    corners = {(y, x): int(frame.image[y, x, 0]) for y in (0, -1) for x in (0, -1)}
    assert [place for place, red in corners.items() if red == 255] == [corner]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_takes_grey_and_four_channel_pictures(channels: int) -> None:
    device = FakeCamera()
    device.channels = channels
    with CameraSource(0, capture_factory=device) as source:
        frame = source.read()
    assert frame is not None
    assert frame.image.shape == (48, 64, 3)
    assert frame.image[0, 0, 0] == 255


def test_a_format_that_is_applied_gives_no_warning() -> None:
    request = CameraFormat(width=128, height=96, fps=60.0, fourcc="mjpg")
    with CameraSource(0, request, capture_factory=FakeCamera()) as source:
        assert (source.width, source.height, source.fps) == (128, 96, 60.0)
        assert source.warning is None


def test_a_format_that_is_not_applied_is_reported() -> None:
    request = CameraFormat(width=1920, height=1080, fps=120.0, fourcc="H264")
    with CameraSource(0, request, capture_factory=FakeCamera()) as source:
        assert source.warning == (
            "Camera 0 gives 128 x 96 pixels instead of 1920 x 1080, 60 pictures a second instead of 120,"
            " pixel format YUYV instead of H264."
        )


def test_a_turned_camera_is_judged_by_its_own_size() -> None:
    request = CameraFormat(width=128, height=96, rotate=90)
    with CameraSource(0, request, capture_factory=FakeCamera()) as source:
        assert (source.width, source.height) == (96, 128)
        assert source.warning is None


@pytest.mark.parametrize("fault", ["unplugged", "busy", "silent"])
def test_a_camera_that_cannot_be_used_gives_one_sentence(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_FIRST_PICTURE_PAUSE_S", 0.001)
    device = FakeCamera()
    device.plugged, device.busy, device.silent = fault != "unplugged", fault == "busy", fault == "silent"
    with pytest.raises(SourceError, match=r"^Camera 0 .*\.$") as caught:
        CameraSource(0, capture_factory=device).open()
    assert "\n" not in str(caught.value)
    assert device.releases == 1


def test_the_real_opencv_without_that_camera_gives_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="Camera 97 cannot be opened"):
        CameraSource(97).open()
    assert capfd.readouterr().err == ""


def test_wrong_requests_give_one_sentence() -> None:
    with pytest.raises(SourceError, match="count from 0"):
        CameraSource(-1)
    with pytest.raises(SourceError, match="not a pixel format"):
        CameraSource(0, CameraFormat(fourcc="JPEG2000"))
    with pytest.raises(SourceError, match="not open"):
        CameraSource(0, capture_factory=FakeCamera()).read()


def test_an_unplugged_camera_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil, no_leaked_threads: None
) -> None:
    monkeypatch.setattr(camera, "_BACKOFF_FIRST_S", 0.005)
    device = FakeCamera()
    source = CameraSource(0, capture_factory=device)
    source.open()
    assert source.read() is not None
    device.plugged = False
    frames: list[object] = []
    reader = threading.Thread(target=lambda: frames.append(source.read()))
    reader.start()
    wait_until(lambda: len(device.opened) >= 3)
    assert source.problem is not None
    assert "plug it in" in source.problem
    assert frames == []
    device.plugged = True
    reader.join(10.0)
    assert len(frames) == 1
    assert frames[0] is not None
    assert source.problem is None
    source.close()
    assert device.releases == len(device.opened)


def test_the_pauses_between_attempts_grow_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakeCamera()
    source = CameraSource(0, capture_factory=device)
    source.open()
    device.plugged = False
    pauses: list[float] = []

    class Recorder(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            if len(pauses) == 8:
                self.set()
            return self.is_set()

    monkeypatch.setattr(source, "_closed", Recorder())
    assert source.read() is None
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_close_ends_the_waiting_for_an_unplugged_camera(
    monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil, no_leaked_threads: None
) -> None:
    monkeypatch.setattr(camera, "_BACKOFF_FIRST_S", 60.0)
    device = FakeCamera()
    source = CameraSource(0, capture_factory=device)
    source.open()
    device.plugged = False
    frames: list[object] = []
    reader = threading.Thread(target=lambda: frames.append(source.read()))
    reader.start()
    wait_until(lambda: source.problem is not None)
    start = time.monotonic()
    source.close()
    reader.join(10.0)
    assert frames == [None]
    assert time.monotonic() - start < 1.0


def test_close_does_not_wait_for_a_driver_that_hangs(wait_until: WaitUntil, no_leaked_threads: None) -> None:
    device = FakeCamera()
    source = CameraSource(0, capture_factory=device)
    source.open()
    device.hang = threading.Event()
    reads = device.reads
    reader = threading.Thread(target=source.read)
    reader.start()
    wait_until(lambda: device.reads > reads)
    start = time.monotonic()
    source.close()
    assert time.monotonic() - start < 1.0
    assert device.releases == 0
    device.hang.set()
    reader.join(10.0)
    assert device.releases == 1
    assert source.read() is None


def test_finds_cameras_by_name() -> None:
    cameras = [CameraInfo(0, "Integrated Webcam"), CameraInfo(2, "USB Camera"), CameraInfo(4, "USB Camera HD")]
    assert find_camera("integrated", cameras).index == 0
    assert find_camera("usb camera", cameras).index == 2
    assert find_camera("HD", cameras).index == 4
    with pytest.raises(SourceError, match=r"Several cameras .* 2 \(USB Camera\), 4 \(USB Camera HD\)"):
        find_camera("usb", cameras)
    with pytest.raises(SourceError, match=r"there are 0 \(Integrated Webcam\)"):
        find_camera("kinect", cameras)
    with pytest.raises(SourceError, match="none is connected"):
        find_camera("kinect", [])


def test_lists_cameras_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2_enumerate_cameras
    from cv2_enumerate_cameras.camera_info import CameraInfo as Found

    found = [Found(2, "B", None, None, None, 0), Found(0, "A", None, None, None, 0)]
    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", lambda backend: found)
    assert list_cameras() == [CameraInfo(0, "A"), CameraInfo(2, "B")]
