"""The hair cap with a relief, drawn: its outline moves out where the relief says, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatars.person_file import PersonAvatar
from models.avatars.person_manifest import HairPart, PersonManifest
from models.face_model import FaceModel
from models.face_model.hair_cap import cap_height
from models.face_model.hair_grid import RELIEF_COLUMNS, RELIEF_COUNT, RELIEF_ROWS, relief_directions
from rendering import Background, HairStyle, OffscreenRenderer, Scene, View
from rendering.mesh import HeadMesh
from rendering.subject import OWN, Subject, SubjectPictures
from rendering.surface import hair_height
from tests.helpers.tracked import tracked_face

SIZE = (320, 240)
CLEAR = Scene(background=Background(alpha=0.0))


def even(metres: float) -> tuple[float, ...]:
    return (metres,) * RELIEF_COUNT


def outline(renderer: OffscreenRenderer, model: FaceModel, hair: HairStyle) -> NDArray[np.bool_]:
    """(H, W) where the head is drawn."""
    renderer.scene = replace(CLEAR, hair=hair)
    picture = renderer.render(tracked_face(model), View.TEXTURED, SIZE, alpha=True)
    return np.asarray(picture[..., 3] > 128)


def test_an_even_relief_is_the_plain_cap(renderer: OffscreenRenderer, model: FaceModel) -> None:
    plain = outline(renderer, model, HairStyle(thickness=0.02))
    same = outline(renderer, model, HairStyle(thickness=0.001, relief=even(0.02)))
    assert (plain != same).sum() < 20


def test_the_outline_moves_out_where_the_relief_says(renderer: OffscreenRenderer, model: FaceModel) -> None:
    low, high = (outline(renderer, model, HairStyle(relief=even(metres))) for metres in (0.0, 0.03))
    bare = outline(renderer, model, HairStyle(visible=False))
    assert (low != bare).sum() < 20
    assert not (low & ~high).any()
    top = [int(np.flatnonzero(mask.any(axis=1))[0]) for mask in (low, high)]
    # A third of a metre fills the picture's height, so 3 cm are some 20 pixels.
    assert 15 < top[0] - top[1] < 30
    left = tuple(np.where(relief_directions()[:, 0] > 0.05, 0.03, 0.0).tolist())
    one_sided = outline(renderer, model, HairStyle(relief=left))
    columns = np.arange(SIZE[0])
    grown = (one_sided & ~low).sum(axis=0)
    # The subject's left is on the right of a picture that is not mirrored.
    assert grown[columns > 170].sum() > 300 and grown[columns < 140].sum() < 20


def test_hair_ends_at_the_hairline_whatever_its_relief(model: FaceModel) -> None:
    share, _ = hair_height(model)
    metres, slope = hair_height(model, np.random.default_rng(1).uniform(0, 0.1, RELIEF_COUNT).tolist())
    assert np.array_equal(share, cap_height(model)) and (share == 0).any()
    assert not metres[share == 0].any() and metres.min() >= 0 and metres.max() < 0.11
    assert np.isfinite(slope).all()
    with pytest.raises(ValueError, match="112 values"):
        hair_height(model, [0.01])
    with pytest.raises(ValueError, match="112 values"):
        HairStyle(relief=(0.01,))


def test_a_refined_head_has_the_same_hair(model: FaceModel) -> None:
    relief = tuple(np.linspace(0, 0.05, RELIEF_COUNT).tolist())
    coarse, fine = HeadMesh(model), HeadMesh(model, refine=True)
    grown = fine.hair(model, relief)
    assert grown.shape == (len(fine.static), 4)
    assert float(grown[:, 3].max()) == pytest.approx(float(coarse.hair(model, relief)[:, 3].max()), rel=0.1)
    assert not grown[fine.static["a_hair"][:, 3] == 0, 3].any()


def test_the_slope_follows_the_relief(model: FaceModel) -> None:
    share, plain = hair_height(model)
    metres, even_slope = hair_height(model, even(0.02))
    np.testing.assert_allclose(metres, share * 0.02, atol=1e-6)
    np.testing.assert_allclose(even_slope, plain * 0.02, atol=1e-4)
    steep = np.linspace(0.0, 0.1, RELIEF_ROWS).repeat(RELIEF_COLUMNS)
    rising, slope = hair_height(model, steep.tolist())
    inside = (share > 0.9) & (np.abs(model.mean[:, 0]) > 0.03)
    assert inside.any() and float(rising.max()) > 0.05
    # Fuller and fuller upwards: the surface climbs with y.
    assert float(np.mean(slope[inside, 1])) > 0.2


def person(model: FaceModel, name: str, relief: tuple[float, ...]) -> PersonAvatar:
    manifest = PersonManifest(
        name=name,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        face_model=model.name,
        identity=(),
        hair=HairPart(relief_m=relief),
    )
    skin = np.full((64, 64, 3), 150, np.uint8)
    return PersonAvatar(manifest, np.zeros(0, np.float32), skin, skin)


def test_whoever_is_chosen_wears_their_own_hair(renderer: OffscreenRenderer, model: FaceModel) -> None:
    ada, bo = Subject("Ada", person(model, "Ada", even(0.03))), Subject("Bo", person(model, "Bo", ()))
    face = tracked_face(model)
    areas = []
    with SubjectPictures(model, CLEAR) as pictures:
        for subject in (ada, bo, OWN, ada):
            pictures.choose(subject)
            areas.append(int((pictures.render(face, CLEAR, SIZE, alpha=True)[..., 3] > 128).sum()))
    assert areas[0] == areas[3] > areas[1] + 500
    assert areas[1] == areas[2]
