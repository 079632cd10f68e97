"""`track`: what lies in the folder afterwards, and what bad input leads to."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import tracking.landmarks
from app.cli.track import ViewName
from models.channels import ARKIT_CHANNELS
from recordings import FRAME_COLUMNS
from rendering import View
from rendering.scene_settings import BackgroundSettings, SceneSettings, save_scene
from tests.app.conftest import Run
from tests.conftest import heed_interrupts
from tests.helpers.media import write_clip

ROOT = Path(__file__).resolve().parents[2]
Pictures = list[NDArray[np.uint8]]


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "frames.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "session.json").read_text())
    return content


def test_a_clip(run: Run, face_clip: Path, tmp_path: Path) -> None:
    result = run("track", face_clip, "--out", tmp_path / "out")
    assert result.status == 0, result.err
    assert "24 of 24 pictures" in result.out and not result.err
    rows = rows_of(tmp_path / "out")
    assert list(rows[0])[: len(FRAME_COLUMNS)] == list(FRAME_COLUMNS)
    assert [int(row["frame"]) for row in rows] == list(range(24))
    assert [float(row["time_s"]) for row in rows] == pytest.approx([n / 25 for n in range(24)], abs=1e-3)
    assert all(row["valid"] == "1" and 0 < float(row["confidence"]) <= 1 for row in rows)
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ARKIT_CHANNELS)
    assert all(0.2 < float(row["head_z_m"]) < 2 for row in rows)
    assert float(rows[-1]["ms_landmarks"]) > 0 and float(rows[-1]["ms_fit"]) > 0
    manifest = manifest_of(tmp_path / "out")
    assert manifest["schema_version"] == 2 and manifest["command"] == "track" and manifest["complete"]
    assert manifest["source"]["sha256"] == hashlib.sha256(face_clip.read_bytes()).hexdigest()
    assert (manifest["media"]["width"], manifest["media"]["height"], manifest["media"]["frames"]) == (400, 300, 24)
    assert manifest["parameters"]["file"] == "frames.csv" and manifest["parameters"]["valid_frames"] == 24
    for optional in ("avatar", "calibration", "render"):
        assert manifest[optional]["present"] is False
    assert manifest["versions"]["mediapipe"] == "0.10.31"


def test_raw_values_are_neither_smoothed_nor_calibrated(run: Run, face_clip: Path, tmp_path: Path) -> None:
    run("track", face_clip, "--out", tmp_path / "raw", "--raw")
    run("track", face_clip, "--out", tmp_path / "strong", "--smoothing.preset", "strong")
    run("track", face_clip, "--out", tmp_path / "off", "--smoothing.preset", "off")

    def motion(folder: Path) -> float:
        values = np.array([[float(row[name]) for name in ARKIT_CHANNELS] for row in rows_of(folder)])
        return float(np.abs(np.diff(values, axis=0)).mean())

    assert motion(tmp_path / "raw") > 1.2 * motion(tmp_path / "strong")
    assert motion(tmp_path / "raw") == pytest.approx(motion(tmp_path / "off"), rel=1e-3)
    assert manifest_of(tmp_path / "raw")["parameters"]["raw"] is True


@pytest.mark.gl
def test_a_rendered_video_keeps_the_clips_times(run: Run, face_clip: Path, tmp_path: Path) -> None:
    result = run("track", face_clip, "--out", tmp_path, "--render", tmp_path / "film.mp4", "--view", "overlay")
    assert result.status == 0, result.err
    with av.open(str(tmp_path / "film.mp4")) as film:
        pictures = list(film.decode(video=0))
    assert len(pictures) == 24
    assert (pictures[0].width, pictures[0].height) == (400, 300)
    assert [p.time for p in pictures] == pytest.approx([n / 25 for n in range(24)], abs=1e-3)
    assert manifest_of(tmp_path)["render"]["present"] is True
    assert manifest_of(tmp_path)["render"]["view"] == "overlay"


@pytest.mark.gl
def test_a_video_is_staged_as_a_scene_file_says(run: Run, face_clip: Path, tmp_path: Path) -> None:
    scene = tmp_path / "red.scene.json"
    save_scene(SceneSettings(background=BackgroundSettings(kind="colour", colour=(210, 20, 30))), scene)
    result = run("track", face_clip, "--out", tmp_path / "out", "--render", tmp_path / "v.mp4", "--scene", scene)
    assert result.status == 0, result.err
    with av.open(str(tmp_path / "v.mp4")) as film:
        picture = next(film.decode(video=0)).to_ndarray(format="rgb24")
    # H.264 keeps colours roughly.
    np.testing.assert_allclose(picture[2, 2].astype(int), (210, 20, 30), atol=8)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{nonsense", "damaged"),
        ('{"schema_version": 1, "background": {"kind": "picture", "picture": "/nowhere/a.png"}}', "a.png is not there"),
    ],
)
def test_a_scene_that_cannot_be_used_is_told_before_anything_is_tracked(
    run: Run, face_clip: Path, tmp_path: Path, content: str, said: str
) -> None:
    scene = tmp_path / "bad.scene.json"
    scene.write_text(content)
    result = run("track", face_clip, "--out", tmp_path / "out", "--scene", scene)
    assert result.status != 0 and said in result.err and "Traceback" not in result.err
    assert not (tmp_path / "out").exists()


def test_view_names_are_the_renderers() -> None:
    assert set(get_args(ViewName)) == {view.value for view in View}


def test_a_batch_goes_on_after_a_bad_input(run: Run, face_clip: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"this is not a video" * 100)
    result = run("track", bad, face_clip, "--out", tmp_path / "out", "--seconds", "0.2")
    assert result.status == 1
    assert "not a video" in result.err and "1 of 2 inputs failed." in result.err
    assert len(rows_of(tmp_path / "out" / "face")) == 5
    assert not (tmp_path / "out" / "bad").exists()


def test_a_folder_of_clips_is_a_batch(run: Run, face_pictures: Pictures, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("a", "b"):
        write_clip(clips / f"{name}.mp4", face_pictures[:3], 25)
    result = run("track", clips, "--out", tmp_path / "out")
    assert result.status == 0, result.err
    assert [len(rows_of(tmp_path / "out" / name)) for name in ("a", "b")] == [3, 3]


def test_pictures_of_a_folder_are_tracked_one_by_one(run: Run, face_pictures: Pictures, tmp_path: Path) -> None:
    """Whatever comes before a picture, its values are the same: nothing is smoothed or held."""
    for name, order in (("forward", (0, 10, 20)), ("backward", (20, 10, 0))):
        (tmp_path / name).mkdir()
        for place, index in enumerate(order):
            cv2.imwrite(str(tmp_path / name / f"{place}.png"), face_pictures[index][..., ::-1])
        cv2.imwrite(str(tmp_path / name / "3.png"), np.zeros((60, 80, 3), np.uint8))
        result = run("track", tmp_path / name, "--out", tmp_path / f"{name}_out")
        assert result.status == 0, result.err
    forward, backward = rows_of(tmp_path / "forward_out"), rows_of(tmp_path / "backward_out")
    for there, back in zip(forward[:3], backward[2::-1], strict=True):
        assert {k: v for k, v in there.items() if k in ARKIT_CHANNELS} == {
            k: v for k, v in back.items() if k in ARKIT_CHANNELS
        }
    assert forward[3]["valid"] == "0" and forward[3]["jawOpen"] == "" and forward[3]["head_qw"] == ""
    manifest = manifest_of(tmp_path / "forward_out")
    assert manifest["media"]["pictures"] == ["0.png", "1.png", "2.png", "3.png"]
    assert manifest["source"]["kind"] == "images"


def test_a_mirrored_input_is_unmirrored(run: Run, face_pictures: Pictures, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "plain.png"), face_pictures[0][..., ::-1])
    cv2.imwrite(str(tmp_path / "mirrored.png"), face_pictures[0][:, ::-1, ::-1])
    run("track", tmp_path / "plain.png", "--out", tmp_path / "a")
    run("track", tmp_path / "mirrored.png", "--out", tmp_path / "b", "--input-is-mirrored")
    a, b = rows_of(tmp_path / "a")[0], rows_of(tmp_path / "b")[0]
    assert a["head_yaw_deg"] == b["head_yaw_deg"] and a["eyeBlinkLeft"] == b["eyeBlinkLeft"]
    assert manifest_of(tmp_path / "b")["source"]["mirrored"] is True


def test_a_stored_calibration_is_taken_out(
    run: Run, face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from tracking.calibration import Calibration
    from tracking.calibration_store import CalibrationStore

    CalibrationStore().save(
        Calibration(
            person="Ann",
            created=datetime.now(UTC),
            frames=10,
            expression=dict.fromkeys(("jawOpen", "browInnerUp", "mouthPucker", "eyeBlinkLeft", "eyeBlinkRight"), 0.6),
            gaze=((0, 0), (0, 0)),
            head_quaternion=(1, 0, 0, 0),
            head_position_m=(0, 0, 0.5),
        )
    )
    run("track", face_clip, "--out", tmp_path / "plain")
    result = run("track", face_clip, "--out", tmp_path / "ann", "--calibration", "Ann")
    assert result.status == 0, result.err
    total = [sum(float(row["eyeBlinkLeft"]) for row in rows_of(tmp_path / name)) for name in ("plain", "ann")]
    assert total[1] < total[0]
    assert manifest_of(tmp_path / "ann")["calibration"]["person"] == "Ann"
    missing = run("track", face_clip, "--out", tmp_path / "bob", "--calibration", "Bob")
    assert missing.status == 2 and "no calibration of Bob" in missing.sentence() and "Ann" in missing.err


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"plain text, not a film" * 50, "not a video")],
    ids=["empty", "not a video"],
)
def test_files_that_are_no_videos(run: Run, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    result = run("track", tmp_path / "clip.mp4", "--out", tmp_path / "out")
    assert result.status == 2
    assert words in result.sentence()


def test_things_that_are_not_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for named, words in (
        ("nowhere.mp4", "There is no"),
        (tmp_path / "empty", "neither a video nor a picture"),
        ("http://example.com/a.mp4", "network address"),
        ("camera:97", "amera"),
        ("camera:No Such Camera", "No camera is called"),
    ):
        result = run("track", named, "--out", tmp_path / "out")
        assert result.status == 2, named
        assert words in result.sentence(), named
    nothing = run("track", "--out", tmp_path / "out")
    assert nothing.status == 2 and "Nothing to track" in nothing.sentence()


def test_a_truncated_clip_gives_what_it_has(run: Run, face_pictures: Pictures, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", face_pictures, 25).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    result = run("track", tmp_path / "cut.mkv", "--out", tmp_path / "out")
    assert result.status == 0
    assert "damaged or cut short" in result.sentence()
    assert 3 < len(rows_of(tmp_path / "out")) < 24
    assert "cut short" in manifest_of(tmp_path / "out")["warnings"][0]


def test_a_variable_frame_rate_keeps_its_times(run: Run, face_pictures: Pictures, tmp_path: Path) -> None:
    times = [0, 40, 100, 110, 300, 340]
    clip = write_clip(tmp_path / "vfr.mp4", face_pictures[:6], 25, times_ms=times)
    assert run("track", clip, "--out", tmp_path / "out").status == 0
    assert [float(row["time_s"]) for row in rows_of(tmp_path / "out")] == pytest.approx([t / 1000 for t in times])


def test_a_clip_without_a_face(run: Run, tiny_clip: Path, tmp_path: Path) -> None:
    result = run("track", tiny_clip, "--out", tmp_path / "out")
    assert result.status == 0
    assert "No face was found" in result.sentence()
    assert all(row["valid"] == "0" and row["head_yaw_deg"] == "" for row in rows_of(tmp_path / "out"))


def test_many_faces_give_one_row_a_picture(run: Run, face_pictures: Pictures, tmp_path: Path) -> None:
    face = face_pictures[0]
    small = cv2.resize(face, (200, 150))
    crowd = np.vstack([face, np.hstack([small, small])])
    cv2.imwrite(str(tmp_path / "crowd.png"), crowd[..., ::-1])
    assert run("track", tmp_path / "crowd.png", "--out", tmp_path / "out").status == 0
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 1 and rows[0]["valid"] == "1"


@pytest.mark.parametrize("kind", ["grey", "alpha", "16 bit", "8K"])
def test_unusual_pictures_of_a_face(run: Run, face_pictures: Pictures, tmp_path: Path, kind: str) -> None:
    picture: NDArray[Any] = face_pictures[0][..., ::-1]
    if kind == "grey":
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    elif kind == "alpha":
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    elif kind == "16 bit":
        picture = picture.astype(np.uint16) * 257
    else:
        picture = cv2.resize(picture, (7680, 5760))
    path = tmp_path / ("face.jpg" if kind == "8K" else "face.png")
    cv2.imwrite(str(path), picture)
    result = run("track", path, "--out", tmp_path / "out")
    assert result.status == 0, result.err
    assert rows_of(tmp_path / "out")[0]["valid"] == "1"


@pytest.mark.gl
def test_a_picture_of_one_pixel(run: Run, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    result = run("track", tmp_path / "dot.png", "--out", tmp_path / "out", "--render", tmp_path / "dot.mp4")
    assert result.status == 0
    assert "No face was found" in result.sentence()
    assert (tmp_path / "dot.mp4").is_file()


def test_an_altered_landmark_model(run: Run, face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = tmp_path / "face_landmarker.task"
    altered.write_bytes(tracking.landmarks.MODEL_FILE.read_bytes()[:-1] + b"x")
    original = tracking.landmarks.load_model_file
    monkeypatch.setattr(tracking.landmarks, "load_model_file", lambda path: original(altered))
    result = run("track", face_clip, "--out", tmp_path / "out")
    assert result.status == 2
    assert "damaged or altered" in result.sentence()


def test_missing_and_damaged_face_models(run: Run, face_clip: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model at all")
    for name in ("bad.safetensors", "missing.safetensors"):
        result = run("track", face_clip, "--out", tmp_path / "out", "--face-model", tmp_path / name)
        assert result.status == 2
        assert name in result.sentence()


def test_without_opengl(run: Run, face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise RuntimeError("Could not initialise EGL")

    monkeypatch.setattr("vispy.app.Canvas", refuse)
    result = run("track", face_clip, "--out", tmp_path / "out", "--render", tmp_path / "film.mp4")
    assert result.status == 2
    assert "no OpenGL" in result.sentence()
    assert not (tmp_path / "film.mp4").exists()
    assert run("track", face_clip, "--out", tmp_path / "out", "--seconds", "0.1").status == 0


def test_videos_that_cannot_be_written(run: Run, face_clip: Path, tmp_path: Path) -> None:
    for name, words in (("film.txt", "not a name for a video"), ("film.webm", "holds vp9 or av1")):
        result = run("track", face_clip, "--out", tmp_path / "out", "--render", tmp_path / name)
        assert result.status == 2
        assert words in result.sentence()
    result = run("track", face_clip, "--out", tmp_path / "out", "--render", face_clip)
    assert result.status == 2 and "would replace the input" in result.sentence()


def test_a_folder_that_cannot_be_made(run: Run, face_clip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run("track", face_clip, "--out", tmp_path / "file" / "out")
    assert result.status == 2
    assert "cannot be written" in result.sentence()


def test_damaged_settings_do_not_stop_the_work(
    run: Run, face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text("{ broken")
    monkeypatch.setenv("MIEN_CONFIG", str(settings))
    result = run("track", face_clip, "--out", tmp_path / "out", "--seconds", "0.1")
    assert result.status == 0
    assert "was damaged" in result.sentence()
    assert not settings.exists() and list(tmp_path.glob("*.damaged"))


def test_settings_are_the_defaults(run: Run, face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text('{"schema_version": 1, "tracker": {"smoothing": {"preset": "strong"}}}')
    monkeypatch.setenv("MIEN_CONFIG", str(settings))
    assert run("track", face_clip, "--out", tmp_path / "out", "--seconds", "0.1").status == 0
    assert manifest_of(tmp_path / "out")["parameters"]["settings"]["smoothing"]["preset"] == "strong"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_interrupting_keeps_what_was_written(demo_clip: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "main.py", "track", str(demo_clip), "--out", str(tmp_path)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | {"MIEN_CONFIG": str(tmp_path / "none.json")},
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    table = tmp_path / "frames.csv"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (table.exists() and table.stat().st_size > 20_000):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err and "kept" in err
    rows = rows_of(tmp_path)
    manifest = manifest_of(tmp_path)
    assert 0 < len(rows) < 765 and len(rows[-1]) == len(rows[0])
    assert manifest["complete"] is False and manifest["parameters"]["frames"] == len(rows)
