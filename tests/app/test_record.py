"""`record` and `recover`: what lies in the folder afterwards, and what bad input leads to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recordings.mcap_reader import read_mcap
from tests.app.conftest import Run
from tests.conftest import heed_interrupts
from tests.helpers.media import write_clip
from tests.helpers.recordings import beep_times, beeps, picture_times, sound_of

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--no-detail", "--reserve-mb", "1")


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "session.json").read_text())
    return content


def test_every_picture_of_a_clip(run: Run, face_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "session"
    result = run("record", "--input", face_clip, "--out", folder, "--take", "Ünï: 1", "--timecode", "zero", *QUICK)
    assert result.status == 0 and not result.err, result.err
    assert result.out == f"24 pictures and 24 tracked frames (a face in 24), 0.9 s -> {folder}\n"
    assert sorted(path.name for path in folder.iterdir()) == ["frames.csv", "records.mcap", "session.json", "video.mkv"]
    manifest = manifest_of(folder)
    assert manifest["complete"] and manifest["command"] == "record" and manifest["source"]["kind"] == "video"
    assert manifest["takes"]["takes"][0]["name"] == "Ünï: 1" and manifest["timecode"]["start"] == "00:00:00:00"
    assert manifest["parameters"]["settings"]["fit"] and len(manifest["source"]["sha256"]) == 64
    assert picture_times(folder / "video.mkv") == pytest.approx([n / 25 for n in range(24)], abs=1e-3)
    tracked = run("track", face_clip, "--out", tmp_path / "tracked")
    assert tracked.status == 0
    recorded_rows, rows = (
        [line.split(",")[:70] for line in (place / "frames.csv").read_text().splitlines()]
        for place in (folder, tmp_path / "tracked")
    )
    assert recorded_rows == rows
    assert run("recover", folder).out == f"{folder}: The session is complete: there is nothing to do.\n"


def test_a_clip_at_its_own_pace_without_the_picture(run: Run, face_clip: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    folder = tmp_path / "s"
    result = run("record", "--input", face_clip, "--out", folder, "--paced", "--no-picture", "--audio", "none", *QUICK)
    assert result.status == 0, result.err
    assert time.monotonic() - started > 0.9
    assert sorted(path.name for path in folder.iterdir()) == ["frames.csv", "records.mcap", "session.json"]
    manifest = manifest_of(folder)
    assert manifest["media"]["camera_picture"] is False and manifest["media"]["frames"] == 24
    assert len(read_mcap(folder / "records.mcap")) >= 3


def test_the_demo_for_a_while_in_vp9(run: Run, tmp_path: Path) -> None:
    result = run("record", "--input", "demo", "--out", tmp_path / "s", "--seconds", "0.5", "--codec", "vp9", *QUICK)
    assert result.status == 0 and "13 pictures and 13 tracked" in result.out
    assert manifest_of(tmp_path / "s")["media"]["codec"] == "vp9"


@pytest.fixture
def talking_clip(tmp_path: Path, face_pictures: list[NDArray[np.uint8]]) -> Path:
    """Five seconds of a face at 5 pictures a second, with beeps at 2 and 4 s."""
    sound, path = tmp_path / "sound.wav", tmp_path / "talking.mkv"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(np.round(beeps(np.arange(44_100 * 5) / 44_100) * 32767).astype("<i2").tobytes())
    with av.open(str(path), "w") as container, av.open(str(sound)) as voice:
        video = container.add_stream("libx264", rate=5)
        video.height, video.width = face_pictures[0].shape[:2]
        audio = container.add_stream("pcm_s16le", rate=44_100, layout="mono")
        for picture in face_pictures * 2:
            if video.frames >= 25:
                break
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        for frame in voice.decode(audio=0):
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def test_a_clips_own_sound_comes_along(run: Run, talking_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    result = run("record", "--input", talking_clip, "--out", folder, "--audio-offset-ms", "100", *QUICK)
    assert result.status == 0, result.err
    assert beep_times(sound_of(folder / "video.mkv")) == pytest.approx([2.1, 4.1], abs=5e-3)
    manifest = manifest_of(folder)
    assert manifest["audio"]["present"] and manifest["audio"]["offset_ms"] == 100
    assert manifest["media"]["audio"] == "video.mkv"


def test_relief_comes_along(run: Run, face_clip: Path, tmp_path: Path) -> None:
    result = run("record", "--input", face_clip, "--out", tmp_path / "s", "--seconds", "0.2", "--reserve-mb", "1")
    assert result.status == 0
    assert "ms_detail" in (tmp_path / "s" / "frames.csv").read_text().splitlines()[0]


def test_no_microphone_is_told_and_the_rest_recorded(
    run: Run, face_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recordings import audio, microphones

    def nothing() -> list[object]:
        raise audio.AudioError("The sound system does not answer (broken): check the sound settings.")

    monkeypatch.setattr(microphones, "list_microphones", nothing)
    result = run("record", "--input", face_clip, "--out", tmp_path / "s", "--paced", *QUICK)
    assert result.status == 0
    assert result.sentence().startswith("There is no sound: The sound system does not answer (broken)")
    named = run("record", "--input", face_clip, "--out", tmp_path / "t", "--paced", "--audio", "Headset", *QUICK)
    assert named.status == 2 and "does not answer" in named.sentence() and not (tmp_path / "t").exists()


def test_bad_input_is_one_sentence(run: Run, face_clip: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((9, 9, 3), np.uint8))
    for arguments, what in (
        (("--input", face_clip, "--out", tmp_path / "full"), "is not empty"),
        (("--input", face_clip, "--out", tmp_path / "full" / "notes.txt"), "cannot be a session's folder"),
        (("--input", tmp_path / "none.mp4", "--out", tmp_path / "s"), "There is no camera, file or folder"),
        (("--input", "camera:99", "--out", tmp_path / "s"), "camera"),
        (("--input", tmp_path / "picture.png", "--out", tmp_path / "s"), "made of pictures"),
        (("--input", face_clip, "--out", tmp_path / "s", "--audio", "USB"), "add --paced"),
        (("--input", face_clip, "--out", tmp_path / "s", "--calibration", "nobody"), "no calibration of nobody"),
        (("--input", face_clip, "--out", tmp_path / "s", "--reserve-mb", "1e12"), "not enough space"),
    ):
        result = run("record", *arguments)
        assert result.status == 2 and what in result.sentence(), arguments
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine"


def test_a_damaged_clip_is_recorded_as_far_as_it_goes(
    run: Run, face_pictures: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    broken = write_clip(tmp_path / "broken.mkv", face_pictures * 3, 25)
    content = broken.read_bytes()
    broken.write_bytes(content[: len(content) // 2])
    result = run("record", "--input", broken, "--out", tmp_path / "s", *QUICK)
    assert result.status == 0 and "damaged or cut short" in result.sentence()
    assert any("cut short" in warning for warning in manifest_of(tmp_path / "s")["warnings"])


def record_in_background(folder: Path) -> subprocess.Popen[bytes]:
    """Starts recording the demo clip at its own pace and waits until pictures are on the disk."""
    child = subprocess.Popen(
        [sys.executable, "main.py", "record", "--input", "demo", "--paced", "--audio", "none", "--out", folder, *QUICK],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )
    deadline = time.monotonic() + 60
    video = folder / "video.mkv"
    while not (video.is_file() and video.stat().st_size > 60_000) and time.monotonic() < deadline:
        assert child.poll() is None, child.stderr.read() if child.stderr else ""
        time.sleep(0.05)
    return child


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX knows them")
def test_ctrl_c_ends_a_recording_well(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with record_in_background(folder) as child:
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 0 and err == b"", err
    assert out.decode().strip().endswith(f"-> {folder}")
    manifest = manifest_of(folder)
    assert manifest["complete"] and manifest["media"]["frames"] == len(picture_times(folder / "video.mkv"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX knows them")
def test_a_killed_recording_is_offered_and_recovered(run: Run, face_clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    with record_in_background(folder) as child:
        child.kill()
    offered = run("record", "--input", face_clip, "--out", tmp_path / "next", "--seconds", "0.1", *QUICK)
    assert f"The recording {folder} was cut short: `" in offered.sentence() and "recover" in offered.sentence()
    result = run("recover", tmp_path)
    assert result.status == 0 and f"{folder}: " in result.out and "pictures, up to" in result.out
    assert picture_times(folder / "video.mkv")
    assert "nothing to do" in run("recover", tmp_path).out
    assert "recovered already" in run("recover", folder).out


def test_recover_of_what_is_no_session(run: Run, tmp_path: Path) -> None:
    assert "No recording in" in run("recover", tmp_path).out
    (tmp_path / "records.mcap").write_bytes(b"")
    assert "Nothing can be saved" in run("recover", tmp_path).sentence()
    assert "does not exist" in run("recover", tmp_path / "none").sentence()
