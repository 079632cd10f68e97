"""The virtual camera from end to end, through a back end that writes into a file instead of a driver."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from rendering.virtual_camera import CameraState, VirtualCamera, VirtualCameraSettings
from rendering.virtual_camera.advice import INSTALL
from rendering.virtual_camera.compose import compose
from rendering.virtual_camera.frames import FramesError, Shape, SharedFrames
from rendering.virtual_camera.outputs import OutputError, OutputRequest, open_output
from tests.conftest import ROOT
from tests.helpers.memory_camera import HEAD

Wait = Callable[[Callable[[], bool]], None]
Pixels = NDArray[np.uint8]

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    return tmp_path / "camera.bin"


def _camera(sink: Path | str, **changes: object) -> VirtualCamera:
    settings = VirtualCameraSettings.model_validate(
        {"width": 320, "height": 180, "fps": 30, "device": str(sink)} | changes
    )
    return VirtualCamera(settings, backend_module="tests.helpers.memory_camera", backend="memory")


def _read(sink: Path) -> SimpleNamespace:
    data = sink.read_bytes()
    names = ("pid", "width", "height", "fps", "count", "differing", "closed", "fourcc")
    found = SimpleNamespace(**dict(zip(names, HEAD.unpack_from(data), strict=True)))
    pixels = data[HEAD.size :]
    shape = (found.height, found.width, 3)
    found.picture = np.frombuffer(pixels, np.uint8).reshape(shape) if pixels else np.zeros(shape, np.uint8)
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def _noise(seed: int, width: int = 320, height: int = 180) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_what_is_submitted_arrives_byte_by_byte_and_is_the_preview(sink: Path, wait_until: Wait) -> None:
    with _camera(sink) as camera:
        for seed in range(3):
            picture = _noise(seed)
            camera.submit(picture)
            np.testing.assert_array_equal(camera.preview(), picture)
            wait_until(lambda p=picture: sink.exists() and np.array_equal(_read(sink).picture, p))  # type: ignore[misc]
        status = camera.status()
        assert status.state is CameraState.RUNNING and status.problem is None
        assert status.backend == "memory" and status.device == str(sink)
        found = _read(sink)
        assert (found.width, found.height, found.fps) == (320, 180, 30)
        assert found.fourcc == int.from_bytes(b"raw ", "little")  # RGB
        assert found.pid != os.getpid()
    assert _read(sink).closed == 1
    assert camera.status().state is CameraState.OFF


def test_a_composed_picture_arrives_as_it_was_composed(sink: Path, wait_until: Wait) -> None:
    camera = _camera(sink, layout="split", mirror=True, background="colour")
    out = compose(_noise(1, 64, 48), _noise(2, 100, 100), camera.settings)
    with camera:
        camera.submit(out)
        wait_until(lambda: sink.exists() and np.array_equal(_read(sink).picture, out))


def test_the_rate_is_held_by_sending_again(sink: Path, wait_until: Wait) -> None:
    with _camera(sink, fps=30) as camera:
        wait_until(lambda: sink.exists() and _read(sink).count > 5)
        start, before = time.monotonic(), _read(sink)
        for seed in range(4):  # a slow tracker: four pictures in a second and a half
            camera.submit(_noise(seed))
            time.sleep(0.4)
        after, took = _read(sink), time.monotonic() - start
        rate = (after.count - before.count) / took
        assert rate == pytest.approx(30.0, rel=0.15)
        assert after.differing - before.differing == 4
        status = camera.status()
        assert status.rate == pytest.approx(30.0, rel=0.15)
        assert status.sent >= after.count and status.fresh == 5  # the first is the plain one


def test_a_faster_tracker_does_not_hurry_it(sink: Path, wait_until: Wait) -> None:
    with _camera(sink, fps=20) as camera:
        wait_until(lambda: sink.exists() and _read(sink).count > 2)
        start, before = time.monotonic(), _read(sink).count
        while time.monotonic() - start < 1.0:
            camera.submit(_noise(int(time.monotonic_ns() % 1000)))
            time.sleep(0.002)
        assert (_read(sink).count - before) / (time.monotonic() - start) == pytest.approx(20.0, rel=0.15)


@pytest.mark.slow
def test_full_hd_at_60(sink: Path, wait_until: Wait) -> None:
    with _camera(f"count:{sink}", width=1920, height=1080, fps=60) as camera:
        wait_until(lambda: camera.status().sent > 10)
        picture = _noise(0, 1920, 1080)
        for row in range(90):
            picture[row] = row
            camera.submit(picture)
            time.sleep(1 / 60)
        assert camera.status().rate == pytest.approx(60.0, rel=0.15)


def test_before_the_first_picture_a_plain_one_goes_out(sink: Path, wait_until: Wait) -> None:
    with _camera(sink, privacy=(1, 2, 3)):
        wait_until(lambda: sink.exists() and _read(sink).count > 0)
        assert (_read(sink).picture == (1, 2, 3)).all()


def test_hidden_a_plain_picture_goes_out_whatever_is_submitted(sink: Path, wait_until: Wait) -> None:
    with _camera(sink, privacy=(9, 9, 9)) as camera:
        camera.submit(_noise(0))
        wait_until(lambda: sink.exists() and _read(sink).differing >= 1)
        camera.hide(True)
        wait_until(lambda: bool((_read(sink).picture == 9).all()))
        assert camera.status().hidden
        count = _read(sink).count
        for seed in range(1, 6):
            camera.submit(_noise(seed))
            assert (camera.preview() == 9).all()
            time.sleep(0.05)
        assert _read(sink).count > count and (_read(sink).picture == 9).all()
        camera.hide(False)
        wait_until(lambda: np.array_equal(_read(sink).picture, _noise(5)))
        np.testing.assert_array_equal(camera.preview(), _noise(5))


def test_hiding_works_before_it_starts_and_across_a_restart(sink: Path, wait_until: Wait) -> None:
    camera = _camera(sink, privacy=(9, 9, 9))
    camera.hide(True)
    camera.submit(_noise(0))
    for _ in range(2):
        with camera:
            wait_until(lambda: sink.exists() and _read(sink).count > 2)
            assert (_read(sink).picture == 9).all()
        sink.unlink()


def test_another_size_is_fitted(sink: Path) -> None:
    camera = _camera(sink)
    camera.submit(np.full((100, 100, 3), 200, np.uint8))
    shown = camera.preview()
    assert shown.shape == (180, 320, 3)
    assert (shown[:, 70:250] == 200).all() and (shown[:, :70] == 0).all()


@pytest.mark.parametrize(
    "picture", [np.zeros((180, 320), np.uint8), np.zeros((180, 320, 4), np.uint8), np.zeros((180, 320, 3))]
)
def test_what_is_no_picture_is_refused(picture: Pixels, sink: Path) -> None:
    with pytest.raises(ValueError, match="uint8"):
        _camera(sink).submit(picture)


def test_what_is_submitted_may_be_changed_afterwards_and_the_preview_may_not(sink: Path) -> None:
    camera = _camera(sink)
    picture = _noise(0)
    camera.submit(picture)
    kept = picture.copy()
    picture[:] = 0
    np.testing.assert_array_equal(camera.preview(), kept)
    with pytest.raises(ValueError, match="read-only"):
        camera.preview()[:] = 0


def test_a_back_end_that_refuses_is_advice(wait_until: Wait) -> None:
    camera = _camera("refuse:No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe v4l2loopback'?")
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    status = camera.status()
    assert status.problem is not None and "Traceback" not in status.problem
    assert status.advice[0].backend == "memory" and status.advice[0].said.startswith("No v4l2 loopback")
    camera.submit(_noise(0))  # nothing else is disturbed
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


def test_a_back_end_of_another_system_is_told(wait_until: Wait) -> None:
    wanted = "unitycapture" if not sys.platform.startswith("win") else "v4l2loopback"
    camera = VirtualCamera(VirtualCameraSettings(width=320, height=180, backend=wanted))
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert f"The back end {wanted} does not exist on this system" in str(camera.status().problem)
    camera.stop()


def test_without_the_package_one_is_told_how_to_install_it(sink: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rendering.virtual_camera.camera.importlib.util.find_spec", lambda name: None)
    camera = _camera(sink)
    camera.start()
    assert camera.status().state is CameraState.FAILED and camera.status().problem == INSTALL
    camera.submit(_noise(0))
    camera.stop()


def test_a_sharing_back_end_without_its_package_is_told_how_to_get_it(wait_until: Wait) -> None:
    camera = VirtualCamera(VirtualCameraSettings(width=320, height=180, backend="spout"))
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert "pip install SpoutGL" in str(camera.status().problem)
    camera.stop()


def test_a_device_that_breaks_while_it_runs_is_told_and_can_be_started_again(sink: Path, wait_until: Wait) -> None:
    camera = _camera(f"break:{sink}")
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert "the cable fell out" in str(camera.status().problem)
    camera.start()
    wait_until(lambda: camera.status().state is CameraState.RUNNING)
    assert camera.status().problem is None
    camera.stop()


def test_a_process_that_is_killed_is_told_and_can_be_started_again(sink: Path, wait_until: Wait) -> None:
    camera = _camera(sink)
    camera.start()
    wait_until(lambda: sink.exists() and _read(sink).count > 2)
    first = _read(sink).pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: camera.status().state is CameraState.FAILED)
    assert camera.status().problem == (
        "The virtual camera's process ended unexpectedly: start it again; tracking goes on."
    )
    camera.submit(_noise(3))
    camera.start()
    wait_until(lambda: _read(sink).pid != first and np.array_equal(_read(sink).picture, _noise(3)))
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
        wait_until(lambda: sink.exists() and _read(sink).count > 2)
        child = _read(sink).pid
        assert _alive(child)
    finally:
        program.kill()
        program.wait()
    wait_until(lambda: not _alive(child))
    assert _read(sink).closed == 1


def test_its_process_loads_neither_qt_nor_torch_nor_opengl() -> None:
    heavy = ("PySide6", "torch", "vispy", "mediapipe", "cv2", "numba", "pydantic", "models", "tracking")
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
    camera = _camera(sink)
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


class TestFrames:
    def _pair(self) -> tuple[SharedFrames, SharedFrames]:
        lock = multiprocessing.get_context("spawn").Lock()
        writer = SharedFrames(Shape(64, 36), lock)
        return writer, SharedFrames(Shape(64, 36), lock, writer.name)

    def test_the_newest_is_read_once(self) -> None:
        writer, reader = self._pair()
        into = np.zeros((36, 64, 3), np.uint8)
        assert not reader.take(into)
        for seed in range(5):
            writer.put(_noise(seed, 64, 36))
        assert reader.take(into)
        np.testing.assert_array_equal(into, _noise(4, 64, 36))
        assert not reader.take(into)
        reader.report(10, 2, 29.5)
        assert writer.reported() == (10, 2, 29.5)
        reader.close()
        writer.destroy()
        with pytest.raises(FileNotFoundError):
            SharedMemory(writer.name)
        with pytest.raises(ValueError, match="closed"):
            writer.put(into)

    def test_no_picture_is_ever_torn(self) -> None:
        writer, reader = self._pair()
        into = np.zeros((36, 64, 3), np.uint8)
        stop = threading.Event()

        def write() -> None:
            value = 0
            while not stop.is_set():
                value = (value + 1) % 256
                writer.put(np.full((36, 64, 3), value, np.uint8))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            taken = 0
            deadline = time.monotonic() + 1.5
            while taken < 2000 and time.monotonic() < deadline:
                if reader.take(into):
                    taken += 1
                    assert (into == into[0, 0, 0]).all()
        finally:
            stop.set()
            thread.join()
            reader.close()
            writer.destroy()
        assert taken > 100

    def test_a_reader_that_died_with_the_lock_stops_nobody(self) -> None:
        writer, reader = self._pair()
        reader._lock.acquire()
        start = time.monotonic()
        with pytest.raises(FramesError):
            writer.put(_noise(0, 64, 36))
        assert time.monotonic() - start < 1.0
        reader._lock.release()
        reader.close()
        writer.destroy()


class _Recorder:
    """A stand-in for the packages of Spout, Syphon and NDI: notes every call of whatever is called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def note(self, name: str, result: object = None) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            copied = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
            self.calls.append((name, copied + tuple(kwargs.items())))
            return result

        return call


