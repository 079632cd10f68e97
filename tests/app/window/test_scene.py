"""Background, camera and light in the window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from app.live.scenes import Scenes
from app.views.scene_panel import ScenePanel
from app.window.run import Opened
from rendering import Backing, CameraMode
from rendering.scene_settings import PRESETS, SceneSettings
from tests.app.window.conftest import Until
from tests.app.window.test_avatars import picture, press
from tests.app.window.test_main_window import click

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


@pytest.fixture
def panel(tracking: Opened, until: Until) -> ScenePanel:
    tracking.window.show_dock("scene")
    until(lambda: tracking.window.head.drawn_count > 2)
    return tracking.window.staging.panel


def scenes(opened: Opened) -> Scenes:
    return opened.window.staging.scenes


def settings(opened: Opened) -> SceneSettings:
    return scenes(opened).state.settings


def choose(panel: ScenePanel, kind: str) -> None:
    at = panel.kinds.findData(kind)
    panel.kinds.setCurrentIndex(at)
    panel.kinds.activated.emit(at)


def corner(opened: Opened) -> tuple[int, ...]:
    return tuple(picture(opened)[2, 2].astype(int).tolist())


def kept(home: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((home / "data" / "mien" / "retarget" / "own.scene.json").read_text())
    return found


def test_each_background_shows_at_once_and_is_kept(
    tracking: Opened, panel: ScenePanel, until: Until, home: Path
) -> None:
    choose(panel, "key")
    until(lambda: corner(tracking) == (0, 255, 0))
    assert panel.key.isVisible() and not panel.colour.isVisible()
    choose(panel, "colour")
    panel.colour.click()
    dialog = panel.colour.dialog
    assert dialog is not None
    dialog.setCurrentColor(QColor(200, 10, 90))
    until(lambda: corner(tracking) == (200, 10, 90))
    dialog.accept()
    assert panel.colour.dialog is None
    choose(panel, "transparent")
    until(lambda: len(set(picture(tracking)[2].astype(int)[:, 0].tolist())) == 2)
    choose(panel, "camera")
    panel.blur.setValue(80)
    assert settings(tracking).background.blur == 0.8
    until(lambda: tracking.window.models.view.look.background.kind is Backing.CAMERA)
    until(lambda: (home / "data/mien/retarget/own.scene.json").is_file() and not scenes(tracking)._unsaved)
    until(lambda: kept(home)["background"]["kind"] == "camera")  # type: ignore[index]
    # The picker that is given up leaves the colour as it was.
    choose(panel, "colour")
    panel.colour.click()
    assert panel.colour.dialog is not None
    panel.colour.dialog.setCurrentColor(QColor(1, 2, 3))
    panel.colour.dialog.reject()
    assert settings(tracking).background.colour == (200, 10, 90)


def test_steps_can_be_taken_back(tracking: Opened, panel: ScenePanel) -> None:
    undo = tracking.window.models.preferences.undo
    choose(panel, "key")
    for value in (30, 40, 50):
        panel.fov.setValue(value)
    panel.fov.sliderReleased.emit()
    assert settings(tracking).fov_deg == 50.0 and undo.undo_text == "field of view"
    undo.undo()
    assert settings(tracking).fov_deg == 24.0 and panel.fov.value() == 24
    assert settings(tracking).background.kind == "key"
    undo.undo()
    assert settings(tracking) == SceneSettings() and panel.kinds.currentData() == "studio"
    undo.redo()
    assert settings(tracking).background.kind == "key"
    click(panel.reset)
    assert settings(tracking) == SceneSettings() and not panel.reset.isEnabled()
    undo.undo()
    assert settings(tracking).background.kind == "key"


def test_a_picture_and_one_that_is_missing(tracking: Opened, panel: ScenePanel, until: Until, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (240, 120, 10)).save(tmp_path / "orange.png")
    panel.take_picture(str(tmp_path / "orange.png"))
    until(lambda: corner(tracking) == (240, 120, 10))
    assert panel.picture.text() == "orange.png" and not panel.told.isVisible()
    panel.take_picture(str(tmp_path / "gone.png"))
    until(lambda: "gone.png is not there" in panel.told.text())
    assert panel.told.isVisible() and panel.told.property("role") == "problem"
    assert "gone.png is not there" in tracking.window.models.notices._notices["scene"].sentence
    until(lambda: corner(tracking) == settings(tracking).background.colour)
    (tmp_path / "text.png").write_text("no picture")
    panel.take_picture(str(tmp_path / "text.png"))
    until(lambda: "text.png is no picture" in panel.told.text())
    choose(panel, "studio")
    until(lambda: "scene" not in tracking.window.models.notices._notices)
    assert not panel.told.isVisible()


def test_light(tracking: Opened, panel: ScenePanel, until: Until) -> None:
    box = panel.light
    before = picture(tracking)
    at = box.presets.findData("neon")
    box.presets.setCurrentIndex(at)
    box.presets.activated.emit(at)
    assert settings(tracking).light == PRESETS["neon"] and box.colour.colour == PRESETS["neon"].key.colour

    def reddish(shown: NDArray[np.float64]) -> float:
        middle = shown[shown.shape[0] // 3 : -shown.shape[0] // 3, shown.shape[1] // 3 : -shown.shape[1] // 3]
        return float(middle[..., 0].mean() + middle[..., 2].mean() - 2 * middle[..., 1].mean())

    until(lambda: reddish(picture(tracking)) > reddish(before) + 30)
    box.lamps.chosen.emit("fill")
    box.strength.setValue(0)
    assert settings(tracking).light.fill.strength == 0.0
    assert settings(tracking).light.fill.colour == PRESETS["neon"].fill.colour
    assert settings(tracking).light.key == PRESETS["neon"].key
    assert box.presets.currentData() == "", "one's own now"
    box.tinted.setChecked(False)
    assert settings(tracking).light.fill.colour is None
    box.warmth.setValue(100)
    assert settings(tracking).light.fill.temperature_k == 2000
    box.lamps.chosen.emit("environment")
    assert box.sky.isVisible() and not box.yaw.isVisible()
    assert not box.from_picture.isEnabled(), "there is no picture"
    box.strength.setValue(50)
    assert settings(tracking).light.environment.strength == 0.5


def test_sides_are_told_as_they_are_seen(tracking: Opened, panel: ScenePanel) -> None:
    view, box = tracking.window.models.view, panel.light
    view.mirror = False
    assert box.values[box.yaw].text() == "36° left" and not box.yaw.invertedAppearance()
    view.mirror = True
    assert box.values[box.yaw].text() == "36° right" and box.yaw.invertedAppearance()


def test_the_camera_stays(tracking: Opened, panel: ScenePanel, until: Until) -> None:
    QTest.mouseClick(panel.framing.buttons["stay"], Qt.MouseButton.LeftButton)
    view = tracking.window.models.view
    assert settings(tracking).framing == "stay" and view.scene().viewpoint.mode is CameraMode.STAY
    view.locked = True
    assert view.scene().viewpoint.mode is CameraMode.LOCKED
    view.locked = False
    rest = view.scene().viewpoint.rest
    view.recentre()
    assert view.scene().viewpoint.rest == rest + 1


def test_each_avatar_has_its_own(tracking: Opened, panel: ScenePanel, until: Until) -> None:
    window, state = tracking.window, tracking.window.models.avatars
    choose(panel, "key")
    press(tracking, "Mei", until)
    until(lambda: state.subject.name == "Mei" and settings(tracking).background.kind == "studio")
    window.show_dock("scene")
    choose(panel, "colour")
    undo = window.models.preferences.undo
    press(tracking, "", until)
    until(lambda: state.subject.own and settings(tracking).background.kind == "key")
    undo.undo()
    assert settings(tracking).background.kind == "key", "that step was somebody else's"
    press(tracking, "Mei", until)
    until(lambda: state.subject.name == "Mei")
    assert settings(tracking).background.kind == "studio"


def test_the_scene_is_there_at_the_next_start_and_a_damaged_one_is_told(
    window: Opened, home: Path, until: Until
) -> None:
    folder = home / "data" / "mien" / "retarget"
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "own.scene.json"
    for content, kind in ((SceneSettings(fov_deg=60.0).model_dump_json(), 60.0), ("{nonsense", 24.0)):
        own.write_text(content)
        again = Scenes(window.director, window.window.avatars.avatars)
        again.start()
        until(lambda wanted=kind: window.window.models.view.look.fov == pytest.approx(np.radians(wanted)))
        again.close()
    until(lambda: "scene file" in window.window.models.notices._notices)
    sentence = window.window.models.notices._notices["scene file"].sentence
    assert "own.scene.json is damaged" in sentence and own.read_text() == "{nonsense", "it stays for who mends it"
