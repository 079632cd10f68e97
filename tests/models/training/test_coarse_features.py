"""L_id, L_emo and L_lr by networks of the user's, on photographs beside drawn faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from models.face_model import load_face_model
from models.losses.face_networks import SIDES, FaceNetworkKind
from models.losses.mrf import FeatureFileError
from models.networks.vit import CoarseLayout, CoarseOutput
from models.training.coarse import CoarseSettings, CoarseStage, CoarseWeights
from models.training.coarse_features import FaceNetworkFiles, FeatureTerms, cut
from models.training.data.coarse_photos import plain_batch
from tests.helpers.labelled import labelled_faces
from tests.models.losses.test_face_networks import ArcFace, LipReader, Residual, saved, settled

KINDS: tuple[FaceNetworkKind, ...] = ("identity", "emotion", "lips")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> FaceNetworkFiles:
    folder = tmp_path_factory.mktemp("networks")
    return FaceNetworkFiles(
        identity=saved(settled(ArcFace(), 1), folder / "identity.safetensors"),
        emotion=saved(settled(Residual(deep=True), 2), folder / "emotion.safetensors"),
        lips=saved(settled(LipReader(), 3), folder / "lips.safetensors"),
    )


def landmarks_at(points: dict[int, tuple[float, float]]) -> torch.Tensor:
    landmarks = torch.zeros(1, 478, 2)
    for index, place in points.items():
        landmarks[0, index] = torch.tensor(place)
    return landmarks


EYES_NOSE_MOUTH = {
    33: (-0.36, -0.2), 133: (-0.16, -0.2), 362: (0.16, -0.2), 263: (0.36, -0.2), 1: (0.0, 0.05), 61: (-0.2, 0.3),
    291: (0.2, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_face_is_cut_alike_however_it_lies_in_the_picture(kind: FaceNetworkKind) -> None:
    torch.manual_seed(0)
    picture = F.interpolate(torch.rand(1, 3, 12, 12), (256, 256), mode="bicubic", align_corners=False).clamp(0, 1)
    landmarks = landmarks_at(EYES_NOSE_MOUTH) * 0.6
    plain = cut(picture, landmarks, kind)
    assert plain.shape == (1, 3, SIDES[kind], SIDES[kind])
    turned = cut(torch.rot90(picture, 1, (2, 3)), torch.stack([landmarks[..., 1], -landmarks[..., 0]], -1), kind)
    assert float((turned - plain).abs().mean()) < 0.01
    shifted = cut(torch.roll(picture, 16, 3), landmarks + torch.tensor([16 / 128, 0.0]), kind)
    inside = slice(SIDES[kind] // 4, -SIDES[kind] // 4)
    assert float((shifted - plain)[..., inside, inside].abs().mean()) < 0.01
    assert float((cut(picture, landmarks * 0.7, kind) - plain).abs().mean()) > 0.02


def test_the_lips_square_shows_the_mouth() -> None:
    picture = torch.zeros(1, 3, 256, 256)
    x, y = (round((v + 1) * 128) for v in (0.0, 0.3))
    picture[:, :, y - 12 : y + 12, x - 12 : x + 12] = 1
    seen = cut(picture, landmarks_at(EYES_NOSE_MOUTH), "lips")[0, 0]
    rows, columns = torch.nonzero(seen > 0.5, as_tuple=True)
    assert float(rows.float().mean()) == pytest.approx(43.5, abs=3)
    assert float(columns.float().mean()) == pytest.approx(43.5, abs=1)


def test_losses_vanish_for_the_picture_itself_and_grow_with_the_difference(files: FaceNetworkFiles) -> None:
    photos = plain_batch(labelled_faces(load_face_model(), 3, range(0, 20, 10)), 256)
    pictures = F.interpolate(photos.image, (128, 128), mode="area")
    masks = torch.ones(len(pictures), 1, 128, 128)
    terms = FeatureTerms(files, dict.fromkeys(KINDS, 1.0))
    torch.manual_seed(0)
    noise = torch.randn_like(pictures)
    costs = []
    for amount in (0.0, 0.03, 0.15):
        found = terms(pictures, (pictures + amount * noise).clamp(0, 1), masks, photos.landmarks)
        assert set(found) == set(KINDS)
        costs.append([float(found[kind]) for kind in KINDS])
    none, little, much = np.array(costs)
    assert (none < 1e-4).all() and (none < little).all() and (little < much).all()
    # What is drawn outside the skin does not count.
    hidden = terms(pictures, pictures * 0, masks * 0, photos.landmarks)
    assert all(float(value) < 1e-4 for value in hidden.values())
    drawn = pictures.clone().requires_grad_()
    terms(pictures, drawn * 0.9, masks, photos.landmarks)["identity"].backward()
    assert drawn.grad is not None and float(drawn.grad.abs().sum()) > 0


def test_a_loss_without_its_network_is_refused(tmp_path: Path) -> None:
    settings = CoarseSettings(weights=CoarseWeights(identity_features=0.1))
    with pytest.raises(FeatureFileError, match=r"identity loss has a weight but no network"):
        CoarseStage(settings, tmp_path, tmp_path)


def test_networks_without_weight_are_not_read(tmp_path: Path) -> None:
    missing = FaceNetworkFiles(identity=tmp_path / "missing.safetensors")
    assert not FeatureTerms(missing, {"identity": 0.0}).weights


def test_the_terms_take_part_in_a_step(
    files: FaceNetworkFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = load_face_model()
    photos = plain_batch(labelled_faces(model, 3, range(0, 20, 10)), 128)
    (tmp_path / "labels").mkdir()
    monkeypatch.setattr("models.training.coarse.Photos", lambda labels, part, model: None)
    monkeypatch.setattr("models.training.coarse.RenderedCrops", lambda folder, wait_s: None)
    weights = CoarseWeights(identity_features=0.1, emotion=1.0, lip_reading=0.05)
    stage = CoarseStage(
        CoarseSettings(image_size=128, networks=files, weights=weights), tmp_path, tmp_path, tmp_path / "labels"
    )
    layout = CoarseLayout()
    count = len(photos.image)
    light = torch.zeros(count, 9, 3)
    light[:, 0] = 2.0
    answer = CoarseOutput(
        torch.zeros(count, layout.identity), photos.expression, torch.eye(3).expand(count, 3, 3), photos.gaze,
        photos.scale, photos.place, torch.zeros(count, layout.albedo), light.requires_grad_(),
    )  # fmt: skip
    terms = stage._seen_terms(answer, photos)
    assert set(KINDS) <= set(terms) and "photometric" not in terms
    torch.stack([terms[kind] for kind in KINDS]).sum().backward()  # type: ignore[no-untyped-call]
    assert light.grad is not None and float(light.grad.abs().sum()) > 0
    darker = replace(answer, light=light.detach() * 0.3)
    assert float(stage._seen_terms(darker, photos)["identity"]) != pytest.approx(
        float(terms["identity"].detach()), rel=1e-3
    )
