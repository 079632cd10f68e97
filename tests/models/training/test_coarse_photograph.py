"""The losses on photographs: the drawn face approaches the picture, and one person's pictures share an identity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.face_model import FaceModel, load_face_model
from models.geometry.rotations import HEAD_TO_CAMERA, facing
from models.networks.vit import CoarseLayout, CoarseOutput
from models.training.coarse import CoarseSettings, CoarseStage, CoarseWeights
from models.training.coarse_photograph import PhotographTerms, consistency
from models.training.data.coarse_photos import LabelledFace, PhotoBatch, Photos, plain_batch
from models.training.data.coarse_shards import render_shards
from models.training.splits import load_splits
from tests.helpers.labelled import labelled_faces

LAYOUT = CoarseLayout()


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


@pytest.fixture(scope="module")
def faces(model: FaceModel) -> list[LabelledFace]:
    return labelled_faces(model, 3, range(0, 20, 10))


def true_answer(faces: list[LabelledFace], photos: PhotoBatch) -> CoarseOutput:
    """What a perfect network says, but for light and skin, which the labels do not tell."""
    seen = []
    for face in faces:
        turned = HEAD_TO_CAMERA @ facing(face.label.translation) @ HEAD_TO_CAMERA
        seen.append(turned.T @ face.label.rotation)
    identity = np.stack([face.label.identity for face in faces])[:, : LAYOUT.identity]
    light = torch.zeros(len(faces), 9, 3)
    light[:, 0], light[:, 1], light[:, 3] = 2.5, -0.4, 0.3
    return CoarseOutput(
        torch.from_numpy(identity.astype(np.float32)), photos.expression, torch.from_numpy(np.stack(seen)).float(),
        photos.gaze, photos.scale, photos.place, torch.zeros(len(faces), LAYOUT.albedo), light,
    )  # fmt: skip


def lit(answer: CoarseOutput, photos: PhotoBatch, terms: PhotographTerms, steps: int = 40) -> CoarseOutput:
    """With the light and the skin that explain the pictures best."""
    light, albedo = answer.light.clone().requires_grad_(), answer.albedo.clone().requires_grad_()
    optimiser = torch.optim.Adam([light, albedo], 0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = terms(replace(answer, light=light, albedo=albedo), photos)
        loss.backward()
        optimiser.step()
    return replace(answer, light=light.detach(), albedo=albedo.detach())


def test_light_and_skin_are_learned_and_a_misplaced_face_costs_more(
    model: FaceModel, faces: list[LabelledFace]
) -> None:
    photos = plain_batch(faces, 256)
    terms = PhotographTerms(model, LAYOUT, side=64)
    answer = true_answer(faces, photos)
    with torch.no_grad():
        before = float(terms(answer, photos))
    answer = lit(answer, photos, terms)
    with torch.no_grad():
        after = float(terms(answer, photos))
        aside = float(terms(replace(answer, place=answer.place + 0.12), photos))
    assert after < 0.6 * before
    assert aside > 1.3 * after


def test_the_gradient_of_the_light_is_that_of_finite_differences(model: FaceModel, faces: list[LabelledFace]) -> None:
    photos = plain_batch(faces[:1], 256)
    terms = PhotographTerms(model, LAYOUT, side=64)
    answer = true_answer(faces[:1], photos)

    def cost(light: Tensor) -> Tensor:
        drawn, mask = terms.draw(replace(answer, light=light), photos)
        return (drawn * mask).mean()

    light = answer.light.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(cost(light), light)
    for place in ((0, 0, 0), (0, 2, 1), (0, 3, 2)):
        moved = torch.zeros_like(answer.light)
        moved[place] = 0.02
        with torch.no_grad():
            slope = float(cost(answer.light + moved) - cost(answer.light - moved)) / 0.04
        assert float(gradient[place]) == pytest.approx(slope, rel=0.05, abs=1e-5)


def test_gradients_reach_what_is_answered(model: FaceModel, faces: list[LabelledFace]) -> None:
    photos = plain_batch(faces, 256)
    terms = PhotographTerms(model, LAYOUT, side=64)
    answer = true_answer(faces, photos)
    names = ("identity", "expression", "rotation", "albedo", "light")
    asked = {name: getattr(answer, name).clone().requires_grad_() for name in names}
    found = torch.autograd.grad(terms(replace(answer, **asked), photos), list(asked.values()))
    assert all(bool(torch.isfinite(g).all()) and float(g.abs().sum()) > 0 for g in found)


def test_consistency_takes_another_pictures_identity(model: FaceModel, faces: list[LabelledFace]) -> None:
    photos = plain_batch(faces, 128)
    assert photos.people == (0, 0)
    answer = true_answer(faces, photos)
    wrong = answer.identity.clone()
    wrong[0] += 1.0

    def cost(found: CoarseOutput) -> Tensor:
        return (found.identity - answer.identity)[1].abs().sum()

    # The first picture's mistake is the second one's to explain.
    assert float(consistency(replace(answer, identity=wrong), photos, cost)) > 0
    assert float(cost(replace(answer, identity=wrong))) == 0


def test_a_face_model_without_albedo_is_refused(model: FaceModel) -> None:
    class Bare:
        name, albedo_mean, albedo_basis = "bare", None, None

    with pytest.raises(ValueError, match="no albedo"):
        PhotographTerms(Bare(), LAYOUT)  # type: ignore[arg-type]


@pytest.fixture
def labels(faces: list[LabelledFace], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that seems to hold two pictures of each of three people."""
    named = [replace(faces[n % 2], person=f"person {n // 2}") for n in range(6)]
    monkeypatch.setattr("models.training.data.coarse_photos._photos_of", lambda path, person: named)
    monkeypatch.setattr(
        "models.training.data.coarse_photos.list_labels",
        lambda folder: [Path(f"{load_splits().london_set.part(part)[0]}.labels") for part in ("train", "test")],
    )
    (tmp_path / "london" / "neutral").mkdir(parents=True)
    return tmp_path


def test_pairs_show_one_person(labels: Path) -> None:
    photos = Photos(labels, "train")
    rng = np.random.default_rng(0)
    for _ in range(5):
        people = photos.batch(6, 64, rng, paired=True).people
        assert all(people[k] == people[k + 1] for k in (0, 2, 4))


def test_a_step_with_the_papers_losses(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pictures = tmp_path_factory.mktemp("pictures")
    render_shards(pictures, range(600, 602), people=2)
    weights = CoarseWeights(photo_pairs=1.0, photometric=1.0, consistency=1.0, photo_albedo=0.1)
    settings = CoarseSettings(image_size=128, photo_share=0.5, weights=weights)
    stage = CoarseStage(settings, pictures, pictures, labels)
    terms = stage.losses(next(stage.batches(4, 0, torch.device("cpu"))), 0.0)
    assert {"photo_pairs", "photometric", "consistency", "photo_albedo"} <= set(terms)
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    rows = stage.vit.head.weight.grad
    assert rows is not None
    start = 0
    for name, count in stage.vit.layout.groups.items():
        # All of them learn now, albedo too.
        assert float(rows[start : start + count].abs().sum()) > 0, name
        start += count
