"""`frames.csv` is a contract: its columns, their order, their units."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.channels import ARKIT_CHANNELS
from recordings.table import TRACKER_STAGES, FrameTable
from tests.helpers.faces import face_state
from tracking import FaceTracker, open_source
from tracking.types import FaceParameters, Frame, StageTime, TrackedFace, TrackingState


def tracked(
    parameters: FaceParameters | None,
    *,
    raw: FaceParameters | None = None,
    state: TrackingState = TrackingState.TRACKING,
    stages: tuple[StageTime, ...] = (),
    index: int = 0,
) -> TrackedFace:
    picture = np.zeros((4, 4, 3), np.uint8)
    return TrackedFace(
        frame=Frame(index, index / 25, 0, picture),
        state=state,
        confidence=0.75 if state is TrackingState.TRACKING else 0.0,
        observation=None,
        raw=raw,
        parameters=parameters,
        vertices=None,
        normals=None,
        displacement=None,
        stages=stages,
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns(tmp_path: Path) -> None:
    with FrameTable(tmp_path / "frames.csv"):
        pass
    header = (tmp_path / "frames.csv").read_text().splitlines()[0]
    pose = (
        "head_yaw_deg,head_pitch_deg,head_roll_deg,head_qw,head_qx,head_qy,head_qz,head_x_m,head_y_m,head_z_m,"
        "gaze_left_yaw_deg,gaze_left_pitch_deg,gaze_right_yaw_deg,gaze_right_pitch_deg"
    )
    stages = "ms_landmarks,ms_fit,ms_filter,ms_mesh"
    assert header == f"frame,time_s,valid,confidence,{','.join(ARKIT_CHANNELS)},{pose},{stages}"
    assert len(ARKIT_CHANNELS) == 52 and ARKIT_CHANNELS[0] == "eyeBlinkLeft" and ARKIT_CHANNELS[-1] == "tongueOut"


def test_values_and_units(tmp_path: Path) -> None:
    state = face_state(
        {"jawOpen": 0.25},
        yaw=np.radians(30),
        pitch=np.radians(-10),
        roll=np.radians(5),
        translation=(0.1, -0.2, 0.6),
        gaze=((np.radians(12), np.radians(-3)), (np.radians(8), 0.0)),
    )
    with FrameTable(tmp_path / "frames.csv") as table:
        table.add(tracked(state, index=3, stages=(StageTime("fit", 2.5),)))
    (row,) = read(tmp_path / "frames.csv")
    assert (row["frame"], row["valid"]) == ("3", "1")
    numbers = {name: float(value) for name, value in row.items() if value}
    expected = {
        "time_s": 0.12,
        "confidence": 0.75,
        "jawOpen": 0.25,
        "head_yaw_deg": 30.0,
        "head_pitch_deg": -10.0,
        "head_roll_deg": 5.0,
        "head_x_m": 0.1,
        "head_y_m": -0.2,
        "head_z_m": 0.6,
        "gaze_left_yaw_deg": 12.0,
        "gaze_left_pitch_deg": -3.0,
        "gaze_right_yaw_deg": 8.0,
        "ms_fit": 2.5,
    }
    assert {name: numbers[name] for name in expected} == pytest.approx(expected, abs=1e-3)
    assert sum(numbers[f"head_q{axis}"] ** 2 for axis in "wxyz") == pytest.approx(1.0, abs=1e-5)
    assert row["ms_landmarks"] == ""


@pytest.mark.parametrize("state", [TrackingState.SEARCHING, TrackingState.HOLDING, TrackingState.FADING])
def test_frames_without_a_face_have_empty_cells(tmp_path: Path, state: TrackingState) -> None:
    held = None if state is TrackingState.SEARCHING else face_state({"jawOpen": 1.0})
    with FrameTable(tmp_path / "frames.csv") as table:
        table.add(tracked(held, state=state))
        assert (table.rows, table.valid_rows) == (1, 0)
    (row,) = read(tmp_path / "frames.csv")
    assert row["valid"] == "0" and float(row["confidence"]) == 0
    assert {value for name, value in row.items() if name in ARKIT_CHANNELS or name.startswith(("head", "gaze"))} == {""}


def test_raw_takes_the_values_as_fitted(tmp_path: Path) -> None:
    face = tracked(face_state({"jawOpen": 0.2}), raw=face_state({"jawOpen": 0.8}))
    for raw, expected in ((False, 0.2), (True, 0.8)):
        with FrameTable(tmp_path / "frames.csv", raw=raw) as table:
            table.add(face)
        assert float(read(tmp_path / "frames.csv")[0]["jawOpen"]) == pytest.approx(expected)


def test_an_unknown_stage_is_a_mistake(tmp_path: Path) -> None:
    with FrameTable(tmp_path / "frames.csv") as table, pytest.raises(ValueError, match="detail"):
        table.add(tracked(None, stages=(StageTime("detail", 1.0),)))
    with FrameTable(tmp_path / "frames.csv", (*TRACKER_STAGES, "detail")) as table:
        table.add(tracked(None, stages=(StageTime("detail", 1.0),)))
    assert read(tmp_path / "frames.csv")[0]["ms_detail"] == "1.000"


def test_the_trackers_stages_have_columns(demo_clip: Path) -> None:
    with open_source(demo_clip) as source, FaceTracker() as tracker:
        frame = source.read()
        assert frame is not None
        face = tracker.process(frame)
    assert tuple(stage.name for stage in face.stages) == TRACKER_STAGES


def test_what_was_written_survives_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows reach the disk within a second, without a `close`."""
    monkeypatch.setattr("recordings.table._FLUSH_EVERY_S", 0.0)
    table = FrameTable(tmp_path / "frames.csv")
    table.add(replace(tracked(face_state())))
    assert len(read(tmp_path / "frames.csv")) == 1
    table.close()
