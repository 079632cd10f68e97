"""`demo`, the first thing that anyone runs."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from tests.app.conftest import Run

pytestmark = pytest.mark.gl


def test_the_demo_writes_a_film_beside_the_values(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("demo", "--headless", "--exit-after-clip", "--seconds", "0.6")
    assert result.status == 0, result.err
    folder = tmp_path / "out" / "demo"
    assert str(Path("out") / "demo" / "demo.mp4") in result.out and not result.err
    assert sorted(path.name for path in folder.iterdir()) == ["demo.mp4", "frames.csv", "session.json"]
    with av.open(str(folder / "demo.mp4")) as film:
        pictures = list(film.decode(video=0))
    assert len(pictures) == 15
    panes = pictures[-1].to_ndarray(format="rgb24").reshape(360, 3, 480, 3)
    assert all(panes[:, n].std() > 10 for n in range(3))  # something is to be seen in each
    manifest = json.loads((folder / "session.json").read_text())
    assert manifest["command"] == "demo" and manifest["parameters"]["valid_frames"] == 15


def test_without_a_display_there_is_no_window(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    result = run("demo", "--seconds", "0.2", "--out", tmp_path / "out")
    assert result.status == 0 and (tmp_path / "out" / "demo.mp4").exists()


@pytest.mark.slow
def test_the_whole_clip_is_tracked_throughout(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--headless", "--out", tmp_path)
    assert result.status == 0 and "765 of 765" in result.out
