"""Which inputs a batch consists of."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.demo_clip import DEMO_CLIP
from app.errors import CommandError
from app.jobs.inputs import PlannedInput, plan_inputs


def planned(inputs: list[Path | str], out: Path) -> list[tuple[str, str]]:
    """(what, folder below out) of each input."""
    items = plan_inputs([str(item) for item in inputs], out)
    return [(Path(item.spec).name, item.folder.relative_to(out).as_posix()) for item in items]


def test_one_input_goes_into_the_folder_itself(tmp_path: Path) -> None:
    assert planned([tmp_path / "a.mp4"], tmp_path) == [("a.mp4", ".")]


def test_several_get_a_folder_each_and_no_two_the_same(tmp_path: Path) -> None:
    inputs: list[Path | str] = [tmp_path / "x" / "a.mp4", tmp_path / "y" / "A.mkv", "camera:0"]
    assert [folder for _, folder in planned(inputs, tmp_path)] == ["a", "A-2", "camera-0"]


def test_folders(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in ("clip10.mp4", "clip2.MKV", "face.png", "notes.txt", ".hidden.mp4"):
        (mixed / name).touch()
    assert planned([mixed], tmp_path) == [("clip2.MKV", "clip2"), ("clip10.mp4", "clip10"), ("mixed", "mixed")]
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.jpg").touch()
    assert planned([pictures], tmp_path) == [("pictures", ".")]
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "a.webm").touch()
    assert planned([lone], tmp_path) == [("a.webm", "a")]


def test_nothing_and_nothing_useful(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing to track"):
        plan_inputs([], tmp_path)
    with pytest.raises(CommandError, match="neither a video nor a picture"):
        plan_inputs([str(tmp_path)], tmp_path)


def test_the_bundled_clip_by_its_name(tmp_path: Path) -> None:
    assert plan_inputs(["demo"], tmp_path) == [PlannedInput(str(DEMO_CLIP), tmp_path)]
