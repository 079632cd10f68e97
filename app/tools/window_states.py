"""Brings a real window into each of its main states, for pictures of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from app.live.session import Session
from app.output_settings import OutputSettings
from app.settings import load_settings
from app.state.avatars import AvatarChoice
from app.state.coarse import CoarseStage
from app.state.live import Phase
from app.tasks import Task
from app.tools.screenshots import wait
from app.views.settings_dialog import SettingsDialog
from app.window.run import DEMO, Opened, make_application, open_window
from app.window_settings import SourceSettings
from models.channels import CHANNEL_INDEX
from models.geometry.rotations import from_euler
from tracking.capture_steps import Step
from tracking.sources import SourceError
from tracking.types import TrackedFace

LONG_S = 30.0
SETTLED_FPS, SETTLED_S = 23.0, 12.0
"""Tracked pictures a second of the demo clip from which the start is over, and how long that is waited for."""


class Stager:
    """One window, led from state to state.

    Args:
        size: of the window in pixels of the window.
        text_scale: percent.
    """

    def __init__(self, size: tuple[int, int], text_scale: int) -> None:
        make_application()
        self.opened: Opened = open_window(session=Session(load_settings().tracker))
        self._window = self.opened.window
        self._window.resize(*size)
        # As at a start on a screen of this size.
        self._window.reset_docks()
        self._models = self.opened.director.models
        self._models.preferences.set_window(text_scale=text_scale)
        self._wait_tracking()
        self._busy = True

    def picture(self, state: str, theme: str) -> QPixmap:
        """The window in this state and theme."""
        self._models.preferences.set_window(theme=theme)
        getattr(self, f"_{state}")()
        self._rest(0.0 if state == "capture" else 0.6)
        picture = self._window.grab()
        for dialog in list(self._window.dialogs.open.values()):
            _paste(picture, self._window, dialog)
        self._tidy()
        return picture

    def close(self) -> None:
        """End the window."""
        self._busy = False
        self.opened.close()

    def _first_run(self) -> None:
        self._wait_tracking()

    def _tracking(self) -> None:
        self._models.notices.dismiss("welcome")
        self._wait_tracking()

    def _plots(self) -> None:
        self._window.show_dock("plots")
        wait(self._process, lambda: self._window.plots.built, LONG_S)
        self._rest(6.0)

    def _overlay(self) -> None:
        self._models.view.view = "overlay"
        self._models.view.overlay = "mesh"
        self._rest(0.6)

    def _lost(self) -> None:
        # A wall: pictures that show nobody.
        folder = Path(__import__("tempfile").mkdtemp(prefix="mien-wall-"))
        from PIL import Image

        noise = np.random.default_rng(1).normal(96, 6, (300, 400, 3))
        Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(folder / "wall.png")
        self.opened.director.open_source(SourceSettings(kind="file", path=str(folder)))
        wait(self._process, lambda: self._models.live.now.phase is Phase.SEARCHING, LONG_S)
        self._rest(1.5)

    def _start(self) -> None:
        self.opened.director.open_source(SourceSettings())
        wait(self._process, lambda: self._models.live.now.phase is Phase.NO_SOURCE, LONG_S)

    def _settings(self) -> None:
        self._window.dialogs.settings()

    def _settings_tracking(self) -> None:
        """With the coarse network at work, and somebody known before the camera."""
        self._wait_tracking()
        preferences = self._models.preferences
        preferences.set_coarse(preferences.settings.tracker.coarse.model_copy(update={"mode": "opinion"}))
        wait(self._process, lambda: self._models.coarse.stage is CoarseStage.ON, LONG_S)
        self._window.dialogs.settings()
        dialog = cast(SettingsDialog, self._window.dialogs.open["settings"])
        alex = AvatarChoice("Alex", Path("alex.mien"), kind="person", own_file=True)
        self._models.avatars.set_choices((*self._models.avatars.choices, alex))
        dialog.coarse.person.setCurrentText("Alex")
        dialog.tabs.setCurrentWidget(dialog.coarse)
        self._rest(1.0)

    def _keys(self) -> None:
        self._window.dialogs.shortcuts()

    def _calibration(self) -> None:
        self._wait_tracking()
        self.opened.director.calibrate("Alex", time.monotonic())
        self._rest(0.8)

    def _task(self) -> None:
        def work(task: Task) -> None:
            task.start("interview.mp4", 1800)
            while self._busy:
                task.step(2 if task.done_steps < 700 else 0)
                time.sleep(0.01)

        self._models.tasks.start("Track interview.mp4", work)
        self._window.show_dock("tasks")
        self._rest(4.0)

    def _record(self) -> None:
        self._wait_tracking()
        self._begin_recording()
        self._rest(4.0)
        self._window.record.recording.mark("Blink")
        self._rest(1.0)

    def _player(self) -> None:
        self._record()
        folder = self._models.recording.folder
        self._end_recording()
        assert folder is not None
        self._models.notices.dismiss("recording")
        self._window.open_path(folder)
        state = self._models.player
        wait(self._process, lambda: state.overview is not None, LONG_S)
        for place, act in ((1.2, state.mark_start), (3.6, state.mark_end), (2.4, lambda: None)):
            state.seek(place)
            self._rest(0.4)
            act()
        if state.player is not None:
            state.player.play(False)
        self._rest(0.6)

    def _export(self) -> None:
        self._player()
        self._window.player.export()

    def _outputs(self) -> None:
        self._wait_tracking()
        self._window.show_dock("outputs")
        preferences = self._models.preferences
        streams = [stream.model_dump() for stream in preferences.settings.outputs.streams]
        camera = preferences.settings.outputs.virtual_camera.model_dump()
        streams[0]["on"] = True
        preferences.set_outputs(streams=streams, virtual_camera=camera | {"on": True, "layout": "split"})
        self._rest(6.0)

    def _capture(self) -> None:
        """Nearly through: the first steps are acted, for the clip's person does little; the last one is his own."""
        self._models.notices.dismiss("welcome")
        self._wait_tracking()
        self._window.show_dock("avatar")
        self._window.avatars.show_capture()
        guided, session = self._window.avatars.guided, self.opened.director.session
        collector, face = guided._collector, session.latest()
        assert collector is not None and face is not None
        taps, session.result_taps = session.result_taps, ()
        for acted in _acting(face, lambda: collector.known.status.step):
            collector.take(acted)
            wait(self._process, lambda: not collector._faces, LONG_S)
            self._process()
        session.result_taps = taps
        state = guided.state

        def opening() -> bool:
            status = state.status
            return (
                status is not None and status.step is not None and status.step.name == "jaw" and status.progress > 0.6
            )

        wait(self._process, opening, LONG_S)

    def _begin_recording(self) -> None:
        self._window.show_dock("record")
        folder = Path(os.environ["MIEN_CONFIG"]).parent / "recordings"
        self._models.preferences.set_recording(folder=str(folder), audio="none")
        recording = self._models.recording
        self._window.record.recording.start("Scene one")
        wait(self._process, lambda: recording.folder is not None, LONG_S)

    def _end_recording(self) -> None:
        self._window.record.recording.stop()
        wait(self._process, lambda: not self._models.recording.busy, LONG_S)

    def _error(self) -> None:
        def refuse(*_: object) -> None:
            raise SourceError(
                "The file holiday.mp4 is not a video, or it is damaged or cut short: choose another file."
            )

        session = self.opened.director.session
        made, session._make_source = session._make_source, refuse  # type: ignore[assignment]
        self.opened.director.open_source(SourceSettings(kind="file", path="holiday.mp4"))
        wait(self._process, lambda: self._models.live.now.phase is Phase.ERROR, LONG_S)
        session._make_source = made

    def _tidy(self) -> None:
        self._window.dialogs.close()
        if self._models.recording.folder is not None:
            self._end_recording()
        self._models.notices.dismiss("recording")
        self._models.preferences.set_outputs(**OutputSettings().model_dump(include={"streams", "virtual_camera"}))
        self.opened.director.cancel_calibration()
        for task in self._models.tasks.tasks:
            task.cancel()
        self._models.view.view = "textured"
        self._models.view.overlay = "outline"
        self._window.show_dock("expression")
        if self._models.sources.current != DEMO:
            self.opened.director.open_source(DEMO)
        self._rest(0.5)

    def _wait_tracking(self) -> None:
        wait(self._process, lambda: self._models.live.now.phase is Phase.TRACKING, LONG_S)
        # The first pictures come while libraries are still being loaded.
        wait(self._process, lambda: self._models.live.now.fps >= SETTLED_FPS, SETTLED_S)
        count = self._window.head.drawn_count
        wait(self._process, lambda: self._window.head.drawn_count > count + 5, LONG_S)

    def _rest(self, seconds: float) -> None:
        wait(self._process, lambda: False, seconds)

    def _process(self) -> None:
        self.opened.app.processEvents()


