"""An avatar that goes on living without a source, in a real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from app.live.marker import RunMarker
from app.settings import save_settings
from app.state.live import Phase
from app.views.head_view import HeadView
from app.window.run import Opened, open_window
from app.window_settings import SourceSettings, WindowSettings
from rendering.virtual_camera import VirtualCamera, VirtualCameraSettings
from tests.app.window.conftest import WITHOUT_DETAIL, Until
from tests.app.window.test_avatars import picture
from tests.app.window.test_main_window import phase
from tests.helpers.avatar_files import person

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("no_leaked_threads")]


@pytest.fixture
def ball(window: Opened, until: Until, tmp_path: Path) -> Opened:
    """A third-party avatar is drawn; there is no source."""
    session, state = window.director.session, window.window.models.avatars
    until(lambda: session.ready_to_draw and session._tracker is not None)
    window.window.open_path(person().save(tmp_path / "ball.glb"))
    until(lambda: state.subject.avatar is not None and state.idling and bool(state.choices))
    return window


def drawn(opened: Opened, until: Until, pictures: int = 2) -> NDArray[np.float64]:
    """The picture after some more were drawn."""
    head = opened.window.head
    count = head.drawn_count
    until(lambda: head.drawn_count >= count + pictures)
    return picture(opened)


def on_screen(opened: Opened) -> NDArray[np.int64]:
    """(H, W, 3) of what the head's widget shows."""
    image = opened.window.head.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.array(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return pixels[..., :3].astype(np.int64)


def has_eyes(opened: Opened) -> bool:
    """The ball's eyes are of a blue that nothing else has."""
    seen = on_screen(opened)
    return bool((seen[..., 2] > seen[..., 0] + 60).sum() > 50)


def test_it_breathes_without_a_source(ball: Opened, until: Until) -> None:
    window = ball.window
    until(lambda: has_eyes(ball))
    assert not window.start_card.isVisible() and window.stage.badge.text() == "No source"
    first = drawn(ball, until)
    until(lambda: bool(np.abs(drawn(ball, until) - first).max() > 20))
    assert window.models.live.now.phase is Phase.NO_SOURCE and window.director.session.tracked == 0
    window.avatars.avatars.choose(window.models.avatars.choices[0])
    until(lambda: not window.models.avatars.idling and not has_eyes(ball))
    assert window.start_card.isVisible()


def test_its_switch_is_in_the_panel(ball: Opened, until: Until) -> None:
    window, panel = ball.window, ball.window.avatars.panel
    window.show_dock("avatar")
    until(lambda: has_eyes(ball))
    assert panel.idle.isChecked() and panel.alone.isChecked() and panel.alone.isEnabled()
    panel.alone.setChecked(False)
    until(lambda: not has_eyes(ball))
    assert not window.models.avatars.subject.settings.idle.without_source
    panel.alone.setChecked(True)
    until(lambda: has_eyes(ball))
    panel.idle.setChecked(False)
    until(lambda: not window.models.avatars.idling)
    assert not panel.alone.isEnabled() and window.models.avatars.subject.settings.idle.without_source


def test_hiding_leaves_the_avatar_and_nothing_of_the_user(ball: Opened, until: Until) -> None:
    window, view = ball.window, ball.window.models.view
    window.director.open_source(SourceSettings(kind="demo"))
    until(lambda: phase(ball) is Phase.TRACKING)
    view.view = "overlay"
    drawn(ball, until, 3)
    view.hidden = True
    window.head.repaint()
    assert on_screen(ball).std(axis=(0, 1)).max() < 12, "the camera's picture is gone at once"
    until(lambda: phase(ball) is Phase.HIDDEN and has_eyes(ball))
    seen = on_screen(ball)
    assert np.ptp(seen[:60].reshape(-1, 3), axis=0).max() < 12, "no picture behind it"
    assert window.director.session.source is None, "the camera's lamp is off"
    # The tracked person's own head has nothing to show.
    window.avatars.avatars.choose(window.models.avatars.choices[0])
    until(lambda: not has_eyes(ball))
    assert on_screen(ball).std(axis=(0, 1)).max() < 12


def test_the_virtual_camera_and_the_output_window_show_it(ball: Opened, until: Until, tmp_path: Path) -> None:
    outputs, preferences = ball.window.sending.outputs, ball.window.models.preferences

    def make(settings: VirtualCameraSettings) -> VirtualCamera:
        return VirtualCamera(
            settings.model_copy(update={"device": str(tmp_path / "camera.bin")}),
            backend_module="tests.helpers.memory_camera",
            backend="memory",
        )

    outputs.make_camera = make
    wanted = VirtualCameraSettings(width=320, height=180, background="key", on=True)
    ball.window.toggle_output()
    preferences.set_outputs(virtual_camera=wanted.model_dump())
    state, view = ball.window.models.outputs, ball.window.models.view

    def shows(key: bool) -> bool:
        seen = state.preview
        return (
            seen is not None
            and state.camera is not None
            and state.camera.hidden is not key
            and (tuple(seen[0, 0]) == ((0, 255, 0) if key else wanted.privacy))
        )

    until(lambda: shows(True), 60)
    output = ball.window.output
    assert output is not None
    until(lambda: output.head.drawn_count > 3)
    # Hidden it is sent, too, but for a picture that is on the way from before.
    view.hidden = True
    until(lambda: phase(ball) is Phase.HIDDEN)
    until(lambda: shows(True))
    ball.window.models.preferences.set_window(low_power=True)
    until(lambda: shows(False))
    ball.window.models.preferences.set_window(low_power=False)
    until(lambda: shows(True))
    ball.window.avatars.avatars.choose(ball.window.models.avatars.choices[0])
    until(lambda: shows(False))
    ball.window.toggle_output()
    preferences.set_outputs(virtual_camera=wanted.model_copy(update={"on": False}).model_dump())
    until(lambda: state.camera is None)


def test_a_person_idles_too_and_a_source_takes_over(window: Opened, until: Until) -> None:
    state = window.window.models.avatars
    until(lambda: any(choice.name == "Mei" for choice in state.choices))
    window.window.avatars.avatars.choose(next(choice for choice in state.choices if choice.name == "Mei"))
    until(lambda: state.idling and window.window.head.drawn_count > 2)
    assert drawn(window, until).std() > 20, "a face is there though nobody was ever tracked"
    window.window.director.open_source(SourceSettings(kind="demo"))
    until(lambda: phase(window) is Phase.TRACKING and not state.idling)
    assert drawn(window, until, 3).std() > 20
    window.window.director.open_source(SourceSettings())
    until(lambda: phase(window) is Phase.NO_SOURCE and state.idling)
    assert drawn(window, until, 3).std() > 20


def test_the_card_draws_it_while_hidden_and_nothing_else(home: Path, qapp: object, until: Until) -> None:
    save_settings(WITHOUT_DETAIL.model_copy(update={"window": WindowSettings(drawing="card")}))
    opened = open_window(SourceSettings(kind="demo"), marker=RunMarker(home / "running.json"))
    head, view = opened.window.head, opened.window.models.view
    assert isinstance(head, HeadView)

    def spread() -> float:
        image = head.native.grabFramebuffer().convertToFormat(QImage.Format.Format_RGBA8888)  # type: ignore[attr-defined]
        pixels = np.array(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3]
        return float(pixels.std(axis=(0, 1)).max())

    try:
        until(lambda: head.all_prepared and phase(opened) is Phase.TRACKING)
        opened.window.open_path(person().save(home / "ball.glb"))
        state = opened.window.models.avatars
        until(lambda: state.subject.avatar is not None and bool(state.choices))
        view.view = "overlay"
        count = head.drawn_count
        until(lambda: head.drawn_count > count + 3)
        view.hidden = True
        assert spread() < 3, "neither the camera's picture nor what was drawn on it"
        until(lambda: phase(opened) is Phase.HIDDEN and spread() > 15)
        opened.window.avatars.avatars.choose(state.choices[0])
        until(lambda: spread() < 3)
    finally:
        assert opened.close()
