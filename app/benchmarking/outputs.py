"""Everything that leaves the program at once: a recording, the virtual camera and a stream, while a clip is tracked.

The recording is real (encoder and disk), the stream goes to a socket of this machine, and the virtual camera's
process sends at its rate to a back end without a driver, so that any machine can measure it.
"""

from __future__ import annotations

import socket
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.errors import CommandError
from app.jobs.live import Outlets
from recordings.manifest import SourcePart
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings, SessionFacts
from rendering.virtual_camera.settings import VirtualCameraSettings
from tracking import Source, TrackedFace
from tracking.streams.settings import VmcStream
from tracking.types import Frame

BACKEND = "app.benchmarking.null_camera"
"""Module of the back end without a driver."""


class MeasuredOutputs:
    """All three outputs; give it every captured picture and every result.

    Args:
        source: whose pictures are recorded.
        model: face model that the virtual camera draws.

    Raises:
        CommandError: pyvirtualcam is not installed.
        SessionFileError: there is no room for the recording.
    """

    def __init__(self, source: Source, model: Any) -> None:
        import importlib.util

        if importlib.util.find_spec("pyvirtualcam") is None:
            raise CommandError("--outputs needs the extra `virtual-camera`: pip install 'mien[virtual-camera]'.")
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-benchmark-")))
        self._socket = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._socket.bind(("127.0.0.1", 0))
        self._received = 0
        self._listener = threading.Thread(target=self._listen, name="mien-benchmark-listen", daemon=True)
        self._listener.start()
        stream = VmcStream(on=True, port=self._socket.getsockname()[1])
        camera = VirtualCameraSettings(on=True)
        self._outlets = Outlets((stream,), camera, model, backend_module=BACKEND, backend="null")
        facts = SessionFacts(
            source=SourcePart(kind="video", name=source.name), width=source.width, height=source.height, fps=source.fps
        )
        self._recorder = Recorder(self._folder / "session", RecorderSettings(), facts)
        self._report: dict[str, Any] = {}

    def take_frame(self, frame: Frame) -> None:
        """A captured picture."""
        self._recorder.add_frame(frame)

    def take_face(self, face: TrackedFace) -> None:
        """A result."""
        self._recorder.add_face(face)
        self._outlets.send(face)

    def report(self) -> dict[str, Any]:
        """Figures of each output; ends them."""
        if self._report:
            return self._report
        camera = self._outlets.camera
        feeder = self._outlets.feeder
        assert camera is not None and feeder is not None
        status, words = camera.status(), self._outlets.camera_words()
        stream = self._outlets.hub.status()[0]
        outcome = self._recorder.stop()
        self._report = {
            "recording": {
                "frames": outcome.frames,
                "stored_frames": outcome.stored_frames,
                "lost_frames": outcome.lost_frames,
                "faces": outcome.faces,
                "warnings": list(outcome.warnings),
            },
            "virtual_camera": {
                "size": [status.width, status.height],
                "fps": status.fps,
                "sent_per_s": round(status.rate, 2),
                "drawn": feeder.drawn,
                "problem": "" if words[1] else words[0],
            },
            "stream": {"protocol": stream.protocol, "packets": stream.packets, "received": self._received},
        }
        return self._report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recorder.stop()
        self._outlets.close()
        self._stack.close()

    def _listen(self) -> None:
        while True:
            try:
                self._socket.recv(65536)
            except OSError:
                return  # closed: the measurement is over
            self._received += 1
