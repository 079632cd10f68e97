"""Settings of an avatar, kept in files that a user may edit."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tracking.retarget import (
    ChannelCurve,
    HeadSettings,
    Hotkey,
    HotkeySettings,
    RetargetFileError,
    RetargetSettings,
    load_settings,
    save_settings,
    settings_file,
)


def test_saved_settings_come_back(tmp_path: Path) -> None:
    settings = RetargetSettings(
        channels={"jawOpen": ChannelCurve(gain=1.5, points=((0.0, 0.0), (0.5, 0.8), (1.0, 1.0)), solo=True)},
        expressions={"happy": 0.5},
        mirror=True,
        head=HeadSettings(rotation_limit_deg=(30.0, 20.0, 10.0)),
        hotkeys=HotkeySettings(
            fade_s=0.4,
            expressions=(Hotkey(name="Wink", key="Ctrl+7", hold=True, values={"eyeBlinkLeft": 1.0, "wink": 0.5}),),
        ),
    )
    path = settings_file(tmp_path / "new folder", "Ä person/../x", "ab" * 32)
    assert path.parent == tmp_path / "new folder"
    save_settings(settings, path)
    assert load_settings(path) == settings
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("text", ['{"schema_version": 1, "mirror": true}', '{"mirror": true}'])
def test_files_of_before_there_were_hotkeys_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text, encoding="utf-8")
    settings = load_settings(path)
    assert settings.mirror and settings.hotkeys == HotkeySettings() and settings.schema_version == 2


def test_two_avatars_of_one_name_do_not_share_settings(tmp_path: Path) -> None:
    assert settings_file(tmp_path, "a", "1" * 64) != settings_file(tmp_path, "a", "2" * 64)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("[1]", "does not hold retargeting"),
        ('{"schema_version": 3}', "newer version"),
        ('{"channels": {"jawOpen": {"gain": 1e9}}}', "channels.jawOpen.gain"),
        ('{"channels": {"nose": {}}}', "nose is not a channel"),
        ('{"channels": {"jawOpen": {"points": [[0.5, 0], [0.5, 1]]}}}', "rising"),
        ('{"head": {"rotation_gain": [1, 2]}}', "head.rotation_gain"),
        ('{"unknown": 1}', "unknown"),
        ('{"hotkeys": {"expressions": [{"name": "a", "values": {"happy": 2}}]}}', "values.happy"),
        ('{"hotkeys": {"expressions": [{"name": "a"}, {"name": "a"}]}}', "two expressions are called a"),
        ('{"gaze": {"gain": NaN}}', "gaze.gain"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_file_that_cannot_be_used(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RetargetFileError) as caught:
        load_settings(path)
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_absent_huge_and_unwritable_files(tmp_path: Path) -> None:
    with pytest.raises(RetargetFileError, match="cannot be read"):
        load_settings(tmp_path / "absent.json")
    (tmp_path / "huge.json").write_bytes(b" " * 2_000_000)
    with pytest.raises(RetargetFileError, match="too large"):
        load_settings(tmp_path / "huge.json")
    (tmp_path / "file").write_text("x")
    with pytest.raises(RetargetFileError, match="cannot be written"):
        save_settings(RetargetSettings(), tmp_path / "file" / "a.json")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        RetargetSettings().mirror = True  # type: ignore[misc]