class TestSharing:
    """By stand-ins with the packages' own names: there is neither Windows nor a Mac here."""

    REQUEST = OutputRequest(64, 36, 30, "", None, "Mien")

    def _request(self, backend: str) -> OutputRequest:
        return OutputRequest(64, 36, 30, backend, None, "Mien")

    def test_spout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notes = _Recorder()
        sender = SimpleNamespace(
            setSenderName=notes.note("name"), sendImage=notes.note("image", True), releaseSender=notes.note("release")
        )
        monkeypatch.setitem(sys.modules, "SpoutGL", SimpleNamespace(SpoutSender=lambda: sender))
        monkeypatch.setitem(sys.modules, "SpoutGL.enums", SimpleNamespace(GL_RGBA=0x1908))
        output = open_output(self._request("spout"))
        picture = _noise(0, 64, 36)
        output.send(picture)
        output.close()
        assert [name for name, _ in notes.calls] == ["name", "image", "release"]
        pixels, *rest = notes.calls[1][1]
        assert rest == [64, 36, 0x1908, False, 0] and notes.calls[0][1] == ("Mien",)
        assert isinstance(pixels, np.ndarray)
        np.testing.assert_array_equal(pixels[..., :3], picture)
        assert (pixels[..., 3] == 255).all() and output.device == "Mien"
        sender.sendImage = notes.note("image", False)
        with pytest.raises(OutputError, match="not taken"):
            output.send(picture)

    def test_syphon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notes = _Recorder()
        server = SimpleNamespace(device="gpu", publish_frame_texture=notes.note("publish"), stop=notes.note("stop"))
        monkeypatch.setitem(sys.modules, "syphon", SimpleNamespace(SyphonMetalServer=lambda name: server))
        raw = SimpleNamespace(create_mtl_texture=notes.note("texture", "texture"))
        monkeypatch.setitem(sys.modules, "syphon.utils.raw", raw)
        copier = SimpleNamespace(copy_image_to_mtl_texture=notes.note("copy"))
        monkeypatch.setitem(sys.modules, "syphon.utils.numpy", copier)
        output = open_output(self._request("syphon"))
        picture = _noise(0, 64, 36)
        output.send(picture)
        output.close()
        assert [name for name, _ in notes.calls] == ["texture", "copy", "publish", "stop"]
        assert notes.calls[0][1] == ("gpu", 64, 36)
        assert notes.calls[2][1] == ("texture", ("is_flipped", True))
        pixels = notes.calls[1][1][0]
        assert isinstance(pixels, np.ndarray) and pixels.shape == (36, 64, 4)
        np.testing.assert_array_equal(pixels[..., :3], picture)

    def test_ndi(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notes = _Recorder()
        frame = SimpleNamespace(
            set_resolution=notes.note("size"), set_frame_rate=notes.note("rate"), set_fourcc=notes.note("fourcc")
        )
        sender = SimpleNamespace(
            set_video_frame=notes.note("frame"),
            open=notes.note("open"),
            write_video=notes.note("write", True),
            close=notes.note("close"),
        )
        modules = {
            "cyndilib": SimpleNamespace(),
            "cyndilib.wrapper": SimpleNamespace(),
            "cyndilib.video_frame": SimpleNamespace(VideoSendFrame=lambda: frame),
            "cyndilib.wrapper.ndi_structs": SimpleNamespace(FourCC=SimpleNamespace(RGBX="RGBX")),
            "cyndilib.sender": SimpleNamespace(Sender=notes.note("sender", sender)),
        }
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        output = open_output(self._request("ndi"))
        picture = _noise(0, 64, 36)
        output.send(picture)
        output.close()
        names = [name for name, _ in notes.calls]
        assert names == ["size", "rate", "fourcc", "sender", "frame", "open", "write", "close"]
        pixels = notes.calls[6][1][0]
        assert isinstance(pixels, np.ndarray) and pixels.shape == (36 * 64 * 4,)
        np.testing.assert_array_equal(pixels.reshape(36, 64, 4)[..., :3], picture)

    @pytest.mark.parametrize("backend", ["spout", "syphon", "ndi"])
    def test_without_the_package(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("SpoutGL", "syphon", "cyndilib.video_frame"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(OutputError, match=f"^'{backend}' backend: import: "):
            open_output(self._request(backend))
