"""`frames.csv`: one row for each picture, whether a face was seen or not. Described in docs/formats.md."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from models.channels import ARKIT_CHANNELS
from models.geometry.rotations import to_euler, to_quaternion
from tracking.types import FaceParameters, TrackedFace

__all__ = ["FRAME_COLUMNS", "TRACKER_STAGES", "FrameTable"]

POSE_COLUMNS = (
    *("head_yaw_deg", "head_pitch_deg", "head_roll_deg"),
    *("head_qw", "head_qx", "head_qy", "head_qz"),
    *("head_x_m", "head_y_m", "head_z_m"),
    *("gaze_left_yaw_deg", "gaze_left_pitch_deg", "gaze_right_yaw_deg", "gaze_right_pitch_deg"),
)
FRAME_COLUMNS: tuple[str, ...] = ("frame", "time_s", "valid", "confidence", *ARKIT_CHANNELS, *POSE_COLUMNS)
"""Every table's columns, in order; after them comes one `ms_STAGE` for each stage."""

TRACKER_STAGES = ("landmarks", "fit", "filter", "mesh")
"""The stages of `FaceTracker`, in order."""

_VALUES = len(ARKIT_CHANNELS) + len(POSE_COLUMNS)
_FLUSH_EVERY_S = 1.0


class FrameTable:
    """Writes the table row by row; a crash loses the last second at most.

    Args:
        path: the file; replaced if it exists.
        stages: names of the stages whose durations get a column, in order.
        raw: write the parameters as fitted, neither calibrated nor smoothed.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, stages: Sequence[str] = TRACKER_STAGES, *, raw: bool = False) -> None:
        self.path = path
        self.columns: tuple[str, ...] = (*FRAME_COLUMNS, *(f"ms_{name}" for name in stages))
        self.rows = 0
        self.valid_rows = 0
        self._stages = tuple(stages)
        self._raw = raw
        self._file = path.open("w", newline="", encoding="ascii")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(self.columns)
        self._flushed = time.monotonic()

    def add(self, face: TrackedFace) -> None:
        """Append the row of one frame.

        Raises:
            ValueError: the face carries a stage that has no column.
            OSError: the disk is full or gone.
        """
        durations = {stage.name: stage.ms for stage in face.stages}
        unknown = durations.keys() - set(self._stages)
        if unknown:
            raise ValueError(f"no column for the stages {sorted(unknown)}")
        parameters = (face.raw if self._raw else face.parameters) if face.valid else None
        values = [""] * _VALUES if parameters is None else _values(parameters)
        self._writer.writerow(
            [
                str(face.frame.index),
                f"{face.frame.time_s:.6f}",
                "1" if face.valid else "0",
                f"{face.confidence:.4f}",
                *values,
                *(f"{durations[name]:.3f}" if name in durations else "" for name in self._stages),
            ]
        )
        self.rows += 1
        self.valid_rows += face.valid
        now = time.monotonic()
        if now - self._flushed > _FLUSH_EVERY_S:
            self._file.flush()
            self._flushed = now

    def close(self) -> None:
        """Finish the file; may be called twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _values(parameters: FaceParameters) -> list[str]:
    """The cells of the 52 channels and of the pose."""
    angles = np.degrees(to_euler(parameters.rotation))
    quaternion = to_quaternion(parameters.rotation)
    return [
        *(f"{value:.5f}" for value in parameters.expression.tolist()),
        *(f"{value:.4f}" for value in angles.tolist()),
        *(f"{value:.6f}" for value in quaternion.tolist()),
        *(f"{value:.6f}" for value in parameters.translation.tolist()),
        *(f"{value:.4f}" for value in np.degrees(parameters.gaze).ravel().tolist()),
    ]
