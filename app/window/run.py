"""Starts the window and ends it.

Heavy libraries are loaded on the session's thread while the window already shows.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtWidgets import QApplication

from app.live.director import Director
from app.live.marker import RunMarker
from app.live.models import Models
from app.live.open import build_source
from app.live.report import LogTail
from app.live.session import Session
from app.settings import load_settings
from app.state.actions import ACTIONS
from app.state.notices import Notice, NoticeLevel
from app.state.preferences import Preferences
from app.state.shortcuts import ShortcutMap
from app.views.heads import drawn_by_card
from app.window.garbage import GarbageTimer
from app.window.main_window import MainWindow
from app.window.style import Style
from app.window.texts import tr
from app.window_settings import SourceSettings
from tracking.coarse_settings import CoarseSettings

STARTED_AFTER_MS = 10_000
"""When the start counts as over, if no picture ever comes."""
SWITCH_INTERVAL_S = 0.001
"""How long a thread may keep the interpreter when another waits: short, so that the window answers while it tracks."""
STARTING_INTERVAL_S = 0.005
"""The same until the first picture: handing the interpreter to and fro holds up those who load libraries."""
DEMO = SourceSettings(kind="demo")


@dataclass(slots=True)
class Opened:
    """A window with all that is behind it."""

    app: QApplication
    window: MainWindow
    director: Director
    style: Style

    def close(self) -> bool:
        """End everything; False where a thread hangs and was left to itself."""
        self.window.close()
        ended = self.director.close()
        self.window.deleteLater()
        self.app.processEvents()
        return ended


def make_application() -> QApplication:
    """The one application, set up for OpenGL in docks."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    # Without it an undocked canvas turns black.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    form = QSurfaceFormat.defaultFormat()
    form.setDepthBufferSize(24)
    form.setSwapInterval(0)
    QSurfaceFormat.setDefaultFormat(form)
    app = QApplication([sys.argv[0] or "mien"])
    app.setApplicationName("Mien")
    app.setApplicationDisplayName("Mien")
    app.setDesktopFileName("mien")
    return app


def open_window(
    source: SourceSettings | None = None,
    *,
    keep_going: bool = True,
    remember_source: bool = True,
    session: Session | None = None,
    marker: RunMarker | None = None,
) -> Opened:
    """Show the window; the caller runs the event loop and closes it.

    Args:
        source: to open; None takes the last one, and the demo clip on the first run.
        keep_going: clips start over.
        remember_source: the next start opens the same source.
        session, marker: for tests.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = make_application()
    log = LogTail()
    logging.getLogger().addHandler(log)
    problems: list[str] = []
    settings = load_settings(warn=problems.append)
    models = Models(Preferences(settings))
    style = Style(app)
    style.set(settings.window.theme, settings.window.text_scale)
    if session is None:
        session = Session(
            # The coarse network and the person join once they are prepared.
            settings.tracker.model_copy(update={"coarse": CoarseSettings(), "person": None}),
            make_source=lambda wanted, model: build_source(wanted, model, loop=keep_going),
            keep_going=keep_going,
        )
    session.hold_until_displayed = True
    session.open_driver = not drawn_by_card(settings.window.drawing)
    director = Director(models, session, marker=marker, tr=tr, remember_source=remember_source)
    director.start()
    shortcuts = ShortcutMap(models.preferences)
    shortcuts.add(*ACTIONS)
    window = MainWindow(director, shortcuts, style, log)
    for sentence in problems:
        models.notices.post(Notice("settings", NoticeLevel.WARNING, sentence, lasting=True))
    first_run = not settings.window.first_run_done
    wanted = source or (DEMO if first_run else settings.window.source)
    if wanted.kind != "none":
        director.open_source(wanted)
    if first_run and source is None:
        _welcome(director)
    window.show()
    return Opened(app, window, director, style)


def run_window(
    source: SourceSettings | None = None,
    *,
    once: bool = False,
    remember_source: bool = True,
    prepare: Callable[[Opened], None] = lambda opened: None,
) -> Opened:
    """Show the window until the user closes it.

    Args:
        source: see `open_window`.
        once: close it at the end of the clip.
        remember_source: see `open_window`.
        prepare: called before the event loop runs.
    """
    # Until it has started nothing is collected: modules, models and widgets stay, and looking through them again and
    # again would hold everything up for a tenth of a second each time. `app.cli.quick_start` has begun with that.
    garbage = GarbageTimer(make_application())
    opened = open_window(source, keep_going=not once, remember_source=remember_source)
    sys.setswitchinterval(STARTING_INTERVAL_S)
    if once:
        opened.window.clip_ended.connect(opened.window.close)
    prepare(opened)

    def has_started() -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        garbage.start()

    opened.window.first_picture.connect(has_started)
    QTimer.singleShot(STARTED_AFTER_MS, opened.window, has_started)
    keep_alive = _let_python_see_signals(opened.app)
    opened.app.exec()
    keep_alive.stop()
    opened.close()
    return opened


def leave(status: int) -> int:
    """The exit status, for a program whose threads have ended.

    Where one still loads a library or hangs in a driver, the process ends here: Python's own way out would wait for it
    or crash in it.
    """
    if any(t is not threading.main_thread() and t.is_alive() for t in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _welcome(director: Director) -> None:
    """What a newcomer reads over the demo clip, with the camera one press away once it is known."""
    models = director.models

    def post() -> None:
        cameras = models.sources.cameras
        text = tr("This is the bundled demo clip, tracked live.")
        if cameras:
            rest = tr("Your camera is one press away. Nothing leaves your computer.")
            models.notices.post(
                Notice(
                    "welcome", NoticeLevel.INFO, text, rest, "", f"camera:{cameras[0].index}", tr("Use my camera"), True
                )
            )
        else:
            rest = tr("Plug in a camera, or open a file with {key}.", key="Ctrl+O")
            models.notices.post(Notice("welcome", NoticeLevel.INFO, text, rest, lasting=True))

    def done() -> None:
        if models.sources.current.kind != "demo":
            models.notices.dismiss("welcome")
            models.sources.current_changed.disconnect(done)

    post()
    models.sources.cameras_changed.connect(post)
    models.sources.current_changed.connect(done)
    models.preferences.set_window(first_run_done=True)


def _let_python_see_signals(app: QApplication) -> QTimer:
    """Ctrl-C and `kill` close the window: Python handles signals only when it runs, hence the timer."""
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            signal.signal(number, lambda *_: app.closeAllWindows())
        except ValueError:
            pass  # not in the main thread, as in tests
    timer = QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(250)
    return timer
