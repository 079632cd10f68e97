"""Tables: values come back as they were tracked, read by other programs' readers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.channels import ARKIT_CHANNELS
from models.geometry.rotations import to_euler
from recordings import FRAME_COLUMNS
from recordings.exporters import ExportOptions, export_session
from recordings.exporters.tables import timecode
from recordings.reader import Session
from tests.recordings.exporters.conftest import BLIND, FPS, FRAMES, face_at

SEEN = [row for row in range(FRAMES) if row not in BLIND]


def test_csv_repeats_the_table(session: Session, tmp_path: Path) -> None:
    export_session(session, "csv", tmp_path / "a.csv")
    again, first = pd.read_csv(tmp_path / "a.csv"), pd.read_csv(session.folder / "frames.csv")
    assert list(again.columns) == list(first.columns)
    assert np.allclose(again.to_numpy(), first.to_numpy(), atol=2e-4, equal_nan=True)
    assert again["jawOpen"].isna().sum() == len(BLIND)


def test_csv_of_a_range_at_another_rate(session: Session, tmp_path: Path) -> None:
    export_session(session, "csv", tmp_path / "a.csv", ExportOptions(start_s=0.2, end_s=0.6, fps=50))
    table = pd.read_csv(tmp_path / "a.csv")
    assert np.allclose(table["time_s"], 0.2 + np.arange(19) / 50)
    jaw = dict(zip(table["time_s"].round(4), table["jawOpen"], strict=True))
    assert jaw[0.2] == pytest.approx(0.8 * 5 / FRAMES, abs=1e-4)
    assert jaw[0.22] == pytest.approx(0.8 * 5.5 / FRAMES, abs=1e-4)
    # Between frame 6 and the blind frame 7 nothing is known.
    assert np.isnan(jaw[0.26]) and not np.isnan(jaw[0.24])


def test_parquet_through_pandas(session: Session, tmp_path: Path) -> None:
    export_session(session, "parquet", tmp_path / "a.parquet")
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert list(table.columns) == list(FRAME_COLUMNS)
    assert table["valid"].dtype == bool and table["frame"].dtype == np.int64
    for row in SEEN:
        parameters = face_at(row).parameters
        assert parameters is not None
        values = table.loc[row, list(ARKIT_CHANNELS)].to_numpy(float)
        assert np.abs(values - parameters.expression).max() < 1e-5
        assert np.allclose(
            np.radians(table.loc[row, ["head_yaw_deg", "head_pitch_deg", "head_roll_deg"]].to_numpy(float)),
            to_euler(parameters.rotation),
            atol=1e-5,
        )
    assert table.loc[list(BLIND), "head_qw"].isna().all()


def test_npz_needs_no_pickle(session: Session, tmp_path: Path) -> None:
    export_session(session, "npz", tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert stored["expression"].shape == (FRAMES, 52)
        assert list(stored["expression_names"]) == list(ARKIT_CHANNELS)
        assert np.allclose(stored["identity"][:3], [0.8, -1.1, 0.4], atol=1e-4)
        assert stored["valid"].sum() == len(SEEN)
        parameters = face_at(3).parameters
        assert parameters is not None
        assert np.allclose(stored["head_translation_m"][3], parameters.translation, atol=1e-6)


def test_live_link_columns_and_values(session: Session, tmp_path: Path) -> None:
    export_session(session, "livelink-csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header[:2] == ["Timecode", "BlendshapeCount"] and len(header) == 63
    # The layout that files of the app have: these two pairs are swapped against the network packets.
    assert header[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert header[22:25] == ["MouthPucker", "MouthRight", "MouthLeft"]
    assert header[-9:] == [
        "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll",
        "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
    ]  # fmt: skip
    assert len(rows) == len(SEEN) and {row[1] for row in rows} == {"61"}
    third = dict(zip(header, rows[3], strict=True))
    assert third["Timecode"] == "00:00:00:03.000"
    assert float(third["JawLeft"]) == pytest.approx(0.25) and float(third["JawRight"]) == 0
    assert float(third["MouthRight"]) == pytest.approx(0.125)
    parameters = face_at(3).parameters
    assert parameters is not None
    assert float(third["HeadYaw"]) == pytest.approx(to_euler(parameters.rotation)[0], abs=1e-5)
    assert float(third["LeftEyeYaw"]) == pytest.approx(float(parameters.gaze[0, 0]), abs=1e-5)
    assert rows[7][0] == "00:00:00:09.000"  # after the two blind frames


@pytest.mark.parametrize(
    ("frames", "fps", "text"),
    [
        (0, 30, "00:00:00:00.000"),
        (29.9999, 30, "00:00:01:00.000"),
        (30 * 3661 + 15.25, 30, "01:01:01:15.250"),
        (60, 59.94, "00:00:01:00.000"),
    ],
)
def test_timecode(frames: float, fps: float, text: str) -> None:
    assert timecode(frames, fps) == text


def test_live_link_counts_frames_even_where_times_are_uneven(make_session, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from recordings.reader import open_session

    times = [0.0, 0.03, 0.09, 0.13, 0.15, 0.2]
    session = open_session(make_session("uneven", range(6), times))
    export_session(session, "livelink-csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        codes = [row[0] for row in list(csv.reader(file))[1:]]
    assert codes == [f"00:00:00:{n:02d}.000" for n in range(int(0.2 * FPS) + 1)]
