"""The settings file: defaults, damage, versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import app.settings
from app.settings import Settings, SettingsError, load_settings, save_settings, settings_file
from app.window_settings import WindowSettings
from tracking import TrackerSettings
from tracking.smoothing import SmoothingSettings


def test_there_and_back(tmp_path: Path) -> None:
    changed = Settings(tracker=TrackerSettings(smoothing=SmoothingSettings(preset="strong")))
    path = tmp_path / "new" / "settings.json"
    assert save_settings(changed, path) == path
    warnings: list[str] = []
    assert load_settings(path, warnings.append) == changed
    assert not warnings
    assert [p.name for p in path.parent.iterdir()] == ["settings.json"]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    warnings: list[str] = []
    assert load_settings(tmp_path / "none.json", warnings.append) == Settings()
    assert not warnings


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"{", b"[1]", b"{}", b'{"schema_version": 2, "nonsense": 2}', b'{"schema_version": "1"}'],
)
def test_damage_is_kept_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    for name in ("settings.json.damaged", "settings.json1.damaged"):
        path.write_bytes(content)
        warnings: list[str] = []
        assert load_settings(path, warnings.append) == Settings()
        assert len(warnings) == 1 and "was damaged and is kept as" in warnings[0]
        assert not path.exists()
        assert (tmp_path / name).read_bytes() == content


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"schema_version": 99}')
    warnings: list[str] = []
    assert load_settings(path, warnings.append) == Settings()
    assert "newer version" in warnings[0] and path.exists()


def test_migrations_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {"tracker": {"smoothing": {"preset": data["smooth"]}}}

    monkeypatch.setitem(app.settings.MIGRATIONS, 0, rename)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"schema_version": 0, "smooth": "medium"}))
    assert load_settings(path).tracker.smoothing.preset == "medium"


def test_version_1_gets_the_windows_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"schema_version": 1, "tracker": {"smoothing": {"preset": "strong"}}}')
    warnings: list[str] = []
    settings = load_settings(path, warnings.append)
    assert not warnings and settings.schema_version == 3
    assert settings.tracker.smoothing.preset == "strong" and settings.window == WindowSettings()


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_CONFIG", str(tmp_path / "mine.json"))
    assert settings_file() == tmp_path / "mine.json"
    monkeypatch.delenv("MIEN_CONFIG")
    assert settings_file().name == "settings.json"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        save_settings(Settings(), tmp_path / "file" / "settings.json")