def _acting(face: TrackedFace, due: Callable[[], Step | None]) -> Iterator[TrackedFace]:
    """Somebody who does what the guide asks for until the mouth is to be opened."""
    assert face.raw is not None
    time_s = began_s = face.frame.time_s
    before = due()
    while (step := due()) is not None and step.name != "jaw":
        time_s += 0.1
        if step is not before:
            before, began_s = step, time_s
        expression = face.raw.expression * 0
        for name in (name for group in step.channels for name in group):
            expression[CHANNEL_INDEX[name]] = 0.8
        share = min(1.2, (time_s - began_s) / 3.0)
        turn = from_euler(share * step.yaw, share * step.pitch, 0.0)
        raw = replace(face.raw, expression=expression, rotation=face.raw.rotation @ turn)
        yield replace(face, frame=replace(face.frame, time_s=time_s), raw=raw)


def _paste(picture: QPixmap, window: QWidget, dialog: QWidget) -> None:
    """A dialog in the middle of its window, as a window manager would put it."""
    from PySide6.QtGui import QPainter

    dialog.resize(dialog.size().boundedTo(window.size() * 0.94))
    shown = dialog.grab()
    painter = QPainter(picture)
    painter.fillRect(picture.rect(), "#60000000")
    x, y = (window.width() - dialog.width()) // 2, (window.height() - dialog.height()) // 2
    painter.drawPixmap(x, y, shown)
    painter.end()
