"""The source that the window's settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.benchmarking.paced import PacedSource
from app.demo_clip import DEMO_CLIP
from app.window_settings import SourceSettings
from tracking import FrameTracker
from tracking.sources import CameraFormat, Source, SourceError, list_cameras, make_source

if TYPE_CHECKING:
    from models.face_model import FaceModel

SYNTHETIC_FRAMES, SYNTHETIC_FPS = 4500, 15.0
"""Five minutes; then the rendered person starts over."""


def build_source(wanted: SourceSettings, model: FaceModel, *, loop: bool = True) -> Source:
    """The source, not opened yet. May block for a second: worker threads only.

    Args:
        wanted: its kind must not be `none`.
        model: for rendered faces.
        loop: files start over at their end.

    Raises:
        SourceError: it does not exist.
        SessionFileError: the session cannot be read.
        StreamError: an address or port to listen on cannot be.
    """
    if wanted.kind == "demo":
        return make_source(DEMO_CLIP, paced=True, loop=loop)
    if wanted.kind == "file":
        return make_source(Path(wanted.path), paced=True, loop=loop, mirrored=wanted.mirrored)
    if wanted.kind == "camera":
        request = CameraFormat(
            wanted.width, wanted.height, wanted.fps, wanted.fourcc, wanted.rotate, mirrored=wanted.mirrored
        )
        return make_source(f"camera:{_camera_index(wanted)}", camera=request)
    if wanted.kind == "synthetic":
        from tracking.sources.synthetic import SyntheticSettings, SyntheticSource

        settings = SyntheticSettings(frames=SYNTHETIC_FRAMES, fps=SYNTHETIC_FPS, width=480, height=360)
        return PacedSource(SyntheticSource(settings, model), SYNTHETIC_FPS)
    if wanted.kind == "session":
        from recordings.playback import Player
        from recordings.reader import open_session

        return Player(open_session(Path(wanted.path)))
    if wanted.kind == "receiver":
        from tracking.streams.receivers import ReceiverSource
        from tracking.streams.receivers.choose import make_receiver

        return ReceiverSource(make_receiver(wanted.name, wanted.listen_on, wanted.port, wanted.path))
    raise SourceError("No source is chosen: choose a camera, a file or the demo clip.")


def answering(source: Source, model: FaceModel) -> FrameTracker | None:
    """What answers a source's pictures without looking at them: recorded or received values. None where they are to be
    tracked."""
    # By name, since nobody loads a module that the source does not come from.
    kind = type(source).__name__
    if kind == "Player":
        from recordings.playback import Player, RecordedTracker

        return RecordedTracker(source, model) if isinstance(source, Player) else None
    if kind == "ReceiverSource":
        from tracking.streams.receivers import ReceiverSource, ReceiverTracking

        return ReceiverTracking(source.receiver, model) if isinstance(source, ReceiverSource) else None
    return None


def _camera_index(wanted: SourceSettings) -> int:
    """Where the camera of that name is now; its last index where no single camera has the name."""
    if wanted.name:
        named = [camera.index for camera in list_cameras() if camera.name == wanted.name]
        if named and wanted.camera not in named:
            return named[0]
    return wanted.camera
