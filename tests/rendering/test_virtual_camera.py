"""The virtual camera from end to end, through a back end that writes into a file instead of a driver."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rendering.virtual_camera import CameraState, VirtualCamera, VirtualCameraSettings
from rendering.virtual_camera.compose import compose
from tests.helpers.virtual_camera import Pixels, camera_into, noise, read_sink

Wait = Callable[[Callable[[], bool]], None]
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def test_what_is_submitted_arrives_byte_by_byte_and_is_the_preview(sink: Path, wait_until: Wait) -> None:
    with camera_into(sink) as camera:
        for seed in range(3):
            picture = noise(seed)
            camera.submit(picture)
            np.testing.assert_array_equal(camera.preview(), picture)
            wait_until(lambda p=picture: sink.exists() and np.array_equal(read_sink(sink).picture, p))  # type: ignore[misc]
        status = camera.status()
        assert status.state is CameraState.RUNNING and status.problem is None
        assert status.backend == "memory" and status.device == str(sink)
        found = read_sink(sink)
        assert (found.width, found.height, found.fps) == (320, 180, 30)
        assert found.fourcc == int.from_bytes(b"raw ", "little")  # RGB
        assert found.pid != os.getpid()
    assert read_sink(sink).closed == 1
    assert camera.status().state is CameraState.OFF


def test_a_composed_picture_arrives_as_it_was_composed(sink: Path, wait_until: Wait) -> None:
    camera = camera_into(sink, layout="split", mirror=True, background="colour")
    out = compose(noise(1, 64, 48), noise(2, 100, 100), camera.settings)
    with camera:
        camera.submit(out)
        wait_until(lambda: sink.exists() and np.array_equal(read_sink(sink).picture, out))


def test_the_rate_is_held_by_sending_again(sink: Path, wait_until: Wait) -> None:
    with camera_into(sink, fps=30) as camera:
        wait_until(lambda: sink.exists() and read_sink(sink).count > 5)
        start, before = time.monotonic(), read_sink(sink)
        for seed in range(4):  # a slow tracker: four pictures in a second and a half
            camera.submit(noise(seed))
            time.sleep(0.4)
        after, took = read_sink(sink), time.monotonic() - start
        rate = (after.count - before.count) / took
        assert rate == pytest.approx(30.0, rel=0.15)
        assert after.differing - before.differing == 4
        status = camera.status()
        assert status.rate == pytest.approx(30.0, rel=0.15)
        assert status.sent >= after.count and status.fresh == 5  # the first is the plain one


def test_a_faster_tracker_does_not_hurry_it(sink: Path, wait_until: Wait) -> None:
    with camera_into(sink, fps=20) as camera:
        wait_until(lambda: sink.exists() and read_sink(sink).count > 2)
        start, before = time.monotonic(), read_sink(sink).count
        while time.monotonic() - start < 1.0:
            camera.submit(noise(int(time.monotonic_ns() % 1000)))
            time.sleep(0.002)
        assert (read_sink(sink).count - before) / (time.monotonic() - start) == pytest.approx(20.0, rel=0.15)


@pytest.mark.slow
def test_full_hd_at_60(sink: Path, wait_until: Wait) -> None:
    with camera_into(f"count:{sink}", width=1920, height=1080, fps=60) as camera:
        wait_until(lambda: camera.status().sent > 10)
        picture = noise(0, 1920, 1080)
        for row in range(90):
            picture[row] = row
            camera.submit(picture)
            time.sleep(1 / 60)
        assert camera.status().rate == pytest.approx(60.0, rel=0.15)


def test_before_the_first_picture_a_plain_one_goes_out(sink: Path, wait_until: Wait) -> None:
    with camera_into(sink, privacy=(1, 2, 3)):
        wait_until(lambda: sink.exists() and read_sink(sink).count > 0)
        assert (read_sink(sink).picture == (1, 2, 3)).all()


def test_hidden_a_plain_picture_goes_out_whatever_is_submitted(sink: Path, wait_until: Wait) -> None:
    with camera_into(sink, privacy=(9, 9, 9)) as camera:
        camera.submit(noise(0))
        wait_until(lambda: sink.exists() and read_sink(sink).differing >= 1)
        camera.hide(True)
        wait_until(lambda: bool((read_sink(sink).picture == 9).all()))
        assert camera.status().hidden
        count = read_sink(sink).count
        for seed in range(1, 6):
            camera.submit(noise(seed))
            assert (camera.preview() == 9).all()
            time.sleep(0.05)
        assert read_sink(sink).count > count and (read_sink(sink).picture == 9).all()
        camera.hide(False)
        wait_until(lambda: np.array_equal(read_sink(sink).picture, noise(5)))
        np.testing.assert_array_equal(camera.preview(), noise(5))


def test_hiding_works_before_it_starts_and_across_a_restart(sink: Path, wait_until: Wait) -> None:
    camera = camera_into(sink, privacy=(9, 9, 9))
    camera.hide(True)
    camera.submit(noise(0))
    for _ in range(2):
        with camera:
            wait_until(lambda: sink.exists() and read_sink(sink).count > 2)
            assert (read_sink(sink).picture == 9).all()
        sink.unlink()


def test_another_size_is_fitted(sink: Path) -> None:
    camera = camera_into(sink)
    camera.submit(np.full((100, 100, 3), 200, np.uint8))
    shown = camera.preview()
    assert shown.shape == (180, 320, 3)
    assert (shown[:, 70:250] == 200).all() and (shown[:, :70] == 0).all()


@pytest.mark.parametrize(
    "picture", [np.zeros((180, 320), np.uint8), np.zeros((180, 320, 4), np.uint8), np.zeros((180, 320, 3))]
)
def test_what_is_no_picture_is_refused(picture: Pixels, sink: Path) -> None:
    with pytest.raises(ValueError, match="uint8"):
        camera_into(sink).submit(picture)


def test_what_is_submitted_may_be_changed_afterwards_and_the_preview_may_not(sink: Path) -> None:
    camera = camera_into(sink)
    picture = noise(0)
    camera.submit(picture)
    kept = picture.copy()
    picture[:] = 0
    np.testing.assert_array_equal(camera.preview(), kept)
    with pytest.raises(ValueError, match="read-only"):
        camera.preview()[:] = 0


@pytest.mark.skipif(not Path("/sys/module/v4l2loopback").exists(), reason="no v4l2loopback on this machine")
def test_through_a_real_loopback_camera(wait_until: Wait) -> None:
    import cv2

    with VirtualCamera(VirtualCameraSettings(width=640, height=480)) as camera:
        wait_until(lambda: camera.status().state is CameraState.RUNNING)
        camera.submit(np.full((480, 640, 3), (200, 40, 40), np.uint8))
        capture = cv2.VideoCapture(camera.status().device, cv2.CAP_V4L2)

        def arrived() -> bool:
            ok, picture = capture.read()
            return bool(ok) and abs(float(picture[240, 320, 2]) - 200.0) < 12.0

        wait_until(arrived)
        capture.release()
