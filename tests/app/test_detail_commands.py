"""`train detail`, `train teacher`, `evaluate detail`: mistakes in one sentence; the scan that detail is measured on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from app.cli.evaluate_detail import table_of
from app.cli.main import main
from app.errors import CommandError
from app.evaluation.scan import LIGHTS, light_scan, load_scan, view_scan
from models.training.checkpoint import TrainingError
from models.training.detail_settings import DetailSettings, detail_stage
from models.training.loop import LoopSettings

CONFIGS = sorted(Path("models/training/configs").glob("detail_*.toml"))


@pytest.mark.parametrize("stage", ["detail", "teacher"])
def test_a_configuration_that_is_not_there_or_wrong_is_named(
    stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "c.toml"
    asked = ["train", stage, "--config", str(config), "--labels", str(tmp_path)]
    assert main(asked) == 2
    assert "cannot be read" in capsys.readouterr().err
    config.write_text("[stage]\npreset = 'huge'\n")
    assert main(asked) == 2
    assert "preset" in capsys.readouterr().err
    config.write_text("[stage]\nwords = 3\n")
    assert main(asked) == 2
    assert "words" in capsys.readouterr().err


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configurations_that_ship_are_valid(path: Path) -> None:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    DetailSettings.model_validate(tables["stage"])
    LoopSettings.model_validate(tables["loop"])
    # Whoever learns from another run's teacher trains none.
    assert ("teacher_loop" in tables) == ("teacher_of" not in tables["stage"])
    LoopSettings.model_validate(tables.get("teacher_loop", {}))


def test_another_runs_teacher_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_RUNS", str(tmp_path))
    later = DetailSettings(name="people", teacher_of="")
    with pytest.raises(TrainingError, match=r"teacher_lite[^_]"):
        detail_stage(later, tmp_path)
    with pytest.raises(TrainingError, match="teacher_lite_people"):
        detail_stage(later.model_copy(update={"teacher_of": None}), tmp_path)


def test_export_without_a_run_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIEN_RUNS", str(tmp_path))
    config = Path("models/training/configs/detail_lite.toml")
    assert main(["train", "detail", "--config", str(config), "--labels", str(tmp_path), "--action", "export"]) == 2
    assert "train until the first evaluation" in capsys.readouterr().err


def test_evaluation_without_weights_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none.safetensors")
    assert main(["evaluate", "detail", "--out", str(tmp_path), "--labels", str(tmp_path), "--weights", missing]) == 2
    assert "no weights" in capsys.readouterr().err


def test_every_figure_is_a_line_of_the_table() -> None:
    table = table_of({"synthetic": {"correlation": 0.71234, "spectrum": {"8-16": 0.2}}, "about": {"x": 1}})
    assert "| synthetic: correlation | 0.712 |" in table
    assert "| synthetic: spectrum: 8-16 | 0.2 |" in table and "about" not in table


def test_a_folder_without_a_scan_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no scan"):
        load_scan(tmp_path)
    (tmp_path / "head.glb").write_bytes(b"glTF broken")
    with pytest.raises(CommandError, match="cannot be read"):
        load_scan(tmp_path)


@pytest.mark.data
def test_the_scan_is_lit_from_where_the_light_is(data_dir: Path) -> None:
    pytest.importorskip("DracoPy")
    folder = data_dir / "lee_perry_smith"
    if not folder.is_dir():
        pytest.skip("no scan among the development data")
    view = view_scan(load_scan(folder))
    assert 0.2 < float(view.raster.covered.mean()) < 0.8
    left, right = (light_scan(view, name).astype(float).mean(axis=2) for name in ("left", "right"))
    half = left.shape[1] // 2
    # The subject's left is on the picture's right.
    assert float((left - right)[:, half:].mean()) > 5 > -5 > float((left - right)[:, :half].mean())
    assert set(LIGHTS) == {"front", "left", "right", "above"}
    added = np.abs(view.fine - view.smooth)[view.raster.covered]
    assert 0.005 < float(added.mean()) < 0.2
