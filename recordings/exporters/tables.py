"""Values in tables: Live Link Face's CSV, our own CSV, Parquet, NumPy arrays."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.geometry.rotations import from_quaternion, to_euler
from recordings.exporters.base import Job, part_file
from recordings.table import FRAME_COLUMNS
from recordings.track import Track

__all__ = ["LIVE_LINK_COLUMNS", "export_csv", "export_live_link_csv", "export_npz", "export_parquet", "write_csv"]

_PASCAL = tuple(name[0].upper() + name[1:] for name in ARKIT_CHANNELS)
_SWAPPED = {"JawLeft": "JawRight", "JawRight": "JawLeft", "MouthLeft": "MouthRight", "MouthRight": "MouthLeft"}
LIVE_LINK_COLUMNS: tuple[str, ...] = (
    "Timecode",
    "BlendshapeCount",
    # The file, unlike the network packets, has these two pairs the other way round.
    *(_SWAPPED.get(name, name) for name in _PASCAL),
    *("HeadYaw", "HeadPitch", "HeadRoll"),
    *("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll"),
    *("RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
)
"""Live Link Face's columns in the order of its files."""


def export_csv(job: Job) -> None:
    """`frames.csv` again, cut or at another rate. See docs/formats.md."""
    track = job.track()
    with part_file(job.out) as part:
        write_csv(track, part, lambda row: job.progress(row, len(track)))
    job.progress(len(track), len(track))


def write_csv(track: Track, path: Path, progress: Callable[[int], None] = lambda row: None) -> None:
    """A track as `frames.csv`.

    Raises:
        OSError: it cannot be written.
    """
    table = _table(track)
    names = list(table)
    columns = [table[name] for name in names]
    places = [_DIGITS.get(name, 3 if name.startswith("ms_") else 6) for name in names]
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in range(len(track)):
            writer.writerow([_cell(float(c[row]), d) for c, d in zip(columns, places, strict=True)])
            if row % 500 == 0:
                progress(row)


def export_parquet(job: Job) -> None:
    """The same columns, typed; empty cells are nulls."""
    import pyarrow as pa
    from pyarrow import parquet

    track = job.track()
    arrays = {}
    for name, values in _table(track).items():
        kind = {"frame": pa.int64(), "valid": pa.bool_()}.get(name, pa.float64())
        arrays[name] = pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=np.isnan(values))
    with part_file(job.out) as part:
        parquet.write_table(pa.table(arrays), part)
    job.progress(len(track), len(track))


def export_npz(job: Job) -> None:
    """Arrays by the names of `Track`, with the channels' names; loads without pickle."""
    track = job.track()
    with part_file(job.out) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            frame=track.index,
            time_s=track.time_s,
            valid=track.valid,
            confidence=track.confidence,
            expression=track.expression,
            expression_names=np.array(ARKIT_CHANNELS),
            head_quaternion_wxyz=track.quaternion,
            head_translation_m=track.translation,
            gaze_rad=track.gaze,
            identity=track.identity,
            fov_degrees=np.float64(np.nan if track.fov_degrees is None else track.fov_degrees),
            image_size=np.array(track.image_size, np.int32),
        )
    job.progress(len(track), len(track))


def export_live_link_csv(job: Job) -> None:
    """The CSV of Epic's Live Link Face app: values 0..1, angles in radians, timecode from the media's time.

    Rows without a face are left out, since the format cannot say that there is none. Live Link's head turns as ARKit's
    does: yaw > 0 to the subject's left, pitch > 0 down, roll > 0 to the subject's right shoulder, which are our own
    signs.
    """
    track, fps = job.even_track()
    rows = np.flatnonzero(track.valid)
    first = float(track.time_s[0])
    by_name = dict(zip(_PASCAL, track.expression.T, strict=True))
    values = [by_name[name] for name in LIVE_LINK_COLUMNS[2 : 2 + len(_PASCAL)]]
    head = _angles(track)
    with part_file(job.out) as part, part.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LIVE_LINK_COLUMNS)
        for done, row in enumerate(rows.tolist()):
            gaze = track.gaze[row].tolist()
            angles = [*head[row].tolist(), *gaze[0], 0.0, *gaze[1], 0.0]
            count = (float(track.time_s[row]) - first) * fps + (job.options.start_s or 0.0) * fps
            writer.writerow(
                [timecode(count, fps), len(LIVE_LINK_COLUMNS) - 2]
                + [f"{float(v[row]):.8f}" for v in values]
                + [f"{angle:.8f}" for angle in angles]
            )
            if done % 500 == 0:
                job.progress(done, len(rows))
    job.progress(len(rows), len(rows))


def timecode(frames: float, fps: float) -> str:
    """`HH:MM:SS:FF.fff` of a count of frames at a rate, which counts whole frames a second."""
    rate = max(1, round(fps))
    # Away from 12.9999: what is a whole frame up to rounding is one.
    frames = round(frames, 3)
    whole = int(frames)
    seconds = whole // rate
    return (
        f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        f":{whole % rate:02d}.{round((frames - whole) * 1000):03d}"
    )


_DIGITS = (
    {"frame": 0, "valid": 0, "time_s": 6, "confidence": 4}
    | {name: 5 for name in ARKIT_CHANNELS}
    | {name: 4 for name in FRAME_COLUMNS if name.endswith("_deg")}
)


def _table(track: Track) -> dict[str, NDArray[np.float64]]:
    """Column name -> (N,) values, NaN where the cell is empty; the columns of `frames.csv` in their order."""
    angles, gaze = np.degrees(_angles(track)), np.degrees(track.gaze.astype(np.float64)).reshape(-1, 4)
    pose = np.concatenate([angles, track.quaternion, track.translation, gaze], axis=1)
    values = [track.index, track.time_s, track.valid, track.confidence, *track.expression.T, *pose.T]
    columns = {name: np.asarray(v, np.float64) for name, v in zip(FRAME_COLUMNS, values, strict=True)}
    return columns | {f"ms_{name}": np.asarray(v, np.float64) for name, v in track.stage_ms.items()}


def _angles(track: Track) -> NDArray[np.float64]:
    """(N, 3) yaw, pitch, roll in radians, NaN where there is no face."""
    angles = np.full((len(track), 3), np.nan)
    for row in np.flatnonzero(np.isfinite(track.quaternion[:, 0])).tolist():
        angles[row] = to_euler(from_quaternion(track.quaternion[row]))
    return angles


def _cell(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"
