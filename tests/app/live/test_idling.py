"""When an avatar goes on idling without a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.avatar_store import AvatarStore
from app.live.avatars import load_subject
from app.live.idling import Idling
from app.live.models import Models
from app.settings import Settings
from app.state.live import Live, Phase
from app.state.preferences import Preferences
from models.avatars import load_avatar
from rendering.subject import OWN, Subject
from tests.helpers.avatar_files import person
from tests.helpers.tracked import no_face
from tracking.retarget import IdleSettings, RetargetSettings


@pytest.fixture
def models(tmp_path: Path) -> Models:
    models = Models(Preferences(Settings(), tmp_path / "settings.json"))
    models.avatars.set_subject(Subject("Ball", avatar=load_avatar(person().save(tmp_path / "a.glb"))), None)
    return models


def idle(models: Models, **values: object) -> None:
    settings = RetargetSettings(idle=IdleSettings.model_validate(values))
    models.avatars.set_subject(replace(models.avatars.subject, settings=settings), None)


@pytest.mark.parametrize(
    ("phase", "wanted"),
    [
        *((phase, True) for phase in (Phase.NO_SOURCE, Phase.NO_CAMERA, Phase.ENDED, Phase.ERROR, Phase.LOADING)),
        *((phase, False) for phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)),
    ],
)
def test_it_idles_while_no_source_gives_pictures(models: Models, phase: Phase, wanted: bool) -> None:
    models.live.update(Live(phase=phase))
    face = Idling(models).advance(0.0)
    assert models.avatars.idling is wanted and (face is not None) is wanted
    if face is not None:
        assert face.made_up and face.parameters is None and len(np.unique(face.frame.image)) == 1


def test_at_a_modest_rate(models: Models) -> None:
    idling = Idling(models)
    made = [idling.advance(i * 0.02) is not None for i in range(500)]
    assert 110 <= sum(made) <= 150, "12 to 15 a second"
    made = [idling.advance(20.0 + i * 0.07) is not None for i in range(100)]
    assert all(made), "a timer of that pace misses none"


def test_not_at_once_after_a_result_and_of_its_size(models: Models) -> None:
    idling = Idling(models)
    idling.note_face(no_face(np.zeros((90, 160, 3), np.uint8)), 5.0)
    assert idling.advance(5.1) is None
    face = idling.advance(5.5)
    assert face is not None and face.frame.image.shape == (90, 160, 3)


@pytest.mark.parametrize(
    "values", [{"blink": False, "breathing": False}, {"without_source": False}], ids=["no life", "not alone"]
)
def test_its_switches(models: Models, values: dict[str, bool]) -> None:
    idling = Idling(models)
    assert idling.advance(0.0) is not None
    idle(models, **values)
    assert idling.advance(1.0) is None and not models.avatars.idling


def test_not_in_low_power_nor_for_the_tracked_person(models: Models) -> None:
    idling = Idling(models)
    told: list[bool] = []
    models.avatars.idling_changed.connect(told.append)
    idling.advance(0.0)
    models.preferences.set_window(low_power=True)
    assert idling.advance(1.0) is None
    models.preferences.set_window(low_power=False)
    assert idling.advance(2.0) is not None
    models.avatars.set_subject(OWN, None)
    assert idling.advance(3.0) is None and told == [True, False, True, False]


def test_frozen_it_stands_still(models: Models) -> None:
    idling = Idling(models)
    models.view.frozen = True
    assert idling.advance(0.0) is None and models.avatars.idling, "what is drawn stays"


def test_while_the_user_hides_only_who_cannot_be_the_user(models: Models, tmp_path: Path) -> None:
    models.live.update(Live(phase=Phase.TRACKING))
    models.view.hidden = True
    idling = Idling(models)
    assert idling.advance(0.0) is not None, "at once, though the phase lags behind"
    shipped, _ = load_subject(AvatarStore(tmp_path).find("Kofi"))
    models.avatars.set_subject(shipped, None)
    assert idling.advance(1.0) is not None
    assert shipped.person is not None
    manifest = shipped.person.manifest.model_copy(update={"kind": "person"})
    models.avatars.set_subject(replace(shipped, person=replace(shipped.person, manifest=manifest)), None)
    assert idling.advance(2.0) is None, "an avatar of a real person may show the user's own face"
    models.view.hidden = False
    models.live.update(Live(phase=Phase.NO_SOURCE))
    assert idling.advance(3.0) is not None
