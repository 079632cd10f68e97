"""A session while it is written: rows as they come, the manifest at the start and, finished, at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from recordings.manifest import RenderPart, SessionFileError, SessionManifest, write_manifest
from recordings.table import TRACKER_STAGES, FrameTable
from tracking.types import FaceParameters, TrackedFace

__all__ = ["TABLE_NAME", "SessionWriter"]

TABLE_NAME = "frames.csv"


class SessionWriter:
    """Writes `frames.csv` and `session.json` into a folder.

    The manifest is there from the start, marked as not complete, so that a session that was killed can be told from one
    that came to its end.

    Args:
        folder: made if it does not exist; files of an earlier session in it are replaced.
        manifest: of the session; `media`, `parameters` and `warnings` are filled in here.
        stages: see FrameTable.
        raw: see FrameTable.

    Raises:
        SessionFileError: the folder cannot be written to.
    """

    def __init__(
        self, folder: Path, manifest: SessionManifest, stages: Sequence[str] = TRACKER_STAGES, *, raw: bool = False
    ) -> None:
        self.folder = folder
        self._manifest = manifest
        manifest.parameters.present = True
        manifest.parameters.file = TABLE_NAME
        manifest.parameters.raw = raw
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._table = FrameTable(folder / TABLE_NAME, stages, raw=raw)
        except OSError as error:
            raise SessionFileError(
                f"The folder {folder} cannot be written to ({error.strerror}): choose another one."
            ) from error
        self._first_s: float | None = None
        self._last_s = 0.0
        self._last: FaceParameters | None = None
        self._closed = False
        try:
            write_manifest(folder, manifest)
        except BaseException:
            self._table.close()
            raise

    @property
    def manifest(self) -> SessionManifest:
        """As far as it is known by now."""
        return self._manifest

    @property
    def frames(self) -> int:
        """Rows written."""
        return self._table.rows

    @property
    def valid_frames(self) -> int:
        """Rows in which the face was seen."""
        return self._table.valid_rows

    def add(self, face: TrackedFace) -> None:
        """Append one frame.

        Raises:
            SessionFileError: the disk is full or gone.
        """
        try:
            self._table.add(face)
        except OSError as error:
            raise SessionFileError(
                f"The file {self._table.path} cannot be written ({error.strerror}): is the disk full?"
            ) from error
        if self._first_s is None:
            self._first_s = face.frame.time_s
        self._last_s = face.frame.time_s
        if face.raw is not None:
            self._last = replace(face.raw, uncertainty=None)

    def close(self, *, complete: bool, warnings: Sequence[str] = (), render: RenderPart | None = None) -> None:
        """Finish both files; a second call does nothing.

        Args:
            complete: the source came to its end.
            warnings: sentences for the manifest.
            render: the rendered video, if there is one.

        Raises:
            SessionFileError: the manifest cannot be written.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._table.close()
        except OSError as error:
            raise SessionFileError(
                f"The file {self._table.path} cannot be written ({error.strerror}): is the disk full?"
            ) from error
        manifest = self._manifest
        manifest.complete = complete
        manifest.finished = datetime.now(UTC)
        manifest.media.frames = manifest.parameters.frames = self._table.rows
        manifest.media.duration_s = self._last_s - (self._first_s or 0.0)
        manifest.parameters.valid_frames = self._table.valid_rows
        if self._last is not None and manifest.source.kind != "images":
            manifest.parameters.fov_degrees = round(self._last.camera.fov * 57.29577951308232, 3)
            manifest.parameters.identity = [round(value, 5) for value in self._last.identity.tolist()]
        manifest.warnings = list(warnings)
        if render is not None:
            manifest.render = render
        write_manifest(self.folder, manifest)
