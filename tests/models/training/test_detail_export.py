"""What ships of a training of the detail network: its best weights, amplified until relief can be seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.face_model import load_face_model
from models.face_model.detail_map import DetailMap
from models.networks.detail_weights import load_detail
from models.networks.mae import DetailMAE
from models.training.checkpoint import TrainingError
from models.training.data.shards import Shards, write_shard
from models.training.data.wrinkle_faces import Skins, WrinkleFaces
from models.training.detail_figures import amplitude
from models.training.detail_settings import DetailSettings, export_run, faces_folder, run_of, visible_gain
from models.training.evaluation.answers import DetailAnswers
from models.training.export import start_from


@pytest.mark.parametrize(
    ("amplitude", "change", "gain"),
    [(0.65, 0.5, 1 / 0.65), (0.5, 0.6, 0.85 / 0.6), (1.2, 0.9, 1.0), (0.1, 0.1, 2.0)],
)
def test_relief_is_made_as_strong_as_the_truth_at_most(amplitude: float, change: float, gain: float) -> None:
    assert visible_gain(amplitude, change) == pytest.approx(gain)


def test_what_ships_answers_stronger_than_what_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_RUNS", str(tmp_path))
    settings = DetailSettings()
    torch.manual_seed(0)
    trained = DetailMAE(settings.mae).eval()
    run = run_of("detail", settings)
    run.mkdir(parents=True)
    figures = {"amplitude": 0.5, "delta_amplitude": 0.6}
    tensors = {f"detail.{name}": value.contiguous() for name, value in trained.state_dict().items()}
    save_file(tensors, run / "best.safetensors", metadata={"figures": json.dumps(figures)})
    path = export_run("detail", settings, tmp_path / "shipped.safetensors")
    shipped, header = load_detail(path, load_face_model().name)
    assert header.training["gain"] == pytest.approx(0.85 / 0.6, abs=1e-3)
    assert header.training["held_out"] == figures
    image, tension = torch.rand(1, 4, 256, 256), torch.randn(1, 1, 256, 256) * 0.1
    with torch.no_grad():
        wanted = trained(image, tension) * (0.85 / 0.6)
        # The file holds half precision.
        torch.testing.assert_close(shipped(image, tension), wanted, rtol=0.05, atol=0.02 * float(wanted.abs().max()))
    for file in (run / "best.safetensors", path):
        begun = DetailMAE(settings.mae).eval()
        start_from(file, "detail", begun)
        expected = trained if file.parent == run else shipped
        with torch.no_grad():
            torch.testing.assert_close(begun(image, tension), expected(image, tension))
    early = DetailMAE(settings.mae.model_copy(update={"encoder_depth": 1}))
    with pytest.raises(TrainingError, match="belongs to another network"):
        start_from(path, "detail", early)


def test_how_strong_answers_are_is_measured_on_all_held_out_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_RUNS", str(tmp_path))
    window = DetailMap(load_face_model())
    faces = WrinkleFaces(window, Skins([], window, painted=2, seed=3))
    write_shard(faces_folder("validation") / "00000.npy", faces.sample, range(10_000, 10_002))
    settings = DetailSettings()
    torch.manual_seed(0)
    trained = DetailMAE(settings.mae).eval()
    answers = DetailAnswers(trained, window.mask)
    samples = [Shards(faces_folder("validation"))[n] for n in range(2)]
    truth = np.stack([sample.truth for sample in samples])

    def relief(asked: DetailAnswers) -> np.ndarray:
        return np.stack([asked(sample.image, sample.tension) for sample in samples])

    trained.amplify(0.6 / amplitude(relief(answers), truth, window.mask))
    run = run_of("detail", settings)
    run.mkdir(parents=True)
    tensors = {f"detail.{name}": value.contiguous() for name, value in trained.state_dict().items()}
    # What training saw of them says that nothing is to be amplified.
    stored = json.dumps({"amplitude": 1.0, "delta_amplitude": 1.0})
    save_file(tensors, run / "best.safetensors", metadata={"figures": stored})
    shipped, header = load_detail(export_run("detail", settings, tmp_path / "shipped.safetensors"))
    assert header.training["gain"] == pytest.approx(1 / 0.6, abs=0.01)
    assert amplitude(relief(DetailAnswers(shipped, window.mask)), truth, window.mask) == pytest.approx(1, abs=0.02)
