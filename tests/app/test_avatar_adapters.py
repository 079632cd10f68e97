"""`avatar create --adapters` and `evaluate person`: trained for real, if shortly, and used by the tracker."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import models.training.person_adapters as training
from app.avatar_work import AvatarWork
from app.evaluation.person import PersonScore, person_figures
from app.evaluation.person_looks import PersonLook
from app.jobs.avatar_adapters import train_on
from app.jobs.avatar_observers import observers
from app.jobs.track import Progress
from models.avatars.person_file import PersonAvatar, write_person
from models.face_model import FaceModel, load_face_model
from models.networks.stored import WeightsHeader
from models.networks.vit import CoarseViT
from tests.app.conftest import Run
from tests.models.avatars.test_person_file import avatar
from tracking import FaceTracker, open_source, track_frames
from tracking.coarse import CoarsePredictor, coarse_network
from tracking.coarse_person import CoarsePerson
from tracking.person_capture import PersonCapture
from tracking.person_fit import fit_person
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource


def shortened(monkeypatch: pytest.MonkeyPatch, **values: float) -> None:
    settings = training.AdapterSettings(steps=20, batch=4, look_every=10).model_copy(update=values)
    monkeypatch.setattr(training, "AdapterSettings", lambda: settings)


@pytest.fixture(scope="module")
def work(demo_clip: Path) -> AvatarWork:
    """What four seconds of the demo clip give."""
    capture, model = PersonCapture(), load_face_model()
    with open_source(str(demo_clip)) as source, FaceTracker() as tracker:
        for face in track_frames(source, tracker):
            if face.frame.time_s > 4.0:
                break
            capture.add(face)
    seen, frames = tuple(capture.seen), tuple(capture.frames())
    spread = tuple(capture.spread)
    work = AvatarWork("clip", capture.check(), seen, frames, spread=spread)
    return replace(work, fit=fit_person(model, *observers(work, model, Progress())))


def confused(path: Path, header: WeightsHeader) -> CoarseViT:
    """The shipped network with a habit that is easily unlearned: the shipped one may see this face well already."""
    network = coarse_network(path, header)
    torch.manual_seed(5)
    with torch.no_grad():
        network.head.bias.add_(0.6 * torch.randn_like(network.head.bias))
    return network


def trained(work: AvatarWork, told: list[str]) -> tuple[PersonAvatar, str]:
    plain, model = avatar(), load_face_model()
    plain = replace(plain, manifest=plain.manifest.model_copy(update={"face_model": model.name}))
    assert work.fit is not None
    return train_on(plain, work, work.fit, model, Progress(lambda name, _: told.append(name), lambda: told.append("")))


def test_an_avatar_gets_adapters_that_the_tracker_takes(
    work: AvatarWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortened(monkeypatch, steps=60, batch=8)
    monkeypatch.setattr("tracking.coarse.coarse_network", confused)
    told: list[str] = []
    found, sentence = trained(work, told)
    looks = len(work.spread)
    assert told == ["looking again", *[""] * looks, "teaching the network this face", *[""] * 60]
    assert sentence.startswith("Adapters were trained: on pictures kept back"), sentence
    write_person(found, tmp_path / "ada.mien")
    person = CoarsePerson.read(tmp_path / "ada.mien")
    CoarsePredictor(load_face_model(), person=person, engine="torch")


def test_adapters_that_make_it_worse_are_told_and_not_kept(work: AvatarWork, monkeypatch: pytest.MonkeyPatch) -> None:
    shortened(monkeypatch, rate=50.0)
    found, sentence = trained(work, [])
    assert "none were kept" in sentence and found.adapters is None
    found, sentence = trained(replace(work, frames=work.frames[:4], spread=()), [])
    assert "too few pictures" in sentence and found.adapters is None


def test_the_evaluation_judges_frames_after_the_capture(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app.evaluation.person as evaluation

    shortened(monkeypatch)
    whole = evaluation.evaluate_person

    def short(
        model: FaceModel, seed: int, progress: Progress, look: PersonLook | None, *, adapters: bool
    ) -> PersonScore:
        return whole(model, seed, progress, 100, 60, look, adapters=adapters)

    monkeypatch.setattr(evaluation, "evaluate_person", short)
    told = run("evaluate", "person", "--people", "1", "--first", "2", "--out", str(tmp_path))
    assert told.status == 0 and "better for" in told.out
    report = json.loads((tmp_path / "person.json").read_text())
    (person,) = report["people"]
    assert person["frames"] == 10 and person["person"] == "2"
    # The network sees more than it says at once; and a person's own skin explains more than a usual one.
    assert 0 < person["base_followed"] < person["base_inner51"] < 0.1
    assert 0 < person["person_tracked"] < person["base_tracked"] < 0.1
    assert person["person_tracked"] < person["base_begun"] < 0.1
    assert 0 < person["person_channels"] < 1.2 and 0 < person["base_channels"] < 1.2
    assert person["person_residual"] < person["base_residual"]


def test_gains_are_shares_of_the_base() -> None:
    def score(person: float) -> PersonScore:
        return PersonScore(
            "1", 10, True, 0.04, 0.02, 0.01, 0.8, 0.6, 0.6, 0.04, person, 0.02, 0.015, 0.04, 0.03, 10.0, 5.0
        )

    figures = person_figures([score(0.02), score(0.05)])
    assert figures["inner51_gain"] == pytest.approx((0.5 - 0.25) / 2)
    assert figures["inner51_gain_least"] == pytest.approx(-0.25) and figures["inner51_better"] == 0.5
    assert figures["begun_gain"] == pytest.approx(0.75) and figures["begun_channels_gain"] == pytest.approx(0.25)
    assert figures["tracked_gain"] == pytest.approx(0.5) and figures["channels_gain"] == 0.0
    assert figures["residual_gain"] == pytest.approx(0.5) and figures["people"] == 2


def test_a_photographed_person_is_rendered_with_the_own_face_and_skin() -> None:
    model = load_face_model()
    skin = np.zeros((320, 320, 3), np.float32)
    skin[:] = (0.5, 0.2, 0.1)
    known = np.zeros((320, 320), np.float32)
    known[100:220, 100:220] = 1.0
    look = PersonLook("ana", np.array([1.5, -1.0], np.float32), skin, known)
    whole = look.over(np.full((320, 320, 3), 0.3, np.float32))
    np.testing.assert_allclose(whole[160, 160], (0.5, 0.2, 0.1), rtol=1e-5)
    # Around it the painted skin takes the colour.
    np.testing.assert_allclose(whole[10, 10], (0.5, 0.2, 0.1), rtol=1e-3)
    settings = SyntheticSettings(seed=2, frames=5)
    usual = SyntheticSource(settings, model)
    source = SyntheticSource(settings, model, look.identity, look.over)
    assert source.truth(0).identity[:3].tolist() == [1.5, -1.0, 0.0]
    np.testing.assert_array_equal(source.truth(3).expression, usual.truth(3).expression)
    inside = slice(200, 280), slice(280, 360)
    red, _, blue = source.render(0)[inside].reshape(-1, 3).mean(0)
    assert red > 1.5 * blue
