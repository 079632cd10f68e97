"""`train coarse` from pictures to a weights file that tracking loads, and what it says when it cannot."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import main
from app.cli.train_coarse import DataSettings
from models.face_model import load_face_model
from models.geometry.camera import Camera
from models.geometry.crop import Crop
from models.training.coarse import CoarseSettings
from models.training.loop import LoopSettings
from tracking.coarse import CoarsePredictor

CONFIGS = sorted(Path("models/training/configs").glob("coarse_*.toml"))
TINY = """
[stage]
image_size = 128
learn = "{learn}"
[loop]
steps = 2
batch = 4
[data]
people = 3
held_out_people = 3
"""


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIEN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "runs"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path: Path) -> None:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(tables) <= {"stage", "loop", "data"}
    stage = CoarseSettings.model_validate(tables["stage"])
    assert stage.preset in path.stem
    assert LoopSettings.model_validate(tables["loop"]).minutes
    DataSettings.model_validate(tables["data"])


def test_trained_in_two_runs_exported_and_loaded(runs: Path, tmp_path: Path) -> None:
    config = tmp_path / "all.toml"
    config.write_text(TINY.format(learn="all"), encoding="utf-8")
    assert main(["train", "coarse", "--config", str(config), "--name", "first"]) == 0
    looks = tmp_path / "looks.toml"
    looks.write_text(TINY.format(learn="glimpses"), encoding="utf-8")
    best = runs / "first" / "best.safetensors"
    then = ["train", "coarse", "--config", str(looks), "--name", "then"]
    assert main([*then, "--start", str(best)]) == 0
    out = tmp_path / "coarse.safetensors"
    assert main([*then, "--action", "export", "--out", str(out)]) == 0
    model = load_face_model()
    predictor = CoarsePredictor(model, out, engine="torch")
    answer = predictor.predict(np.zeros((240, 320, 3), np.uint8), Crop(160.0, 120.0, 60.0), Camera.from_fov(320, 240))
    assert np.isfinite(answer.parameters.expression).all()
    assert len(predictor.header.extra["channel_sigma"]) == 52


def test_what_cannot_be_started_from_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "all.toml"
    config.write_text(TINY.format(learn="all"), encoding="utf-8")
    asked = ["train", "coarse", "--config", str(config), "--name", "new", "--start", str(tmp_path / "no.safetensors")]
    assert main(asked) == 2
    assert "to start from" in capsys.readouterr().err


def test_export_without_a_run_says_so_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "all.toml"
    config.write_text(TINY.format(learn="all"), encoding="utf-8")
    assert main(["train", "coarse", "--config", str(config), "--action", "export"]) == 2
    assert "train until the first evaluation" in capsys.readouterr().err
