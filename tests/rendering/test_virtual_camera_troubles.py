"""What goes wrong with a virtual camera is told in one sentence; its process starts and ends cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rendering.virtual_camera import CameraState, VirtualCamera, VirtualCameraSettings
from rendering.virtual_camera.advice import INSTALL
from tests.conftest import ROOT
from tests.helpers.virtual_camera import alive, camera_into, noise, read_sink

Wait = Callable[[Callable[[], bool]], None]
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def test_a_back_end_that_refuses_is_advice(wait_until: Wait) -> None:
    camera = camera_into(
        "refuse:No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe v4l2loopback'?"
    )
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    status = camera.status()
    assert status.problem is not None and "Traceback" not in status.problem
    assert status.advice[0].backend == "memory" and status.advice[0].said.startswith("No v4l2 loopback")
    camera.submit(noise(0))  # nothing else is disturbed
    camera.stop()
    assert camera.status().problem is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="v4l2loopback is Linux's")
@pytest.mark.skipif(Path("/sys/module/v4l2loopback").exists(), reason="this machine has a loopback camera")
def test_the_real_back_end_without_a_driver_says_what_to_do(wait_until: Wait) -> None:
    camera = VirtualCamera(VirtualCameraSettings(width=320, height=180))
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert "sudo modprobe v4l2loopback devices=1 exclusive_caps=1" in str(camera.status().problem)
    camera.stop()


def test_a_back_end_of_another_system_is_told(wait_until: Wait) -> None:
    wanted = "unitycapture" if not sys.platform.startswith("win") else "v4l2loopback"
    camera = VirtualCamera(VirtualCameraSettings(width=320, height=180, backend=wanted))
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert f"The back end {wanted} does not exist on this system" in str(camera.status().problem)
    camera.stop()


def test_without_the_package_one_is_told_how_to_install_it(sink: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rendering.virtual_camera.camera.importlib.util.find_spec", lambda name: None)
    camera = camera_into(sink)
    camera.start()
    assert camera.status().state is CameraState.FAILED and camera.status().problem == INSTALL
    camera.submit(noise(0))
    camera.stop()


def test_a_sharing_back_end_without_its_package_is_told_how_to_get_it(wait_until: Wait) -> None:
    camera = VirtualCamera(VirtualCameraSettings(width=320, height=180, backend="spout"))
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert "pip install SpoutGL" in str(camera.status().problem)
    camera.stop()


def test_a_device_that_breaks_while_it_runs_is_told_and_can_be_started_again(sink: Path, wait_until: Wait) -> None:
    camera = camera_into(f"break:{sink}")
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert "the cable fell out" in str(camera.status().problem)
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.RUNNING)
    assert camera.status().problem is None
    camera.stop()


def test_a_process_that_is_killed_is_told_and_can_be_started_again(sink: Path, wait_until: Wait) -> None:
    camera = camera_into(sink)
    camera.start()
    wait_until(lambda: sink.exists() and read_sink(sink).count > 2)
    first = read_sink(sink).pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert camera.status().problem == (
        "The virtual camera's process ended unexpectedly: start it again; tracking goes on."
    )
    camera.submit(noise(3))
    camera.start()
    wait_until(lambda: read_sink(sink).pid != first and np.array_equal(read_sink(sink).picture, noise(3)))
    camera.stop()


def test_a_program_that_dies_takes_its_camera_with_it(sink: Path, wait_until: Wait) -> None:
    script = textwrap.dedent(f"""
        import time
        from rendering.virtual_camera import VirtualCamera, VirtualCameraSettings
        if __name__ == "__main__":
            settings = VirtualCameraSettings(width=320, height=180, device={str(sink)!r})
            camera = VirtualCamera(settings, backend_module="tests.helpers.memory_camera", backend="memory")
            camera.start()
            time.sleep(60)
    """)
    path = sink.with_name("program.py")
    path.write_text(script)
    program = subprocess.Popen([sys.executable, str(path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        wait_until(lambda: sink.exists() and read_sink(sink).count > 2)
        child = read_sink(sink).pid
        assert alive(child)
    finally:
        program.kill()
        program.wait()
    wait_until(lambda: not alive(child))
    assert read_sink(sink).closed == 1


def test_its_process_loads_neither_qt_nor_torch_nor_opengl() -> None:
    heavy = ("PySide6", "torch", "vispy", "mediapipe", "cv2", "numba", "pydantic", "models.face_model", "tracking")
    code = f"""
import sys, time
start = time.perf_counter()
import rendering.virtual_camera.process
print(sorted(name for name in {heavy} if name in sys.modules))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"


def test_nothing_of_the_camera_loads_pyvirtualcam_into_the_program() -> None:
    code = """
import sys
import rendering.virtual_camera.compose
from rendering.virtual_camera import VirtualCamera, VirtualCameraSettings
VirtualCamera(VirtualCameraSettings(width=320, height=180)).status()
assert "pyvirtualcam" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_starting_and_stopping_is_quick_and_may_be_repeated(sink: Path, wait_until: Wait) -> None:
    camera = camera_into(sink)
    camera.stop()
    for _ in range(2):
        start = time.monotonic()
        camera.start()
        camera.start()
        assert time.monotonic() - start < 1.0
        wait_until(lambda: camera.status().state is CameraState.RUNNING)
        start = time.monotonic()
        camera.stop()
        camera.stop()
        assert time.monotonic() - start < 1.5
