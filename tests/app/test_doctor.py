"""`doctor`: says what is missing and how to get it, and fails only when the main job cannot work."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tracking.landmarks
from app.health import ALL_CHECKS, Check, Level, run_checks
from app.health import checks as health
from app.health.networks import check_coarse_network, check_detail_network
from tests.app.conftest import Run


@pytest.mark.gl
def test_this_machine(run: Run, tmp_path: Path) -> None:
    result = run("doctor", "--json", tmp_path / "doctor.json")
    report = json.loads((tmp_path / "doctor.json").read_text())
    levels = {check["name"]: check["level"] for check in report["checks"]}
    assert len(levels) == len(ALL_CHECKS)
    assert result.status == 0, result.out
    assert levels["model files"] == levels["face detection"] == levels["graphics"] == "ok"
    assert "Mien can track and render." in result.out
    assert report["versions"]["mediapipe"] == "0.10.31"
    for check in report["checks"]:
        assert check["found"] and "Traceback" not in check["found"]


def test_what_is_broken_decides_the_status(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.doctor.run_checks", lambda: [Check("graphics", Level.BROKEN, "nothing", "Buy one.")])
    result = run("doctor")
    assert result.status == 1
    assert "Buy one." in result.out and "cannot work yet: graphics" in result.out


def test_an_altered_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = tmp_path / "model.task"
    altered.write_bytes(b"not it")
    original = tracking.landmarks.load_model_file
    monkeypatch.setattr(tracking.landmarks, "load_model_file", lambda: original(altered))
    check = health.check_model_files()
    assert check.level is Level.BROKEN and "damaged or altered" in check.found and check.remedy


def test_no_opengl(monkeypatch: pytest.MonkeyPatch) -> None:
    import rendering

    def refuse(*args: object) -> None:
        raise rendering.RenderingUnavailableError("There is no OpenGL to draw with")

    monkeypatch.setattr(rendering, "OffscreenRenderer", refuse)
    check = health.check_graphics()
    assert check.level is Level.BROKEN and check.remedy


def test_libraries_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "sounddevice", OSError("PortAudio library not found"))
    audio = health.check_audio()
    assert audio.level is Level.MISSING and "PortAudio" in audio.found and audio.remedy
    without(monkeypatch, "torch", ImportError("No module named 'torch'"))
    gpu = health.check_accelerator()
    assert gpu.level is Level.MISSING and "pip install torch" in gpu.remedy


def without(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    """Make `import name` fail."""
    original: Callable[..., Any] = builtins.__import__

    def refuse(wanted: str, *args: Any, **options: Any) -> Any:
        if wanted == name:
            raise error
        return original(wanted, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.parametrize(
    ("system", "machine", "level"),
    [
        ("linux", "x86_64", Level.OK),
        ("linux", "aarch64", Level.BROKEN),
        ("darwin", "arm64", Level.OK),
        ("darwin", "x86_64", Level.BROKEN),
        ("win32", "AMD64", Level.OK),
    ],
)
def test_platforms(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, level: Level) -> None:
    monkeypatch.setattr(health, "LINUX", system == "linux")
    monkeypatch.setattr(health, "MAC", system == "darwin")
    monkeypatch.setattr("platform.machine", lambda: machine)
    check = health.check_platform()
    assert check.level is level
    assert bool(check.remedy) is (level is Level.BROKEN)


def test_a_check_that_fails_itself_is_reported() -> None:
    def check_nonsense() -> Check:
        raise ZeroDivisionError("oops")

    (result,) = run_checks((check_nonsense,))
    assert result.level is Level.MISSING and "oops" in result.found and result.name == "nonsense"


def test_networks_say_preset_engine_and_whether_weights_are_there(
    tmp_path: Path, coarse_file: Path, detail_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path / "engines"))
    for check, file, words in (
        (check_coarse_network, coarse_file, ("Preset lite on ",)),
        (check_detail_network, detail_file, ("encoder on ", "decoder on ")),
    ):
        good = check(file)
        assert good.level is Level.OK, good.found
        assert f"{file.name} are there" in good.found and "self-test passed" in good.found and " ms" in good.found
        assert all(word in good.found for word in words)
        gone = check(tmp_path / "none.safetensors")
        assert gone.level is Level.MISSING and "none.safetensors are not there." in gone.found and gone.remedy
        broken = tmp_path / "broken.safetensors"
        broken.write_bytes(b"not weights")
        assert check(broken).level is Level.MISSING and "damaged" in check(broken).found
