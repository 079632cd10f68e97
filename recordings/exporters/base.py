"""What all formats share: options, progress, and files that appear only once they are whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from models.face_model import FaceModel, load_face_model
from models.whole_file import umask
from recordings.reader import Session
from recordings.resample import cut, held, resample
from recordings.track import Track

__all__ = [
    "ExportCancelledError",
    "ExportError",
    "ExportOptions",
    "FrameView",
    "Job",
    "part_file",
    "part_folder",
]

FrameView = Literal["textured", "clay", "wireframe", "tension", "overlay", "input"]
"""What rendered pictures show; `input` is the camera's picture itself."""

LONGEST_S = 24 * 3600.0
"""Of a session that is resampled: a damaged time stamp must not make millions of frames."""


class ExportError(Exception):
    """A session cannot be exported. The message is one sentence: what was wrong and what to do."""


class ExportCancelledError(Exception):
    """The export was stopped before its end; nothing is left of it."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export, and how.

    Attributes:
        start_s, end_s: part of the session, in its own times; None is its start or end.
        fps: frames a second; None leaves the frames at their own times where the format can say them, and takes the
            session's nominal rate where it cannot.
        wrinkles: add the relief of the skin where the session has it and the format can carry it.
        wrinkle_shapes: how many shapes the relief is made of in formats that mix shapes (GLB).
        view: what pictures show.
        size: width and height of pictures; None is that of the session's.
        audio: with the session's sound.
        transparent: pictures without background, where the format has transparency.
    """

    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    wrinkles: bool = False
    wrinkle_shapes: int = 8
    view: FrameView = "textured"
    size: tuple[int, int] | None = None
    audio: bool = True
    transparent: bool = True

    def __post_init__(self) -> None:
        if self.fps is not None and not 1.0 <= self.fps <= 240.0:
            raise ExportError(f"The frame rate must lie between 1 and 240, not at {self.fps:g}.")
        if self.start_s is not None and self.end_s is not None and self.end_s <= self.start_s:
            raise ExportError(f"The range ends at {self.end_s:g} s, before it starts: swap --start and --end.")
        if not 1 <= self.wrinkle_shapes <= 32:
            raise ExportError(f"Relief is made of 1 to 32 shapes, not {self.wrinkle_shapes}.")


@dataclass(frozen=True, slots=True)
class Job:
    """One session on its way into one file or folder.

    Attributes:
        session: as opened.
        out: the file or folder.
        options: see ExportOptions.
        progress: called with frames done and frames in all; raises ExportCancelledError to stop.
    """

    session: Session
    out: Path
    options: ExportOptions
    progress: Callable[[int, int], None] = lambda done, total: None

    def track(self) -> Track:
        """The wanted part; its times are still the session's.

        Raises:
            ExportError: there is nothing in it.
        """
        track = cut(self.session.track, self.options.start_s, self.options.end_s)
        if not len(track):
            end = self.session.track.time_s[-1] if len(self.session.track) else 0.0
            raise ExportError(f"There are no frames in that range: {self.session.name} lasts until {end:.2f} s.")
        if self.options.fps is None:
            return track
        self._check_length(track)
        return resample(track, self.options.fps)

    def even_track(self) -> tuple[Track, float]:
        """The wanted part at an even rate, and that rate: for formats that only count frames."""
        track = self.track()
        fps = self.options.fps or self.session.fps
        if self.options.fps is None:
            steps = np.diff(track.time_s) * fps
            if len(steps) and float(np.abs(steps - 1).max()) > 0.02:
                self._check_length(track)
                track = resample(track, fps)
        return track, fps

    def animation(self, *, even: bool = False) -> Track:
        """The wanted part with every row filled, for formats that cannot say "no face".

        Raises:
            ExportError: no frame has a face.
        """
        return self.filled(self.even_track()[0] if even else self.track())

    def filled(self, track: Track) -> Track:
        """A part with every row filled, see `held`.

        Raises:
            ExportError: no frame has a face.
        """
        try:
            return held(track)
        except ValueError as error:
            raise ExportError(f"No face was seen in that range of {self.session.name}: nothing to animate.") from error

    def model(self) -> FaceModel:
        """The face model that the session was tracked with.

        Raises:
            ExportError: it was another one than the shipped one.
        """
        model = load_face_model()
        name = self.session.manifest.parameters.face_model
        if name is not None and name != model.name:
            raise ExportError(
                f"{self.session.name} was tracked with the face model {name}, not with {model.name}: its shape cannot "
                "be exported here. Formats of values (csv, parquet, npz, livelink-csv, bvh) can."
            )
        if len(self.session.track.identity) > model.identity_count:
            raise ExportError(f"The identity of {self.session.name} does not fit {model.name}: track it again.")
        return model

    def _check_length(self, track: Track) -> None:
        if track.time_s[-1] - track.time_s[0] > LONGEST_S:
            raise ExportError("That range is longer than a day: choose a shorter one with --start and --end.")


@contextmanager
def part_file(out: Path) -> Iterator[Path]:
    """A file beside `out` that takes its name once the block ends without an error, and goes away otherwise.

    Raises:
        ExportError: it cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.is_dir():
            raise ExportError(f"{out} is a folder: give the export a file name.")
        handle, name = tempfile.mkstemp(prefix=f".{out.stem}.", suffix=out.suffix, dir=out.parent)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            part.chmod(0o666 & ~umask())
            part.replace(out)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ExportError(f"The file {out} cannot be written ({error.strerror or error}): is the disk full?") from error


@contextmanager
def part_folder(out: Path) -> Iterator[Path]:
    """As `part_file`, for a folder, which must not exist or be empty.

    Raises:
        ExportError: it cannot be written, or there is something in it.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ExportError(f"{out} exists and is not empty: choose a new folder for the pictures or meshes.")
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            yield part
            part.chmod(0o777 & ~umask())
            if out.exists():
                out.rmdir()
            part.replace(out)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise ExportError(
            f"The folder {out} cannot be written ({error.strerror or error}): is the disk full?"
        ) from error
